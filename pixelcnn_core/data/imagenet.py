"""Downsampled ImageNet at 32 x 32 and 64 x 64, in the files of Chrabaszcz et al. (2017).

    train_data_batch_1.npz ... train_data_batch_10.npz, val_data.npz
    data: uint8 (N, 3 * S * S), planes of red, green and blue;  labels: (N,) integers from 1 to 1000

They are not bundled and not downloaded: https://image-net.org asks for a licence. The paper's numbers are those of a
model without classes, so `class_names` is empty; the labels are kept all the same. 64 x 64 needs 16 GB of memory.
The paper's own data set has the same size but was resampled in another way, so bits per dimension are near, not equal.
"""

import zipfile
from pathlib import Path

import numpy as np
import torch

from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.splits import members

TRAIN_FILES = tuple(f"train_data_batch_{k}.npz" for k in range(1, 11))
TEST_FILES = ("val_data.npz",)
CLASSES = 1000


def downsampled_imagenet(root: Path, split: str, size: int) -> ImageData:
    """All images of a split, uint8 (N, 3, size, size). Raises DataError."""
    paths = [root / name for name in (TEST_FILES if split == "test" else TRAIN_FILES)]
    for path in paths:  # all of them first: the tenth file is read minutes after the first
        if not path.is_file():
            raise DataError(f"{path} is missing; --data must name a folder with train_data_batch_1.npz to "
                            f"train_data_batch_10.npz and val_data.npz of downsampled ImageNet, {size} x {size}")
    labels = [_read_labels(path) for path in paths]
    counts = [len(part) for part in labels]
    index = members(sum(counts), split)
    images = np.empty((len(index), 3, size, size), np.uint8)  # filled in place: it may be most of the memory
    first = start = 0  # of the file's images, in all files and in the split
    for path, count in zip(paths, counts):
        chosen = index[(index >= first) & (index < first + count)] - first
        first += count
        if not len(chosen):
            continue
        pixels = _read(path, "data")
        if pixels.dtype != np.uint8 or pixels.shape != (count, 3 * size * size):
            raise DataError(f"{path} holds data of shape {pixels.shape} and type {pixels.dtype}; {size} x {size} "
                            f"images with {count} labels need uint8 of shape {(count, 3 * size * size)}")
        images[start:start + len(chosen)] = pixels.reshape(count, 3, size, size)[chosen]  # (N, 3, S, S)
        start += len(chosen)
    return ImageData(torch.from_numpy(images), torch.from_numpy(np.concatenate(labels)[index]) - 1, ())


def _read_labels(path: Path) -> np.ndarray:
    labels = _read(path, "labels")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or not len(labels):
        raise DataError(f"{path} is damaged: its labels are not a list of integers")
    if labels.min() < 1 or labels.max() > CLASSES:
        raise DataError(f"{path} is damaged: its labels go from {labels.min()} to {labels.max()}, not from 1 to "
                        f"{CLASSES}")
    return labels.astype(np.int64)


def _read(path: Path, key: str) -> np.ndarray:
    """One array of an .npz file; the others stay unread. No pickle: NumPy refuses it unless asked."""
    try:
        with path.open("rb") as file, np.load(file) as arrays:  # given a path, NumPy leaves a damaged file open
            return arrays[key]
    except KeyError as error:
        raise DataError(f"{path} has no array called {key!r}: it is not a batch of downsampled ImageNet") from error
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}); download it again") from error
