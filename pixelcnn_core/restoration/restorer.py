"""The restorer: a Conditional PixelCNN whose map s is a damaged image (equation 5, section 2.3).

    s = m(damaged image)         a convolutional network at full resolution
    p(x | s)                     equation 5: V * s inside every gate, an unmasked 1 x 1 convolution

One checkpoint fills holes of any shape, removes noise, adds colours and details: `damage.py` says how an image can be
damaged. Raster order hides everything to the right and below from a PixelCNN; s does not, because m sees the whole
damaged image. V * s alone would not do: it sees one pixel of it. So m carries the context, by dilated convolutions.
The model gives a distribution: every sample is one possible original, and the mean of several is the best guess in the
sense of squared error.

References: van den Oord et al., 2016, arXiv 1606.05328, section 2.3 (equation 5); Yu and Koltun, 2016, arXiv 1511.07122
(dilated convolutions).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.base import Model
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.config import ImageSettings, check_settings
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.restoration.damage import known_pixels, map_planes, random_damage, visible
from pixelcnn_core.sampling.sample import sample_rows


@dataclass
class RestorerConfig(ImageSettings):
    """`features` and `dilations` shape m, one residual block per dilation; `map_channels` is the size of s, and
    `decoder` holds settings of `PixelCNNConfig`."""

    image_size: int = 32
    channels: int = 3
    levels: int = 256
    features: int = 48
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    map_channels: int = 24
    decoder: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self, features=(1, 4096), dilations=(1, 256), map_channels=(1, 1024))
        if len(self.dilations) > 64:
            raise ValueError(f"there are at most 64 dilations, not {len(self.dilations)}")
        self.pixelcnn()  # raises for settings that make no decoder

    def pixelcnn(self) -> PixelCNNConfig:
        return PixelCNNConfig(image_size=self.image_size, channels=self.channels, levels=self.levels,
                              map_channels=self.map_channels, **self.decoder)


class MapNetwork(nn.Module):
    """m: maps (B, C + 4, H, W) of damaged images -> s (B, map_channels, H, W). Not causal, and need not be."""

    def __init__(self, config: RestorerConfig):
        super().__init__()
        f = config.features
        self.enter = nn.Conv2d(map_planes(config.channels), f, 3, 1, 1)
        self.wide = nn.ModuleList(nn.Conv2d(f, f, 3, 1, d, d) for d in config.dilations)
        self.narrow = nn.ModuleList(nn.Conv2d(f, f, 1) for _ in config.dilations)
        self.out = nn.Conv2d(f, config.map_channels, 1)
        nn.init.zeros_(self.out.weight)  # s = 0 at first: training starts from the unconditional model
        nn.init.zeros_(self.out.bias)

    def forward(self, damaged: Tensor) -> Tensor:
        x = self.enter(damaged)
        for wide, narrow in zip(self.wide, self.narrow):
            x = x + narrow(F.relu(wide(F.relu(x))))
        return self.out(F.relu(x))


class Restorer(Model):
    """`model = Restorer.from_pretrained(folder)`, then `finish(model.restore(damage(images, 256, "grey", rng)))`."""

    config_class = RestorerConfig
    loss_name = "bits_per_missing_dim"

    def __init__(self, config: RestorerConfig):
        super().__init__()
        self.config = config
        self.map_network = MapNetwork(config)
        self.decoder = GatedPixelCNN(config.pixelcnn())

    def condition(self, damaged: Tensor) -> Condition:
        """What the decoder is told about damaged images, maps (B, C + 4, H, W). Raises ValueError for other shapes."""
        shape = (map_planes(self.config.channels), self.config.image_size, self.config.image_size)
        if damaged.ndim != 4 or damaged.shape[1:] != shape:
            raise ValueError(f"the restorer takes maps of shape {shape}, not {tuple(damaged.shape[1:])}")
        return Condition(map=self.map_network(damaged.to(self.map_network.out.weight)))

    def bits_of_missing(self, images: Tensor, damaged: Tensor | None) -> Tensor:
        """-log2 p(x_i | x_<i, s) of every sub-pixel, 0 where the map gives it exactly: (B, C, H, W); without a map
        (None) those of all sub-pixels in the unconditional model."""
        if damaged is None:
            return self.decoder.bits_per_sub_pixel(images)
        bits = self.decoder.bits_per_sub_pixel(images, self.condition(damaged))
        return bits * ~known_pixels(damaged)

    def losses(self, images: Tensor, condition: Condition | None = None, kept: Tensor | None = None) -> Tensor:
        """Bits per missing sub-pixel of every image given its damaged self: (B,).

        condition  its map holds the damaged images; without one (scoring while training) the damage is that of seed 0
        kept       (B,) bool; where False the image is scored whole, given nothing
        """
        damaged = condition.map if condition is not None else None
        if damaged is None:
            damaged = random_damage(images, self.config.levels, (0,), range(len(images)))
        own, missing = self.condition(damaged), ~known_pixels(damaged)  # (B, 1, H, W)
        if kept is not None:
            own, missing = own.drop(kept), missing | ~kept[:, None, None, None]
        bits = self.decoder.bits_per_sub_pixel(images, own)
        return (bits * missing).sum((1, 2, 3)) / (missing.sum((1, 2, 3)) * images.shape[1])

    def restore(self, damaged: Tensor, *, seed: int = 0, uniforms: Tensor | None = None) -> Iterator[Tensor]:
        """Draw an original for each map (B, C + 4, H, W), row by row, as `sample_rows` does; pixels that a map gives
        exactly stay as they are. Repeat a map to get several restorations of one image."""
        with torch.no_grad():
            condition = self.condition(damaged)
        return sample_rows(self.decoder, condition, seed=seed, uniforms=uniforms,
                           image=visible(damaged, self.config.levels).cpu(), known=known_pixels(damaged).cpu())
