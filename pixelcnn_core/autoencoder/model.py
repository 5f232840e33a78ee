"""The PixelCNN auto-encoder of section 3.4, and the auto-encoder with mean squared error beside it (figure 6).

    z = encoder(x)                    a code of m numbers
    p(x | z), a Conditional PixelCNN  trained end to end by bits per dimension      (AutoEncoder)
    |x - deconvolution(z)|^2          the same encoder, trained by squared error    (MSEAutoEncoder)

The squared error is smallest at the mean of all images that fit the code: a blur. A PixelCNN models their whole
distribution, so each decoding is one of them, and sharp. The code enters as the vector h, which is z scaled (equation
4), or, with `map_channels`, also through s = m(z), a deconvolution to a map (equation 5): only s can say *where*
something is.

References: van den Oord et al., 2016, arXiv 1606.05328, section 3.4 (figure 6) and 2.3 (equations 4 and 5).
"""

from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.base import Model
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.config import ImageSettings, check_settings
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.images import as_images, scaled
from pixelcnn_core.sampling.sample import finish, sample_rows


@dataclass
class CodeConfig(ImageSettings):
    """What both auto-encoders share: the shape of the images and of the code."""

    image_size: int = 32
    channels: int = 3
    levels: int = 256
    code: int = 10  # m
    features: int = 32  # of the encoder's first layer; doubled with each halving of the image, up to four times
    linear: bool = False  # a linear map beside the convolutions, both ways: learns in minutes what is linear in a code

    def __post_init__(self) -> None:
        check_settings(self, image_size=(1, 256), channels=(1, 3), levels=(2, 256), code=(1, 8192),
                       features=(1, 1024))


@dataclass
class AutoEncoderConfig(CodeConfig):
    """`decoder` holds settings of `PixelCNNConfig`; `map_channels` is the size of s, or 0 for h alone."""

    map_channels: int = 0
    decoder: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pixelcnn()  # raises for settings that make no decoder

    def pixelcnn(self) -> PixelCNNConfig:
        return PixelCNNConfig(image_size=self.image_size, channels=self.channels, levels=self.levels,
                              embedding=self.code, map_channels=self.map_channels, **self.decoder)


class Encoder(nn.Module):
    """Images (B, C, H, W) in [-1, 1] -> codes (B, m): three halvings, two convolutions at each size."""

    def __init__(self, config: CodeConfig):
        super().__init__()
        f, smallest = config.features, -(-config.image_size // 8)
        widths = [config.channels, f, 2 * f, 4 * f]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(widths[k] if stride == 1 else widths[k + 1], widths[k + 1], 3, stride, 1)
            for k in range(3) for stride in (1, 2))
        self.out = nn.Linear(4 * f * smallest ** 2, config.code)
        pixels = config.channels * config.image_size ** 2
        self.linear = nn.Linear(pixels, config.code, bias=False) if config.linear else None

    def forward(self, images: Tensor) -> Tensor:
        x = images
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        z = self.out(x.flatten(1))  # (B, m)
        return z if self.linear is None else z + self.linear(images.flatten(1))


class Deconvolution(nn.Module):
    """Codes (B, m) -> maps (B, channels, H, W): the mirror image of the encoder; the `m` of s = m(h)."""

    def __init__(self, config: CodeConfig, channels: int):
        super().__init__()
        f, self.size, self.smallest = config.features, config.image_size, -(-config.image_size // 8)
        self.enter = nn.Linear(config.code, 4 * f * self.smallest ** 2)
        self.convolutions = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1)
                                          for a, b in ((4 * f, 2 * f), (2 * f, f), (f, f)))
        self.out = nn.Conv2d(f, channels, 3, 1, 1)
        self.linear = nn.Linear(config.code, channels * self.size ** 2, bias=False) if config.linear else None

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.enter(z)).unflatten(1, (-1, self.smallest, self.smallest))  # (B, 4f, H/8, W/8)
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        x = self.out(x)[:, :, :self.size, :self.size]
        return x if self.linear is None else x + self.linear(z).unflatten(1, x.shape[1:])


class CodeModel(Model):
    """What both auto-encoders share: images in, codes out."""

    config_class = CodeConfig

    def __init__(self, config: CodeConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)

    def scale(self, images: Tensor) -> Tensor:
        """uint8 (B, C, H, W) -> [-1, 1], in the dtype of the weights. Raises ValueError for what are no images."""
        images = as_images(images, self.config.channels, self.config.levels)
        return scaled(images.to(self.encoder.out.weight.dtype), self.config.levels)

    def encode(self, images: Tensor) -> Tensor:
        """uint8 (B, C, H, W) -> codes (B, m). Raises ValueError for images of another shape."""
        shape = (self.config.channels, self.config.image_size, self.config.image_size)
        if images.ndim != 4 or images.shape[1:] != shape:
            raise ValueError(f"the auto-encoder takes images of shape {shape}, not {tuple(images.shape[1:])}")
        return self.encoder(self.scale(images))


class MSEAutoEncoder(CodeModel):
    """The baseline: a deconvolutional decoder, trained by mean squared error."""

    loss_name = "mse"

    def __init__(self, config: CodeConfig):
        super().__init__(config)
        self.deconvolution = Deconvolution(config, config.channels)

    def losses(self, images: Tensor, condition: Condition | None = None, kept: Tensor | None = None) -> Tensor:
        """Mean squared error of every image, in units of the full range from black to white: (B,)."""
        difference = (self.deconvolution(self.encode(images)) - self.scale(images)) / 2
        return difference.square().mean(dim=(1, 2, 3))

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Codes (B, m) -> the one image each stands for, uint8 (B, C, H, W)."""
        values = (self.deconvolution(codes.to(self.encoder.out.weight)) + 1) * ((self.config.levels - 1) / 2)
        return values.round().clamp(0, self.config.levels - 1).to(torch.uint8)

    def reconstruct(self, images: Tensor, seed: int = 0) -> Tensor:
        """The one image that the code of each stands for: uint8 (B, C, H, W) -> the same shape. `seed`: as other
        decoders take it; nothing is drawn here."""
        return self.decode(self.encode(images.to(self.encoder.out.weight.device)))


class AutoEncoder(CodeModel):
    """An encoder and a Conditional PixelCNN as its decoder, trained end to end by bits per dimension."""

    config_class = AutoEncoderConfig
    loss_name = "bits_per_dim"

    def __init__(self, config: AutoEncoderConfig):
        super().__init__(config)
        self.decoder = GatedPixelCNN(config.pixelcnn())
        self.deconvolution = Deconvolution(config, config.map_channels) if config.map_channels else None

    @property
    def way(self) -> str:
        """How the code enters the decoder, in the paper's letters."""
        return "h" if self.deconvolution is None else "h and s"

    def condition(self, codes: Tensor) -> Condition:
        """What the decoder is told about images with these codes, (B, m): h, and s = m(z). Sample with it:
        `sample_rows(model.decoder, model.condition(codes))`. h is z / sqrt(m): as long for 100 numbers as for 10, so
        that one learning rate suits both."""
        return Condition(embedding=codes / codes.shape[1] ** 0.5,
                         map=None if self.deconvolution is None else self.deconvolution(codes))

    def losses(self, images: Tensor, condition: Condition | None = None, kept: Tensor | None = None) -> Tensor:
        """Bits per dimension of every image given its own code, or given nothing where `kept` is False: (B,)."""
        own = self.condition(self.encode(images))
        return self.decoder.bits_per_dim(images, own if kept is None else own.drop(kept))

    @torch.no_grad()
    def reconstruct(self, images: Tensor, seed: int = 0, **settings) -> Tensor:
        """One new image for the code of each: uint8 (B, C, H, W). `settings` as in `sample_rows`."""
        codes = self.encode(images.to(self.encoder.out.weight.device))
        return finish(sample_rows(self.decoder, self.condition(codes), seed=seed, **settings))


@torch.no_grad()
def load_start(model: AutoEncoder, folder: str | Path) -> None:
    """Start from a trained MSE auto-encoder: its encoder, its decoder as m, its answer as the first channels of s.

    What the code adds to the PixelCNN is 0 at first, so that training starts from the likelihood of the unconditional
    model and not from noise in every gate. Raises CheckpointError.
    """
    start, config = MSEAutoEncoder.from_pretrained(folder), model.config
    if any(getattr(start.config, name) != getattr(config, name) for name in ("code", "features", "linear")):
        raise CheckpointError(f"{folder} has a code of {start.config.code} numbers and {start.config.features} "
                              f"features, the recipe has {config.code} and {config.features}, or one of them is linear "
                              "besides and the other is not")
    model.encoder.load_state_dict(start.encoder.state_dict())
    for term in (*model.decoder.vector_terms, *model.decoder.map_terms):
        term.weight.zero_()
    if model.deconvolution is not None:
        own, other = model.deconvolution.state_dict(), start.deconvolution.state_dict()
        shared = min(config.map_channels, config.channels)
        for name, tensor in other.items():
            if name.startswith("out."):
                own[name][:shared] = tensor[:shared]
            elif name.startswith("linear."):  # (channels * H * W, m)
                pixels = shared * config.image_size ** 2
                own[name][:pixels] = tensor[:pixels]
            else:
                own[name].copy_(tensor)
