"""A folder of own images: one sub-folder per class, below train/ and test/.

    train/cat/1.png    train/cat/holidays/2.jpg    train/dog/3.webp    test/dog/4.png

The classes are the folders below train/, in the order of their names, so that a class has one number in every split.
Images lie at any depth, also behind links to folders. Hidden files and folders, and what Windows and macOS leave
behind, are passed over.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.pictures import PictureError, fit, load_picture
from pixelcnn_core.data.splits import members, shuffled

LEFT_BEHIND = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx"}


def folder(root: Path, split: str, size: int | tuple[int, int], channels: int = 3) -> ImageData:
    """uint8 (N, channels, H, W) in a fixed random order; every image's middle, averaged to `size`. Raises DataError."""
    source = root / ("test" if split == "test" else "train")
    found = class_folders(source)
    if not found:
        raise DataError(f"{source} has no class folders; expected {source}/CLASS/IMAGE")
    class_names = class_folders(root / "train") or found
    if unknown := sorted(set(found) - set(class_names)):
        raise DataError(f"{source} has the class {unknown[0]!r}, which {root / 'train'} has not")
    paths, labels = [], []
    for label, name in enumerate(class_names):
        images = list(image_files(source / name))
        if not images and split != "test":
            raise DataError(f"the class folder {source / name} holds no images: fill or remove it")
        paths += images
        labels += [label] * len(images)
    if not paths:
        raise DataError(f"the class folders in {source} hold no images")
    index = members(len(paths), split)
    pixels = np.stack([read_image(paths[k], str(paths[k]), size, channels) for k in index])
    return shuffled(ImageData(torch.from_numpy(pixels), torch.tensor(labels)[index], tuple(class_names)))


def class_folders(source: Path) -> list[str]:
    """The names of the class folders, sorted; none where `source` is no folder."""
    return sorted(entry.name for entry in source.glob("*") if entry.is_dir() and not passed_over(entry.name))


def image_files(place: Path) -> Iterator[Path]:
    """All files below a class folder that should be images, in a fixed order; folders by links too, each one once.
    Raises DataError for a folder that cannot be listed."""
    seen = {place.resolve()}  # or links in a circle would never end
    for where, folders, files in os.walk(place, onerror=cannot_list, followlinks=True):
        found, folders[:] = sorted(folders), []
        for name in found:
            if not passed_over(name) and (real := Path(where, name).resolve()) not in seen:
                seen.add(real)
                folders.append(name)
        yield from (Path(where, name) for name in sorted(files) if not passed_over(name))


def cannot_list(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # a class of the training images may be missing in the test's
        raise DataError(f"the folder {error.filename} cannot be read: {error.strerror}") from error


def passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower() in LEFT_BEHIND


def read_image(source: Path | bytes, what: str, size: int | tuple[int, int], channels: int) -> np.ndarray:
    """An image file, uint8 (channels, H, W); `what` names it in the DataError."""
    try:
        return fit(load_picture(source), size, channels)
    except PictureError as error:
        raise DataError(f"{what} is not a readable image: {error}") from error
