"""The ablation study and the training speed: what they change, what they write, on the digits."""

import json
import re
import shutil

import pytest
from accelerate import Accelerator
from tiny_runs import MODEL, tiny_recipe
from typer.testing import CliRunner

from pixelcnn_core.cards.card import write_card
from pixelcnn_core.cli.main import app
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.ablation import BASE, ablate, variants
from pixelcnn_core.evaluation.training_speed import KINDS, SETTINGS, flops_per_step
from pixelcnn_core.results import read_json
from pixelcnn_core.training.recipe import load_recipe

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Every variant of a tiny recipe for a fraction of a second."""
    out = tmp_path_factory.mktemp("ablation") / "out"
    recipe = tiny_recipe(muon=4.0, model={**MODEL, "features": 12, "head_features": 12})
    return ablate(recipe, "nowhere", out, minutes=0.003, images=50), out, recipe


@pytest.fixture(scope="module")
def speed(tmp_path_factory) -> dict:
    """The training speed of a tiny recipe, through the command line."""
    folder = tmp_path_factory.mktemp("speed")
    path, out = folder / "tiny.json", folder / "speed.json"
    path.write_text(json.dumps(tiny_recipe().to_dict()), encoding="utf-8")
    told = CliRunner().invoke(app, ["training-speed", str(path), "--data", "nowhere", "--steps", "1", "--json",
                                    str(out)])
    assert told.exit_code == 0, told.output
    return read_json(out)


def test_every_variant_changes_one_setting():
    recipe = load_recipe("cifar10-cpu")
    whole = recipe.to_dict()
    for words, variant in variants(recipe).items():
        changed = {key for key, value in variant.to_dict().items() if value != whole[key]}
        assert len(changed) == (words != BASE), words
        if changed == {"model"}:
            settings = {k for k in variant.model if variant.model[k] != recipe.model.get(k)}
            assert settings <= {"features", "head_features"} or len(settings) == 1, words
        config = variant.config(load_data("digits", ".", "train"))  # every one makes a model
        assert variant.model_class(config)


def test_what_a_recipe_has_already_is_no_variant():
    recipe = tiny_recipe(muon=0.0, bf16=False, flips=False)
    for words in ("Adam for all weights instead of Muon", "float32 instead of bfloat16", "without flips"):
        assert words not in variants(recipe) and words in variants(load_recipe("cifar10-cpu"))
    assert all(variant != recipe for words, variant in variants(recipe).items() if words != BASE)


def test_the_result_says_what_was_measured(study):
    result, out, recipe = study
    assert [row["change"] for row in result["variants"]] == list(variants(recipe))
    assert result["images"] == 50 and result["split"] == "validation" and result["minutes"] == 0.003
    assert result["hardware"] and result["versions"]
    base = result["variants"][0]
    assert base["difference"] == base["difference_standard_error"] == 0
    for row in result["variants"]:
        assert row["difference"] == pytest.approx(row["bits_per_dim"] - base["bits_per_dim"], abs=2e-4)
        assert row["steps"] > 0 and row["images_per_second"] > 0
    deeper = next(row for row in result["variants"] if row["change"] == "twice as deep")
    assert deeper["parameters"] > base["parameters"]
    assert read_json(out / "ablation.json") == json.loads(json.dumps(result))


def test_run_again_it_goes_on(study):
    """What has had its time is not trained again."""
    result, out, recipe = study
    before = [path.stat().st_mtime for path in sorted(out.glob("*/model.safetensors"))]
    again = ablate(recipe, "nowhere", out, minutes=0.003, images=50)
    assert [path.stat().st_mtime for path in sorted(out.glob("*/model.safetensors"))] == before
    assert [row["bits_per_dim"] for row in again["variants"]] == [
        row["bits_per_dim"] for row in result["variants"]]


def test_the_card_has_both_tables_where_they_were_measured(study, speed, tmp_path):
    result, out, _ = study
    folder = shutil.copytree(out / "00", tmp_path / "model")
    text = write_card(folder, per_class=1).read_text(encoding="utf-8")
    assert "## What helps" not in text and "## Training speed" not in text
    shutil.copy(out / "ablation.json", folder)
    (folder / "training_speed.json").write_text(json.dumps(speed), encoding="utf-8")
    text = write_card(folder, per_class=1).read_text(encoding="utf-8")
    rows = re.findall(r"^[|] ([^|]+) [|] [0-9.]+ [|] (?:([+-][0-9.]+) ±[^|]*)? *[|]", text, re.M)
    assert [name for name, _ in rows if name in variants(tiny_recipe())][0] == BASE
    differences = [float(value) for _, value in rows if value]
    assert len(differences) == len(result["variants"]) - 1 and differences == sorted(differences)
    assert f"{speed['settings'][0]['images_per_second']:.1f} |" in text and "Where the time goes" in text


def test_the_speed_of_training(speed):
    """Every setting that the machine has, and shares of the time that add up."""
    assert speed["recipe"] == "tiny" and {row["setting"] for row in speed["settings"]} <= set(SETTINGS)
    assert speed["settings"][0]["setting"] == "float32"
    for row in speed["settings"]:
        assert row["images_per_second"] > 0 and 0 < row["share_of_matrix_rate"] < 1
        assert row["flops_per_second"] == pytest.approx(row["images_per_second"] * speed["flops_per_image"])
    assert sum(speed["where_the_time_goes"].values()) == pytest.approx(1, abs=0.01)
    assert set(speed["where_the_time_goes"]) == {*KINDS, "the rest"}


def test_the_operations_of_a_step_are_counted():
    """By hand for a model whose every convolution is known: forward 2 per weight and pixel; backward the same for the
    weights and, but for the image, the same again for the input."""
    recipe = tiny_recipe(batch=2, model={"features": 4, "layers": 1, "first_kernel_size": 3, "head_features": 4})
    per_pixel = {"vertical": 1 * 8 * 3, "horizontal": 1 * 8 * 2, "link": 8 * 8, "out": 4 * 4, "skip": 4 * 4,
                 "head1": 4 * 4, "head2": 4 * 17}
    unused = per_pixel["out"]  # with skip connections nothing reads the last residual output: no backward pass
    image = per_pixel["vertical"] + per_pixel["horizontal"]
    expected = 2 * (2 * 8 * 8) * (3 * sum(per_pixel.values()) - 2 * unused - image)
    data = load_data("digits", "nowhere", "train")
    found = flops_per_step(recipe, data, Accelerator())
    assert found == pytest.approx(expected, rel=0.05)  # and V of the ten classes, once per image: next to nothing
