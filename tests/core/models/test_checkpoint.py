"""Checkpoints: what is saved comes back; anything else is refused with one sentence."""

import errno
import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelcnn_core import Chain, GatedPixelCNN, PlainPixelCNN
from pixelcnn_core.faces.encoder import FaceEncoder, FaceEncoderConfig
from pixelcnn_core.models.chain import load_model
from pixelcnn_core.models.checkpoint import HASH, CheckpointError, file_hash
from pixelcnn_core.models.diagonal_lstm import DiagonalBiLSTM
from pixelcnn_core.models.row_lstm import RowLSTM
from pixelcnn_core.restoration.restorer import Restorer, RestorerConfig
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
    """Another file of weights, with its own hash beside it."""
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config[HASH] = file_hash(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
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
    (folder / "config.json").write_text(text, encoding="utf-8")
    assert message in refused(folder)


def test_a_config_of_another_shape(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "features": 24}), encoding="utf-8")
    assert "belongs to another model" in refused(folder)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_weights_that_are_not_floats(folder, dtype):
    def convert(weights) -> None:
        name = next(iter(weights))
        weights[name] = weights[name].to(dtype)

    assert "not floating-point numbers" in change(folder, convert)


def test_every_flipped_bit_is_found(folder):
    """120 of them, spread over header and tensors."""
    whole = (folder / "model.safetensors").read_bytes()
    random = np.random.default_rng(0)
    for position in [*range(10, 130, 2), *random.integers(0, len(whole), 60)]:
        flipped = bytearray(whole)
        flipped[position] ^= 1 << random.integers(8)
        (folder / "model.safetensors").write_bytes(flipped)
        refused(folder)


@pytest.mark.parametrize("digest", ["", 0, None, False, [], "0" * 63])
def test_a_hash_that_is_none_does_not_switch_the_check_off(folder, digest):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, HASH: digest}), encoding="utf-8")
    assert "is no SHA-256" in refused(folder)


def test_weights_of_another_model_of_the_same_shape(folder, tmp_path):
    model = small_model(classes=2, class_names=("a", "b"))
    model.head1.bias.data += 1
    model.save_pretrained(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", folder)
    assert "its SHA-256 is not the one in config.json" in refused(folder)


ODD = [True, False, None, "8", "", [], {}, [8], 0, -1, 1.5, 1e308, 10**9, 10**30, float("nan"), float("inf")]


@pytest.mark.parametrize("name", ["image_size", "channels", "levels", "features", "layers", "kernel_size",
                                  "first_kernel_size", "head_features", "skip", "dropout", "classes", "embedding",
                                  "encoder", "map_channels", "position", "class_names"])
def test_odd_settings_are_refused_at_once(folder, name):
    """Wrong types, huge numbers: one sentence, and nothing is built that the weights do not announce."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for value in ODD:
        if type(value) is type(config[name]) and value == config[name] or name == "dropout" and value == 0:
            continue  # what it is, and what makes no difference here
        (folder / "config.json").write_text(json.dumps({**config, name: value}), encoding="utf-8")
        begun = time.perf_counter()
        if name == "encoder" and type(value) is str or name == "class_names" and value == []:
            GatedPixelCNN.from_pretrained(folder)  # says less, and is not wrong
        elif not (name == "skip" and value is True):
            refused(folder)
        assert time.perf_counter() - begun < 5, value


@pytest.mark.parametrize("kind", [PlainPixelCNN, RowLSTM, DiagonalBiLSTM])
def test_what_a_kind_cannot_be_built_with_is_refused_too(tmp_path, kind):
    """The bounds of its configuration are those of the Gated PixelCNN."""
    small_model(kind).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    odd = [{"classes": 2}, {"embedding": 1}, {"map_channels": 1}, {"position": 2}, {"features": 3},
           {"features": 1, "channels": 1, "head_features": 1}, {"layers": 1}]
    for change in odd:
        (tmp_path / "config.json").write_text(json.dumps({**config, **change}), encoding="utf-8")
        for look in (kind.from_pretrained, kind.inspect, load_model):
            with pytest.raises(CheckpointError) as error:
                look(tmp_path)
            assert "\n" not in str(error.value)


def test_names_and_devices_that_cannot_be(folder):
    for ask in (load_model, GatedPixelCNN.from_pretrained, GatedPixelCNN.inspect, Chain.from_pretrained):
        with pytest.raises(CheckpointError, match="^no checkpoint 'x{200}': ") as error:
            ask("x" * 5000)
        assert "\n" not in str(error.value)
    for device in ("nonsense", "cuda:99", "cpu:x"):
        for ask in (load_model, GatedPixelCNN.from_pretrained):
            with pytest.raises(ValueError, match=f"^there is no device '{device}' here: [^\n]+$"):
                ask(folder, map_location=device)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"model_type": "GatedPixelCNN", "layers": '
                                  + "9" * 10_000 + "}", "\x00", "\ufeff{}"])
def test_a_config_that_json_chokes_on(folder, text):
    (folder / "config.json").write_text(text, encoding="utf-8")
    refused(folder)


def test_what_is_nested_in_a_configuration_is_looked_at_too(tmp_path):
    Restorer(RestorerConfig(image_size=4, features=4, dilations=(1,), map_channels=2,
                            decoder={"features": 3, "layers": 1, "head_features": 3})).save_pretrained(tmp_path)
    Restorer.from_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    for odd in ({"dilations": [True]}, {"dilations": "12"}, {"dilations": [10**9]}, {"dilations": [1] * 10**4},
                {"decoder": []}, {"decoder": {"layers": 10**6}}, {"decoder": {"channels": 1}},
                {"decoder": {"features": "3"}}, {"decoder": {"\n": 1}}):
        (tmp_path / "config.json").write_text(json.dumps({**config, **odd}), encoding="utf-8")
        with pytest.raises(CheckpointError) as error:
            Restorer.from_pretrained(tmp_path)
        assert "\n" not in str(error.value)


def test_counters_stay_whole_numbers(tmp_path):
    """fp16 ends at 65,504: an encoder that saw more batches could not be loaded again."""
    encoder = FaceEncoder(FaceEncoderConfig(widths=(4,), blocks=1, embedding=2))
    encoder.stages[0].norm1.num_batches_tracked.fill_(70_001)
    encoder.save_pretrained(tmp_path)
    again = FaceEncoder.from_pretrained(tmp_path)
    assert again.stages[0].norm1.num_batches_tracked == 70_001 and again.fingerprint == encoder.fingerprint


def test_what_half_precision_cannot_hold_is_not_saved(folder):
    before = (folder / "model.safetensors").read_bytes()
    for value in (70_000, float("nan")):
        model = small_model(classes=2)
        model.head1.bias.data[0] = value
        with pytest.raises(CheckpointError, match="not saved: head1.bias holds values above 65,504"):
            model.save_pretrained(folder)
        assert (folder / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("name", ["pixelcnn_core.models.checkpoint.save_file",
                                  "pixelcnn_core.models.checkpoint.file_hash", "pathlib.Path.write_text"])
def test_a_kill_while_saving_leaves_what_was_there(folder, name, monkeypatch):
    """Whichever file is being written."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    other = small_model(classes=2, class_names=("a", "b"))
    other.head1.bias.data += 1

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(name, killed)
        other.save_pretrained(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    GatedPixelCNN.from_pretrained(folder)
    other.save_pretrained(folder)
    assert torch.equal(GatedPixelCNN.from_pretrained(folder).head1.bias, other.head1.bias.half().float())


def test_a_kill_between_the_two_files_of_a_checkpoint_loses_nothing(tmp_path):
    """A real one, which nothing can catch."""
    code = ("import os, signal, sys, torch\n"
            "from pixelcnn_core import GatedPixelCNN, PixelCNNConfig\n"
            "def model(value):\n"
            "    made = GatedPixelCNN(PixelCNNConfig(image_size=4, channels=1, levels=2, features=8, layers=1))\n"
            "    made.head1.bias.data.fill_(value)\n"
            "    return made\n"
            "model(1.0).save_pretrained(sys.argv[1])\n"
            "replace = os.replace\n"
            "def killed(source, target):\n"
            "    if str(target).endswith('.safetensors'):\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    replace(source, target)\n"
            "os.replace = killed\n"
            "model(2.0).save_pretrained(sys.argv[1])\n")
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, capture_output=True,
                           encoding="utf-8")
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert (tmp_path / "writing-model.safetensors").is_file()
    assert (GatedPixelCNN.from_pretrained(tmp_path).head1.bias == 2).all()
    GatedPixelCNN.from_pretrained(tmp_path).save_pretrained(tmp_path)
    assert not list(tmp_path.glob("writing-*")) and (GatedPixelCNN.from_pretrained(tmp_path).head1.bias == 2).all()


def test_a_file_that_cannot_be_written_is_named(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    for name, place in (("config.json", "pathlib.Path.write_text"),
                        ("model.safetensors", "pixelcnn_core.models.checkpoint.save_file")):
        with monkeypatch.context() as patch, pytest.raises(CheckpointError) as error:
            patch.setattr(place, full)
            small_model(classes=2).save_pretrained(folder)
        assert str(error.value) == f"{folder / name} could not be written: No space left on device"
        assert not list(folder.glob("writing-*"))
    with pytest.raises(CheckpointError, match="could not be written: Not a directory"):
        small_model().save_pretrained(folder / "config.json" / "below")


def test_options_that_nobody_knows_are_refused(folder):
    for options in ({"map_locatoin": "cpu"}, {"strict": False}, {"torch_dtype": torch.float16}, {"subfolder": "a"}):
        with pytest.raises(TypeError, match=next(iter(options))):
            GatedPixelCNN.from_pretrained(folder, **options)


def test_looking_into_a_checkpoint_builds_nothing(folder):
    config, count = GatedPixelCNN.inspect(folder)
    model = GatedPixelCNN.from_pretrained(folder)
    assert config == model.config and count == sum(p.numel() for p in model.parameters())
    (folder / "config.json").write_text(json.dumps({**config.to_dict(), "model_type": "GatedPixelCNN",
                                                    "features": 4080, "layers": 200}), encoding="utf-8")
    with pytest.raises(CheckpointError, match="belongs to another model"):
        GatedPixelCNN.inspect(folder)


def test_a_folder_without_a_checkpoint_and_a_name_that_is_nowhere(tmp_path, monkeypatch):
    assert "there is no config.json in it" in refused(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "no checkpoint" in refused("nobody/no-such-model")


def test_a_model_on_a_gpu_is_exact_to_float32(folder, monkeypatch):
    """However it gets there. The flag is set for the process; without a GPU a parameter is made to say that it is on
    one."""
    model = small_model(classes=2)
    ways = (lambda: model.to("cpu"), lambda: load_model(folder), lambda: GatedPixelCNN.from_pretrained(folder))
    for on_gpu in (False, True):
        monkeypatch.setattr(torch.nn.Parameter, "is_cuda", on_gpu, raising=False)
        for way in ways:
            monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
            way()
            assert torch.backends.cudnn.allow_tf32 is not on_gpu
