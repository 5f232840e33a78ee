"""Samples kept beside each checkpoint, so that the page opens on pictures before anything is computed.

`stored_samples.png` holds the untouched pixels, one row per class and one column per image; `stored_samples.json` the
settings that drew them and a fingerprint of the weights. `python -m demo.make_assets` writes both.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from demo.service.bridge import ModelInfo
from demo.service.settings import Settings
from pixelcnn_core.results import weights_hash

# what damaged files, and files of other weights, can raise
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError, RecursionError)
PIXELS, FACTS = "stored_samples.png", "stored_samples.json"


@dataclass(frozen=True)
class Stored:
    """`images`: (classes, n, H, W, C) uint8 from 0 to 255, drawn with `settings` in `seconds`."""

    settings: Settings
    images: np.ndarray
    seconds: float


def fingerprint(folder: Path) -> str:
    """A short hash of the weights in a checkpoint folder, of a chain those of all its steps; empty without any."""
    return (weights_hash(folder) or "")[:16]


def read_facts(folder: Path, name: str) -> dict:
    """A JSON file kept beside weights. Raises OSError, ValueError or KeyError, also where it belongs to other weights:
    pictures of an earlier model are not shown as this one's."""
    facts = json.loads((folder / name).read_text(encoding="utf-8"))
    if not isinstance(facts, dict) or facts["weights"] != fingerprint(folder):
        raise ValueError(f"{folder / name} belongs to other weights")
    return facts


def write_facts(folder: Path, name: str, **facts) -> None:
    """Keep a JSON file beside weights, and say which they are; `read_facts` reads it."""
    facts |= {"weights": fingerprint(folder), "command": "python -m demo.make_assets"}
    (folder / name).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def write_atlas(path: Path, images: np.ndarray) -> None:
    """Keep (groups, n, H, W, C) images as one PNG: one row per group, one column per image."""
    groups, count, height, width, channels = images.shape
    atlas = images.transpose(0, 2, 1, 3, 4).reshape(groups * height, count * width, channels)
    Image.fromarray(atlas if channels == 3 else atlas[:, :, 0]).save(path, optimize=True)


def read_atlas(path: Path, groups: int, count: int, size: int, channels: int) -> np.ndarray:
    """The images of `write_atlas`. Raises OSError or ValueError."""
    with Image.open(path) as image:
        atlas = np.asarray(image).reshape(groups, size, count, size, channels)
    return atlas.transpose(0, 2, 1, 3, 4)


def write_stored(folder: Path, images: np.ndarray, settings: Settings, seconds: float) -> None:
    """Keep (classes, n, H, W, C) samples of the checkpoint in `folder`."""
    write_atlas(folder / PIXELS, images)
    write_facts(folder, FACTS, settings=asdict(settings), seconds=round(seconds, 2))


def read_stored(folder: Path, info: ModelInfo) -> Stored | None:
    """The samples kept for a checkpoint; None where there are none, or where they do not fit the model."""
    try:
        facts = read_facts(folder, FACTS)
        settings = Settings(**{**facts["settings"], "model": info.name, "classes": tuple(facts["settings"]["classes"])})
        images = read_atlas(folder / PIXELS, len(settings.classes), settings.images, info.image_size, info.channels)
        return Stored(settings, images, float(facts["seconds"]))
    except UNREADABLE:
        return None


@dataclass(frozen=True)
class StoredPortraits:
    """What the tabs of faces open with: portraits (n, H, W, 3) of the first person, judged; `twins` of the second, by
    the same random numbers, judged; and a path (columns, rows, H, W, 3) from one to the other. `settings` has
    temperature, guidance and seed; `crops` belong to `names`."""

    names: tuple[str, str]
    crops: np.ndarray
    settings: dict
    images: np.ndarray
    judged: list
    path: np.ndarray
    twins: np.ndarray
    twins_judged: list


def write_portraits(folder: Path, stored: StoredPortraits) -> None:
    """Keep them beside a portrait model."""
    write_atlas(folder / "stored_crops.png", stored.crops[None])
    write_atlas(folder / "stored_portraits.png", stored.images[None])
    write_atlas(folder / "stored_path.png", stored.path)
    write_atlas(folder / "stored_twins.png", stored.twins[None])
    write_facts(folder, "stored_portraits.json", names=stored.names, settings=stored.settings, judged=stored.judged,
                twins_judged=stored.twins_judged, path=stored.path.shape[:2], size=stored.images.shape[1])


def read_portraits(folder: Path) -> StoredPortraits | None:
    """The portraits kept for a checkpoint; None where there are none."""
    try:
        facts = read_facts(folder, "stored_portraits.json")
        crops = read_atlas(folder / "stored_crops.png", 1, 2, 64, 3)[0]
        images = read_atlas(folder / "stored_portraits.png", 1, len(facts["judged"]), facts["size"], 3)[0]
        path = read_atlas(folder / "stored_path.png", *facts["path"], facts["size"], 3)
        judged, size = facts["twins_judged"], facts["size"]
        twins = read_atlas(folder / "stored_twins.png", 1, len(judged), size, 3)[0]
        return StoredPortraits(tuple(facts["names"]), crops, facts["settings"], images, facts["judged"], path, twins,
                               judged)
    except UNREADABLE:
        return None
