"""Checkpoints: what is saved comes back; anything else is refused with one sentence."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelcnn_core import GatedPixelCNN
from pixelcnn_core.models.checkpoint import CheckpointError
from tests.conftest import small_model


@pytest.fixture
def folder(tmp_path):
    small_model(classes=2, class_names=("a", "b")).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_what_is_saved_comes_back(folder):
    model = small_model(classes=2, class_names=("a", "b"))
    loaded = GatedPixelCNN.from_pretrained(folder)
    assert loaded.config == model.config and not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name
    loaded.save_pretrained(folder.parent / "again")
    assert (folder.parent / "again" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def refused(folder) -> str:
    with pytest.raises(CheckpointError) as error:
        GatedPixelCNN.from_pretrained(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file(folder, share):
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:int(len(whole) * share)])
    assert "damaged or not a safetensors file" in refused(folder)


def test_a_pickle_is_not_even_opened(folder):
    torch.save({"weights": torch.zeros(3)}, folder / "model.safetensors")
    assert "not a safetensors file" in refused(folder)


def change(folder, edit) -> str:
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors")
    return refused(folder)


def test_foreign_missing_misshapen_and_broken_weights(folder):
    original = (folder / "model.safetensors").read_bytes()
    name = next(iter(load_file(folder / "model.safetensors")))
    assert "1 tensors are missing" in change(folder, lambda weights: weights.pop(name))
    (folder / "model.safetensors").write_bytes(original)
    assert "1 are foreign (extra" in change(folder, lambda weights: weights.update(extra=torch.zeros(2)))
    (folder / "model.safetensors").write_bytes(original)
    assert f"{name} has shape (3,)" in change(folder, lambda weights: weights.update({name: torch.zeros(3)}))
    (folder / "model.safetensors").write_bytes(original)
    assert "not finite" in change(folder, lambda weights: weights[name].view(-1)[0].fill_(float("nan")))


@pytest.mark.parametrize("text, message", [
    ("{", "not readable as JSON"), ("[]", "does not describe a GatedPixelCNN"),
    ('{"model_type": "Other"}', "does not describe a GatedPixelCNN"),
    ('{"model_type": "GatedPixelCNN", "wings": 2}', "does not know: wings"),
    ('{"model_type": "GatedPixelCNN", "channels": 2}', "channels must be 1 or 3"),
])
def test_a_config_that_makes_no_sense(folder, text, message):
    (folder / "config.json").write_text(text)
    assert message in refused(folder)


def test_a_config_of_another_shape(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "features": 24}))
    assert "belongs to another model" in refused(folder)


def test_a_folder_without_a_checkpoint_and_a_name_that_is_nowhere(tmp_path, monkeypatch):
    assert "there is no config.json in it" in refused(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "no checkpoint" in refused("nobody/no-such-model")
