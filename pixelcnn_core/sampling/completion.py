"""Completing an image (inpainting) with an unconditional or class-conditional PixelCNN, and what raster order costs.

Sub-pixels in raster order; K known, M missing. Filling in the missing ones one after another draws from

    q(x_M) = product over i in M of p(x_i | x_<i)

whose factors see only what is above and to the left: known pixels that come later do not inform it. The distribution
that does use all of them is p(x_M | x_K), proportional to p(x) = q(x_M) * product over i in K of p(x_i | x_<i). So a
completion drawn from q has the importance weight

    w = p(x) / q(x_M) = product over i in K of p(x_i | x_<i):

how well it explains the known pixels. Those before the first missing one are the same for all completions and cancel.
Exact as the number of completions grows; but w varies over many powers of ten where holes are large, and then the
effective sample size (sum w)^2 / sum w^2 is near 1: the best of the few, and no more.

References: Rubin, 1987 (sampling importance resampling); Kong, 1992 (effective sample size).
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.sampling.sample import sample_rows


def raster_sight(known: Tensor) -> Tensor:
    """Which part of the missing pixels may see each known pixel: bool (H, W) -> float64 (H, W), 0 at missing ones.

    1 above the hole, 0 after its last pixel: raster order ignores what is known there.
    """
    missing = (~known).flatten().double()
    later = missing.sum() - missing.cumsum(0)  # missing pixels after this one
    return (later / missing.sum().clamp(min=1) * known.flatten()).reshape(known.shape)


def complete(model: GatedPixelCNN, image: Tensor, known: Tensor, count: int, *, condition: Condition | None = None,
             seed: int = 0, temperature: float = 1.0) -> Iterator[Tensor]:
    """Draw `count` completions from q, yielding the unfinished batch, uint8 (count, C, H, W), after every row.

    image (C, H, W) integers, known bool (H, W). `condition` is for one image, or for all `count`.
    """
    return sample_rows(model, condition, batch=count, seed=seed, temperature=temperature, image=image[None],
                       known=known[None])


@torch.no_grad()
def log_weights(model: GatedPixelCNN, completions: Tensor, known: Tensor, condition: Condition | None = None) -> Tensor:
    """log w of completions (K, C, H, W) that share the known pixels, bool (H, W): float64 (K,), natural logarithm.

    One forward pass scores them all. Only for completions drawn at temperature 1: q is the model itself.
    """
    device = model.head1.weight.device
    bits = model.bits_per_sub_pixel(completions.to(device), condition and condition.to(device)).double().cpu()
    after = known & ((~known).flatten().cumsum(0).reshape(known.shape) > 0)  # known, and after the first missing one
    return -math.log(2) * (bits * after).sum((1, 2, 3))


def normalise(log_w: Tensor) -> Tensor:
    """Weights that sum to 1: (K,) -> (K,)."""
    return torch.softmax(log_w, 0)


def effective_sample_size(weights: Tensor) -> float:
    """How many equally weighted completions these are worth: from 1 to K, for weights (K,) that sum to 1."""
    return 1 / weights.square().sum().item()
