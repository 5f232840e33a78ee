"""A small image classifier, trained on real images by a recipe: the judge of samples and reconstructions.

It says how often a reconstruction still shows the class of its original, and how often a class-conditional sample
shows the class that was asked for. It is no part of the PixelCNN, and never sees generated images in training.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.base import Model
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.config import ImageSettings, check_settings
from pixelcnn_core.models.images import as_images, scaled

if TYPE_CHECKING:
    from pixelcnn_core.data.image_data import ImageData


@dataclass
class ClassifierConfig(ImageSettings):
    image_size: int = 32
    channels: int = 3
    levels: int = 256
    classes: int = 10
    class_names: tuple[str, ...] = ()
    features: int = 32  # of the first of three stages; doubled at each
    dropout: float = 0.1

    def __post_init__(self) -> None:
        check_settings(self, image_size=(1, 256), channels=(1, 3), levels=(2, 256), classes=(1, 100_000),
                       features=(8, 4096))
        if self.features % 8:
            raise ValueError(f"features must be a multiple of 8, not {self.features}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), not {self.dropout}")

    @classmethod
    def for_data(cls, data: "ImageData", **settings):
        """The configuration for a data set with classes. Raises ValueError without any."""
        if not data.class_names:
            raise ValueError("a classifier needs a data set with classes")
        return super().for_data(data, **settings)


class Block(nn.Module):
    """Two 3 x 3 convolutions with group normalisation around a residual connection."""

    def __init__(self, features: int):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(features, features, 3, 1, 1, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(nn.GroupNorm(8, features) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norms[0](self.convolutions[0](x)))
        return F.relu(x + self.norms[1](self.convolutions[1](y)))


class Classifier(Model):
    """`Classifier.from_pretrained(folder)`; `probabilities(images)` is what it thinks."""

    config_class = ClassifierConfig
    loss_name = "nats"

    def __init__(self, config: ClassifierConfig):
        super().__init__()
        self.config = config
        f = config.features
        self.enter = nn.Conv2d(config.channels, f, 3, 1, 1)
        self.stages = nn.Sequential(Block(f), nn.Conv2d(f, 2 * f, 2, 2), Block(2 * f), nn.Conv2d(2 * f, 4 * f, 2, 2),
                                    Block(4 * f))
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(4 * f, config.classes)

    def forward(self, images: Tensor) -> Tensor:
        """uint8 (B, C, H, W) -> logits (B, classes)."""
        return self.out(self.dropout(self.features(images)))

    def features(self, images: Tensor) -> Tensor:
        """What the classes are told from: the last stage, averaged over the image. uint8 (B, C, H, W) -> (B, 4F)."""
        images = as_images(images, self.config.channels, self.config.levels)
        x = scaled(images.to(self.out.weight.dtype), self.config.levels)
        return self.stages(F.relu(self.enter(x))).mean(dim=(2, 3))

    def losses(self, images: Tensor, condition: Condition, kept: Tensor | None = None) -> Tensor:
        """Cross-entropy of the true class in nats: (B,). A classifier always sees its label."""
        return F.cross_entropy(self(images), condition.label.to(images.device), reduction="none")

    @torch.inference_mode()
    def probabilities(self, images: Tensor, batch: int = 100) -> Tensor:
        """p(class | image): uint8 (N, C, H, W) -> (N, classes)."""
        device = self.out.weight.device
        return torch.cat([self(part.to(device)).softmax(1).cpu() for part in images.split(batch)])

    def accuracy(self, images: Tensor, labels: Tensor) -> float:
        """Share of the images (N, C, H, W) that it gives the class of `labels`, (N,)."""
        return (self.probabilities(images).argmax(1) == labels).float().mean().item()
