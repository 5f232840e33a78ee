"""Interpolation between two conditions. With the same noise for every step, only `h` changes.

References: van den Oord et al., 2016, arXiv 1606.05328, section 3.3 (figure 5); Shoemake, 1985 (the spherical path).
"""

import torch
from torch import Tensor

PATHS = ("spherical", "linear")


def between(start: Tensor, end: Tensor, steps: int, path: str = "spherical") -> Tensor:
    """`steps` vectors from `start` to `end`, both (D,), ends included: (steps, D).

    linear     the straight line: between two unit vectors it passes nearer to 0
    spherical  along the great circle, at constant angular speed; lengths are interpolated linearly
    Raises ValueError for another path, fewer than 2 steps, or vectors of different size.
    """
    if path not in PATHS:
        raise ValueError(f"path is one of {', '.join(PATHS)}, not {path!r}")
    if steps < 2 or start.shape != end.shape or start.ndim != 1:
        raise ValueError(f"a path needs at least 2 steps between two vectors of one size, not {steps} between "
                         f"{tuple(start.shape)} and {tuple(end.shape)}")
    t = torch.linspace(0, 1, steps).to(start)[:, None]  # (steps, 1)
    straight = (1 - t) * start + t * end  # (steps, D)
    lengths = start.norm(), end.norm()
    if path == "linear" or 0 in lengths:
        return straight
    a, b = start / lengths[0], end / lengths[1]
    angle = torch.arccos((a @ b).clamp(-1, 1))
    if angle.sin() < 1e-4:  # the same direction, or opposite ones, between which no great circle is the shortest
        return straight
    arc = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / angle.sin()  # (steps, D), of length 1
    return arc * ((1 - t) * lengths[0] + t * lengths[1])
