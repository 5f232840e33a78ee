"""CIFAR-10: the python batches as torchvision downloads them, 32 x 32 RGB, ten classes; and a small grey version.

torchvision fetches them. Reading them is left to the few lines here, so that training does not import it, and so that
a file is only ever data: these are pickles.

References: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.
"""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.splits import members


def cifar10(root: Path, split: str, download: bool = False) -> ImageData:
    """uint8 (N, 3, 32, 32); 47,500 train, 2,500 validate, 10,000 test. Raises DataError."""
    if download:
        from torchvision.datasets import CIFAR10

        CIFAR10(root, download=True)
    folder = root if (root / "batches.meta").exists() else root / "cifar-10-batches-py"
    names = ["test_batch"] if split == "test" else [f"data_batch_{k}" for k in range(1, 6)]
    images, labels = [], []
    for name in names:
        batch = _unpickle(folder / name)
        try:
            images.append(np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32))  # (10000, 3, 32, 32)
            labels += batch["labels"]
        except (KeyError, ValueError) as error:
            raise DataError(f"{folder / name} is damaged ({error}); download CIFAR-10 again") from error
    class_names = tuple(_unpickle(folder / "batches.meta")["label_names"])
    index = members(len(labels), split)
    return ImageData(torch.from_numpy(np.concatenate(images)[index]), torch.tensor(labels)[index], class_names)


def grey_halved(data: ImageData) -> ImageData:
    """Luma of ITU-R 601, and the mean of every 2 x 2 pixels, rounded: (N, 3, H, W) -> (N, 1, H / 2, W / 2)."""
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    parts = [F.avg_pool2d((part * luma).sum(1, keepdim=True), 2).round().byte() for part in data.images.split(5000)]
    return replace(data, images=torch.cat(parts))


class _PlainUnpickler(pickle.Unpickler):
    """CIFAR-10's files are pickles of dicts, lists and one array: anything else in them is refused."""

    allowed = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
               ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong in a CIFAR-10 batch")
        return super().find_class(module, name)


def _unpickle(path: Path) -> dict:
    if not path.is_file():
        raise DataError(f"{path} is missing; run the command again with --download, or give the folder that holds "
                        "cifar-10-batches-py with --data")
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file, encoding="latin1").load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}); download CIFAR-10 again") from error
