"""CIFAR-10, the digits, the order of batches and what is held out for validation."""

import hashlib
import pickle

import numpy as np
import pytest
import torch

from pixelcnn_core.data.image_data import SPLITS, DataError, batch_indices
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.data.splits import members
from pixelcnn_core.models.upscaler import halved

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


def test_cifar10_is_read_as_its_makers_wrote_it(tmp_path):
    first = write_cifar10(tmp_path)
    data = load_data("cifar10", tmp_path, "train")
    assert data.images.shape == (19, 3, 32, 32) and data.images.dtype == torch.uint8
    assert data.class_names == tuple(CLASSES) and data.labels[:4].tolist() == [0, 3, 9, 5]
    assert np.array_equal(data.images[0].numpy().ravel(), first[0])  # planes of red, green and blue
    assert len(load_data("cifar10", tmp_path, "validation")) == 1
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
    train, validation, test = (load_data("digits", "nowhere", split) for split in ("train", "validation", "test"))
    assert train.images.shape == (1425, 1, 8, 8) and test.images.shape == (297, 1, 8, 8)
    assert len(validation) == 75 and len(set(validation.labels.tolist())) == 10
    assert train.levels == 17 and train.images.max() == 16


def test_unknown_names_are_listed():
    with pytest.raises(DataError, match="no data set is called 'mnist'; there are cifar10, cifar10-grey16, digits"):
        load_data("mnist", ".", "train")
    for size in (0, -1, (8, 0)):
        with pytest.raises(DataError, match="size is a number of pixels above 0"):
            load_data("folder", ".", "test", size)
    with pytest.raises(DataError, match="'train', 'test' or 'validation', not 'val'"):
        load_data("digits", ".", "val")


@pytest.mark.parametrize("count", [2, 19, 20, 1500, 50_000, 200_000])
def test_one_image_in_twenty_validates_and_never_trains(count):
    train, validation = members(count, "train"), members(count, "validation")
    assert np.array_equal(np.sort(np.concatenate([train, validation])), np.arange(count)), "each in one of them"
    assert len(validation) == {2: 1, 19: 1, 20: 1, 1500: 75, 50_000: 2500, 200_000: 5000}[count]
    assert np.array_equal(members(count, "test"), np.arange(count)), "test has files of its own"


def test_the_rule_of_validation_never_changes():
    """By the SHA-256 of the number alone: what was held out once is held out in every version of every library."""
    smallest = sorted(range(1500), key=lambda k: hashlib.sha256(str(k).encode()).digest())[:75]
    assert members(1500, "validation").tolist() == sorted(smallest)
    assert members(1500, "validation")[:4].tolist() == [39, 51, 55, 146]
    with pytest.raises(DataError, match="1 image for training is too few"):
        members(1, "train")


def test_the_splits_are_those_of_the_project():
    assert set(SPLITS) == {"train", "validation", "test"}


def test_batches_are_epochs_of_permutations():
    epochs = [torch.cat([batch_indices(10, 3, epoch * 3 + k, seed=4) for k in range(3)]) for epoch in range(2)]
    for epoch in epochs:
        assert len(set(epoch.tolist())) == 9  # the incomplete last batch is dropped
    assert not torch.equal(*epochs)
    order = np.random.default_rng((4, 1)).permutation(10)
    assert epochs[1].tolist() == order[:9].tolist(), "the order that every earlier run had"
    batch_indices(10, 3, 4, 4).zero_()  # whoever changes the answer does not change the next one
    assert batch_indices(10, 3, 4, 4).tolist() == order[3:6].tolist()
    assert torch.equal(batch_indices(10, 3, 4, 4), batch_indices(10, 3, 4, 4))
    assert not torch.equal(batch_indices(10, 3, 4, 4), batch_indices(10, 3, 4, 5))
    with pytest.raises(DataError, match="fewer than one batch"):
        batch_indices(2, 3, 0, 0)


def test_cifar10_is_halved_to_the_size_of_a_step_of_a_chain(tmp_path):
    write_cifar10(tmp_path)
    whole, small = load_data("cifar10", tmp_path, "test"), load_data("cifar10", tmp_path, "test", 8)
    assert small.images.shape == (len(whole), 3, 8, 8) and torch.equal(small.labels, whole.labels)
    assert torch.equal(small.images, halved(halved(whole.images)))
    with pytest.raises(DataError, match="cannot be halved to 12"):
        load_data("cifar10", tmp_path, "test", 12)
