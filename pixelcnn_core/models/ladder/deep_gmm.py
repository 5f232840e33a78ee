"""Deep Gaussian mixture (van den Oord and Schrauwen, NIPS 2014): a mixture of very many Gaussians that share parts.

A normal vector passes through layers; each layer chooses one of its linear maps. Every path through the network, one
choice per layer, is a Gaussian, so K1 + K2 maps make K1 * K2 components. The density is the sum over all paths:

    p(x) = sum over (k, l) of pi_kl N(z_kl; 0, I) |det A_k| |det B_l|,    z_kl = B_l (A_k x - a_k) - b_l

The maps are kept in the direction from the image to the noise, A lower and B upper triangular: that is all a Gaussian
needs, and their determinants are products of their diagonals.

Assumes: an image is one of a few hundred kinds, and inside its kind Gaussian, with straight-line relations only.
Deviations: all paths are summed, by gradient descent (the paper's EM follows one path per image); the images are turned
to frequencies first (`frequencies.py`), and a map may be cut into blocks of these; triangular maps, two layers.

References: van den Oord and Schrauwen, NIPS 2014, "Factoring Variations in Natural Images with Deep Gaussian Mixture
Models".
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from pixelcnn_core.models.ladder.frequencies import Frequencies
from pixelcnn_core.models.ladder.rung import Rung, RungConfig


@dataclass
class DeepGMMConfig(RungConfig):
    first: int = 8  # maps of the layer next to the image
    second: int = 4  # maps of the layer next to the noise
    block: int = 0  # size of the blocks of a map; 0: one block

    BOUNDS: ClassVar[dict] = {"first": (1, 1024), "second": (1, 1024), "block": (0, 16384)}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.block and self.dims % self.block:
            raise ValueError(f"block must divide the {self.dims} sub-pixels of an image, not {self.block}")


class Choice(nn.Module):
    """K triangular maps and shifts of vectors in n blocks of d numbers: (B, n, d) -> (B, K, n, d) for every choice."""

    def __init__(self, maps: int, blocks: int, size: int, lower: bool, spread: float):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(maps, blocks, size, size) * 1e-3)
        # the components begin as one Gaussian at several contrasts: what differs most between photos
        log_scale = torch.linspace(-spread, spread, maps) if maps > 1 else torch.zeros(1)
        self.log_scale = nn.Parameter(log_scale[:, None, None].repeat(1, blocks, size))
        self.shift = nn.Parameter(torch.zeros(maps, blocks, size))
        triangle = torch.ones(size, size).tril(-1)
        self.register_buffer("triangle", triangle if lower else triangle.T.contiguous(), persistent=False)

    def matrices(self) -> Tensor:
        """(K, n, d, d); row e gives number e of the result."""
        return self.weight * self.triangle + torch.diag_embed(torch.exp(self.log_scale))

    def forward(self, x: Tensor) -> Tensor:
        """(..., n, d) -> (..., K, n, d): for each block one multiplication with all K maps side by side."""
        maps, blocks, size, _ = self.weight.shape
        side_by_side = self.matrices().permute(1, 3, 0, 2).reshape(blocks, size, maps * size)  # (n, d, K d)
        flat = x.reshape(-1, blocks, size).transpose(0, 1)  # (n, N, d)
        y = torch.bmm(flat, side_by_side).unflatten(2, (maps, size)).permute(1, 2, 0, 3)  # (N, K, n, d)
        return y.reshape(*x.shape[:-2], maps, blocks, size) - self.shift

    def log_determinants(self) -> Tensor:
        return self.log_scale.sum((1, 2))  # (K,)


class DeepGMM(Rung):
    """`log_density` is exact for real x; an image of integers is scored at x + u."""

    config_class = DeepGMMConfig

    def __init__(self, config: DeepGMMConfig):
        super().__init__(config)
        size = config.block or config.dims
        blocks = config.dims // size
        self.frequencies = Frequencies(config.channels, config.image_size)
        self.first = Choice(config.first, blocks, size, True, 0.7)
        self.second = Choice(config.second, blocks, size, False, 0.3)
        self.path_logits = nn.Parameter(torch.zeros(config.first, config.second))

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) in nats, x real: (B, C, H, W) -> (B,)."""
        return torch.logsumexp(self.path_densities(x).flatten(1), 1)

    def path_densities(self, x: Tensor) -> Tensor:
        """log of pi_kl times the density of path (k, l): (B, K1, K2)."""
        z = self.frequencies(x).unflatten(1, self.first.shift.shape[1:])  # (B, n, d)
        z = self.second(self.first(z))  # (B, K1, K2, n, d)
        normal = -0.5 * z.square().sum((3, 4)) - 0.5 * self.config.dims * math.log(2 * math.pi)
        volume = self.first.log_determinants()[:, None] + self.second.log_determinants()
        log_pi = torch.log_softmax(self.path_logits.flatten(), 0).view_as(self.path_logits)
        return normal + volume + log_pi + self.frequencies.log_determinant

    def draw(self, count: int) -> Tensor:
        """Choose a path, draw its noise, and solve its maps, the last one first: uint8 (count, C, H, W)."""
        c = self.config
        path = torch.multinomial(torch.softmax(self.path_logits.flatten().cpu(), 0), count, replacement=True)
        x = torch.randn(count, *self.first.shift.shape[1:]).to(self.first.shift)
        choices = ((self.second, path % c.second, True), (self.first, path // c.second, False))
        for layer, chosen, upper in choices:
            matrices = layer.matrices()
            x = torch.stack([torch.linalg.solve_triangular(matrices[k], (z + layer.shift[k])[..., None],
                                                           upper=upper)[..., 0] for k, z in zip(chosen.tolist(), x)])
        return self.quantised(self.frequencies.inverse(x.flatten(1)))
