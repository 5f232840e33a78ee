"""The race of the two samplers: the definition, one forward pass per sub-pixel, against the cached sampler.

Both draw the same image from the same random numbers (section 2 and `pixelcnn_core/sampling/cached/`). The cached one
draws all of it first, several times, of which the median counts: one draw is a few milliseconds, and what else the
machine does would decide its time. Then the naive one draws pixel by pixel, of a large image only the first rows, and
what both have drawn is compared. Only the time inside the samplers counts, after both were warmed up.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from demo.service.bridge import Service
from demo.service.settings import Settings
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.sampling.sample import finish, naive_step, sample_rows, uniforms_from_seed

DRAWS, DRAWING = 9, 2.0  # of the cached sampler, at most, and in about so many seconds
EVALUATIONS = 400  # of the network, at most, by the naive sampler: seconds on two CPU cores


@dataclass(frozen=True)
class RaceMoment:
    """`naive` and `cached` are (H, W, C) uint8 from 0 to 255; `pixels` of `of` pixels are drawn by the naive sampler.

    `evaluations` counts its forward passes, `whole` those of a complete image; `equal` of the `evaluations` sub-pixels
    drawn by both have the same value. Times in seconds; the cached one is that of the complete image, the
    median of its draws.
    """

    state: str  # as Progress.state
    naive: np.ndarray | None = None
    cached: np.ndarray | None = None
    pixels: int = 0
    of: int = 1
    evaluations: int = 0
    whole: int = 1
    equal: int = 0
    naive_seconds: float = 0.0
    cached_seconds: float = 0.0

    @property
    def naive_whole_seconds(self) -> float:
        """What the naive sampler would need for the complete image, at the pace so far."""
        return self.naive_seconds / max(1, self.evaluations) * self.whole

    @property
    def could_have_drawn(self) -> int:
        """Complete images that the cached sampler could have drawn while the naive one drew."""
        return int(self.naive_seconds / self.cached_seconds) if self.cached_seconds else 0


@dataclass
class _Clock:
    """What the sampling generator of one race reports besides its images."""

    naive: float = 0.0
    cached: float = 0.0
    equal: int = 0


class ScoreboardService:
    """The samplers' race as a turn of the service."""

    def __init__(self, service: Service):
        self.service = service

    def rows(self, name: str) -> int:
        """How many rows of the image the naive sampler draws."""
        info = self.service.info(name)
        return max(1, min(info.image_size, EVALUATIONS // (info.image_size * info.channels)))

    def race(self, settings: Settings) -> Iterator[RaceMoment]:
        """Draw one image of the first class of `settings` with both samplers; a moment per pixel of the naive one.

        Close the generator to stop. Raises Busy and UserError.
        """
        info, clock = self.service.info(settings.model), _Clock()
        of, whole = self.rows(info.name) * info.image_size, info.channels * info.image_size ** 2
        for progress in self.service.serve(info.name, lambda model: self._draw(model, settings, of, clock), 2, of):
            if progress.state == "waiting":
                yield RaceMoment("waiting")
                continue
            naive, cached = progress.images[:, 0]  # (H, W, C) each
            yield RaceMoment(progress.state, naive, cached, progress.row, of, progress.row * info.channels, whole,
                             clock.equal, clock.naive, clock.cached)

    def _draw(self, model: GatedPixelCNN, settings: Settings, pixels: int, clock: _Clock) -> Iterator[torch.Tensor]:
        """Yield (2, C, H, W) after each pixel of the naive sampler: its image, and the cached sampler's."""
        config, device = model.config, model.head1.weight.device
        uniforms = uniforms_from_seed(settings.seed, 1, config)
        condition = self.service.condition(settings).to(device)
        shape = (max(1, len(condition)), config.channels, config.image_size, config.image_size)
        x, noise = torch.zeros(shape, dtype=torch.uint8, device=device), uniforms.to(device)

        def draw() -> torch.Tensor:
            drawn = sample_rows(model, condition, uniforms=uniforms, temperature=settings.temperature)
            return finish(drawn).to(device)

        draw()  # the first time compiles, or makes buffers: of each race, since much may have happened in between
        with torch.no_grad():
            naive_step(model, x, condition, noise, (config.channels - 1, config.image_size - 1, config.image_size - 1),
                       settings.temperature)
        times: list[float] = []
        while len(times) < DRAWS and sum(times) < DRAWING:
            begun = time.perf_counter()
            cached = draw()
            times.append(time.perf_counter() - begun)
        clock.cached, steps = statistics.median(times), []
        for pixel in range(pixels):
            row, column = divmod(pixel, config.image_size)
            begun = time.perf_counter()
            for channel in range(config.channels):
                with torch.no_grad():
                    x[:, channel, row, column] = naive_step(model, x, condition, noise, (channel, row, column),
                                                            settings.temperature)
            drawn = x[:, :, row, column].cpu()  # waits for a GPU
            steps.append(time.perf_counter() - begun)
            clock.naive = statistics.median(steps) * len(steps)  # a hiccup of the machine counts for neither
            clock.equal += int((drawn == cached[:, :, row, column].cpu()).sum())
            yield torch.cat([x, cached])
