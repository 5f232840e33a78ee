"""Recipes: the bundled ones build models small enough to ship; a bad one is refused with a sentence."""

import json

import pytest
import torch

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.provenance import count_parameters
from pixelcnn_core.training.recipe import RecipeError, load_recipe, recipe_names

GOOD = {"about": "", "data": "digits", "steps": 1, "batch": 1, "learning_rate": 0.1}


@pytest.mark.parametrize("name", recipe_names())
def test_bundled_recipes_build_models_below_ten_megabytes(name):
    recipe = load_recipe(name)
    if recipe.data == "digits":
        data = load_data("digits", ".", "train")
    else:
        faces = recipe.data == "faces"
        classes = {"cifar10": 10, "imagenet32classes": 32}.get(recipe.data, 0)
        data = ImageData(torch.zeros(1, 3, recipe.size, recipe.size, dtype=torch.uint8), torch.zeros(1),
                         tuple(map(str, range(classes))), embeddings=torch.zeros(1, 128) if faces else None)
    config = recipe.config(data)
    with torch.device("meta"):
        parameters = count_parameters(recipe.model_class(config))
    assert parameters * 2 < 10_000_000
    assert recipe.about and recipe.name == name


@pytest.mark.parametrize("text, message", [
    ("{", "not valid JSON"), ("[]", "no table of settings"),
    ("[" * 100_000, "not valid JSON"), (json.dumps({**GOOD, "speed": 1}), "speed"),
    (json.dumps({"data": "digits"}), "incomplete"), (json.dumps({**GOOD, "steps": 0}), "steps must be at least 1"),
    (json.dumps({**GOOD, "kind": "gan"}), "kind must be one of pixelcnn, upscaler"),
    (json.dumps({**GOOD, "learning_rate": 0}), "learning_rate must be above 0"),
    (json.dumps({**GOOD, "ema": 1}), r"ema must be in \[0, 1\)"),
    (json.dumps({**GOOD, "steps": "many"}), "steps must be a whole number, not 'many'"),
    (json.dumps({**GOOD, "batch": 16.0}), "batch must be a whole number, not 16.0"),
    (json.dumps({**GOOD, "batch": True}), "batch must be a whole number, not True"),
    (json.dumps({**GOOD, "flips": 1}), "flips must be true or false, not 1"),
    (json.dumps({**GOOD, "seed": -1}), "seed must be at least 0"), (json.dumps({**GOOD, "warm_up": -5}), "warm_up"),
    (json.dumps({**GOOD, "model": []}), "model must be a table of settings"), (json.dumps({**GOOD, "name": 3}), "name"),
    (json.dumps({**GOOD, "learning_rate": float("nan")}), "learning_rate"),
    (json.dumps({**GOOD, "embedding_noise": float("nan")}), "embedding_noise"),
    (json.dumps({**GOOD, "shifts": -1}), "shifts must be at least 0"),
    (json.dumps({**GOOD, "other_photos": 2}), "other_photos must be at most 1"),
    (json.dumps({**GOOD, "\n": 1}), "no recipe"), (json.dumps({**GOOD, "start": "runs/x"}), "from no other kind"),
])
def test_a_bad_recipe_is_refused(tmp_path, text, message):
    path = tmp_path / "mine.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        load_recipe(str(path))


def test_unknown_recipes_and_settings_are_named(tmp_path):
    with pytest.raises(RecipeError, match="no recipe is called 'imagenet'; there are chain-autoencoder-0-cpu, "):
        load_recipe("imagenet")
    path = tmp_path / "mine.json"
    for model, message in (({"depth": 3}, "depth"), ({"features": 0}, "features must be at least 1")):
        path.write_text(json.dumps({**GOOD, "model": model}), encoding="utf-8")
        with pytest.raises(RecipeError, match=f"recipe mine: .*{message}"):
            load_recipe(str(path)).config(load_data("digits", ".", "train"))


def test_a_recipe_from_windows_begins_with_a_mark(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(GOOD), encoding="utf-8-sig")
    assert load_recipe(str(path)).steps == 1


def test_what_the_data_set_says_is_no_setting(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**GOOD, "model": {"channels": 1}}), encoding="utf-8")
    with pytest.raises(RecipeError, match="comes from the data set: .*channels"):
        load_recipe(str(path)).config(load_data("digits", ".", "train"))
