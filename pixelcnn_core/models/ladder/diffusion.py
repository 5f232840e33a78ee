"""Deep Diffusion (Sohl-Dickstein et al., 2015): destroy an image by noise, learn the way back.

    forward, fixed:    q(x_t | x) = N(a_t x, s_t^2),   a_t^2 + s_t^2 = 1,   from nearly x (t = 0) to nearly noise (T)
    backward, learned: p(x_{t-1} | x_t) = q(x_{t-1} | x_t, x = what the network takes x to be)

    -log P(x) <= KL(q(x_T | x) || N(0, 1)) + sum over t of KL(q(x_{t-1} | x_t, x) || p(x_{t-1} | x_t))
                 - E log P(x | x_0)

A term of the sum is a squared error times a known number: one random t for each image trains all steps. Each term is
cheap, and there are T of them: what they cost together is what keeps the bound above the models that say P(x) directly.

Assumes: the way back is a chain of small Gaussian steps, each for all pixels at once.
Deviations, from what was learnt about these models since: a U-Net that predicts the noise (Ho et al., 2020), steps of
equal size in log(a^2 / s^2), where the paper learns them, and a last step to the 256 levels instead of a density (both
Kingma et al., 2021).

References: Sohl-Dickstein et al., 2015, arXiv 1503.03585, section 2 (forward, backward, the bound); Ho et al., 2020,
arXiv 2006.11239, section 3.2 (predicting the noise); Kingma et al., 2021, arXiv 2107.00630.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.ladder.rung import Rung, RungConfig, log_normal, normal_divergence

HIGH, LOW = 12.0, -6.0  # log(a^2 / s^2) at t = 0 and at t = T


@dataclass
class DiffusionConfig(RungConfig):
    steps: int = 100  # T
    features: int = 32  # at full size; twice as many at half of it
    blocks: int = 2  # residual blocks at each size, on either side

    BOUNDS: ClassVar[dict] = {"steps": (1, 10_000), "features": (2, 1024), "blocks": (1, 16)}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % 2 or self.features % 2:
            raise ValueError(f"image_size and features must be even, not {self.image_size} and {self.features}")


class Block(nn.Module):
    """Two 3 x 3 convolutions with what the noise level adds between them, and a residual connection."""

    def __init__(self, features: int, known: int):
        super().__init__()
        self.first, self.second = (nn.Conv2d(features, features, 3, padding=1) for _ in range(2))
        self.level = nn.Linear(known, features)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        h = self.first(F.silu(x)) + self.level(level)[:, :, None, None]
        return x + self.second(F.silu(h))


class UNet(nn.Module):
    """(x_t (B, C, H, W), log(a^2 / s^2) (B,)) -> the noise in it, like x_t."""

    def __init__(self, config: DiffusionConfig):
        super().__init__()
        f, known = config.features, 64
        self.level1, self.level2 = nn.Linear(32, known), nn.Linear(known, known)
        self.enter = nn.Conv2d(config.channels, f, 3, padding=1)
        self.before = nn.ModuleList(Block(f, known) for _ in range(config.blocks))
        self.down = nn.Conv2d(f, 2 * f, 2, 2)
        self.middle = nn.ModuleList(Block(2 * f, known) for _ in range(2 * config.blocks))
        self.up = nn.ConvTranspose2d(2 * f, f, 2, 2)
        self.after = nn.ModuleList(Block(f, known) for _ in range(config.blocks))
        self.out = nn.Conv2d(f, config.channels, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        self.register_buffer("waves", torch.logspace(0, 1.5, 16), persistent=False)

    def forward(self, x: Tensor, log_snr: Tensor) -> Tensor:
        share = ((log_snr - LOW) / (HIGH - LOW))[:, None] * self.waves
        level = F.silu(self.level1(torch.cat([torch.sin(share), torch.cos(share)], 1)))
        level = F.silu(self.level2(level))
        h = self.enter(x)
        for block in self.before:
            h = block(h, level)
        low = self.down(h)
        for block in self.middle:
            low = block(low, level)
        h = h + self.up(low)
        for block in self.after:
            h = block(h, level)
        return self.out(F.silu(h)).float()


class DeepDiffusion(Rung):
    config_class = DiffusionConfig
    importance = (16, 4)  # a weight is a path of all steps

    def __init__(self, config: DiffusionConfig):
        super().__init__(config)
        self.network = UNet(config)

    def log_snr(self, t: Tensor) -> Tensor:
        """log(a_t^2 / s_t^2) for t in 0 ... T, (B,)."""
        return HIGH + (LOW - HIGH) * t.float() / self.config.steps

    def noise(self, x: Tensor, log_snr: Tensor) -> Tensor:
        """The noise that the network sees in x_t. It is told s x_t: all of it where nearly all is noise, and learns the
        rest."""
        s = torch.sigmoid(-log_snr).sqrt()[:, None, None, None]
        return s * x + self.network(x, log_snr)

    def noised(self, x: Tensor, t: Tensor, e: Tensor) -> Tensor:
        """x_t = a_t x + s_t e."""
        log_snr = self.log_snr(t)[:, None, None, None]
        return torch.sigmoid(log_snr).sqrt() * x + torch.sigmoid(-log_snr).sqrt() * e

    def backward_step(self, x: Tensor, e: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """q(x_{t-1} | x_t, x), where `e` is the noise in x_t: its mean (B, C, H, W), and log standard deviation
        (B, 1, 1, 1)."""
        now, before = (self.log_snr(u)[:, None, None, None] for u in (t, t - 1))
        a, s, a_before = (torch.sigmoid(v).sqrt() for v in (now, -now, before))
        lost = -torch.expm1(now - before)  # 1 - snr_t / snr_{t-1}
        mean = a_before / a * (x - s * lost * e)
        return mean, 0.5 * (torch.log(lost) + F.logsigmoid(-before))

    def last(self, images: Tensor, x: Tensor) -> Tensor:
        """log P(x | x_0), (B,): of the levels a Gaussian around x_0 / a_0, as wide as the noise in it."""
        step = 4096  # sub-pixels at a time: each has a row of all levels
        t = torch.zeros(1, device=x.device)
        log_snr = self.log_snr(t)
        centres = self.scaled(torch.arange(self.config.levels, device=x.device))
        at = (x / torch.sigmoid(log_snr).sqrt()).flatten()
        target, parts = images.flatten().long(), []
        for k in range(0, len(at), step):
            logits = -0.5 * torch.exp(log_snr) * (centres - at[k:k + step, None]).square()
            parts.append(-F.cross_entropy(logits, target[k:k + step], reduction="none"))
        return torch.cat(parts).view(len(x), -1).sum(1)

    def log_weights(self, images: Tensor) -> Tensor:
        """One whole path from x_T to x_0, drawn from q: log p(path, x) - log q(path | x); integers (B, C, H, W) ->
        (B,)."""
        clean = self.scaled(images)
        t = torch.full((len(images),), self.config.steps, device=images.device)
        x = self.noised(clean, t, torch.randn_like(clean))
        total = log_normal(x, torch.zeros_like(x), torch.zeros_like(x)).flatten(1).sum(1)
        log_snr = self.log_snr(t)[:, None, None, None]
        a = torch.sigmoid(log_snr).sqrt()
        total = total - log_normal(x, a * clean, 0.5 * F.logsigmoid(-log_snr)).flatten(1).sum(1)
        for step in range(self.config.steps, 0, -1):
            t = torch.full((len(images),), step, device=images.device)
            log_snr = self.log_snr(t)[:, None, None, None]
            e = (x - torch.sigmoid(log_snr).sqrt() * clean) / torch.sigmoid(-log_snr).sqrt()
            guess, _ = self.backward_step(x, self.noise(x, self.log_snr(t)), t)
            mean, log_std = self.backward_step(x, e, t)
            before = mean + torch.exp(log_std) * torch.randn_like(x)
            step_weight = log_normal(before, guess, log_std) - log_normal(before, mean, log_std)
            total, x = total + step_weight.flatten(1).sum(1), before
        return total + self.last(images, x)

    def bits_per_dim(self, images: Tensor, condition=None) -> Tensor:
        """The bound with one t for each image, which stands for all T: right in the mean over t."""
        images = self.checked(images)
        clean, steps = self.scaled(images), self.config.steps
        spread = (torch.arange(len(images), device=clean.device) + torch.rand(1, device=clean.device)) / len(images)
        t = (spread * steps).floor().clamp(max=steps - 1)[torch.randperm(len(images), device=clean.device)] + 1
        e = torch.randn_like(clean)
        seen = self.noise(self.noised(clean, t, e), self.log_snr(t))
        snr_lost = torch.expm1(self.log_snr(t - 1) - self.log_snr(t))
        terms = 0.5 * steps * snr_lost * (e - seen).square().flatten(1).sum(1)
        log_snr = self.log_snr(torch.full_like(t, steps))[:, None, None, None]
        zero = torch.zeros_like(clean)
        end = normal_divergence(torch.sigmoid(log_snr).sqrt() * clean, 0.5 * F.logsigmoid(-log_snr), zero, zero)
        first = self.noised(clean, torch.zeros_like(t), torch.randn_like(clean))
        return self.in_bits(self.last(images, first) - terms - end.flatten(1).sum(1))

    def draw(self, count: int) -> Tensor:
        """The way back from noise, all steps: uint8 (count, C, H, W)."""
        c, device = self.config, self.network.waves.device
        x = torch.randn(count, c.channels, c.image_size, c.image_size).to(device)
        for step in range(c.steps, 0, -1):
            t = torch.full((count,), step, device=device)
            mean, log_std = self.backward_step(x, self.noise(x, self.log_snr(t)), t)
            x = mean + torch.exp(log_std) * torch.randn(x.shape).to(x)
        log_snr = self.log_snr(torch.zeros(1, device=device))
        return self.quantised(x / math.sqrt(torch.sigmoid(log_snr).item()))
