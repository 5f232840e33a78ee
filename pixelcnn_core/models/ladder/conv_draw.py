"""Conv DRAW (Gregor et al., 2016, *Towards Conceptual Compression*): DRAW with convolutions.

The LSTMs of DRAW become convolutional, and its messages maps: z_t has a place for every 2 x 2 pixels. What a message
costs is counted against a prior that the decoder predicts from what it has heard before, instead of against N(0, 1):

    log P(x) >= E log P(x | canvas_T) - sum over t of KL(q(z_t | x, earlier) || p(z_t | earlier))      (ELBO)

Assumes: the same as DRAW, but the same edge is the same message anywhere; given the canvas the sub-pixels are
independent.
Deviations: one layer of latent variables, at half the size; the posterior is predicted as a change of the prior; the
decoder hears the messages alone, not the canvas; a discretised logistic distribution of each sub-pixel around the
canvas.

References: Gregor et al., 2016, arXiv 1604.08772, section 2 (Convolutional DRAW).
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.ladder.draw import LatentRung, message
from pixelcnn_core.models.ladder.rung import RungConfig, discretised_logistic, logistic_levels
from pixelcnn_core.models.row_lstm import lstm_step


@dataclass
class ConvDRAWConfig(RungConfig):
    glances: int = 4  # T
    hidden: int = 32  # features of each LSTM
    latent: int = 12  # numbers in a message for every 2 x 2 pixels

    BOUNDS: ClassVar[dict] = {"glances": (1, 256), "hidden": (1, 1024), "latent": (1, 1024)}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % 2:
            raise ValueError(f"image_size must be even, not {self.image_size}")


class ConvLSTM(nn.Module):
    """A step of an LSTM whose gates are a 3 x 3 convolution."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.gates = nn.Conv2d(inputs + hidden, 4 * hidden, 3, padding=1)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """x (B, inputs, H, W), state (h, c) of (B, hidden, H, W) -> the next state."""
        h, c = state
        out, forget, enter, content = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        return lstm_step((out, forget + 1, enter, content), c)


class ConvDRAW(LatentRung):
    config_class = ConvDRAWConfig

    def __init__(self, config: ConvDRAWConfig):
        super().__init__(config)
        c = config
        self.encoder = ConvLSTM(8 * c.channels + c.hidden, c.hidden)  # image and error, 2 x 2 pixels to one place
        self.decoder = ConvLSTM(c.latent, c.hidden)
        self.posterior = nn.Conv2d(2 * c.hidden, 2 * c.latent, 3, padding=1)
        self.prior = nn.Conv2d(c.hidden, 2 * c.latent, 3, padding=1)
        self.paint = nn.Conv2d(c.hidden, 8 * c.channels, 3, padding=1)
        self.log_scale = nn.Parameter(torch.full((c.channels, 1, 1), -2.0))
        with torch.no_grad():
            for layer in (self.prior, self.posterior):
                layer.weight *= 0.1

    def glances(self, count: int, say) -> Tensor:
        """Run the decoder: `say(canvas, h, prior mean, prior log std)` gives each z. Returns the last canvas: means and
        what is added to the logarithms of the scales, (B, 2 C, H, W)."""
        c = self.config
        h = cell = self.log_scale.new_zeros(count, c.hidden, c.image_size // 2, c.image_size // 2)
        canvas = self.log_scale.new_zeros(count, 2 * c.channels, c.image_size, c.image_size)
        for _ in range(c.glances):
            mean, log_std = self.prior(h).float().chunk(2, 1)
            h, cell = self.decoder(say(canvas, h, mean, log_std), (h, cell))
            canvas = canvas + F.pixel_shuffle(self.paint(h), 2)
        return canvas

    def likelihood(self, canvas: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log scale of every sub-pixel, from a canvas (B, 2 C, H, W): (B, C, H, W) each."""
        mean, log_scale = canvas.float().chunk(2, 1)
        return mean, log_scale + self.log_scale

    def messages(self, images: Tensor, exact: bool) -> tuple[Tensor, Tensor]:
        """See `LatentRung.messages`."""
        c, x, costs = self.config, self.scaled(images), []
        state = [x.new_zeros(len(x), c.hidden, c.image_size // 2, c.image_size // 2)] * 2

        def say(canvas: Tensor, h: Tensor, prior_mean: Tensor, prior_log_std: Tensor) -> Tensor:
            seen = F.pixel_unshuffle(torch.cat([x, x - canvas[:, :c.channels]], 1), 2)
            state[:] = self.encoder(torch.cat([seen, h], 1), tuple(state))
            mean, log_std = self.posterior(torch.cat([state[0], h], 1)).float().chunk(2, 1)
            # the posterior begins as the prior
            z, cost = message(prior_mean + mean, prior_log_std + log_std, prior_mean, prior_log_std, exact)
            costs.append(cost)
            return z

        mean, log_scale = self.likelihood(self.glances(len(x), say))
        said = discretised_logistic(images, mean, log_scale, c.levels)
        return said.flatten(1).sum(1), torch.stack(costs).sum(0)

    def draw(self, count: int) -> Tensor:
        """Messages from the prior: uint8 (count, C, H, W)."""
        def say(canvas: Tensor, h: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
            return mean + torch.exp(log_std) * torch.randn(mean.shape).to(mean)

        return logistic_levels(*self.likelihood(self.glances(count, say)), self.config.levels)
