"""Tables of images in Parquet: the columns image, label and, if there is one, name (of the class).

    train.parquet, val.parquet      or test.parquet, or in parts, train-00000-of-00002.parquet; also below data/
    image   encoded bytes, or {bytes, path} as Hugging Face `datasets` writes them; the column may be called img
    label   whole numbers from 0 on, or texts; `datasets` keeps the names of the numbers in the table's metadata

The classes are those of the training table, so that a class has one number in every split.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import torch

from pixelcnn_core.data.folder import read_image
from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.splits import members, shuffled

IMAGE, LABEL, NAME = ("image", "img"), ("label", "labels"), ("name",)  # what the columns may be called
STEMS = {"train": ("train",), "test": ("test", "val", "validation")}  # what the files may be called
MOST_CLASSES = 100_000


def parquet(root: Path, split: str, size: int | tuple[int, int], channels: int = 3) -> ImageData:
    """uint8 (N, channels, H, W) in a fixed random order; every image's middle, averaged to `size`. Raises DataError."""
    source = "test" if split == "test" else "train"
    paths = table_files(root, source)
    if not paths:
        raise DataError(f"{root / source}.parquet is missing; --data must name a folder with train.parquet and "
                        "val.parquet or test.parquet")
    class_names, numbers = classes_of(table_files(root, "train") or paths)
    labels = [label for label, _ in read_labels(paths)]
    if not labels:
        raise DataError(f"{paths[0]} holds no images: a table has one row for each")
    if unknown := [label for label in labels if label not in numbers]:
        raise DataError(f"{paths[0]} has the label {unknown[0]!r}, which the training table has not")
    index = members(len(labels), split)
    wanted = set(index.tolist())
    pixels = np.stack([read_image(data, what, size, channels)
                       for k, (data, what) in enumerate(read_images(paths)) if k in wanted])
    numbered = torch.tensor([numbers[label] for label in labels])[index]
    return shuffled(ImageData(torch.from_numpy(pixels), numbered, class_names))


def table_files(root: Path, source: str) -> list[Path]:
    """The tables of the "train" or "test" files, whole or in parts; none where there are none."""
    for place in (root, root / "data"):
        for stem in STEMS[source]:
            whole = place / f"{stem}.parquet"
            if found := [whole] if whole.is_file() else sorted(place.glob(f"{stem}-*.parquet")):
                return found
    return []


def classes_of(paths: list[Path]) -> tuple[tuple[str, ...], dict[int | str, int]]:
    """The names of the classes, and the class of every label. Raises DataError for labels that name no class."""
    names: dict[int | str, str | None] = {}
    for label, name in read_labels(paths):
        if name and names.get(label, name) != name:
            raise DataError(f"{paths[0]} calls the label {label!r} both {names[label]!r} and {name!r}")
        names[label] = name or names.get(label)
    if not names:
        raise DataError(f"{paths[0]} holds no images: a table has one row for each")
    if any(isinstance(label, str) for label in names):
        return tuple(sorted(names)), {label: k for k, label in enumerate(sorted(names))}
    known = stored_names(paths[0])
    count = max(max(names) + 1, len(known))
    class_names = (names.get(k) or (known[k] if k < len(known) else str(k)) for k in range(count))
    return tuple(class_names), {k: k for k in range(count)}


def read_labels(paths: list[Path]) -> Iterator[tuple[int | str, str | None]]:
    """The label of every image, and the name beside it if there is one. Raises DataError."""
    for path in paths:
        table = read_table(path, LABEL, NAME)
        labels = table.column(0)
        kind = labels.type.value_type if pyarrow.types.is_dictionary(labels.type) else labels.type
        if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
            raise DataError(f"the labels of {path} are of type {kind}; they must be whole numbers or texts")
        names = table.column(1).to_pylist() if table.num_columns > 1 else [None] * len(table)
        for row, (label, name) in enumerate(zip(labels.to_pylist(), names)):
            if label is None:
                raise DataError(f"row {row} of {path} has no label: give it one or remove it")
            if not isinstance(label, str) and not 0 <= label < MOST_CLASSES:
                raise DataError(f"row {row} of {path} has the label {label}; number the classes 0, 1, 2 and so on, and "
                                "leave out images without a class")
            yield label, name


def read_images(paths: list[Path]) -> Iterator[tuple[bytes, str]]:
    """The file of every image, and words that say which it is. Raises DataError."""
    for path in paths:
        yield from encoded(read_table(path, IMAGE).column(0), path)


def encoded(column: pyarrow.ChunkedArray, path: Path) -> Iterator[tuple[bytes, str]]:
    """The file of every image in a column of bytes or of {bytes, path}, and words that say which it is. Raises
    DataError."""
    for row, value in enumerate(column):
        data, what = value.as_py(), f"image {row} of {path}"
        if isinstance(data, dict) and "bytes" in data:
            if data["bytes"] is None and data.get("path"):
                raise DataError(f"{what} is only the name of a file ({data['path']}): write the table with its "
                                "images inside")
            data = data["bytes"]
        if not isinstance(data, bytes):
            raise DataError(f"{what} is no encoded image: the column must hold the bytes of PNG, JPEG or other "
                            "image files")
        yield data, what


def read_table(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> pyarrow.Table:
    """The column called by one of the needed names, and the optional one if there is one. Raises DataError."""
    try:
        names = pyarrow.parquet.read_schema(path).names
        columns = [next((name for name in wanted if name in names), None) for wanted in (needed, optional)]
        if not columns[0]:
            raise DataError(f"{path} has no column {needed[0]!r}; it has {', '.join(names)}")
        return pyarrow.parquet.read_table(path, columns=[name for name in columns if name]).select(
            [name for name in columns if name])
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged or no Parquet table: {error}") from error


def stored_names(path: Path) -> list[str]:
    """The names of the classes that `datasets` put into the metadata; none where there are none."""
    schema = pyarrow.parquet.read_schema(path)
    label = next(name for name in LABEL if name in schema.names)
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[label]["names"]]
    except (TypeError, KeyError, ValueError, RecursionError):  # no metadata, or metadata of another kind
        return []
