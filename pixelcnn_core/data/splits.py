"""Which images train, which validate, and in which order data sorted by class is read. Fixed rules, no files.

Choices (temperature, guidance, settings of a recipe, when to stop) are made on "validation"; "test" is reported once.
"""

import functools
import hashlib
from dataclasses import replace

import numpy as np
import torch

from pixelcnn_core.data.image_data import DataError, ImageData

VALIDATION_SHARE, VALIDATION_MOST = 20, 5000  # one in twenty of the images given for training, and not above 5000


@functools.lru_cache(maxsize=4)
def members(count: int, split: str) -> np.ndarray:
    """Which of the `count` images of a split's files belong to it, in their order: integers (N,). Raises DataError.

    "test" has files of its own and takes them all; "train" and "validation" share the same files. Those images
    validate whose number has the smallest SHA-256: the rule knows nothing of the images and never changes.
    """
    if split == "test":
        return np.arange(count)
    if count < 2:
        raise DataError(f"{count} image for training is too few: one trains, one validates")
    hashes = [int.from_bytes(hashlib.sha256(str(k).encode()).digest()[:8], "big") for k in range(count)]
    ranks = np.argsort(np.array(hashes, np.uint64), kind="stable")
    held_out = min(max(count // VALIDATION_SHARE, 1), VALIDATION_MOST)
    return np.sort(ranks[:held_out] if split == "validation" else ranks[held_out:])


def shuffled(data: ImageData) -> ImageData:
    """The same images in a fixed random order: of data sorted by class, the first ones are then a fair sample."""
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(data)))
    return replace(data, images=data.images[order], labels=data.labels[order])
