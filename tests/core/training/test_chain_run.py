"""A chain from the command line: trained step by step, what is finished left alone, scored, drawn, and described."""

import json
import re
import shutil

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from tiny_runs import MODEL
from typer.testing import CliRunner

from pixelcnn_core.cli.main import app
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.models.chain import Chain, load_model
from pixelcnn_core.provenance import recipe_of
from pixelcnn_core.results import ResultsError, read_results
from pixelcnn_core.training import chain as chain_module
from pixelcnn_core.training.chain import chain_recipes
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe, load_recipe, recipe_names
from pixelcnn_core.training.state import STATE_FILE, TrainingError

TRAIN = {"learning_rate": 0.01, "warm_up": 2, "batch": 8, "steps": 6, "validate": 8, "sample": False, "ema": 0.5}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The digits shrunk to 4 x 4 and at 8 x 8 are a data set with sizes; a chain of two tiny steps trained on it."""
    def data(name, root, split, size=32, *rest, **more):
        digits = load_data("digits", root, split)
        if size == 4:
            digits.images = torch.nn.functional.avg_pool2d(digits.images.float(), 2).round().byte()
        return digits

    def recipe(name):
        size = int(re.search(r"\d+", name)[0])
        model = {k: v for k, v in MODEL.items() if k != "dropout"}
        step = {"model": model} if size == 4 else {
            "kind": "upscaler", "model": {"features": 4, "map_channels": 3, "decoder": model}, "smaller_noise": 0.05}
        return Recipe(name, "a test", "digits", size=size, **TRAIN, **step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain_module, "chain_recipes", lambda name: ["tiny-4", "tiny-8"] if name == "tiny-chain" else [])
        patch.setattr(chain_module, "load_recipe", recipe)
        patch.setattr("pixelcnn_core.training.loop.load_data", data)
        patch.setattr("pixelcnn_core.evaluation.chain_bits.load_data", data)
        folder = tmp_path_factory.mktemp("runs") / "digits-chain"
        yield folder, lambda *words: CliRunner().invoke(app, list(map(str, words)))


@pytest.fixture(scope="module")
def trained(run):
    folder, invoke = run
    found = invoke("train", "tiny-chain", "--data", ".", "--out", folder)
    assert found.exit_code == 0, found.output
    return folder, invoke


def test_every_step_is_trained_once(trained):
    folder, invoke = trained
    assert json.loads((folder / "chain.json").read_text(encoding="utf-8")) == {"steps": ["4", "8"]}
    assert Chain.from_pretrained(folder).sizes == [4, 8]
    before = {size: (folder / size / "model.safetensors").stat().st_mtime_ns for size in ("4", "8")}
    (folder / "8" / "model.safetensors").unlink()
    (folder / "8" / "training_state.safetensors").unlink()
    assert invoke("train", "tiny-chain", "--data", ".", "--out", folder).exit_code == 0
    assert (folder / "4" / "model.safetensors").stat().st_mtime_ns == before["4"]  # finished: left alone
    assert (folder / "8" / "model.safetensors").stat().st_mtime_ns > before["8"]  # missing: trained


def copied(trained, folder):
    """The finished chain: its first step as one is published, and a setting in its chain.json."""
    shutil.copytree(trained[0], folder)
    (folder / "4" / STATE_FILE).unlink()
    (folder / "chain.json").write_text(json.dumps({"steps": ["4", "8"], "coarsest_min_p": 0.2}), encoding="utf-8")
    return folder


def test_a_published_step_is_left_as_it_is_and_chain_json_keeps_what_it_says(trained, tmp_path, capsys):
    """Weights without a state, however short their training was: `train` refuses them too."""
    folder = copied(trained, tmp_path / "published")
    facts = json.loads((folder / "4" / "training.json").read_text(encoding="utf-8"))
    (folder / "4" / "training.json").write_text(json.dumps({**facts, "steps": 3}), encoding="utf-8")
    before = {path: path.read_bytes() for path in folder.rglob("*.safetensors")}
    for minutes in (None, 10.0):
        chain_module.train_chain("tiny-chain", ".", folder, max_minutes=minutes)
        said = capsys.readouterr().err
        assert "tiny-4: " in said and "tiny-8: " in said and "is there, and is left as it is" in said
    assert {path: path.read_bytes() for path in folder.rglob("*.safetensors")} == before
    assert json.loads((folder / "chain.json").read_text(encoding="utf-8")) == {"steps": ["4", "8"],
                                                                               "coarsest_min_p": 0.2}


def test_an_unfinished_step_goes_on_and_a_damaged_chain_json_is_an_error(trained, tmp_path, monkeypatch):
    folder, asked = copied(trained, tmp_path / "unfinished"), []
    facts = json.loads((folder / "8" / "training.json").read_text(encoding="utf-8"))
    (folder / "8" / "training.json").write_text(json.dumps({**facts, "steps": 3}), encoding="utf-8")
    monkeypatch.setattr(chain_module, "train", lambda recipe, data, out, **how: asked.append((recipe.name, how)))
    chain_module.train_chain("tiny-chain", ".", folder)
    assert [name for name, how in asked] == ["tiny-8"] and asked[0][1]["resume"]
    (folder / "chain.json").write_text("{", encoding="utf-8")
    with pytest.raises(ResultsError, match="chain.json is damaged"):
        chain_module.train_chain("tiny-chain", ".", folder)
    assert len(asked) == 1


def test_a_chain_and_a_single_model_do_not_share_a_folder(trained, tmp_path):
    folder = copied(trained, tmp_path / "chain")
    for how in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(TrainingError, match="holds a chain: choose the folder of one of its steps"):
            train(load_recipe("digits"), "nowhere", folder, **how)
    with pytest.raises(TrainingError, match="holds a model that is no chain"):
        chain_module.train_chain("tiny-chain", ".", folder / "8", overwrite=True)


def test_overwriting_trains_every_step_anew(trained, tmp_path):
    folder = copied(trained, tmp_path / "again")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")}
    chain_module.train_chain("tiny-chain", ".", folder, overwrite=True)
    assert all(path.stat().st_mtime_ns > time for path, time in before.items()) and len(before) == 2
    assert json.loads((folder / "chain.json").read_text(encoding="utf-8"))["coarsest_min_p"] == 0.2


def test_its_steps_are_scored_and_the_card_says_at_most(trained):
    folder, invoke = trained
    assert invoke("evaluate", folder, "--data", ".", "--limit", 20).exit_code == 0
    results = read_results(folder)
    assert list(results["steps"]) == ["4", "8"] and results["images_test"] == 20
    total = sum(step["bits"] for step in results["steps"].values())
    assert results["bits_at_most"] == pytest.approx(total, abs=0.2)
    for step, pixels in zip(results["steps"].values(), (16, 64)):
        assert step["bits_per_dim"] == pytest.approx(step["bits"] / pixels, abs=0.01)
        assert step["condition_is_worth_bits"] == pytest.approx(
            (step["bits_per_dim_unconditional"] - step["bits_per_dim"]) * pixels, abs=0.02)
    assert invoke("card", folder).exit_code == 0
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "*at most*" in card and "| 4 x 4 |" in card and (folder / "samples.png").is_file()


def test_results_are_those_of_all_steps_weights(trained):
    folder, _ = trained
    assert read_results(folder)
    weights = folder / "4" / "model.safetensors"
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert read_results(folder) == {}
    weights.write_bytes(kept)
    assert read_results(folder)


def test_a_chain_on_the_hub_is_evaluated_and_drawn_like_a_folder(trained, tmp_path, monkeypatch):
    folder, invoke = trained

    def download(hub_id, name, revision=None, **_):
        asked.add((name, revision))
        if not (folder / name).is_file():
            raise LocalEntryNotFoundError(f"{hub_id} has no {name}")
        return str(folder / name)

    asked = set()
    monkeypatch.setattr("pixelcnn_core.models.checkpoint.hf_hub_download", download)
    monkeypatch.chdir(tmp_path)
    assert load_model("somebody/tiny", revision="first").sizes == [4, 8]
    files = [f"{step}/{file}" for step in (4, 8) for file in ("config.json", "model.safetensors")]
    assert asked == {(name, "first") for name in ("chain.json", *files)}, "a revision is that of every file"
    assert recipe_of("somebody/tiny")["name"] == "tiny-8"
    found = invoke("evaluate", "somebody/tiny", "--data", ".", "--limit", 3)
    assert found.exit_code == 0 and "bits_at_most" in found.output, found.output
    assert not list(tmp_path.iterdir()), "results of a Hub id are written nowhere"


def test_a_grid_is_drawn_with_truncation(trained, tmp_path):
    folder, invoke = trained
    pictures = []
    for more in ((), ("--min-p", 0.5)):
        found = invoke("sample", folder, "--out", tmp_path / "grid.png", "--n", 2, "--classes", "3,7", *more)
        assert found.exit_code == 0, found.output
        pictures.append((tmp_path / "grid.png").read_bytes())
    assert pictures[0] != pictures[1]
    assert invoke("sample", folder, "--min-p", 2).exit_code == 2


def test_every_step_and_the_whole_are_timed(trained, tmp_path):
    folder, invoke = trained
    found = invoke("benchmark", folder, "--batch", 1, "--repeats", 1, "--json", tmp_path / "times.json")
    assert found.exit_code == 0, found.output
    times = json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))
    batch = times["batch"]["1"]
    assert list(batch["steps"]) == ["4", "8"] and 0 < batch["coarse_s"] < batch["cached_s"]
    assert batch["naive_s"] == pytest.approx(sum(step["naive_s"] for step in batch["steps"].values()))
    assert all(2 <= step["fixed_point_passes"] <= int(size) ** 2 + 1 for size, step in batch["steps"].items())
    assert times["parameters"] == sum(p.numel() for step in Chain.from_pretrained(folder).steps
                                      for p in step.parameters())


def test_the_chains_of_the_project_have_a_recipe_for_each_size():
    for name, sizes in (("portraits-chain", (8, 16, 32, 64)), ("cifar10-chain", (8, 16, 32)),
                        ("imagenet32classes-chain", (8, 16, 32, 64))):
        for kind in ("", "-cpu"):
            steps = [load_recipe(step) for step in chain_recipes(name + kind)]
            assert tuple(step.size for step in steps) == sizes
            assert [step.kind for step in steps] == ["pixelcnn"] + ["upscaler"] * (len(sizes) - 1)
            assert len({step.data for step in steps}) == 1
    assert chain_recipes("cifar10") == [] and chain_recipes("nothing-chain") == []
    assert len(recipe_names()) == len(set(recipe_names()))
