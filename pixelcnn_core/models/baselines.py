"""The two simplest densities of the paper's table 1: uniform, and a multivariate Gaussian with full covariance.

A Gaussian is a density over real numbers, pixels are integers. As usual, each sub-pixel x is taken as x + u with u
uniform in [0, 1) (*dequantisation*); the mean of -log2 p(x + u) over u is an upper bound of -log2 P(x), where P(x) is
the mass of the cell [x, x + 1)^D (Jensen's inequality; Theis et al., arXiv 1511.01844). For a Gaussian nothing has to
be sampled to find it, since u has mean 1/2 and variance 1/12 in every dimension:

    E (x + u - m)' S^-1 (x + u - m) = (x + 1/2 - m)' S^-1 (x + 1/2 - m) + trace(S^-1) / 12

The fit is in closed form as well: the mean of the training images plus 1/2, their covariance plus I / 12, which is the
covariance of x + u. This is the only regularisation, and enough: no eigenvalue is below 1/12.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from pixelcnn_core.data.image_data import ImageData



class Uniform:
    """Every level of every sub-pixel is equally probable: log2(levels) bits per dimension."""

    def __init__(self, data: "ImageData"):
        self.shape, self.levels = tuple(data.images.shape[1:]), data.levels

    def bits_per_dim(self, images: Tensor) -> Tensor:
        """Integers (N, C, H, W) -> float64 (N,)."""
        return torch.full((len(images),), math.log2(self.levels), dtype=torch.float64)

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """uint8 (count, C, H, W)."""
        drawn = np.random.default_rng(seed).integers(self.levels, size=(count, *self.shape), dtype=np.uint8)
        return torch.from_numpy(drawn)


class Gaussian:
    """A Gaussian over all D = C * H * W sub-pixels of an image, fitted to the images of a data set."""

    def __init__(self, data: "ImageData"):
        self.shape, self.levels = tuple(data.images.shape[1:]), data.levels
        size, count = math.prod(self.shape), len(data)
        total, products = torch.zeros(size, dtype=torch.float64), torch.zeros(size, size, dtype=torch.float64)
        for part in data.images.flatten(1).split(5000):  # (n, D)
            x = part.double()
            total += x.sum(0)
            products += x.T @ x
        mean = total / count
        covariance = products / count - torch.outer(mean, mean) + torch.eye(size, dtype=torch.float64) / 12
        self.mean, self.factor = mean + 0.5, torch.linalg.cholesky(covariance)  # covariance = factor factor'
        log_determinant = 2 * self.factor.diagonal().log().sum()
        noise = torch.cholesky_inverse(self.factor).trace() / 12
        self.constant = (size * math.log(2 * math.pi) + log_determinant + noise) / 2  # nats

    def bits_per_dim(self, images: Tensor) -> Tensor:
        """The mean over the dequantisation noise, exact: integers (N, C, H, W) -> float64 (N,)."""
        bits = []
        for part in images.flatten(1).split(1000):  # (n, D)
            away = part.double() + 0.5 - self.mean
            white = torch.linalg.solve_triangular(self.factor, away.T, upper=False)  # (D, n), unit variance
            bits.append((self.constant + white.pow(2).sum(0) / 2) / (len(self.mean) * math.log(2)))
        return torch.cat(bits)

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """Draw x + u, round down, and cut to the levels there are: uint8 (count, C, H, W)."""
        noise = torch.from_numpy(np.random.default_rng(seed).standard_normal((count, len(self.mean))))
        drawn = (self.mean + noise @ self.factor.T).floor().clamp(0, self.levels - 1)
        return drawn.byte().reshape(count, *self.shape)


BASELINES = {"uniform": ("Uniform", Uniform), "gaussian": ("Multivariate Gaussian", Gaussian)}


def score_baselines(train: "ImageData", test: "ImageData") -> dict[str, dict]:
    """Fit each to `train`, and give its bits per dimension on `test` with the standard error of the mean."""
    results = {}
    for key, (name, model) in BASELINES.items():
        bits = model(train).bits_per_dim(test.images)
        results[key] = {"name": name, "bits_per_dim_test": round(bits.mean().item(), 4),
                        "bits_per_dim_test_standard_error": round(standard_error(bits), 4)}
    return results


def standard_error(values: Tensor) -> float:
    """Of the mean of independent values, (N,); 0 for a single one."""
    return values.std(correction=0).item() / math.sqrt(max(1, len(values) - 1))
