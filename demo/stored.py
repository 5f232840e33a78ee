"""Samples kept beside each checkpoint, so that the page opens on pictures before anything is computed.

`stored_samples.png` holds the untouched pixels, one row per class and one column per image; `stored_samples.json` the
settings that drew them and a fingerprint of the weights. `python -m demo.make_assets` writes both.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from demo.service import ModelInfo
from demo.settings import Settings

PIXELS, FACTS = "stored_samples.png", "stored_samples.json"


@dataclass(frozen=True)
class Stored:
    """`images`: (classes, n, H, W, C) uint8 from 0 to 255, drawn with `settings` in `seconds`."""

    settings: Settings
    images: np.ndarray
    seconds: float


def fingerprint(folder: Path) -> str:
    """A short hash of the weights in a checkpoint folder."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16]


def write_stored(folder: Path, images: np.ndarray, settings: Settings, seconds: float) -> None:
    """Keep (classes, n, H, W, C) samples of the checkpoint in `folder`."""
    classes, count, height, width, channels = images.shape
    atlas = images.transpose(0, 2, 1, 3, 4).reshape(classes * height, count * width, channels)
    Image.fromarray(atlas if channels == 3 else atlas[:, :, 0]).save(folder / PIXELS, optimize=True)
    facts = {"settings": asdict(settings), "seconds": round(seconds, 2), "weights": fingerprint(folder),
             "command": "python -m demo.make_assets"}
    (folder / FACTS).write_text(json.dumps(facts, indent=2) + "\n")


def read_stored(folder: Path, info: ModelInfo) -> Stored | None:
    """The samples kept for a checkpoint; None where there are none, or where they do not fit the model."""
    try:
        facts = json.loads((folder / FACTS).read_text())
        settings = Settings(**{**facts["settings"], "model": info.name, "classes": tuple(facts["settings"]["classes"])})
        with Image.open(folder / PIXELS) as image:
            atlas = np.asarray(image).reshape(len(settings.classes), info.image_size, settings.images,
                                              info.image_size, info.channels)
        return Stored(settings, atlas.transpose(0, 2, 1, 3, 4), float(facts["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
