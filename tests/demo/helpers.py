"""A tiny checkpoint, and waiting with a limit."""

import time
from pathlib import Path

import torch

from pixelcnn_core import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.face_encoder import FaceEncoder

CLASSES = ("cat", "dog", "ship")
ENCODER = Path(__file__).parents[2] / "demo" / "assets" / "face_encoder"


def save_tiny(folder: Path, **changes) -> None:
    """A checkpoint of a few thousand random weights."""
    config = {"image_size": 16, "channels": 3, "levels": 256, "features": 6, "layers": 2, "head_features": 12,
              "first_kernel_size": 3, "classes": 3, "class_names": CLASSES}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        GatedPixelCNN(PixelCNNConfig(**{**config, **changes})).save_pretrained(folder)


def save_tiny_portraits(folder: Path) -> None:
    """A portrait model of random weights that belongs to the bundled encoder."""
    encoder = FaceEncoder.from_pretrained(str(ENCODER))
    save_tiny(folder, image_size=32, classes=0, class_names=(), embedding=encoder.config.embedding,
              encoder=encoder.fingerprint)


def wait_until(condition, seconds: float) -> bool:
    """Whether the condition became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
