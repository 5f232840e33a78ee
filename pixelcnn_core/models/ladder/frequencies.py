"""A fixed rotation of an image to frequencies, where natural images are nearly uncorrelated: the DCT of JPEG.

NICE whitens its images first, with a matrix fitted to them. The discrete cosine transform, with the colours turned to
brightness and two differences, does nearly the same for every set of photos, and has nothing to fit: it is orthonormal,
so it changes no density. The amplitude of a photo's frequencies falls as about 1 / f; dividing by that makes all of one
size, and its logarithm enters the density.
"""

import math

import torch
from torch import Tensor, nn

AMPLITUDES = (3.4, 0.75, 0.4)  # of brightness and of two colour differences at the lowest frequency, images in [-1, 1)


def cosines(size: int) -> Tensor:
    """The orthonormal DCT-II, (size, size): a row for each frequency."""
    k, n = torch.arange(size, dtype=torch.float64)[:, None], torch.arange(size, dtype=torch.float64)
    basis = torch.cos(math.pi / size * (n + 0.5) * k) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    return basis


def colours(channels: int) -> Tensor:
    """Brightness, red minus blue, green minus the rest, orthonormal: (channels, channels)."""
    if channels == 1:
        return torch.ones(1, 1, dtype=torch.float64)
    rows = torch.tensor([[1.0, 1, 1], [1, 0, -1], [-1, 2, -1]], dtype=torch.float64)
    return rows / rows.norm(dim=1, keepdim=True)


class Frequencies(nn.Module):
    """Images (B, C, H, W) <-> D = C * H * W numbers of about unit variance, (B, D): colour by colour, row by row."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        f = torch.arange(size, dtype=torch.float64)
        radius = (f[:, None] ** 2 + f ** 2).sqrt()
        scale = torch.tensor(AMPLITUDES[:channels], dtype=torch.float64)[:, None, None] / (1 + radius)  # (C, H, W)
        for name, value in (("basis", cosines(size)), ("colour", colours(channels)), ("scale", scale)):
            self.register_buffer(name, value.float(), persistent=False)
        self.shape = (channels, size, size)

    @property
    def log_determinant(self) -> Tensor:
        """log |det| of the map, ()."""
        return -self.scale.log().sum()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.einsum("dc,bchw->bdhw", self.colour, x)
        return (self.basis @ x @ self.basis.T / self.scale).flatten(1)

    def inverse(self, z: Tensor) -> Tensor:
        x = self.basis.T @ (z.unflatten(1, self.shape) * self.scale) @ self.basis
        return torch.einsum("dc,bdhw->bchw", self.colour, x)
