"""NICE (Dinh et al., 2014): an invertible network, so the density is exact by a change of variables.

    log p(x) = log p(z) + log |det dz/dx|,   z = f(x)

f is a chain of *additive coupling layers*: half of the numbers stay, the others are moved by a function m of these,

    z_a = x_a,   z_b = x_b + m(x_a)

which is undone by a subtraction whatever m is, and changes no volume. Only a last scaling of every dimension does. The
prior of z is logistic and independent. To draw, take z from the prior and run f backwards: all pixels at once.

Assumes: there are coordinates, found by shifting some numbers by functions of others, in which an image is noise.
Deviations: the whitening before it is the fixed DCT of `frequencies.py`, so the halves are drawn at random (the paper
has the even and the odd numbers); a narrower m; an average of the weights.

References: Dinh et al., 2014, arXiv 1410.8516, section 3.2 (coupling layers), 3.3 (scaling), 3.4 (the prior).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.ladder.frequencies import Frequencies
from pixelcnn_core.models.ladder.rung import Rung, RungConfig


@dataclass
class NICEConfig(RungConfig):
    couplings: int = 4
    hidden: int = 512  # width of m
    depth: int = 2  # hidden layers of m

    BOUNDS: ClassVar[dict] = {"couplings": (1, 64), "hidden": (1, 8192), "depth": (1, 16)}


class Coupling(nn.Module):
    """One additive coupling layer over (B, D): one half of the numbers moves the other.

    Layers 2k and 2k + 1 share a random half, once as it is and once the other way round. (A half of even frequencies
    would be useless: a mirrored photo has the same ones, and odd ones of the other sign, so their mean given the even
    ones is zero.)
    """

    def __init__(self, config: NICEConfig, layer: int):
        super().__init__()
        order = torch.from_numpy(np.random.default_rng(layer // 2).permutation(config.dims))
        halves = [order[:config.dims // 2], order[config.dims // 2:]]
        for name, half in zip(("stay", "move"), halves[::-1] if layer % 2 else halves):
            self.register_buffer(name, half, persistent=False)
        widths = [len(self.stay)] + [config.hidden] * config.depth + [len(self.move)]
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        nn.init.zeros_(self.linears[-1].weight)  # every layer starts as the identity

    def shift(self, z: Tensor) -> Tensor:
        h = z[:, self.stay]
        for linear in self.linears[:-1]:
            h = F.relu(linear(h))
        return self.linears[-1](h)

    def forward(self, z: Tensor, sign: float = 1.0) -> Tensor:
        """`sign` -1 is the inverse."""
        return z.index_add(1, self.move, self.shift(z).to(z.dtype), alpha=sign)


class NICE(Rung):
    """`log_density` is exact for real x; an image of integers is scored at x + u."""

    config_class = NICEConfig

    def __init__(self, config: NICEConfig):
        super().__init__(config)
        if config.dims < 2:
            raise ValueError("NICE needs images of at least two sub-pixels: one half moves the other")
        self.frequencies = Frequencies(config.channels, config.image_size)
        self.couplings = nn.ModuleList(Coupling(config, k) for k in range(config.couplings))
        self.log_scale = nn.Parameter(torch.zeros(config.dims))

    def scaling(self) -> Tensor:
        """log of what each dimension is multiplied by at the end, (D,). Stored as a tenth of it: Adam takes steps of
        one size, and what is right for the weights of m would be too slow here."""
        return 10 * self.log_scale

    def to_noise(self, x: Tensor) -> Tensor:
        """f: (B, C, H, W) in [-1, 1) -> z (B, D)."""
        z = self.frequencies(x)
        for coupling in self.couplings:
            z = coupling(z)
        return z * torch.exp(self.scaling())

    def to_image(self, z: Tensor) -> Tensor:
        """The inverse of f."""
        z = z * torch.exp(-self.scaling())
        for coupling in reversed(self.couplings):
            z = coupling(z, -1.0)
        return self.frequencies.inverse(z)

    def log_determinant(self) -> Tensor:
        """log |det df/dx|: the same for every x."""
        return self.scaling().sum() + self.frequencies.log_determinant

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) in nats, x real: (B, C, H, W) -> (B,)."""
        z = self.to_noise(x)
        return (F.logsigmoid(z) + F.logsigmoid(-z)).sum(1) + self.log_determinant()

    def draw(self, count: int) -> Tensor:
        """z from its logistic prior, and f backwards: uint8 (count, C, H, W)."""
        z = torch.logit(torch.rand(count, self.config.dims).clamp(1e-6, 1 - 1e-6)).to(self.log_scale)
        return self.quantised(self.to_image(z))
