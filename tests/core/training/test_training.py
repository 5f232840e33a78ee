"""Training: files, resuming after a kill, the average that is published, time limits, and wrong starts."""

import csv
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from tiny_runs import MODEL, tiny_recipe

from pixelcnn_core import GatedPixelCNN
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.results import merge_results, read_results
from pixelcnn_core.training.batches import batch_of
from pixelcnn_core.training.chain import train_chain
from pixelcnn_core.training.loop import learning_rate, train
from pixelcnn_core.training.state import LOCK_FILE, STATE_FILE, Run, TrainingError
from pixelcnn_core.training.stop import TrainingStopped

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return train(tiny_recipe(sample=True), "nowhere", tmp_path_factory.mktemp("run") / "out")


def test_a_run_leaves_everything_behind(finished):
    assert {path.name for path in finished.iterdir()} == {
        "config.json", "model.safetensors", "recipe.json", "training.json", "training.csv", "training.png", "samples",
        STATE_FILE, LOCK_FILE}
    facts = json.loads((finished / "training.json").read_text(encoding="utf-8"))
    assert facts["steps"] == 12 and facts["images"] == 96 and facts["before"] is None and "threads" in facts["hardware"]
    assert json.loads((finished / "recipe.json").read_text(encoding="utf-8")) == tiny_recipe(sample=True).to_dict()
    assert list((finished / "samples").glob("*.png"))


def test_the_average_is_published_not_the_last_step(finished):
    state, published = load_file(finished / STATE_FILE), load_file(finished / "model.safetensors")
    for name, tensor in published.items():
        assert tensor.dtype == torch.float16
        assert torch.equal(tensor, state[f"average.{name}"].half())
    assert any(not torch.equal(state[f"average.{name}"], state[f"model.{name}"]) for name in published)


def test_the_average_follows_the_weights():
    """Its memory is short at first: after step n it moves by 1 - min(ema, (1 + n) / (10 + n))."""
    recipe = tiny_recipe()
    config = recipe.config(load_data("digits", ".", "train"))
    run = Run(GatedPixelCNN(config), GatedPixelCNN(config), None, step=5)
    before = {name: tensor.clone() for name, tensor in run.average.state_dict().items()}
    run.update_average(0.9)
    for name, tensor in run.average.state_dict().items():
        expected = torch.lerp(before[name], run.model.state_dict()[name], 1 - 6 / 15)
        assert torch.allclose(tensor, expected, atol=1e-6), name


KILLED = """
import sys, os
from pathlib import Path
import pixelcnn_core.training.loop as training
from tiny_runs import tiny_recipe
publish = training.publish
def publish_then_wait(run, *rest):
    publish(run, *rest)
    if run.step == 52:
        Path(sys.argv[1], "waiting").touch()
        import time; time.sleep(600)
training.publish = publish_then_wait
training.train(tiny_recipe(steps=60, validate=0, muon=float(sys.argv[2])), "nowhere", sys.argv[1],
               checkpoint_minutes=0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("muon", [0.0, 4.0])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(muon, tmp_path):
    """kill -9 after step 52, in the middle of writing; then --resume: same weights, same curve as without a break."""
    recipe = tiny_recipe(steps=60, validate=0, muon=muon)
    whole = train(recipe, "nowhere", tmp_path / "whole")
    out = tmp_path / "killed"
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parents[1])])
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(out), str(muon)], stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": path})
    try:
        for _ in range(1200):
            if (out / "waiting").exists():
                break
            assert process.poll() is None, "the run ended by itself"
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (out / "waiting").unlink()
    train(recipe, "nowhere", out, resume=True)
    mine, theirs = load_file(out / STATE_FILE), load_file(whole / STATE_FILE)
    assert mine.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert torch.allclose(mine[name], tensor, atol=1e-5), name

    def curve(folder):
        with (folder / "training.csv").open(newline="", encoding="utf-8") as file:
            return {int(row["step"]): row["bits_per_dim"] for row in csv.DictReader(file)}
    assert list(curve(out)) == [50, 60]
    assert curve(out)[50] == curve(whole)[50]


def test_a_time_limit_ends_the_run_with_a_decayed_rate(tmp_path):
    out = train(tiny_recipe(steps=10**6), "nowhere", tmp_path / "out", max_minutes=0.02)
    facts = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert 0 < facts["steps"] < 10**6 and 1.2 <= facts["seconds"] < 30 and facts["max_minutes"] == 0.02
    with (out / "training.csv").open(newline="", encoding="utf-8") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert rates[-1] < 0.3 * tiny_recipe().learning_rate


def test_the_learning_rate_warms_up_and_decays():
    recipe = tiny_recipe(steps=100, warm_up=10, learning_rate=1.0)
    rates = [learning_rate(recipe, step, step / 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == max(rates[8:12]) > 0.95
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] < 0.001


def test_a_run_is_not_overwritten(finished):
    with pytest.raises(TrainingError, match="already holds a run; continue it with --resume"):
        train(tiny_recipe(), "nowhere", finished)


def test_a_damaged_state_is_refused(finished, tmp_path):
    whole = (finished / STATE_FILE).read_bytes()
    for content in (whole[:len(whole) // 2], b"", b"\0" * 100):
        (tmp_path / STATE_FILE).write_bytes(content)
        with pytest.raises(TrainingError, match="cannot resume from .* damaged or of another recipe"):
            train(tiny_recipe(), "nowhere", tmp_path, resume=True)
    (tmp_path / STATE_FILE).write_bytes(whole)
    with pytest.raises(TrainingError, match="of another recipe"):
        train(tiny_recipe(model={**MODEL, "features": 12}), "nowhere", tmp_path, resume=True)


def test_starting_from_published_weights(finished, tmp_path):
    recipe = tiny_recipe(steps=2, learning_rate=1e-9)
    out = train(recipe, "nowhere", tmp_path / "next", init=str(finished))
    for name, tensor in load_file(out / "model.safetensors").items():
        assert torch.allclose(tensor, load_file(finished / "model.safetensors")[name], atol=1e-3), name
    before = json.loads((out / "training.json").read_text(encoding="utf-8"))["before"]
    assert before["steps"] == 12 and before["images"] == 96
    (out / STATE_FILE).unlink()  # only the published weights are left: --resume goes on from them
    again = train(recipe, "nowhere", out, resume=True)
    assert json.loads((again / "training.json").read_text(encoding="utf-8"))["before"]["steps"] == 14
    with pytest.raises(TrainingError, match="of another shape"):
        train(tiny_recipe(model={**MODEL, "layers": 3}), "nowhere", tmp_path / "other", init=str(finished))


def test_bfloat16_takes_nearly_the_same_steps(finished, tmp_path, monkeypatch):
    """Autocast for the network, whole precision for softmax, weights and averages."""
    monkeypatch.setattr("pixelcnn_core.training.loop.fast_bf16", lambda device: True)
    rounded = train(tiny_recipe(bf16=True), "nowhere", tmp_path / "bf16")

    def last_loss(folder) -> float:
        *_, last = csv.DictReader((folder / "training.csv").read_text(encoding="utf-8").splitlines())
        return float(last["bits_per_dim"])

    assert last_loss(rounded) == pytest.approx(last_loss(finished), abs=0.02)
    weights, exact = load_file(rounded / STATE_FILE), load_file(finished / STATE_FILE)
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    assert json.loads((rounded / "training.json").read_text(encoding="utf-8"))["bf16"] is True
    assert any(not torch.equal(weights[name], exact[name]) for name in exact)


def test_a_batch_is_a_function_of_recipe_and_step():
    recipe, data = tiny_recipe(condition_dropout=0.5), load_data("digits", ".", "train")
    images, condition, kept = batch_of(recipe, data, 7)
    again = batch_of(recipe, data, 7)
    assert torch.equal(images, again[0]) and torch.equal(condition.label, again[1].label)
    assert 0 < kept.sum() < 8 and torch.equal(kept, again[2])
    assert not torch.equal(images, batch_of(recipe, data, 8)[0])
    shares = [batch_of(recipe, data, 7, process, 2) for process in range(2)]
    assert torch.equal(torch.cat([share[0] for share in shares]), images)
    assert torch.equal(torch.cat([share[1].label for share in shares]), condition.label)
    assert torch.equal(torch.cat([share[2] for share in shares]), kept)


def test_flips_mirror_about_half_of_the_images():
    data = load_data("digits", ".", "train")
    plain, flipped = (batch_of(tiny_recipe(batch=200, flips=flips), data, 0)[0] for flips in (False, True))
    mirrored = (flipped == plain.flip(3)).flatten(1).all(1)
    assert ((flipped == plain).flatten(1).all(1) | mirrored).all()
    assert 70 < mirrored.sum() < 130


@pytest.mark.parametrize("at", [7, 10])
def test_a_run_whose_loss_is_no_number_stops_and_keeps_the_last_good_state(at, tmp_path, monkeypatch):
    """At the first such step, before anything is written, be it between two rows of the curve or at one; what was
    published stays."""
    for module in ("log", "loop"):
        monkeypatch.setattr(f"pixelcnn_core.training.{module}.EVERY", 10)
    monkeypatch.setattr(GatedPixelCNN, "losses", losses_until(at))
    recipe = tiny_recipe(steps=60, validate=0)
    message = f"training diverged: at step {at} the loss is nan; the state in .* earlier step"
    with pytest.raises(TrainingError, match=message):
        train(recipe, "nowhere", tmp_path, checkpoint_minutes=0)
    with safe_open(tmp_path / STATE_FILE, "pt") as file:
        assert file.metadata()["step"] == str(at - 1)
    GatedPixelCNN.from_pretrained(tmp_path)
    assert "nan" not in "".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("training.*sv"))
    monkeypatch.undo()
    monkeypatch.setattr(GatedPixelCNN, "losses", losses_until(0))
    with pytest.raises(TrainingError, match="at step 1 the loss is nan; nothing was saved"):
        train(recipe, "nowhere", tmp_path / "new")


def losses_until(step: int):
    """`GatedPixelCNN.losses` that gives nan at this step of training, counted from 1, and from then on."""
    original, calls = GatedPixelCNN.losses, itertools.count(1)

    def losses(self, *words):
        return original(self, *words) * (float("nan") if next(calls) >= step else 1)
    return losses


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    """A step can be taken from a good loss to a place where there is none."""
    with pytest.raises(TrainingError, match="diverged"):
        train(tiny_recipe(steps=40, learning_rate=1e9, clip=1e9, warm_up=0, validate=0), "nowhere", tmp_path,
              checkpoint_minutes=0)
    assert not (tmp_path / STATE_FILE).exists() and not (tmp_path / "model.safetensors").exists()


def test_a_trained_model_is_replaced_only_when_asked(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "published")
    (folder / STATE_FILE).unlink()
    merge_results(folder, {"bits_per_dim_test": 1.0})
    old = [folder / name for name in ("README.md", "ablation.json", "curve.png", "stored_samples.json")]
    for path in old:
        path.write_text("of the old model", encoding="utf-8")
    before = (folder / "model.safetensors").read_bytes()
    recipe = tiny_recipe(seed=1, validate=0)
    with pytest.raises(TrainingError, match="already holds a trained model: --overwrite replaces it"):
        train(recipe, "nowhere", folder)
    with pytest.raises(TrainingError, match="choose one"):
        train(recipe, "nowhere", folder, overwrite=True, resume=True)
    assert (folder / "model.safetensors").read_bytes() == before and read_results(folder)
    train(recipe, "nowhere", folder, overwrite=True)
    assert (folder / "model.safetensors").read_bytes() != before
    assert not any(path.exists() for path in (*old, folder / "results.json"))


def test_one_folder_is_for_one_training_at_a_time(tmp_path):
    with FileLock(tmp_path / LOCK_FILE), pytest.raises(TrainingError, match="trained by another process"):
        train(tiny_recipe(), "nowhere", tmp_path)
    train(tiny_recipe(steps=2, validate=0), "nowhere", tmp_path)


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_no_minutes_are_refused(minutes, tmp_path):
    with pytest.raises(TrainingError, match="minutes of training must be above 0"):
        train(tiny_recipe(), "nowhere", tmp_path / "out", max_minutes=minutes)
    with pytest.raises(TrainingError, match="minutes of training must be above 0"):
        train_chain("portraits-chain-cpu", "nowhere", tmp_path / "out", max_minutes=minutes)


def test_another_batch_cannot_go_on(finished):
    with pytest.raises(TrainingError, match="trained with 8 images a step, the recipe has 16"):
        train(tiny_recipe(batch=16), "nowhere", finished, resume=True)


def test_what_the_device_does_not_have_is_said_and_written(tmp_path, monkeypatch, capsys):
    for name in ("fast_bf16", "can_compile"):
        monkeypatch.setattr(f"pixelcnn_core.training.loop.{name}", lambda device: False)
    out = train(tiny_recipe(steps=2, validate=0, bf16=True, compile=True), "nowhere", tmp_path)
    assert "tiny: trained without bfloat16 and torch.compile, which cpu does not have" in capsys.readouterr().err
    facts = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert facts["bf16"] is facts["compile"] is False


def test_a_full_disk_names_the_path(tmp_path, monkeypatch):
    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("pixelcnn_core.training.state.save_file", full)
    with pytest.raises(OSError, match=f"{STATE_FILE} could not be written: .*No space left"):
        train(tiny_recipe(steps=2, validate=0), "nowhere", tmp_path)
    assert not list(tmp_path.glob("writing-*"))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A run of 30 steps that nobody asked to stop."""
    return train(tiny_recipe(steps=30, validate=0), "nowhere", tmp_path_factory.mktemp("unbroken") / "out")


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM,
                                    pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_run_that_is_asked_to_stop_saves_first(number, unbroken, tmp_path, monkeypatch, request):
    """And going on from there is as if nothing had happened."""
    recipe = tiny_recipe(steps=30, validate=0)
    if number == signal.SIGHUP:  # these tests may run under nohup
        earlier = signal.signal(number, signal.SIG_DFL)
        request.addfinalizer(lambda: signal.signal(number, earlier))
    before = signal.getsignal(number)
    original, calls = GatedPixelCNN.losses, itertools.count(1)

    def losses(self, *words):
        if next(calls) == 11:
            signal.raise_signal(number)
        return original(self, *words)

    monkeypatch.setattr(GatedPixelCNN, "losses", losses)
    with pytest.raises(TrainingStopped, match="after step 11 of 30, and saved in .*: go on with --resume") as stop:
        train(recipe, "nowhere", tmp_path / "out")
    assert stop.value.signal == number and signal.getsignal(number) is before
    GatedPixelCNN.from_pretrained(tmp_path / "out")
    train(recipe, "nowhere", tmp_path / "out", resume=True)
    mine, theirs = load_file(tmp_path / "out" / STATE_FILE), load_file(unbroken / STATE_FILE)
    assert all(torch.equal(mine[name], tensor) for name, tensor in theirs.items())


@pytest.mark.parametrize("number, code", [pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
                                          (signal.SIGTERM, 143)])
def test_the_command_line_says_how_to_go_on(number, code, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(tiny_recipe(steps=10**6, validate=0).to_dict()), encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-m", "pixelcnn_core", "train", str(tmp_path / "mine.json"), "--data",
                                "nowhere", "--out", str(tmp_path / "out")], cwd=ROOT, stderr=subprocess.PIPE,
                               encoding="utf-8")
    try:
        for _ in range(1200):
            if (tmp_path / "out" / "training.csv").exists():
                break
            assert process.poll() is None, "the run ended by itself"
            time.sleep(0.1)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == code and "go on with --resume" in said.strip().splitlines()[-1]
    assert (tmp_path / "out" / STATE_FILE).exists() and "Traceback" not in said
