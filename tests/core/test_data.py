"""The data sets: read from small files of their formats, and refused with advice when missing or damaged."""

import io
import pickle

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from pixelcnn_core.data.image_data import DataError, batch_indices, load_data

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def write_cifar10(root) -> np.ndarray:
    """Four images per file, in the format of the original archive; returns the pixels of the first file."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]:
        pixels = random.integers(0, 256, (4, 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": [0, 3, 9, 5]}, protocol=2))
        if name == "data_batch_1":
            first = pixels
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": CLASSES}, protocol=2))
    return first


def encoded(size: tuple[int, int], mode: str = "RGB", colour=0) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_cifar10_is_read_as_its_makers_wrote_it(tmp_path):
    first = write_cifar10(tmp_path)
    data = load_data("cifar10", tmp_path, "train")
    assert data.images.shape == (20, 3, 32, 32) and data.images.dtype == torch.uint8
    assert data.class_names == tuple(CLASSES) and data.labels[:4].tolist() == [0, 3, 9, 5]
    assert np.array_equal(data.images[0].numpy().ravel(), first[0])  # planes of red, green and blue
    assert len(load_data("cifar10", tmp_path / "cifar-10-batches-py", "test")) == 4  # or the inner folder


def test_cifar10_missing_or_damaged(tmp_path):
    with pytest.raises(DataError, match="missing; run the command again with --download"):
        load_data("cifar10", tmp_path, "train")
    write_cifar10(tmp_path)
    batch = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:len(whole) // 2])
    with pytest.raises(DataError, match="data_batch_3 is damaged .* download CIFAR-10 again"):
        load_data("cifar10", tmp_path, "train")
    batch.write_bytes(pickle.dumps({"labels": [1]}))
    with pytest.raises(DataError, match="data_batch_3 is damaged"):
        load_data("cifar10", tmp_path, "train")


class Evil:
    """A pickle that would run a command on loading."""

    def __reduce__(self):
        import os

        return os.mkdir, ("a folder that must not appear",)


def test_a_pickle_that_runs_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_cifar10(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="mkdir does not belong in a CIFAR-10 batch"):
        load_data("cifar10", tmp_path, "test")
    assert not (tmp_path / "a folder that must not appear").exists()


def test_digits_are_always_there():
    train, test = load_data("digits", "nowhere", "train"), load_data("digits", "nowhere", "test")
    assert train.images.shape == (1500, 1, 8, 8) and test.images.shape == (297, 1, 8, 8)
    assert train.levels == 17 and train.images.max() == 16


def write_parquet(path, images: list[bytes]) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"image": images, "label": [1, 0][:len(images)],
                                               "name": ["reef", "bear"][:len(images)]}), path)


def test_parquet_images_are_squared_averaged_and_made_rgb(tmp_path):
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = [200, 100, 50]  # only the central square has colour
    buffer = io.BytesIO()
    Image.fromarray(wide).save(buffer, "PNG")
    write_parquet(tmp_path / "val.parquet", [buffer.getvalue(), encoded((64, 64), "L", 77)])
    data = load_data("parquet", tmp_path, "test", size=16)
    assert data.images.shape == (2, 3, 16, 16) and data.class_names == ("bear", "reef")
    assert (data.images[0].flatten(1).T == torch.tensor([200, 100, 50])).all()
    assert (data.images[1] == 77).all() and data.labels.tolist() == [1, 0]


def test_parquet_missing_or_damaged(tmp_path):
    with pytest.raises(DataError, match="must name a folder with train.parquet"):
        load_data("parquet", tmp_path, "train")
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="damaged or lacks the columns"):
        load_data("parquet", tmp_path, "train")
    pyarrow.parquet.write_table(pyarrow.table({"image": [b""]}), tmp_path / "train.parquet")
    with pytest.raises(DataError, match="lacks the columns"):
        load_data("parquet", tmp_path, "train")
    write_parquet(tmp_path / "train.parquet", [encoded((8, 8)), b"not an image"])
    with pytest.raises(DataError, match="image 1 of .* is not a readable image"):
        load_data("parquet", tmp_path, "train")


def test_a_folder_of_images(tmp_path):
    with pytest.raises(DataError, match="expected .*train/CLASS/IMAGE"):
        load_data("folder", tmp_path, "train")
    for name in ("b", "a"):
        (tmp_path / "train" / name).mkdir(parents=True)
    with pytest.raises(DataError, match="hold no images"):
        load_data("folder", tmp_path, "train")
    (tmp_path / "train" / "a" / "1.png").write_bytes(encoded((40, 40), "RGB", (9, 8, 7)))
    (tmp_path / "train" / "b" / "2.png").write_bytes(encoded((10, 30), "RGBA", (1, 2, 3, 255)))
    data = load_data("folder", tmp_path, "train", size=8)
    assert data.images[:, :, 0, 0].tolist() == [[9, 8, 7], [1, 2, 3]] and data.class_names == ("a", "b")
    (tmp_path / "train" / "b" / "3.txt").write_text("words")
    with pytest.raises(DataError, match="3.txt is not a readable image"):
        load_data("folder", tmp_path, "train")


def test_unknown_names_are_listed():
    with pytest.raises(DataError, match="no data set is called 'mnist'; there are cifar10, digits"):
        load_data("mnist", ".", "train")
    with pytest.raises(DataError, match="'train' or 'test'"):
        load_data("digits", ".", "validation")


def test_batches_are_epochs_of_permutations():
    epochs = [torch.cat([batch_indices(10, 3, epoch * 3 + k, seed=4) for k in range(3)]) for epoch in range(2)]
    for epoch in epochs:
        assert len(set(epoch.tolist())) == 9  # the incomplete last batch is dropped
    assert not torch.equal(*epochs)
    assert torch.equal(batch_indices(10, 3, 4, 4), batch_indices(10, 3, 4, 4))
    assert not torch.equal(batch_indices(10, 3, 4, 4), batch_indices(10, 3, 4, 5))
    with pytest.raises(DataError, match="fewer than one batch"):
        batch_indices(2, 3, 0, 0)
