"""DRAW (Gregor et al., 2015): a variational auto-encoder that paints in several glances.

At each of T glances the encoder, an LSTM, reads the image and what is still wrong on the canvas, and says a few numbers
z_t; the decoder, another LSTM, reads z_t and adds to the canvas. Both look through a window of N x N Gaussian filters
whose place, size and sharpness the decoder chooses: where to read, and where to paint.

    log P(x) >= E log P(x | canvas_T) - sum over t of KL(q(z_t | x, earlier) || N(0, 1))          (ELBO)

Assumes: an image can be told in T short messages, and given the canvas all sub-pixels are independent. Every detail
that has to be exact must be paid for in a message.
Deviations: the canvas holds a mean and a scale of a discretised logistic distribution per sub-pixel (the paper's images
were mostly binary); one window is shared by the colours.

References: Gregor et al., 2015, arXiv 1502.04623, section 2.1 (the two LSTMs), 2.2 (the bound), 3.2 (attention).
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from pixelcnn_core.models.ladder.rung import (
    Rung,
    RungConfig,
    discretised_logistic,
    log_normal,
    logistic_levels,
    normal_divergence,
)


@dataclass
class DRAWConfig(RungConfig):
    glances: int = 10  # T
    hidden: int = 192  # features of each LSTM
    latent: int = 32  # numbers in a message
    window: int = 0  # N of the attention; 0: read and paint the whole image

    BOUNDS: ClassVar[dict] = {"glances": (1, 256), "hidden": (1, 4096), "latent": (1, 4096), "window": (0, 64)}


class LatentRung(Rung):
    """A rung whose weights are P(x | z) p(z) / q(z | x): `messages` gives the parts."""

    def messages(self, images: Tensor, exact: bool) -> tuple[Tensor, Tensor]:
        """Integers (B, C, H, W) -> log P(x | z), (B,), and log q(z | x) - log p(z), (B,): its mean over z in closed
        form where `exact`."""
        raise NotImplementedError

    def log_weights(self, images: Tensor) -> Tensor:
        """log P(x | z) p(z) / q(z | x) for a z drawn from q: integers (B, C, H, W) -> (B,)."""
        said, cost = self.messages(images, exact=False)
        return said - cost

    def bits_per_dim(self, images: Tensor, condition=None) -> Tensor:
        """The ELBO, with the divergences in closed form: the same mean, less noise."""
        said, cost = self.messages(self.checked(images), exact=True)
        return self.in_bits(said - cost)


def message(mean: Tensor, log_std: Tensor, prior_mean: Tensor, prior_log_std: Tensor,
            exact: bool) -> tuple[Tensor, Tensor]:
    """z drawn from N(mean, std^2), like them; and log q(z) - log p(z) of each image, (B,), or its mean."""
    z = mean + torch.exp(log_std) * torch.randn_like(mean)
    cost = (normal_divergence(mean, log_std, prior_mean, prior_log_std) if exact else
            log_normal(z, mean, log_std) - log_normal(z, prior_mean, prior_log_std))
    return z, cost.flatten(1).sum(1)


class Window(nn.Module):
    """N x N Gaussian filters on a grid whose centre, spacing, width and strength are read from h (section 3.2)."""

    def __init__(self, hidden: int, window: int, size: int):
        super().__init__()
        self.window, self.size = window, size
        self.numbers = nn.Linear(hidden, 5)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """h (B, hidden) -> filters of rows and of columns, (B, N, size) each, and the strength (B, 1, 1, 1)."""
        gx, gy, log_variance, log_stride, log_strength = self.numbers(h).float().chunk(5, 1)  # (B, 1) each
        stride = (self.size - 1) / max(1, self.window - 1) * torch.exp(log_stride)
        offsets = torch.arange(self.window, device=h.device) - (self.window - 1) / 2
        pixels = torch.arange(self.size, device=h.device)
        filters = []
        for centre in (gy, gx):
            at = (self.size - 1) / 2 * (centre + 1) + offsets * stride  # (B, N)
            weights = torch.exp(-(pixels - at[..., None]).square() / (2 * torch.exp(log_variance)[..., None]))
            filters.append(weights / weights.sum(2, keepdim=True).clamp(min=1e-6))
        return *filters, torch.exp(log_strength)[..., None, None]


class DRAW(LatentRung):
    config_class = DRAWConfig

    def __init__(self, config: DRAWConfig):
        super().__init__(config)
        c, side = config, config.window or config.image_size
        self.encoder = nn.LSTMCell(2 * c.channels * side ** 2 + c.hidden, c.hidden)
        self.decoder = nn.LSTMCell(c.latent, c.hidden)
        self.posterior = nn.Linear(c.hidden, 2 * c.latent)
        self.paint = nn.Linear(c.hidden, 2 * c.channels * side ** 2)
        windows = 2 if c.window else 0  # one to read through, one to paint through
        self.windows = nn.ModuleList(Window(c.hidden, c.window, c.image_size) for _ in range(windows))
        self.canvas = nn.Parameter(torch.zeros(2 * c.channels, c.image_size, c.image_size))
        with torch.no_grad():
            self.canvas[c.channels:] = -1.5  # log of the scale
            self.paint.weight *= 0.1

    def read(self, x: Tensor, wrong: Tensor, h: Tensor) -> Tensor:
        """The image and its difference to the canvas, through the window: (B, numbers)."""
        both = torch.cat([x, wrong], 1)  # (B, 2 C, H, W)
        if self.windows:
            rows, columns, strength = self.windows[0](h)
            both = strength * (rows[:, None] @ both @ columns[:, None].mT)
        return both.flatten(1)

    def write(self, h: Tensor) -> Tensor:
        """What is added to the canvas: (B, 2 C, H, W)."""
        side = self.config.window or self.config.image_size
        patch = self.paint(h).float().unflatten(1, (2 * self.config.channels, side, side))
        if self.windows:
            rows, columns, strength = self.windows[1](h)
            patch = rows[:, None].mT @ patch @ columns[:, None] / strength
        return patch

    def glances(self, count: int, say):
        """Run the decoder: `say(canvas, h)` gives each z, (B, latent). Returns the last canvas, (B, 2 C, H, W)."""
        h = c = self.canvas.new_zeros(count, self.config.hidden)
        canvas = self.canvas.expand(count, -1, -1, -1)
        for _ in range(self.config.glances):
            h, c = self.decoder(say(canvas, h), (h, c))
            canvas = canvas + self.write(h)
        return canvas

    def messages(self, images: Tensor, exact: bool) -> tuple[Tensor, Tensor]:
        """See `LatentRung.messages`."""
        x, costs = self.scaled(images), []
        state = [self.canvas.new_zeros(len(x), self.config.hidden)] * 2

        def say(canvas: Tensor, h: Tensor) -> Tensor:
            wrong = x - canvas[:, :self.config.channels]
            state[:] = self.encoder(torch.cat([self.read(x, wrong, h), h], 1), tuple(state))
            mean, log_std = self.posterior(state[0]).float().chunk(2, 1)
            z, cost = message(mean, log_std, torch.zeros_like(mean), torch.zeros_like(mean), exact)
            costs.append(cost)
            return z

        mean, log_scale = self.glances(len(x), say).chunk(2, 1)
        said = discretised_logistic(images, mean, log_scale, self.config.levels)
        return said.flatten(1).sum(1), torch.stack(costs).sum(0)

    def draw(self, count: int) -> Tensor:
        """Messages from N(0, 1): uint8 (count, C, H, W)."""
        def say(canvas: Tensor, h: Tensor) -> Tensor:
            return torch.randn(count, self.config.latent).to(h)

        return logistic_levels(*self.glances(count, say).chunk(2, 1), self.config.levels)
