"""RIDE (Theis and Bethge, 2015): pixels in raster order, a spatial LSTM, a mixture of Gaussians.

    p(x) = product over pixels of p(x_ij | causal neighbours, h_ij)

The closest relative of the PixelRNN. The spatial LSTM carries what is above and to the left, one number of memory per
feature and two forget gates, one for each direction:

    c_ij = (g i + c_{i,j-1} f_left + c_{i-1,j} f_up) / sqrt(2);   h_ij = tanh(c_ij) o

A pixel is then a *mixture of conditional Gaussian scale mixtures* (MCGSM): which component k and scale s is a soft
choice by a quadratic function of the features v = (neighbours, h), the mean is linear in them:

    p(x | v) = sum over k, s of p(k, s | v) N(x; A_k v, exp(-a_ks) M_k)
    p(k, s | v) ~ exp(e_ks - exp(a_ks) v'K_k v / 2)

Assumes: nothing about an image but the raster order; about a pixel, that given what came before it is a bell curve or a
few of them over the three colours at once. The softmax of the PixelRNN drops the bell curve; that and depth are its
steps.
Deviations: one spatial LSTM (the paper stacks two), skewed so that a whole diagonal is computed at once; h = tanh(c) o
as in other LSTMs for tanh(c o), and the division by sqrt(2), which keeps two memories from growing along the diagonal;
the mixture is told the neighbours as well as h, the paper's h alone; a pixel is its three colours together; Adam.

References: Theis and Bethge, 2015, arXiv 1506.03478, section 2.1 (MCGSM), 2.2 (spatial LSTM), 2.3 (RIDE).
"""

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.diagonal_lstm import skew, unskew
from pixelcnn_core.models.ladder.rung import Rung, RungConfig


@dataclass
class RIDEConfig(RungConfig):
    reach: int = 2  # causal neighbours: so many rows above, and pixels to either side
    hidden: int = 48  # features of the spatial LSTM
    components: int = 8
    scales: int = 6
    factors: int = 24  # rank of the quadratic gate

    BOUNDS: ClassVar[dict] = {"reach": (1, 8), "hidden": (1, 1024), "components": (1, 256), "scales": (1, 64),
                              "factors": (1, 512)}


def lstm(gates: Tensor, c_up: Tensor, c_left: Tensor) -> tuple[Tensor, Tensor]:
    """The spatial LSTM from its five gates, (B, 5 hidden, ...), and the memories of two neighbours: h and c."""
    content, left, up, enter, out = gates.chunk(5, 1)
    c = (torch.tanh(content) * torch.sigmoid(enter) + c_left * torch.sigmoid(left)
         + c_up * torch.sigmoid(up)) / math.sqrt(2)
    return torch.tanh(c) * torch.sigmoid(out), c


class RIDE(Rung):
    """`log_density` is exact for real x; an image of integers is scored at x + u."""

    config_class = RIDEConfig

    def __init__(self, config: RIDEConfig):
        super().__init__(config)
        c, near = config, config.channels * (2 * config.reach * (config.reach + 1))
        mixture = c.components, c.scales
        self.input_to_state = nn.Conv2d(near, 5 * c.hidden, 1)
        self.state_to_state = nn.Conv1d(c.hidden, 5 * c.hidden, 2, bias=False)
        with torch.no_grad():
            self.input_to_state.bias[c.hidden:3 * c.hidden] = 0.5  # remember at first
        features = near + c.hidden + 1  # and a constant
        self.mean = nn.Parameter(torch.zeros(c.components, c.channels, features))  # A
        self.root = nn.Parameter(torch.zeros(c.components, c.channels, c.channels))  # M^-1 = root' root
        # precisions from those of contrasts of 0.3 to those of 0.01, images in [-1, 1)
        log_precision = torch.linspace(-2 * math.log(0.3), -2 * math.log(0.01), c.scales)
        self.log_precision = nn.Parameter(log_precision + 0.1 * torch.randn(mixture))  # a
        self.prior = nn.Parameter(torch.zeros(mixture))  # e
        self.loading = nn.Parameter(0.05 * torch.randn(c.components, c.factors))  # K_k = sum of loading^2 b b'
        self.gate = nn.Parameter(torch.randn(c.factors, features) / math.sqrt(features))  # b

    def neighbours(self, x: Tensor) -> Tensor:
        """The causal neighbours of every pixel: (B, C, H, W) -> (B, near, H, W)."""
        n = self.config.reach
        padded = F.pad(x, (n, n, n, 0))
        height, width = x.shape[2:]
        return torch.cat([padded[:, :, n - dy:n - dy + height, n + dx:n + dx + width]
                          for dy in range(n, -1, -1) for dx in range(-n, n + 1) if dy or dx < 0], 1)

    def memory(self, near: Tensor) -> Tensor:
        """The spatial LSTM: (B, near, H, W) -> h (B, hidden, H, W). Column d of the skewed image is a diagonal."""
        gates = skew(self.input_to_state(near)).permute(3, 0, 1, 2)  # (W + H - 1, B, 5 hidden, H)
        h = c = near.new_zeros(len(near), self.config.hidden, near.shape[2])
        diagonals = []
        for from_input in gates:
            h, c = lstm(from_input + self.state_to_state(F.pad(h, (1, 0))), F.pad(c, (1, 0))[:, :, :-1], c)
            diagonals.append(h)
        return unskew(torch.stack(diagonals, 3))

    def features(self, x: Tensor) -> Tensor:
        """v of every pixel, images in [-1, 1): (B, C, H, W) -> (B, H, W, features)."""
        near = self.neighbours(x)
        v = torch.cat([near, self.memory(near), torch.ones_like(near[:, :1])], 1)
        return v.permute(0, 2, 3, 1)

    def choices(self, v: Tensor) -> Tensor:
        """log p(k, s | v): (..., features) -> (..., components, scales)."""
        quadratic = F.linear(F.linear(v, self.gate).square(), self.loading.square())  # (..., components)
        logits = self.prior - 0.5 * torch.exp(self.log_precision) * 1e-2 * quadratic[..., None]
        return torch.log_softmax(logits.flatten(-2), -1).view_as(logits)

    def roots(self) -> Tensor:
        """(components, C, C), lower triangular."""
        return self.root.tril(-1) + torch.diag_embed(torch.exp(self.root.diagonal(dim1=1, dim2=2)))

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) in nats, x real: (B, C, H, W) -> (B,)."""
        c, v = self.config.channels, self.features(x)
        away = x.permute(0, 2, 3, 1)[..., None, :] - F.linear(v, self.mean.flatten(0, 1)).unflatten(-1, (-1, c))
        distance = torch.einsum("kij,bhwkj->bhwki", self.roots(), away).square().sum(-1)  # (B, H, W, components)
        log_det = self.root.diagonal(dim1=1, dim2=2).sum(1)[:, None]
        normal = (0.5 * c * (self.log_precision - math.log(2 * math.pi)) + log_det
                  - 0.5 * torch.exp(self.log_precision) * distance[..., None])
        return torch.logsumexp((normal + self.choices(v)).flatten(-2), -1).sum((1, 2))

    def draw(self, count: int) -> Tensor:
        """Pixel by pixel, with the states of the pixels before: uint8 (count, C, H, W)."""
        c, roots, n = self.config, self.roots(), self.config.image_size
        x = self.mean.new_zeros(count, c.channels, n, n)
        h, cell = x.new_zeros(2, n + 1, n + 1, count, c.hidden)  # one row and column more: zeros outside of the image
        for row, column in itertools.product(range(n), range(n)):
            near = self.neighbours(x[:, :, :row + 1])[:, :, row, column]  # (count, near)
            h[row, column], cell[row, column] = self.step(near, h[row - 1, column], h[row, column - 1],
                                                          cell[row - 1, column], cell[row, column - 1])
            v = torch.cat([near, h[row, column], torch.ones_like(near[:, :1])], 1)
            chosen = torch.multinomial(self.choices(v).flatten(1).exp(), 1)[:, 0]
            k, s = chosen // c.scales, chosen % c.scales
            noise = torch.randn(count, c.channels).to(v) * torch.exp(-0.5 * self.log_precision[k, s])[:, None]
            away = torch.linalg.solve_triangular(roots[k], noise[..., None], upper=False)[..., 0]
            x[:, :, row, column] = (torch.einsum("bcf,bf->bc", self.mean[k], v) + away).clamp(-1, 1 - 1e-6)
        return self.quantised(x)

    def step(self, near: Tensor, h_up: Tensor, h_left: Tensor, c_up: Tensor, c_left: Tensor) -> tuple[Tensor, Tensor]:
        """`memory` for one pixel: near (B, near), the states of two neighbours (B, hidden) -> h and c."""
        up, left = self.state_to_state.weight.unbind(2)
        gates = (F.linear(near, self.input_to_state.weight[:, :, 0, 0], self.input_to_state.bias)
                 + F.linear(h_up, up) + F.linear(h_left, left))
        return lstm(gates, c_up, c_left)
