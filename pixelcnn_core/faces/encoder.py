"""A compact face encoder: 64 x 64 crop -> 128 numbers of unit length.

A small residual network that learns to give the descriptors of a larger teacher network (`encoder_training.py`), so
that a second network, smaller and with weights of its own, can judge portraits (`likeness.py`). It has the
interface of facenet-pytorch's InceptionResnetV1: images in [-1, 1] in, unit vectors out; the same person's vectors have
a high cosine, other people's a low one. Here is also what all encoders of faces share.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.checkpoint import Checkpoint, CheckpointError
from pixelcnn_core.models.config import check_settings
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.images import as_images


class Encoder(Protocol):
    """What every encoder of faces has: `fingerprint` tells it from all others."""

    fingerprint: str

    def embed(self, crops: Tensor, together: int = 1) -> Tensor:
        """uint8 crops (B, 3, 64, 64) -> unit vectors (B, embedding)."""


def fingerprint(name: str, network: nn.Module) -> str:
    """ "name sha256" of a network's weights, as they are stored: in half precision."""
    digest = hashlib.sha256()
    for key, tensor in network.state_dict().items():
        digest.update(key.encode())
        digest.update(tensor.cpu().to(torch.float16).contiguous().numpy().tobytes())
    return f"{name} {digest.hexdigest()}"


@dataclass
class FaceEncoderConfig:
    """Widths of the four stages; each halves the image and has `blocks` residual blocks."""

    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: int = 2
    embedding: int = 128

    def __post_init__(self) -> None:
        check_settings(self, widths=(1, 4096), blocks=(1, 50), embedding=(2, 8192))
        if not 1 <= len(self.widths) <= 6:
            raise ValueError(f"there must be from 1 to 6 widths, not {len(self.widths)}")

    def to_dict(self) -> dict:
        return {**asdict(self), "widths": list(self.widths)}


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation beside a shortcut; the first one may halve the image."""

    def __init__(self, in_features: int, out_features: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_features, out_features, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_features)
        self.conv2 = nn.Conv2d(out_features, out_features, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_features)
        self.shortcut = nn.Conv2d(in_features, out_features, 1, stride) if stride > 1 or in_features != out_features \
            else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class FaceEncoder(Checkpoint, nn.Module):
    """`FaceEncoder.from_pretrained(folder)` loads a trained one; `embed` takes uint8 crops."""

    config_class = FaceEncoderConfig

    def __init__(self, config: FaceEncoderConfig):
        super().__init__()
        self.config = config
        widths = (3, *config.widths)
        self.stages = nn.Sequential(*(
            ResidualBlock(widths[k] if first else widths[k + 1], widths[k + 1], 2 if first else 1)
            for k in range(len(config.widths)) for first in [True] + [False] * (config.blocks - 1)))
        self.out = nn.Linear(widths[-1] * 16, config.embedding)

    def forward(self, x: Tensor) -> Tensor:
        """Crops (B, 3, H, W) in [-1, 1] -> unit vectors (B, embedding)."""
        x = F.adaptive_avg_pool2d(self.stages(x), 4).flatten(1)  # (B, widths[-1] * 16)
        return F.normalize(self.out(x), dim=1)

    @torch.inference_mode()
    def embed(self, crops: Tensor, together: int = 1) -> Tensor:
        """uint8 crops (B, 3, 64, 64) -> unit vectors (B, embedding), the same in any batch: each image goes alone,
        unless `together` says how many may go at once."""
        device, crops = self.out.weight.device, as_images(crops, 3, 256)
        vectors = [self(part.to(device).float() / 127.5 - 1) for part in crops.split(together)]
        return torch.cat(vectors).cpu()

    @property
    def fingerprint(self) -> str:
        """ "name sha256": what a portrait model that was trained with this encoder remembers of it."""
        return fingerprint(type(self).__name__, self)


def embed_small(encoder: Encoder, images: Tensor) -> Tensor:
    """uint8 (N, 3, h, w) of any size -> unit vectors (N, D): enlarged to the size of the crops first."""
    large = F.interpolate(images.float(), size=(64, 64), mode="bicubic", align_corners=False)
    return encoder.embed(large.round().clamp(0, 255).to(torch.uint8))


def condition_vectors(embeddings: Tensor) -> Tensor:
    """Unit vectors (B, D) -> `h` of the portrait model: the same directions with entries of about unit size."""
    return embeddings * embeddings.shape[1] ** 0.5


def check_encoder(model: GatedPixelCNN | Chain, encoder: Encoder) -> None:
    """Raises CheckpointError if a portrait model was trained with the vectors of another encoder."""
    if not model.config.embedding:
        raise CheckpointError("this model is not conditioned on a face")
    if model.config.encoder != encoder.fingerprint:
        raise CheckpointError(f"this portrait model was trained with the encoder {shorten(model.config.encoder)}, "
                              f"not with {shorten(encoder.fingerprint)}: its portraits would show somebody else")


def shorten(fingerprint: str) -> str:
    """ "name sha256" with the first digits of the hash."""
    name, _, digest = fingerprint.partition(" ")
    return f"{name} {digest[:8]}" if digest else "of unknown name"
