"""One finer step of a chain: p(x | smaller x, h), super-resolution by a Conditional PixelCNN (equation 5, section 2.3).

    s = m(smaller picture, h)     a convolutional network that is not causal: every pixel of s sees the whole picture
    p(x | s, h)                   equations 4 and 5: V h + V * s inside every gate

m works at the size of the smaller picture, with dilated convolutions that reach from corner to corner, and ends in a
pixel shuffle to twice the size (the paper's "deconvolution"). Beside its channels stands the smaller picture itself,
enlarged by bilinear interpolation. `h` enters m as well as the gates: what a person's eyes are like matters where the
smaller picture shows an eye, and only m sees both. Where all pictures are laid out alike, as aligned faces are, `h`
alone says what belongs where: one matrix makes a small picture of it, `vector_map` channels, that m reads too.

Dropping the condition drops h alone: the smaller picture is always given.

References: pixel recursive super-resolution (Dahl et al., 2017, arXiv 1702.00783); multi-scale PixelRNN (van den Oord
et al., 2016, arXiv 1601.06759, section 3.6).
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.base import Model
from pixelcnn_core.models.conditioning import Condition, global_vector
from pixelcnn_core.models.config import ImageSettings, check_settings
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.images import scaled

VECTOR_MAP_SIDE = 16  # height and width of the picture made of h, at most


def halved(images: Tensor) -> Tensor:
    """The next smaller picture: the mean of every 2 x 2 pixels, rounded; uint8 (B, C, H, W) -> (B, C, H/2, W/2)."""
    return F.avg_pool2d(images.float(), 2).round().to(torch.uint8)


@dataclass
class UpscalerConfig(ImageSettings):
    """`features` is the width of m, `map_channels` the size of s; `decoder` holds settings of `PixelCNNConfig`."""

    image_size: int = 16  # height and width of what it draws: twice that of what it is given
    channels: int = 3
    levels: int = 256
    features: int = 48
    map_channels: int = 24
    vector_map: int = 0  # channels of the small picture that h alone makes; 0: none
    classes: int = 0
    embedding: int = 0
    encoder: str = ""
    class_names: tuple[str, ...] = ()
    decoder: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self, image_size=(2, 256), channels=(1, 3), levels=(2, 256), features=(1, 4096),
                       map_channels=(2, 1024), vector_map=(0, 1024), classes=(0, 100_000), embedding=(0, 8192))
        if self.image_size % 2:
            raise ValueError(f"image_size must be even, not {self.image_size}")
        if self.vector_map and not self.classes + self.embedding:
            raise ValueError(f"vector_map is {self.vector_map}, but there is no class and no embedding to make it of")
        if self.map_channels <= self.channels:
            raise ValueError(f"map_channels must be above the {self.channels} channels of the smaller picture, "
                             f"not {self.map_channels}")
        self.pixelcnn()  # raises for settings that make no decoder

    def pixelcnn(self) -> PixelCNNConfig:
        return PixelCNNConfig(image_size=self.image_size, channels=self.channels, levels=self.levels,
                              map_channels=self.map_channels, classes=self.classes, embedding=self.embedding,
                              encoder=self.encoder, class_names=self.class_names, **self.decoder)


class MapNetwork(nn.Module):
    """m: (smaller picture (B, C, H, W) in [-1, 1], h (B, D) or None) -> s (B, map_channels, 2H, 2W)."""

    def __init__(self, config: UpscalerConfig):
        super().__init__()
        self.config = config
        f, h = config.features, config.classes + config.embedding
        dilations = [2 ** k for k in range((config.image_size // 2 - 1).bit_length())]  # their sum: side - 1 or more
        self.enter = nn.Conv2d(config.channels, f, 3, 1, 1)
        self.wide = nn.ModuleList(nn.Conv2d(f, f, 3, 1, d, d) for d in dilations)
        self.vector_terms = nn.ModuleList(nn.Linear(h, f, bias=False) for _ in dilations if h)
        self.narrow = nn.ModuleList(nn.Conv2d(f, f, 1) for _ in dilations)
        self.side = min(config.image_size // 2, VECTOR_MAP_SIDE)
        if config.vector_map:  # no bias: h = 0 is "none"
            self.vector_map = nn.Linear(h, config.vector_map * self.side ** 2, bias=False)
            self.read_map = nn.Conv2d(config.vector_map, f, 1, bias=False)
            nn.init.zeros_(self.read_map.weight)  # what h adds begins at zero, so a trained step can be given one
        self.out = nn.Conv2d(f, 4 * (config.map_channels - config.channels), 1)

    def forward(self, smaller: Tensor, h: Tensor | None) -> Tensor:
        x = self.enter(smaller)  # (B, f, H, W)
        if self.config.vector_map and h is not None:
            small = self.vector_map(h).unflatten(1, (-1, self.side, self.side))  # (B, vector_map, side, side)
            x = x + F.interpolate(self.read_map(small), size=x.shape[2:], mode="bilinear", align_corners=False)
        for k, (wide, narrow) in enumerate(zip(self.wide, self.narrow)):
            hidden = wide(F.silu(x))
            if h is not None:
                hidden = hidden + self.vector_terms[k](h)[:, :, None, None]
            x = x + narrow(F.silu(hidden))
        s = F.pixel_shuffle(self.out(F.silu(x)), 2)  # (B, map_channels - C, 2H, 2W)
        enlarged = F.interpolate(smaller, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.cat([s, enlarged.to(s.dtype)], dim=1)  # (B, map_channels, 2H, 2W)


class Upscaler(Model):
    """`Upscaler.from_pretrained(folder)`, then
    `model.decoder.sample(condition=model.condition(smaller, h))`."""

    config_class = UpscalerConfig
    loss_name = "bits_per_dim"

    def __init__(self, config: UpscalerConfig):
        super().__init__()
        self.config = config
        self.map_network = MapNetwork(config)
        self.decoder = GatedPixelCNN(config.pixelcnn())

    def condition(self, smaller: Tensor, h: Condition | None = None) -> Condition:
        """What the decoder is told: `h` as it is, and s = m(smaller, h).

        smaller  (B, C, H/2, W/2), levels as integers or floats. Raises ValueError for another shape.
        """
        c, h = self.config, h or Condition()
        if smaller.ndim != 4 or smaller.shape[1] != c.channels:
            raise ValueError(f"the smaller picture has shape (B, {c.channels}, H, W), not {tuple(smaller.shape)}")
        like = self.decoder.head1.weight
        vector = global_vector(h, len(smaller), c.classes, c.embedding, like)
        s = self.map_network(scaled(smaller.to(like), c.levels), vector)
        return Condition(label=h.label, embedding=h.embedding, map=s)

    def bits_per_dim(self, images: Tensor, h: Condition | None = None, smaller: Tensor | None = None) -> Tensor:
        """-log2 p(x | smaller x, h) / number of sub-pixels of x: (B, C, H, W) -> (B,). `smaller`: default, `halved`."""
        return self.decoder.bits_per_dim(images, self.condition(halved(images) if smaller is None else smaller, h))

    def losses(self, images: Tensor, condition: Condition | None = None, kept: Tensor | None = None) -> Tensor:
        """Bits per dimension given the smaller picture, (B,), without h where `kept`, (B,) bool, is False.

        condition  h; its map, if any, is the smaller picture, which training makes noisy
        """
        condition = condition or Condition()
        h = Condition(label=condition.label, embedding=condition.embedding)
        return self.bits_per_dim(images, h if kept is None else h.drop(kept), condition.map)
