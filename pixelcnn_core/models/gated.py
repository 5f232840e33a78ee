"""Gated PixelCNN and Conditional PixelCNN, autoregressive models of images: sections 2 to 2.3 of the paper.

    p(x | h) = product over i of p(x_i | x_1 ... x_{i-1}, h)                                 (equations 1 and 3)

x_i runs over sub-pixels: pixels in raster order, R, G, B inside each pixel, each with a softmax over all its
levels. One forward pass gives all factors at once (training); sampling needs them one after another and lives
in `sampling/sample.py`: this file knows nothing of caches.

References: van den Oord et al., 2016, arXiv 1606.05328: section 2 (equation 1), 2.1 (equation 2), 2.3 (equations 3 to
5). Beyond it: skip connections from every layer to the output network (PixelRNN, arXiv 1601.06759, section 3.3);
condition dropout for classifier-free guidance (Ho and Salimans, 2022, arXiv 2207.12598); an optional position map.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.base import Drawing, Model
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import ConditionLike, as_condition, global_vector, position_map, spatial_map
from pixelcnn_core.models.config import ImageSettings, check_settings
from pixelcnn_core.models.images import as_images, scaled
from pixelcnn_core.models.layers import ColourConv1x1, GatedLayer

if TYPE_CHECKING:
    from pixelcnn_core.sampling.images import Images


@dataclass
class PixelCNNConfig(ImageSettings):
    """Everything that defines a model. Features are counted per stack and split into `channels` colour groups."""

    image_size: int = 32  # height and width of the images it is trained on; the network itself takes any size
    channels: int = 3  # 1 or 3
    levels: int = 256  # values of one sub-pixel: 256 for photos, 17 for the scanned digits, 2 for binary images
    features: int = 48
    layers: int = 8  # including the first one, with mask A
    kernel_size: int = 3
    first_kernel_size: int = 7
    head_features: int = 96
    skip: bool = True  # every layer feeds the output network; otherwise only the last one does
    dropout: float = 0.0
    classes: int = 0  # h: a one-hot class label ...
    embedding: int = 0  # ... and / or a vector of this size
    encoder: str = ""  # the network that gives this vector, as "name sha256"; another one's vectors mean nothing here
    map_channels: int = 0  # s: a location-dependent map with this many channels
    position: int = 0  # s that is the same for every image: where a pixel is, in this many frequencies each way
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_settings(self, image_size=(1, 256), levels=(2, 256), features=(1, 4096), layers=(1, 200),
                       kernel_size=(3, 31), first_kernel_size=(3, 31), head_features=(1, 8192), classes=(0, 100_000),
                       embedding=(0, 8192), map_channels=(0, 1024), position=(0, 64))
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, not {self.channels}")
        for name in ("features", "head_features"):
            if getattr(self, name) % self.channels:
                raise ValueError(f"{name} = {getattr(self, name)} must be a multiple of the {self.channels} channels")
        for name in ("kernel_size", "first_kernel_size"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"{name} must be odd, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), not {self.dropout}")
        if self.class_names and len(self.class_names) != self.classes:
            raise ValueError(f"{len(self.class_names)} class names were given for {self.classes} classes")


class GatedPixelCNN(Drawing, Model):
    """The model of the paper. `GatedPixelCNN.from_pretrained(folder or hub id)` loads a trained one.

    `bits_per_dim` and `log_prob` are its likelihood, `sample` and `inpaint` draw. Wherever a condition is asked for,
    labels will do: numbers or names of classes, one for all images or one for each.
    """

    config_class = PixelCNNConfig
    loss_name = "bits_per_dim"

    def __init__(self, config: PixelCNNConfig):
        super().__init__()
        self.config = config
        groups, features = config.channels, config.features
        skip = config.head_features if config.skip else 0
        self.layers = nn.ModuleList(
            GatedLayer(config.channels if first else features, features,
                       config.first_kernel_size if first else config.kernel_size, groups, "A" if first else "B",
                       skip, config.dropout)
            for first in [True] + [False] * (config.layers - 1))
        # V of equation 4 (equation 5), one per layer; both stacks get their own 2F outputs. No bias: h = 0 is "none".
        size = config.classes + config.embedding
        self.vector_terms = nn.ModuleList(
            nn.Linear(size, 4 * features, bias=False) for _ in range(config.layers if size else 0))
        self.map_terms = nn.ModuleList(
            nn.Conv2d(config.map_channels, 4 * features, 1, bias=False)
            for _ in range(config.layers if config.map_channels else 0))
        self.position_terms = nn.ModuleList(
            nn.Conv2d(config.position ** 2, 4 * features, 1, bias=False)
            for _ in range(config.layers if config.position else 0))
        self.head1 = ColourConv1x1(skip or features, config.head_features, groups)
        self.head2 = ColourConv1x1(config.head_features, groups * config.levels, groups)

    def scale_input(self, x: Tensor) -> Tensor:
        """Integer sub-pixels in [0, levels) -> floats in [-1, 1], in the dtype of the weights."""
        return scaled(x.to(self.head1.weight.dtype), self.config.levels)

    def condition_terms(self, condition: ConditionLike, batch: int, size: tuple[int, int]) -> list[Tensor]:
        """What the condition adds inside the gates of each layer, both stacks: list of (B, 4F, H or 1, W or 1)."""
        config, like = self.config, self.head1.weight
        condition = as_condition(condition, config.class_names)
        h = global_vector(condition, batch, config.classes, config.embedding, like)
        s = spatial_map(condition, batch, config.map_channels, size, like)
        terms = [torch.zeros(1, 4 * config.features, 1, 1, dtype=like.dtype, device=like.device)] * config.layers
        if h is not None:
            terms = [t + linear(h)[:, :, None, None] for t, linear in zip(terms, self.vector_terms)]
        if s is not None:
            terms = [t + conv(s) for t, conv in zip(terms, self.map_terms)]
        if config.position:
            where = position_map(config.position, size, like)
            terms = [t + conv(where) for t, conv in zip(terms, self.position_terms)]
        return terms

    def _channel_logits(self, x: Tensor, condition: ConditionLike) -> Tensor:
        """Logits in the order in which the network makes them: (B, C * levels, H, W), colour by colour."""
        if x.ndim != 4 or x.shape[1] != self.config.channels:
            raise ValueError(f"images have shape (B, {self.config.channels}, H, W), not {tuple(x.shape)}")
        v = h = self.scale_input(x)
        total = 0.0
        for layer, term in zip(self.layers, self.condition_terms(condition, len(x), x.shape[2:])):
            v_term, h_term = term.chunk(2, dim=1)  # (B, 2F, H or 1, W or 1) each
            v, h, skip = layer(v, h, v_term, h_term)
            total = h if skip is None else total + skip
        return self.head2(F.relu(self.head1(F.relu(total))))

    def forward(self, x: Tensor, condition: ConditionLike = None) -> Tensor:
        """Logits of every sub-pixel given the earlier ones: uint8 (B, C, H, W) -> (B, levels, C, H, W)."""
        logits = self._channel_logits(x, condition)
        return logits.unflatten(1, (self.config.channels, self.config.levels)).transpose(1, 2)

    def bits_per_sub_pixel(self, x: "Tensor | np.ndarray | Sequence | Images", condition: ConditionLike = None
                           ) -> Tensor:
        """-log2 p(x_i | x_<i, h) of every sub-pixel, exact: integers (B, C, H, W) -> (B, C, H, W).

        x  a tensor, an array, or the `Images` that a model drew. Raises ValueError for what are no integers in
           [0, levels).
        """
        x = as_images(x, self.config.channels, self.config.levels)
        b, c, height, width = x.shape
        logits = self._channel_logits(x, condition).permute(0, 2, 3, 1)  # (B, H, W, C * levels)
        logits = logits.reshape(b * height * width * c, self.config.levels)
        if logits.dtype == torch.bfloat16:  # under autocast: a softmax over 256 levels needs more digits
            logits = logits.float()
        target = x.permute(0, 2, 3, 1).reshape(-1).long()  # (B * H * W * C,)
        nats = F.cross_entropy(logits, target, reduction="none")
        return nats.reshape(b, height, width, c).permute(0, 3, 1, 2) / math.log(2)

    def bits_per_dim(self, x: "Tensor | np.ndarray | Sequence | Images", condition: ConditionLike = None) -> Tensor:
        """-log2 p(x | h) / number of sub-pixels, exact: (B, C, H, W) -> (B,). Its mean is the training loss."""
        return self.bits_per_sub_pixel(x, condition).mean(dim=(1, 2, 3))

    def log_prob(self, x: "Tensor | np.ndarray | Sequence | Images", condition: ConditionLike = None) -> Tensor:
        """ln p(x | h) of whole images in nats (natural logarithm), exact: (B, C, H, W) -> (B,)."""
        return -math.log(2) * self.bits_per_sub_pixel(x, condition).sum(dim=(1, 2, 3))

    def losses(self, images: Tensor, condition: ConditionLike = None, kept: Tensor | None = None) -> Tensor:
        """What training makes small: bits per dimension, without the condition where `kept`, (B,) bool, is False."""
        if condition is not None and kept is not None:
            condition = as_condition(condition, self.config.class_names).expand(len(images)).drop(kept)
        return self.bits_per_dim(images, condition)


TRUNK = ("layers.", "head")  # names of what does not depend on the condition


def trunk_parameters(model: GatedPixelCNN) -> list[nn.Parameter]:
    """The weights of layers and head: all but what a condition adds."""
    return [parameter for name, parameter in model.named_parameters() if name.startswith(TRUNK)]


def load_trunk(model: GatedPixelCNN, folder: str | Path) -> None:
    """Start from another model's layers and head. Raises CheckpointError.

    What a vector and the position add to the gates is zero at first, so that training starts from the likelihood of
    the other model and not from noise in every gate. A map is made by a network that takes care of that itself.
    """
    start, own = GatedPixelCNN.from_pretrained(folder).state_dict(), model.state_dict()
    trunk = {name: tensor for name, tensor in start.items() if name.startswith(TRUNK)}
    if misfits := [name for name in own if name.startswith(TRUNK)
                   and (name not in trunk or trunk[name].shape != own[name].shape)]:
        raise CheckpointError(f"{folder} has layers of another shape, {misfits[0]} for one")
    conditions = {name: torch.zeros_like(own[name]) for name in own
                  if name.startswith(("vector_terms.", "position_terms."))}
    model.load_state_dict({**own, **trunk, **conditions})
