"""The data sets by name. Each is one uint8 tensor, small enough to live on the device: no loader is ever in the way.

    cifar10   the python batches as torchvision downloads them, 32 x 32 RGB, ten classes
    cifar10-grey16   the same in grey, averaged to 16 x 16: small enough to train on a CPU in minutes
    digits    scikit-learn's scanned digits, 8 x 8 grey, 17 levels: in the wheel, so always there
    folder, folder-grey     own images: one sub-folder per class, below train/ and test/; in RGB, or in one channel
    parquet, parquet-grey   tables of encoded images with labels, as Hugging Face `datasets` writes them (tables.py)
    imagenet32classes   such tables of 32 ImageNet classes, 500 and 50 images each
    imagenet32, imagenet64   all of ImageNet at this size, without classes (imagenet.py)
    faces     tables of aligned faces (faces/tables.py), conditioned on the vectors of a face encoder instead of a class

A data set that is missing or damaged raises `DataError`, whose message says what to do.
"""

from dataclasses import replace
from numbers import Integral
from pathlib import Path

import torch

from pixelcnn_core.data.cifar10 import cifar10, grey_halved
from pixelcnn_core.data.digits import digits
from pixelcnn_core.data.folder import folder
from pixelcnn_core.data.image_data import SPLITS, DataError, ImageData
from pixelcnn_core.data.imagenet import downsampled_imagenet
from pixelcnn_core.data.tables import parquet
from pixelcnn_core.models.upscaler import halved


def load_data(name: str, root: str | Path, split: str, size: int | tuple[int, int] = 32, download: bool = False,
              encoder: str = "") -> ImageData:
    """Load the "train", "validation" or "test" split of a data set. Raises DataError.

    size     height and width, one number or two, for parquet and folder; one number for faces; cifar10 is halved to it
    encoder  checkpoint folder of the face encoder, for faces
    """
    root = Path(root)
    loaders = {"cifar10": lambda: shrunk(cifar10(root, split, download), size),
               "cifar10-grey16": lambda: grey_halved(cifar10(root, split, download)),
               "digits": lambda: digits(split),
               "folder": lambda: folder(root, split, size), "folder-grey": lambda: folder(root, split, size, 1),
               "parquet": lambda: parquet(root, split, size), "parquet-grey": lambda: parquet(root, split, size, 1),
               "imagenet32classes": lambda: parquet(root, split, size),
               "imagenet32": lambda: downsampled_imagenet(root, split, 32),
               "imagenet64": lambda: downsampled_imagenet(root, split, 64),
               "faces": lambda: faces(root, split, size, encoder)}
    if split not in SPLITS:
        raise DataError(f"split is {', '.join(map(repr, SPLITS[:-1]))} or {SPLITS[-1]!r}, not {split!r}")
    if name not in loaders:
        raise DataError(f"no data set is called {name!r}; there are {', '.join(loaders)}")
    if not all(isinstance(side, Integral) and side > 0 for side in (size if isinstance(size, tuple) else (size,))):
        raise DataError(f"size is a number of pixels above 0, or a height and a width, not {size!r}")
    return loaders[name]()


def shrunk(data: ImageData, size: int) -> ImageData:
    """Images halved until they have this size: 16 and 8 of 32 are what the steps of a chain are trained on."""
    images = data.images
    while images.shape[-1] > size:
        images = torch.cat([halved(part) for part in images.split(5000)])
    if images.shape[-1] != size:
        raise DataError(f"images of {data.images.shape[-1]} pixels cannot be halved to {size}")
    return replace(data, images=images)


def faces(root: Path, split: str, size: int, encoder: str) -> ImageData:
    """The portraits of faces/tables.py: a wing, which is only loaded where it is asked for."""
    from pixelcnn_core.faces.tables import portraits

    return portraits(root, split, size, encoder)
