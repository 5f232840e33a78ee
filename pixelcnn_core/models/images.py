"""What counts as a batch of images, integers in [0, levels), (B, C, H, W), and how networks read them.

The commonest mistake with a PixelCNN is to give it what other networks take, floats in [0, 1] or [-1, 1]: rounded to
integers they are nearly black images, with a likelihood that means nothing. So they are refused.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from pixelcnn_core.sampling.images import Images

UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def scaled(x: Tensor, levels: int) -> Tensor:
    """Levels from 0 to levels - 1, as floats of any shape -> [-1, 1], as all networks here read them."""
    return x * (2 / (levels - 1)) - 1


def as_images(x: "Tensor | np.ndarray | Sequence | Images", channels: int, levels: int) -> Tensor:
    """A batch (B, C, H, W) from a tensor or array of whole numbers in [0, levels), or from what a model drew.

    Taken for it as well: one image (C, H, W), and grey images without their channel, (B, H, W). Floats are refused
    unless all are whole numbers, and where none is above 1: black and white in [0, 1] look like that, and dark levels
    come as integers, or as floats that a gradient is asked of. Raises ValueError.
    """
    x = getattr(x, "tensor", x)  # of `Images`
    if not isinstance(x, Tensor):
        try:
            x = torch.as_tensor(x)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"images are a tensor or an array of whole numbers, not {type(x).__name__}") from error
    if x.ndim == 3 and channels == 1:
        x = x[:, None]  # (B, H, W) -> (B, 1, H, W)
    elif x.ndim == 3 and len(x) == channels:
        x = x[None]  # (C, H, W) -> (1, C, H, W)
    if x.ndim != 4 or x.shape[1] != channels or 0 in x.shape[2:]:
        raise ValueError(f"images have shape (B, {channels}, H, W), not {tuple(x.shape)}")
    if x.dtype in UNSIGNED:  # torch holds them and can do next to nothing with them
        x = x.long()
    if x.is_complex() or (x.is_floating_point() and not bool((x == x.round()).all())):
        raise ValueError(f"images hold whole numbers from 0 to {levels - 1}, not fractions: floats in [0, 1] must be "
                         f"multiplied by {levels - 1} and rounded first")
    # looking at the values waits for the device: a compiled training step goes without, and bytes need none
    if x.numel() and not torch.compiler.is_compiling() and (x.dtype != torch.uint8 or levels < 256):
        low, high = x.min().item(), x.max().item()
        if low < 0 or high >= levels:
            raise ValueError(f"images hold whole numbers from 0 to {levels - 1}, not {low if low < 0 else high:g}")
        if x.is_floating_point() and levels > 2 and high <= 1 and not x.requires_grad:
            raise ValueError(f"images hold whole numbers from 0 to {levels - 1}, and of these floats none is above 1: "
                             f"multiply floats in [0, 1] by {levels - 1}, and give levels that are as dark as that as "
                             "integers")
    return x


def as_mask(known: "Tensor | np.ndarray | Sequence") -> Tensor:
    """A mask, bool and of the same shape, from a tensor, an array or lists. Raises ValueError."""
    try:
        return torch.as_tensor(known).bool()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError("a mask is a tensor or an array of true and false, "
                         f"not {type(known).__name__}") from error
