"""Downsampled ImageNet: read from small files of the published format, trained on, and refused where damaged."""

import json

import numpy as np
import pytest
import torch
from tiny_runs import MODEL

from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.data.imagenet import TEST_FILES, TRAIN_FILES
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.data.splits import members
from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe, load_recipe


def write_batches(root, size: int, per_file: int = 3) -> dict[str, np.ndarray]:
    """The eleven files, three images each, with the keys of the original; returns their pixels by name."""
    random, pixels = np.random.default_rng(0), {}
    for name in (*TRAIN_FILES, *TEST_FILES):
        pixels[name] = random.integers(0, 256, (per_file, 3 * size * size), dtype=np.uint8)
        labels = np.arange(1, 1001, 400)[:per_file]
        mean = {"mean": pixels[name].mean(0)} if name in TRAIN_FILES else {}  # as published: not in the last file
        np.savez(root / name, data=pixels[name], labels=labels, **mean)
    return pixels


@pytest.mark.parametrize("size", [32, 64])
def test_batches_are_read_in_order_as_planes(tmp_path, size):
    pixels = write_batches(tmp_path, size)
    whole = np.concatenate([pixels[name] for name in TRAIN_FILES]).reshape(30, 3, size, size)
    for split, count in (("train", 29), ("validation", 1)):
        data, index = load_data(f"imagenet{size}", tmp_path, split), members(30, split)
        assert data.images.shape == (count, 3, size, size) and data.images.dtype == torch.uint8
        assert np.array_equal(data.images.numpy(), whole[index])
        assert data.labels.tolist() == [(0, 400, 800)[k % 3] for k in index] and data.class_names == ()
    assert len(load_data(f"imagenet{size}", tmp_path, "test")) == 3


def test_the_recipe_trains_and_is_evaluated_without_classes(tmp_path):
    write_batches(tmp_path, 32)
    bundled = load_recipe("imagenet32")
    tiny = Recipe(**{**bundled.to_dict(), "model": MODEL, "steps": 2, "batch": 2, "validate": 2, "compile": False})
    out = train(tiny, tmp_path, tmp_path / "run")
    assert json.loads((out / "config.json").read_text(encoding="utf-8"))["classes"] == 0
    results = evaluate(out, tmp_path)
    assert results["images_test"] == 3 and 7 < results["bits_per_dim_test"] < 10
    assert results["bits_per_dim_test"] == results["bits_per_dim_test_unconditional"]


def test_missing_files_are_named_before_anything_is_read(tmp_path):
    with pytest.raises(DataError, match="train_data_batch_1.npz is missing; --data must name a folder"):
        load_data("imagenet32", tmp_path, "train")
    write_batches(tmp_path, 32)
    (tmp_path / "train_data_batch_1.npz").write_bytes(b"not read")
    (tmp_path / "train_data_batch_10.npz").unlink()
    with pytest.raises(DataError, match="train_data_batch_10.npz is missing"):
        load_data("imagenet32", tmp_path, "train")


def test_the_wrong_size_is_said(tmp_path):
    write_batches(tmp_path, 32)
    with pytest.raises(DataError, match=r"64 x 64 images with 3 labels need uint8 of shape \(3, 12288\)"):
        load_data("imagenet64", tmp_path, "test")


GOOD = {"data": np.zeros((2, 3072), np.uint8), "labels": np.array([1, 1000])}


@pytest.mark.parametrize("changes, message", [
    ({"labels": np.array([0, 5])}, "labels go from 0 to 5, not from 1 to 1000"),
    ({"labels": np.array([1, 1001])}, "labels go from 1 to 1001"),
    ({"labels": np.array([1.0, 2.0])}, "labels are not a list of integers"),
    ({"labels": np.array([], int)}, "labels are not a list of integers"),
    ({"labels": np.array([1, 2, 3])}, "images with 3 labels"),
    ({"data": np.zeros((2, 3072))}, "type float64"),
    ({"data": np.array([{}, {}])}, "damaged .*allow_pickle=False"),
    ({"labels": None}, "no array called 'labels'"),
    ({"data": None}, "no array called 'data'"),
])
def test_damaged_arrays(tmp_path, changes, message):
    arrays = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    np.savez(tmp_path / TEST_FILES[0], **arrays)
    with pytest.raises(DataError, match=message):
        load_data("imagenet32", tmp_path, "test")


@pytest.mark.parametrize("spoil", [lambda whole: whole[:len(whole) // 2], lambda whole: b"", lambda whole: b"words",
                                   lambda whole: whole[:900] + bytes(100) + whole[1000:]])
def test_damaged_files(tmp_path, spoil):
    path = tmp_path / TEST_FILES[0]
    np.savez_compressed(path, **{**GOOD, "data": np.random.default_rng(0).integers(0, 256, (2, 3072), dtype=np.uint8)})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match="val_data.npz is damaged .* download it again"):
        load_data("imagenet32", tmp_path, "test")


def test_the_32_classes_of_the_shared_data(shared):
    folder = shared / "data" / "imagenet32classes"
    data = load_data("imagenet32classes", folder, "test")
    assert data.images.shape == (1600, 3, 32, 32) and len(data.class_names) == 32
    assert data.class_names[:4] == ("coral reef", "brown bear", "African elephant", "lawn mower")
    assert data.labels.bincount().tolist() == [50] * 32
    assert len(set(data.labels[:128].tolist())) > 25, "the first images are of nearly all classes"
    assert torch.equal(data.images, load_data("imagenet32classes", folder, "test").images)
