"""What one does without a model: the baselines that the restorer is measured against.

    masked           the hole is filled by diffusion: every missing pixel is the mean of its four neighbours
    noise            the median of 3 x 3 pixels
    grey             the grey picture as it is
    low resolution   bicubic interpolation
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn_core.restoration.damage import KINDS, known_pixels, visible

NAMES = dict(zip(KINDS, ("diffusion", "median filter", "grey copied", "bicubic")))
ITERATIONS = 1500  # of the diffusion: enough for any hole in 32 x 32 pixels


def repair(damaged: Tensor, levels: int, kind: str) -> Tensor:
    """Maps (B, C + 4, H, W) of images that were damaged in one way -> uint8 (B, C, H, W)."""
    x = damaged[:, :-len(KINDS)]
    if kind == "masked":
        x = diffuse(x, known_pixels(damaged))
    elif kind == "noise":
        windows = F.unfold(F.pad(x, (1, 1, 1, 1), mode="replicate").flatten(0, 1)[:, None], 3)  # (B * C, 9, H * W)
        x = windows.median(1).values.reshape(x.shape)
    elif kind == "low resolution":
        factor = round(1 / (1 - float(damaged[0, -1, 0, 0])))
        x = F.interpolate(x[:, :, ::factor, ::factor], scale_factor=factor, mode="bicubic", align_corners=False)
    return visible(torch.cat([x, damaged[:, -len(KINDS):]], 1), levels)


def diffuse(x: Tensor, known: Tensor) -> Tensor:
    """Solve Laplace's equation in the unknown pixels, by Jacobi's iteration from the mean of the known ones.

    x (B, C, H, W), known bool (B, 1, H, W). Edges reflect; where nothing is known everything becomes 0.
    """
    mean = (x * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
    filled = torch.where(known, x, mean)
    for _ in range(ITERATIONS):
        p = F.pad(filled, (1, 1, 1, 1), mode="replicate")
        neighbours = (p[:, :, 2:, 1:-1] + p[:, :, :-2, 1:-1] + p[:, :, 1:-1, 2:] + p[:, :, 1:-1, :-2]) / 4
        filled = torch.where(known, x, neighbours)
    return filled
