"""What the rungs of the ladder share: how a model that is no PixelCNN is scored in bits per dimension.

None of them says P(x) of an integer image x directly. Each can draw a random weight w whose mean is P(x):

* a density p over real numbers is read at x + u, u uniform in [0, 1): the mean of p(x + u) is the mass of the cell;
* a model with latent variables z draws z from q(z | x): the mean of p(x | z) p(z) / q(z | x) is P(x).

-log2 of one weight is, in the mean, at most too large (Jensen's inequality): the bound of dequantisation, or the
evidence lower bound (ELBO). -log2 of the mean of k weights is a tighter one, whatever made them: the
importance-weighted bound.

References: Theis et al., 2016, arXiv 1511.01844, section 3.1 (dequantisation); Burda et al., 2016, arXiv 1509.00519,
section 3 (importance weights); Salimans et al., 2017, arXiv 1701.05517, section 2.1 (discretised logistic).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn_core.models.base import Model
from pixelcnn_core.models.config import ImageSettings, check_settings
from pixelcnn_core.models.images import as_images


@dataclass
class RungConfig(ImageSettings):
    """The shape of the images; each rung adds its own settings, and their bounds to BOUNDS. None knows classes."""

    image_size: int = 16
    channels: int = 3
    levels: int = 256

    BOUNDS: ClassVar[dict] = {}

    def __post_init__(self) -> None:
        check_settings(self, image_size=(1, 64), levels=(2, 256), **self.BOUNDS)
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, not {self.channels}")

    @property
    def dims(self) -> int:
        """Sub-pixels of an image."""
        return self.channels * self.image_size ** 2


class Rung(Model):
    """A model that is trained and scored by `log_weights`; it has the trainer's interface (`losses`, `loss_name`)."""

    config_class = RungConfig
    loss_name = "bits_per_dim"
    importance = (100, 16)  # images and weights of the importance-weighted bound in `ladder`

    def __init__(self, config):
        super().__init__()
        self.config = config

    def log_weights(self, images: Tensor) -> Tensor:
        """log w in nats for integers (B, C, H, W) -> (B,): one draw each, with E w = P(x). Here that of a density."""
        return self.log_density(self.dequantised(images)) + self.cell()

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) in nats, x real: (B, C, H, W) in [-1, 1) -> (B,). Of the rungs that are densities."""
        raise NotImplementedError

    def bits_per_dim(self, images: Tensor, condition=None) -> Tensor:
        """At most -log2 P(x) / number of sub-pixels in the mean over the draws: integers (B, C, H, W) -> (B,)."""
        return self.in_bits(self.log_weights(self.checked(images)))

    def losses(self, images: Tensor, condition=None, kept: Tensor | None = None) -> Tensor:
        """What training makes small, (B,): the same bound."""
        return self.bits_per_dim(images)

    @torch.no_grad()
    def importance_bits(self, images: Tensor, count: int) -> Tensor:
        """The bound of the mean of `count` weights, bits per dimension: integers (B, C, H, W) -> (B,)."""
        images = self.checked(images)
        weights = torch.stack([self.log_weights(images) for _ in range(count)])  # (count, B)
        return self.in_bits(torch.logsumexp(weights, 0) - math.log(count))

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """uint8 (count, C, H, W), from a generator of their own."""
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            return self.draw(count)

    def draw(self, count: int) -> Tensor:
        """As `sample`, from torch's own generator: uint8 (count, C, H, W)."""
        raise NotImplementedError

    def checked(self, images: Tensor) -> Tensor:
        """Raises ValueError for what are no images of this model's shape."""
        c = self.config
        images = as_images(images, c.channels, c.levels)
        if images.shape[2:] != (c.image_size, c.image_size):
            raise ValueError(f"images have {c.image_size} x {c.image_size} pixels, not "
                             f"{images.shape[2]} x {images.shape[3]}")
        return images

    def in_bits(self, nats: Tensor) -> Tensor:
        return -nats / (self.config.dims * math.log(2))

    def dequantised(self, images: Tensor) -> Tensor:
        """Integers x (B, C, H, W) -> (x + u) in [-1, 1), u uniform in [0, 1)."""
        images = images.float()
        return (images + torch.rand_like(images)) * (2 / self.config.levels) - 1

    def cell(self) -> float:
        """log of what the density of a whole image in [-1, 1) is multiplied by to be one of x + u in [0, levels)."""
        return self.config.dims * math.log(2 / self.config.levels)

    def quantised(self, x: Tensor) -> Tensor:
        """The inverse of `dequantised`, cut to the levels there are: (B, C, H, W) -> uint8."""
        levels = self.config.levels
        return ((x.float() + 1) * (levels / 2)).floor().clamp(0, levels - 1).to(torch.uint8)

    def scaled(self, images: Tensor) -> Tensor:
        """Integers -> the middles of their cells in (-1, 1)."""
        return (images.float() + 0.5) * (2 / self.config.levels) - 1


def discretised_logistic(images: Tensor, mean: Tensor, log_scale: Tensor, levels: int) -> Tensor:
    """log P of integers (...) under a logistic distribution of this mean and scale, images in [-1, 1): its mass over
    each cell; the first and the last cell take the tails (PixelCNN++). All shapes are alike."""
    mean, log_scale = mean.float(), log_scale.float().clamp(min=-7)
    left = (images.float() * (2 / levels) - 1 - mean) * torch.exp(-log_scale)  # lower edge, in scales
    width = 2 / levels * torch.exp(-log_scale)
    right = left + width
    # log (sigmoid(right) - sigmoid(left)), without the difference of two numbers near 0 or 1
    inside = F.logsigmoid(right) + F.logsigmoid(-left) + torch.log(-torch.expm1(-width))
    first, last = F.logsigmoid(right), F.logsigmoid(-left)
    return torch.where(images == 0, first, torch.where(images == levels - 1, last, inside))


def logistic_levels(mean: Tensor, log_scale: Tensor, levels: int) -> Tensor:
    """Integers drawn from `discretised_logistic`: uint8 of the same shape."""
    u = torch.rand_like(mean.float()).clamp(1e-6, 1 - 1e-6)
    x = mean.float() + torch.exp(log_scale.float().clamp(min=-7)) * torch.logit(u)
    return ((x + 1) * (levels / 2)).floor().clamp(0, levels - 1).to(torch.uint8)


def log_normal(x: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log N(x; mean, exp(log_std)^2) element by element."""
    return -0.5 * ((x - mean) * torch.exp(-log_std)).square() - log_std - 0.5 * math.log(2 * math.pi)


def normal_divergence(mean: Tensor, log_std: Tensor, prior_mean: Tensor, prior_log_std: Tensor) -> Tensor:
    """KL(N(mean, std^2) || N(prior_mean, prior_std^2)) element by element, in nats."""
    ratio = torch.exp(2 * (log_std - prior_log_std))
    away = ((mean - prior_mean) * torch.exp(-prior_log_std)).square()
    return 0.5 * (ratio + away - 1) + prior_log_std - log_std
