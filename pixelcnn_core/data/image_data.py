"""Image data sets as one uint8 tensor: small enough to live on the device, so no loader is ever in the way.

    cifar10   the python batches as torchvision downloads them, 32 x 32 RGB, ten classes
    cifar10-grey16   the same in grey, averaged to 16 x 16: small enough to train on a CPU in minutes
    digits    scikit-learn's scanned digits, 8 x 8 grey, 17 levels: in the wheel, so always there
    parquet   train.parquet and val.parquet with the columns image (encoded bytes), label and name
    imagenet32classes   such tables of 32 ImageNet classes, 500 and 50 images each
    imagenet32, imagenet64   all of ImageNet at this size, without classes (imagenet.py)
    folder    one sub-folder of images per class, below train/ and test/
    faces     tables of aligned faces (faces/tables.py), conditioned on the vectors of a face encoder instead of a class

A data set that is missing or damaged raises `DataError`, whose message says what to do.
"""

import io
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition

DIGITS_TRAIN = 1500  # the first 1500 of scikit-learn's 1797 digits train, the rest test: other writers, by its order
SPLITS = ("train", "test")


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

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device) -> "ImageData":
        embeddings = None if self.embeddings is None else self.embeddings.to(device)
        return replace(self, images=self.images.to(device), labels=self.labels.to(device), embeddings=embeddings)

    def first(self, count: int | None) -> "ImageData":
        """The first `count` images; all for None."""
        embeddings = None if self.embeddings is None else self.embeddings[:count]
        return replace(self, images=self.images[:count], labels=self.labels[:count], embeddings=embeddings,
                       identities=self.identities and self.identities[:count])

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


def load_data(name: str, root: str | Path, split: str, size: int = 32, download: bool = False,
              encoder: str = "") -> ImageData:
    """Load the "train" or "test" split of a data set. Raises DataError.

    size     height and width, for parquet, folder and faces
    encoder  checkpoint folder of the face encoder, for faces
    """
    if split not in SPLITS:
        raise DataError(f"split is 'train' or 'test', not {split!r}")
    loaders = {"cifar10": lambda: _cifar10(Path(root), split, download), "digits": lambda: _digits(split),
               "cifar10-grey16": lambda: grey_halved(_cifar10(Path(root), split, download)),
               "parquet": lambda: _parquet(Path(root), split, size), "folder": lambda: _folder(Path(root), split, size),
               "imagenet32classes": lambda: _sorted_parquet(Path(root), split, size),
               "imagenet32": lambda: _imagenet(Path(root), split, 32),
               "imagenet64": lambda: _imagenet(Path(root), split, 64),
               "faces": lambda: _faces(Path(root), split, size, encoder)}
    if name not in loaders:
        raise DataError(f"no data set is called {name!r}; there are {', '.join(loaders)}")
    return loaders[name]()


def _cifar10(root: Path, split: str, download: bool) -> ImageData:
    if download:
        from torchvision.datasets import CIFAR10

        CIFAR10(root, download=True)
    folder = root if (root / "batches.meta").exists() else root / "cifar-10-batches-py"
    names = [f"data_batch_{k}" for k in range(1, 6)] if split == "train" else ["test_batch"]
    images, labels = [], []
    for name in names:
        batch = _unpickle(folder / name)
        try:
            images.append(np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32))  # (10000, 3, 32, 32)
            labels += batch["labels"]
        except (KeyError, ValueError) as error:
            raise DataError(f"{folder / name} is damaged ({error}); download CIFAR-10 again") from error
    class_names = tuple(_unpickle(folder / "batches.meta")["label_names"])
    return ImageData(torch.from_numpy(np.concatenate(images)), torch.tensor(labels), class_names)


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


def _digits(split: str) -> ImageData:
    from sklearn.datasets import load_digits

    digits = load_digits()
    part = slice(None, DIGITS_TRAIN) if split == "train" else slice(DIGITS_TRAIN, None)
    images = torch.from_numpy(digits.images[part].astype(np.uint8))[:, None]  # (N, 1, 8, 8)
    return ImageData(images, torch.from_numpy(digits.target[part]), tuple("0123456789"), levels=17)


def _parquet(root: Path, split: str, size: int) -> ImageData:
    import pyarrow
    import pyarrow.parquet

    path = root / ("train.parquet" if split == "train" else "val.parquet")
    if not path.is_file():
        raise DataError(f"{path} is missing; --data must name a folder with train.parquet and val.parquet")
    try:
        table = pyarrow.parquet.read_table(path, columns=["image", "label", "name"])
    except (pyarrow.ArrowInvalid, pyarrow.ArrowKeyError, OSError) as error:
        raise DataError(f"{path} is damaged or lacks the columns image, label and name: {error}") from error
    labels, names = table["label"].to_pylist(), table["name"].to_pylist()
    class_names = [""] * (max(labels) + 1)
    for label, name in zip(labels, names):
        class_names[label] = name
    images = [_decode(io.BytesIO(data.as_py()), size, f"image {k} of {path}")
              for k, data in enumerate(table["image"])]
    return ImageData(torch.from_numpy(np.stack(images)), torch.tensor(labels), tuple(class_names))


def _folder(root: Path, split: str, size: int) -> ImageData:
    folders = sorted(path for path in (root / split).glob("*") if path.is_dir())
    if not folders:
        raise DataError(f"{root / split} has no class folders; expected {root}/{split}/CLASS/IMAGE")
    images, labels = [], []
    for label, folder in enumerate(folders):
        for path in sorted(p for p in folder.iterdir() if p.is_file()):
            images.append(_decode(path, size, str(path)))
            labels.append(label)
    if not images:
        raise DataError(f"the class folders in {root / split} hold no images")
    return ImageData(torch.from_numpy(np.stack(images)), torch.tensor(labels), tuple(f.name for f in folders))


def _sorted_parquet(root: Path, split: str, size: int) -> ImageData:
    from pixelcnn_core.data.imagenet import shuffled

    return shuffled(_parquet(root, split, size))


def _imagenet(root: Path, split: str, size: int) -> ImageData:
    from pixelcnn_core.data.imagenet import downsampled_imagenet

    return downsampled_imagenet(root, split, size)


def _faces(root: Path, split: str, size: int, encoder: str) -> ImageData:
    from pixelcnn_core.faces.tables import portraits  # only portraits need an encoder

    return portraits(root, split, size, encoder)


def _decode(source, size: int, what: str) -> np.ndarray:
    """An image file as RGB, cut to its central square and area-averaged to (3, size, size) uint8."""
    try:
        image = Image.open(source).convert("RGB")
    except (OSError, ValueError) as error:
        raise DataError(f"{what} is not a readable image: {error}") from error
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.resize((size, size), Image.Resampling.BOX, box=(left, top, left + side, top + side))
    return np.asarray(image).transpose(2, 0, 1)


def batch_indices(size: int, batch: int, step: int, seed: int) -> Tensor:
    """Which images step number `step` trains on: epochs of random permutations, the incomplete last batch dropped.

    A function of its arguments alone: the same for any number of processes, and after a restart.
    """
    per_epoch = size // batch
    if not per_epoch:
        raise DataError(f"the data set has {size} images, fewer than one batch of {batch}")
    epoch, position = divmod(step, per_epoch)
    order = np.random.default_rng((seed, epoch)).permutation(size)
    return torch.from_numpy(order[position * batch:(position + 1) * batch])
