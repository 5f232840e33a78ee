"""The bundled 32 x 32 pictures, and any picture shrunk to that."""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from demo.service.settings import UserError

FOLDER = Path(__file__).parents[1] / "assets" / "pictures"
PICTURES = {name: FOLDER / f"{name}.png" for name in ("cat", "coffee", "rocket", "galaxies", "astronaut")}
SIZE = 32


def bundled(name: str) -> np.ndarray:
    """A bundled picture, uint8 (32, 32, 3). Raises UserError for another name."""
    if not isinstance(name, str) or name not in PICTURES:
        raise UserError(f"There is no such picture; choose one of {', '.join(PICTURES)}.")
    try:
        with Image.open(PICTURES[name]) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"The picture {name} cannot be shown: its file is damaged.") from error


def kept_for(own: Iterable[np.ndarray], size: int, answer: Callable) -> Callable:
    """A function of the bytes of a picture whose answers are kept, at most `size`, for the pictures in `own` alone: of
    what a visitor gave nothing may outlive the visit."""
    known, kept = {picture.tobytes() for picture in own}, functools.lru_cache(maxsize=size)(answer)
    return lambda pixels, *more: (kept if pixels in known else answer)(pixels, *more)


def all_bundled() -> list[np.ndarray]:
    """The bundled pictures whose files are whole."""
    found = []
    for name in PICTURES:
        try:
            found.append(bundled(name))
        except UserError:
            continue
    return found


def shrink(image: Image.Image, size: int = SIZE, at: float = 0.5) -> np.ndarray:
    """The central square of a picture, area-averaged: uint8 (size, size, 3). One of that size stays as it is. `at`
    from 0 to 1 moves the square from the left or upper end to the other."""
    side = min(image.size)
    left, top = int((image.width - side) * at), int((image.height - side) * at)
    box = (left, top, left + side, top + side)
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BOX, box=box))
