"""Ancestral sampling, section 2 and equation 1: sub-pixel by sub-pixel in raster order, R, G, B inside each pixel.

Randomness is explicit: every sub-pixel has one uniform number u, and its value is the smallest level k whose
cumulative probability exceeds u. A sample is therefore a function of (weights, condition, temperature, truncation,
guidance, uniforms): same noise, other class; same noise, edited image; and the three methods below must give the same
image.

    method="naive"   one full forward pass per sub-pixel: the definition, and very slow
    method="fixed point"  all sub-pixels at once, again and again (`fixed_point.py`): yields after every pass
    method="cached"  every activation computed once (`cached/sampler.py`): the same images, hundreds of times faster

`sample_rows` is a generator of partial images, one per finished row; closing it stops the work. Whoever wants finished
images and no more calls `model.sample(...)` (`images.py`).

References: van den Oord et al., 2016, arXiv 1606.05328, section 2 (raster order).
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from numbers import Integral, Real
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition, ConditionLike, as_condition
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.images import as_mask
from pixelcnn_core.sampling.cached.sampler import CachedSampler, has_stacks
from pixelcnn_core.sampling.fixed_point import fixed_point_passes
from pixelcnn_core.sampling.inversion import guided, invert_cdf
from pixelcnn_core.sampling.truncation import PAPER, Truncation

T = TypeVar("T")  # what a generator yields
Array = Tensor | np.ndarray


def uniforms_from_seed(seed: int, batch: int, config: PixelCNNConfig, size: tuple[int, int] | None = None) -> Tensor:
    """The noise of a sample: float64 in [0, 1), (batch, C, H, W). Image k gets the same numbers in any batch.

    size  (H, W); default: what the model was trained on. Raises ValueError for a negative seed.
    """
    check_seed(seed)
    shape = (batch, config.channels, *height_and_width(size, config))
    return torch.from_numpy(np.random.default_rng(seed).random(shape))


def check_seed(seed: int) -> None:
    """Raises ValueError for what is no whole number of at least 0."""
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"a seed is a whole number of at least 0, not {seed!r}")


def height_and_width(size: int | tuple[int, int] | None, config: PixelCNNConfig) -> tuple[int, int]:
    """(H, W) of what is to be drawn; None is the size of the training images. Raises ValueError.

    Convolutions take any size. A position map does not: at another size every place would mean another one.
    """
    trained = (config.image_size, config.image_size)
    size = trained if size is None else tuple(size) if isinstance(size, Sequence) else (size, size)
    if len(size) != 2 or not all(isinstance(side, Integral) and side > 0 for side in size):
        raise ValueError(f"size is one whole number above 0 or two, height and width, not {size}")
    if config.position and size != trained:
        raise ValueError(f"the model tells places apart by a position map of {trained[0]} x {trained[1]} pixels: it "
                         "draws no other size")
    return size


def prefix_mask(config: PixelCNNConfig, row: int, column: int) -> Tensor:
    """Known-pixel mask, bool (H, W): True for the pixels before (row, column) in raster order."""
    size = config.image_size
    return (torch.arange(size * size) < row * size + column).reshape(size, size)


def sample_rows(model: GatedPixelCNN, condition: ConditionLike = None, *, batch: int | None = None, seed: int = 0,
                uniforms: Array | None = None, temperature: float = 1.0, guidance: float = 1.0,
                truncation: Truncation = PAPER, unconditional: Condition | None = None, image: Array | None = None,
                known: Array | None = None, size: int | tuple[int, int] | None = None,
                method: str | None = None) -> Iterator[Tensor]:
    """Draw images, yielding the unfinished batch, uint8 (B, C, H, W), after every row; rows to come are 0.

    condition    what the images are conditioned on, a `Condition` or labels; its length sets the batch size unless
                 `batch` does
    uniforms     (B, C, H, W) or (1, C, H, W) numbers in [0, 1): the noise; default: from `seed`
    temperature  logits are divided by it; 0 takes the most probable level
    guidance     classifier-free: 1 samples p(x | h); above 1 stresses the condition (two network evaluations)
    truncation   which levels are never drawn; none are in the paper's sampler
    unconditional  what guidance starts from; default: no condition at all
    image, known pixels to keep: `image` integers (B or 1, C, H, W), `known` bool (H, W), (B, H, W) or (B, C, H, W)
    size         height and width, one number or two; default: what the model was trained on
    method       see above; default: "cached", or "naive" for a model without the two stacks that are cached
    Raises ValueError for anything that does not fit, before any work is done.
    """
    if not isinstance(model, GatedPixelCNN):
        raise ValueError(f"images are drawn from a GatedPixelCNN, not from a {type(model).__name__}: unwrap the model")
    config = model.config
    condition, size = as_condition(condition, config.class_names), height_and_width(size, config)
    if batch is None:
        batch = len(condition) or (len(uniforms) if uniforms is not None else 1)
    if batch < 1:
        raise ValueError(f"a batch has at least 1 image, not {batch}")
    condition, unconditional = condition.expand(batch), unconditional and unconditional.expand(batch)
    if uniforms is None:
        uniforms = uniforms_from_seed(seed, batch, config, size)
    uniforms = check_uniforms(uniforms, batch, config, size)
    image, known = check_known(image, known, batch, config, size)
    check_settings(temperature, guidance, truncation)
    method = method or ("cached" if has_stacks(model) else "naive")
    if method == "naive":
        return sample_naive(model, condition, uniforms, temperature, guidance, image, known, truncation, unconditional)
    if method == "cached":
        engine = CachedSampler(model, condition, batch, temperature=temperature, guidance=guidance,
                               truncation=truncation, unconditional=unconditional, size=size)
        return engine.run(uniforms, image, known)
    if method == "fixed point":
        return fixed_point_passes(model, condition, uniforms, temperature, guidance, image, known, truncation,
                                  unconditional)
    raise ValueError(f"method is 'naive', 'fixed point' or 'cached', not {method!r}")


def finish(partial_images: Iterator[T]) -> T:
    """Run a sampling generator to its end: the complete images, uint8 (B, C, H, W); of a chain those of every size."""
    return deque(partial_images, maxlen=1).pop()


@torch.no_grad()
def sample_naive(model: GatedPixelCNN, condition: Condition, uniforms: Tensor, temperature: float, guidance: float,
                 image: Tensor, known: Tensor, truncation: Truncation = PAPER,
                 unconditional: Condition | None = None) -> Iterator[Tensor]:
    """The definition of ancestral sampling: a full forward pass for each of the C * H * W sub-pixels."""
    device = next(model.parameters()).device
    condition, uniforms, known = condition.to(device), uniforms.to(device), known.to(device)
    unconditional = unconditional and unconditional.to(device)
    x = torch.where(known, image.to(device), 0).to(torch.uint8)
    for row in range(x.shape[2]):
        for column in range(x.shape[3]):
            for channel in range(x.shape[1]):
                value = naive_step(model, x, condition, uniforms, (channel, row, column), temperature, guidance,
                                   truncation, unconditional)
                keep = known[:, channel, row, column]
                x[:, channel, row, column] = torch.where(keep, x[:, channel, row, column], value)
        partial = x.cpu().clone()
        partial[:, :, row + 1:] = 0
        yield partial


def naive_step(model: GatedPixelCNN, x: Tensor, condition: Condition, uniforms: Tensor, position: tuple[int, int, int],
               temperature: float = 1.0, guidance: float = 1.0, truncation: Truncation = PAPER,
               unconditional: Condition | None = None) -> Tensor:
    """Draw the sub-pixel at (channel, row, column) given the earlier ones in x: uint8 (B,)."""
    channel, row, column = position
    logits = model(x, condition)[:, :, channel, row, column]  # (B, levels)
    if guidance != 1:
        logits = guided(logits, model(x, unconditional)[:, :, channel, row, column], guidance)
    return invert_cdf(logits, uniforms[:, channel, row, column], temperature, truncation).to(torch.uint8)


def check_settings(temperature: float, guidance: float, truncation: Truncation) -> None:
    """Raises ValueError for settings with which nothing can be drawn."""
    if not (isinstance(temperature, Real) and math.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"temperature must be a number of at least 0, not {temperature!r:.40}")
    if not (isinstance(guidance, Real) and math.isfinite(guidance)):
        raise ValueError(f"guidance must be a finite number, not {guidance!r:.40}")
    if not isinstance(truncation, Truncation):
        raise ValueError(f"truncation is a Truncation, as Truncation(min_p=0.05), not {truncation!r}")


def check_uniforms(uniforms: Array, batch: int, config: PixelCNNConfig, size: tuple[int, int]) -> Tensor:
    """The noise as float64 (batch, C, H, W); a single image's noise is shared by the whole batch. Raises ValueError."""
    shape, uniforms = (config.channels, *size), torch.as_tensor(uniforms)
    if uniforms.ndim != 4 or uniforms.shape[1:] != shape or len(uniforms) not in (1, batch):
        raise ValueError(f"uniforms have shape {tuple(uniforms.shape)}, the model needs {(batch, *shape)}")
    if not bool(((uniforms >= 0) & (uniforms < 1)).all()):
        raise ValueError("uniforms must lie in [0, 1)")
    return uniforms.double().expand(batch, *shape).contiguous()


def check_known(image: Array | None, known: Array | None, batch: int, config: PixelCNNConfig,
                size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Given pixels as (uint8 image, bool mask), both (batch, C, H, W); without any, zeros and False. Raises
    ValueError."""
    shape = (config.channels, *size)
    if known is None or image is None:
        if known is not None:
            raise ValueError("a mask of known pixels needs the image that they are taken from")
        return torch.zeros(batch, *shape, dtype=torch.uint8), torch.zeros(batch, *shape, dtype=torch.bool)
    image, known = torch.as_tensor(image), as_mask(known)
    if image.ndim != 4 or image.shape[1:] != shape or len(image) not in (1, batch):
        raise ValueError(f"the image has shape {tuple(image.shape)}, the model needs {(batch, *shape)}")
    if known.ndim == 2:
        known = known[None]  # (1, H, W)
    if known.ndim == 3:
        known = known[:, None]  # (B, 1, H, W)
    if known.ndim != 4 or known.shape[2:] != shape[1:] or known.shape[1] not in (1, shape[0]) \
            or len(known) not in (1, batch):
        raise ValueError(f"the mask of known pixels has shape {tuple(known.shape)}, it must fit {(batch, *shape)}")
    known = known.expand(batch, *shape).contiguous()
    image = image.expand(batch, *shape)
    values = image.int()  # compared as uint8, 256 would wrap to 0
    if bool((known & ((values < 0) | (values >= config.levels) | (values != image.double()))).any()):
        raise ValueError(f"known pixels are whole numbers from 0 to {config.levels - 1}")
    return image.to(torch.uint8).contiguous(), known
