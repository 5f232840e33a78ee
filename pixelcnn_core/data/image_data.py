"""The type of all image data sets: one uint8 tensor, and what each image is conditioned on.

The data sets themselves are in the files beside this one; `loaders.py` knows them all by name.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition

SPLITS = ("train", "test", "validation")


class DataError(ValueError):
    """A data set that cannot be read; the message is one sentence for the person who asked for it."""


@dataclass
class ImageData:
    """images: uint8 (N, C, H, W) with values below `levels`, and what each is conditioned on: its label, (N,) integers
    into `class_names`, or where there are no classes its embedding, (N, D), given by the network named `encoder`."""

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    levels: int = 256
    embeddings: Tensor | None = None
    encoder: str = ""
    identities: list[str | None] | None = None  # whose face it is
    partners: Tensor | None = None  # (N, K) for faces: K photos of the same person, drawn with repetition

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device) -> "ImageData":
        """The same data on a device: images, labels, embeddings and partners; names stay as they are."""
        embeddings = None if self.embeddings is None else self.embeddings.to(device)
        partners = None if self.partners is None else self.partners.to(device)
        return replace(self, images=self.images.to(device), labels=self.labels.to(device), embeddings=embeddings,
                       partners=partners)

    def first(self, count: int | None) -> "ImageData":
        """The first `count` images; all for None."""
        embeddings = None if self.embeddings is None else self.embeddings[:count]
        return replace(self, images=self.images[:count], labels=self.labels[:count], embeddings=embeddings,
                       identities=self.identities and self.identities[:count], partners=None)

    def unconditional(self) -> "ImageData":
        """The same images with nothing to condition on."""
        return replace(self, class_names=(), embeddings=None, encoder="")

    def condition(self, index) -> Condition:
        """What the images of a slice or an index tensor are conditioned on; nothing where there are no classes."""
        if self.embeddings is not None:
            return Condition(embedding=self.embeddings[index])
        if not self.class_names:
            return Condition()
        return Condition(label=self.labels[index])


def batch_indices(size: int, batch: int, step: int, seed: int) -> Tensor:
    """Which images step number `step` trains on: epochs of random permutations, the incomplete last batch dropped.

    A function of its arguments alone, (batch,): the same for any number of processes, and after a restart. Raises
    DataError for fewer images than a batch.
    """
    per_epoch = size // batch
    if not per_epoch:
        raise DataError(f"the data set has {size} images, fewer than one batch of {batch}")
    epoch, position = divmod(step, per_epoch)
    return torch.from_numpy(epoch_order(size, seed, epoch)[position * batch:(position + 1) * batch].copy())


@functools.lru_cache(maxsize=2)
def epoch_order(size: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the images in one epoch, (size,); kept, as its steps ask for it one after another."""
    return np.random.default_rng((seed, epoch)).permutation(size)
