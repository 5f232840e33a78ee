"""The race: fair by construction, run through the command line for a few seconds, its files well-formed."""

import csv
import json
from dataclasses import replace
from functools import cache
from math import log2

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from pixelcnn_core.cli.main import app
from pixelcnn_core.data.cifar10 import grey_halved
from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.evaluation.race import NAMES, RaceError, contestants, free_parameters, race
from pixelcnn_core.kinds import KINDS, load
from pixelcnn_core.models.layers import ColourConv1x1, HorizontalConv
from pixelcnn_core.models.plain import MaskedConv2d
from pixelcnn_core.provenance import count_parameters
from pixelcnn_core.results import read_json
from pixelcnn_core.training.loop import TrainingError, batch_of, train
from pixelcnn_core.training.recipe import Recipe, load_recipe

pytestmark = pytest.mark.slow

SETS = {"digits": (1, 8, 17), "cifar10-grey16": (1, 16, 256), "cifar10": (3, 32, 256)}


def made_up(name: str, count: int = 64) -> ImageData:
    channels, size, levels = SETS[name]
    images = torch.randint(0, levels, (count, channels, size, size), generator=torch.Generator().manual_seed(0))
    return ImageData(images.byte(), torch.zeros(count, dtype=torch.long), (), levels=levels)


@cache
def racers(name: str) -> dict[str, Recipe]:
    return contestants(load_recipe(f"race-{name}"), made_up(name))


@pytest.mark.parametrize("name", SETS)
def test_parameters_agree_within_five_per_cent(name):
    data = made_up(name)
    counts = {kind: free_parameters(own.model_class(own.config(data))) for kind, own in racers(name).items()}
    assert list(counts) == list(NAMES)
    for kind, count in counts.items():
        assert count == pytest.approx(counts["pixelcnn"], rel=0.05), kind


@pytest.mark.parametrize("name", SETS)
def test_nothing_else_differs(name):
    """The same batches, mirrored alike, at every step; the same schedule, seed and head."""
    data = made_up(name)
    recipe = load_recipe(f"race-{name}")
    for kind, own in racers(name).items():
        same = replace(own, kind="pixelcnn", model=recipe.model)
        assert same == recipe and own.kind == kind
        assert {key for key in own.model if own.model[key] != recipe.model[key]} <= {"features", "layers"}
        for step in (0, 7):
            images, condition, _ = batch_of(own, data, step)
            assert torch.equal(images, batch_of(recipe, data, step)[0]) and not len(condition)


@pytest.mark.parametrize("kind", NAMES)
def test_the_gpu_recipe_takes_steps(kind, monkeypatch, tmp_path):
    """Every model of the 32 x 32 race, at its full width, in two steps of two made-up images, cut to 8 x 8."""
    data = made_up("cifar10", 4)
    data.images = data.images[:, :, :8, :8]
    monkeypatch.setattr("pixelcnn_core.training.loop.load_data", lambda *args, **more: data)
    out = train(replace(racers("cifar10")[kind], steps=2, batch=2, validate=2, warm_up=0), "nowhere", tmp_path / "run")
    row = list(csv.DictReader((out / "training.csv").read_text(encoding="utf-8").splitlines()))[-1]
    assert row["step"] == "2" and 4 < float(row["bits_per_dim_validation"]) < 14


def test_masked_weights_do_not_count():
    assert free_parameters(MaskedConv2d(3, 6, 3, 3, "A")) == 4 * 3 * 6 + (2 * 1 + 2 * 2) + 6
    assert free_parameters(ColourConv1x1(3, 3, 3)) == 6 + 3
    assert free_parameters(HorizontalConv(2, 4, 3, 1, "B", parts=4)) == 2 * 2 * 16 + 16
    assert free_parameters(torch.nn.Linear(2, 3)) == count_parameters(torch.nn.Linear(2, 3)) == 9


def test_an_unfair_race_is_refused():
    data = made_up("digits")
    recipe = load_recipe("race-digits")
    narrow = replace(recipe, model={**recipe.model, "features": 2, "layers": 2, "head_features": 1})
    with pytest.raises(RaceError, match="no width gives the .* parameters"):
        contestants(narrow, data)
    for change in ({"kind": "plain"}, {"unconditional": False}):
        with pytest.raises(RaceError, match="unconditional PixelCNN"):
            contestants(replace(recipe, **change), data)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("race") / "digits"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pixelcnn_core.evaluation.race.POINTS", 3)
        done = CliRunner().invoke(app, ["race", "--data", "nowhere", "--minutes", "0.02", "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


def test_race_json(finished):
    result = json.loads((finished / "race.json").read_text(encoding="utf-8"))
    assert (result["data"], result["image_size"], result["levels"], result["images_test"]) == ("digits", 8, 17, 297)
    held_out = load_data("digits", ".", "validation").images
    assert result["images_train"] == 1500 - len(held_out) and result["minutes"] == 0.02
    assert result["clock"] and result["hardware"]
    assert {"python", "torch"} <= set(result["versions"])
    assert {kind: model["name"] for kind, model in result["models"].items()} == NAMES
    target = result["models"]["pixelcnn"]["parameters"]
    for kind, model in result["models"].items():
        assert model["parameters"] == pytest.approx(target, rel=0.05)
        assert model["seconds"] >= 1.2 and model["steps"] > 0
        rate = model["steps"] * 32 / model["seconds"]  # seconds have one decimal
        assert model["images_per_second"] == pytest.approx(rate, rel=0.1)
        curve = model["curve"]
        assert 1 <= len(curve) <= 4 and curve[-1]["steps"] == model["steps"]
        assert curve == sorted(curve, key=lambda point: (point["steps"], point["seconds"]))
        with torch.no_grad():
            bits = load(KINDS[kind].model).from_pretrained(finished / kind).bits_per_dim(held_out).mean().item()
        assert curve[-1]["bits_per_dim"] == pytest.approx(bits, abs=0.01)  # fp16 on disk
        assert 0 < model["bits_per_dim_test"] < 5 and model["bits_per_dim_test_standard_error"] > 0
    assert result["baselines"]["uniform"]["bits_per_dim_test"] == pytest.approx(log2(17), abs=1e-4)
    assert result["baselines"]["gaussian"]["bits_per_dim_test"] < 3


def test_the_table_and_the_plot(finished):
    result = json.loads((finished / "race.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((finished / "race.csv").read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["model", "seconds", "steps", "images", "bits_per_dim"]
    assert len(rows) == sum(len(model["curve"]) for model in result["models"].values())
    assert all(int(row["images"]) == 32 * int(row["steps"]) for row in rows)
    with Image.open(finished / "race.png") as drawn:
        assert drawn.width > 900


def test_the_checkpoints_are_models_like_others(finished):
    """`evaluate` finds the class by the recipe, and what it says is what the race said."""
    result = json.loads((finished / "race.json").read_text(encoding="utf-8"))
    for kind, model in result["models"].items():
        assert read_json(finished / kind / "config.json")["model_type"] == load(KINDS[kind].model).__name__
        again = evaluate(finished / kind, "nowhere", train_images=1)
        assert again["bits_per_dim_test"] == pytest.approx(model["bits_per_dim_test"], abs=1e-3)
        assert again["bits_per_dim_test"] == again["bits_per_dim_test_unconditional"]


def test_a_race_is_not_overwritten_and_others_are_named(finished):
    with pytest.raises(TrainingError, match="already holds a run"):
        race(load_recipe("race-digits"), "nowhere", finished, 0.01)
    done = CliRunner().invoke(app, ["race", "--data", "nowhere", "--set", "imagenet32", "--out", "nowhere"])
    assert done.exit_code and "no recipe is called 'race-imagenet32'" in str(done.exception)


def test_scoring_and_saving_cost_no_time(tmp_path):
    """A clock that ticks once a look: 4 steps and a save after each, and only the steps are counted."""
    ticks = iter(range(10**6))
    recipe = replace(load_recipe("race-digits"), steps=4, batch=2, validate=2, kind="plain",
                     model={"features": 4, "layers": 2, "head_features": 4})
    looks = []

    def clock() -> float:
        looks.append(next(ticks))
        return looks[-1]

    out = train(recipe, "nowhere", tmp_path / "run", race_clock=clock, checkpoint_minutes=0)
    rows = csv.DictReader((out / "training.csv").read_text(encoding="utf-8").splitlines())
    seconds = [float(row["seconds"]) for row in rows]
    assert len(seconds) == 4
    assert read_json(out / "training.json")["seconds"] == seconds[-1] < looks[-1]
    gaps = {later - earlier for earlier, later in zip(seconds, seconds[1:])}
    assert gaps == {3.0}  # looks after the step, for the checkpoint, and before the next pause


def test_grey_halved():
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    images[0, 0, :2, :2] = 255  # red: luma 76.2
    images[1] = 200
    images[1, :, 0, 0] = 0  # a quarter of one square
    grey = grey_halved(ImageData(images, torch.zeros(2), ())).images
    assert grey.shape == (2, 1, 2, 2) and grey.dtype == torch.uint8
    assert grey[0, 0].tolist() == [[76, 0], [0, 0]] and grey[1, 0].tolist() == [[150, 200], [200, 200]]


def test_cifar10_in_grey(monkeypatch):
    data = made_up("cifar10", 6)
    named = replace(data, class_names=tuple("0123456789"))
    monkeypatch.setattr("pixelcnn_core.data.loaders.cifar10", lambda *rest: named)
    grey = load_data("cifar10-grey16", "nowhere", "train")
    assert grey.images.shape == (6, 1, 16, 16) and len(grey.class_names) == 10
    assert not grey.unconditional().class_names and not len(grey.unconditional().condition(slice(2)))
