"""The ladder as a command: recipes that train, equal minutes, files as promised, and going on after a stop."""

import csv
import json
from dataclasses import replace

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from pixelcnn_core.cards.ladder_page import measured
from pixelcnn_core.cli.main import app
from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.evaluation import ladder as module
from pixelcnn_core.evaluation.ladder import PLACES, RACE, LadderError, ladder, recipes_of
from pixelcnn_core.models.ladder.rung import Rung
from pixelcnn_core.results import read_json
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import recipe_names

pytestmark = pytest.mark.slow

TRAINED = [rung for rung in PLACES if rung not in ("uniform", "gaussian")]


def made_up(size: int, count: int = 1200, split: str = "train") -> ImageData:
    """Smooth colours with a little noise, other ones in every split; enough for the covariance of a Gaussian."""
    generator = torch.Generator().manual_seed(("train", "validation", "test").index(split))
    colour = torch.randint(40, 210, (count, 3, 1, 1), generator=generator)
    noise = torch.randint(-6, 7, (count, 3, size, size), generator=generator)
    return ImageData((colour + noise).byte(), torch.zeros(count, dtype=torch.long), ("a", "b"))


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    def made(name, root, split, size=32, *args, **more):
        return made_up(size, split=split)

    monkeypatch.setattr(module, "load_data", made)
    monkeypatch.setattr("pixelcnn_core.training.loop.load_data", made)


@pytest.mark.parametrize("size", module.SIZES)
@pytest.mark.parametrize("rung", TRAINED)
def test_every_recipe_takes_steps(rung, size, tmp_path, monkeypatch):
    """At the full width of its recipe, on images cut to 8 x 8, or to the size of its step for a chain; and at no size
    are the classes looked at."""
    data = made_up(size, 4).unconditional()
    for recipe in recipes_of(rung, size, data):
        small = min(recipe.size, 8)
        monkeypatch.setattr("pixelcnn_core.training.loop.load_data",
                            lambda *args, small=small, **more: made_up(small, 4))
        model = dict(recipe.model)
        if rung == "deep-gmm":
            model["block"] = 96
        own = replace(recipe, steps=2, batch=2, validate=2, warm_up=0, model=model, name="tiny")
        assert own.unconditional and not own.compile
        out = train(own, "nowhere", tmp_path / str(recipe.size))
        row = list(csv.DictReader((out / "training.csv").read_text(encoding="utf-8").splitlines()))[-1]
        assert row["step"] == "2" and 3 < float(row["bits_per_dim_validation"]) < 14


def test_the_recipes_are_the_ladder_s_and_the_race_s_are_equal():
    data = made_up(16, 4).unconditional()
    found = {recipe.name for size in module.SIZES for rung in TRAINED
             for recipe in recipes_of(rung, size, made_up(size).unconditional())}
    assert found == {name for name in recipe_names() if name.startswith("ladder-")}
    assert [recipe.size for recipe in recipes_of("chain", 32, made_up(32).unconditional())] == [8, 16, 32]
    family = [recipes_of(rung, 16, data)[0] for rung in RACE]
    assert len({(recipe.batch, recipe.learning_rate, recipe.seed) for recipe in family}) == 1
    kinds = {PLACES[rung].what for rung in TRAINED if issubclass(recipes_of(rung, 16, data)[0].model_class, Rung)}
    assert kinds == {"dequantised", "bound"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A ladder of five rungs and one seed, by the command line; its folder, with how often a run was trained."""
    out, patch = tmp_path_factory.mktemp("ladder") / "ladder", pytest.MonkeyPatch()
    patch.setattr(module, "load_data", lambda name, root, split, size=32, *args, **more: made_up(size, split=split))
    patch.setattr("pixelcnn_core.training.loop.load_data",
                  lambda name, root, split, size=32, *args, **more: made_up(size, split=split))
    patch.setattr(module, "RATES", (1.0, 2.0))
    threads = torch.get_num_threads()
    result = CliRunner().invoke(app, ["ladder", "--data", "nowhere", "--out", str(out), "--minutes", "0.004",
                                      "--seeds", "1", "--images", "6", "--only", "nice", "--only", "gaussian",
                                      "--only", "pixelcnn", "--only", "conv-draw", "--only", "chain"])
    patch.undo()
    assert result.exit_code == 0 and f"ladder: {out}" in result.output, result.output
    assert torch.get_num_threads() == threads
    return out


def test_the_files_say_what_was_measured(finished):
    stored = read_json(finished / "ladder.json")
    assert list(stored["rungs"]) == ["gaussian", "nice", "conv-draw", "pixelcnn", "chain"]  # in the paper's order
    assert stored["images_test"] == 6 and stored["image_size"] == 16 and stored["minutes"] == 0.004
    for rung, entry in stored["rungs"].items():
        (run,) = entry["runs"]
        assert entry["bits_per_dim_test"] == run["bits_per_dim_test"] and entry["spread"] == 0 and entry["seeds"] == 1
        assert 2 < run["bits_per_dim_test"] < 14 and run["bits_per_dim_test_standard_error"] > 0
        assert entry["kind"] == PLACES[rung].what and entry["what"].startswith(
            "exact" if rung == "pixelcnn" else "at most")
        with Image.open(finished / "samples" / f"{rung}.png") as strip:
            assert strip.size == (8 * 34 - 2, 32)
        if rung == "gaussian":
            continue
        assert run["seconds"] == pytest.approx(0.24, rel=3) and run["steps"] >= 1 and run["parameters"] > 1000
        assert run["curve"][-1]["bits_per_dim"] == run["bits_per_dim_validation"]
        assert run["tries"]["1.0"] is not None
        best = min((bits, rate) for rate, bits in run["tries"].items() if bits is not None)[1]
        recipe = recipes_of(rung, 16, made_up(16).unconditional())[-1]
        assert run["learning_rate"] == pytest.approx(float(best) * recipe.learning_rate)
        assert len(run["tries"]) <= module.MOST_TRIES
        assert ("importance" in run) == (entry["gain"] is not None) == (rung in ("nice", "conv-draw"))
    rows = list(csv.DictReader((finished / "ladder.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["rung"] for row in rows} == {"nice", "conv-draw", "pixelcnn", "chain"}
    assert all(float(row["minutes"]) >= 0 for row in rows)  # of the first points less than is written
    assert all(float(last["minutes"]) > 0 for last in {(row["rung"], row["seed"]): row for row in rows}.values())


def test_a_chain_s_steps_share_the_minutes(finished):
    eight, sixteen = (read_json(finished / "runs" / "chain-0" / size / "training.json") for size in ("8", "16"))
    assert sixteen["max_minutes"] == pytest.approx(2 * eight["max_minutes"])
    assert eight["max_minutes"] + sixteen["max_minutes"] == pytest.approx(0.004)


def test_what_is_finished_is_not_trained_again(finished, monkeypatch):
    """A second start trains the run whose result is missing and the new seed, and nothing else."""
    trained = []

    def watched(run, *args):
        trained.append((run.rung, run.seed))
        return climb(run, *args)

    climb = module.climb
    monkeypatch.setattr(module, "climb", watched)
    monkeypatch.setattr(module, "RATES", (1.0, 2.0))
    (finished / "runs" / "nice-0" / "result.json").unlink()
    result = ladder("nowhere", finished, 0.004, 2, images=6, only=("gaussian", "nice"))
    assert trained == [("nice", 0), ("nice", 1)]  # a Gaussian has no seed
    nice = result["rungs"]["nice"]
    bits = [run["bits_per_dim_test"] for run in nice["runs"]]
    assert nice["seeds"] == 2 and nice["bits_per_dim_test"] == pytest.approx(sum(bits) / 2, abs=1e-4)
    assert nice["spread"] == pytest.approx(abs(bits[0] - bits[1]) / 2 ** 0.5, abs=1e-4)
    assert list(result["rungs"]) == ["gaussian", "nice", "conv-draw", "pixelcnn", "chain"]


def test_a_seed_is_added_to_results_that_were_kept_without_their_runs(finished, tmp_path, monkeypatch):
    """As in the repository: ladder.json and samples alone. The learning rates are the first seed's."""
    kept, trained = tmp_path / "kept", []
    kept.mkdir()
    (kept / "ladder.json").write_bytes((finished / "ladder.json").read_bytes())
    before = read_json(kept / "ladder.json")["rungs"]["conv-draw"]

    def watched(*args):
        trained.append(args[0].seed)
        return climb(*args)

    climb = module.climb
    monkeypatch.setattr(module, "climb", watched)
    monkeypatch.setattr(module, "try_rate", lambda *args: pytest.fail("the learning rate was found before"))
    monkeypatch.setattr(module, "RATES", (1.0, 2.0))
    monkeypatch.setattr(module, "MOST_TRIES", len(before["runs"][0]["tries"]))
    after = ladder("nowhere", kept, 0.004, 2, images=6, only=("gaussian", "conv-draw"))["rungs"]["conv-draw"]
    assert trained == [1] and after["seeds"] == 2 and after["spread"] > 0
    assert after["runs"][0] == before["runs"][0]
    assert after["runs"][1]["learning_rate"] == before["runs"][0]["learning_rate"]
    assert not (kept / "samples" / "conv-draw.png").exists()


def test_other_settings_and_unknown_rungs_are_refused(finished, tmp_path):
    with pytest.raises(LadderError, match="holds a ladder with other settings .*minutes 0.004.*another --out"):
        ladder("nowhere", finished, 1.0, 1, images=6)
    with pytest.raises(LadderError, match="no rung is called 'gan'; there are uniform, gaussian, nice"):
        ladder("nowhere", tmp_path / "other", 1.0, 1, only=("gan",))
    with pytest.raises(LadderError, match="16 and 32 pixels, not 64"):
        ladder("nowhere", tmp_path / "other", 1.0, 1, size=64)
    assert not (tmp_path / "other").exists()


def test_the_page_says_where_nothing_was_measured(tmp_path):
    assert measured(tmp_path) == "Not measured yet."


def test_the_page_tells_of_seeds_and_of_longer_runs(finished, tmp_path):
    for folder in (tmp_path, tmp_path / "longer"):
        folder.mkdir(exist_ok=True)
        (folder / "ladder.json").write_bytes((finished / "ladder.json").read_bytes())
    page, stored = measured(tmp_path), read_json(finished / "ladder.json")["rungs"]
    assert f"| NICE | at most {stored['nice']['bits_per_dim_test']:.3f} |" in page
    assert f"| Gated PixelCNN | {stored['pixelcnn']['bits_per_dim_test']:.3f} |" in page
    assert page.startswith("0.004 minutes of training for each rung, ") and "With more time, 0.004 minutes each" in page


def test_a_rung_that_diverges_everywhere_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RATES", (1e8, 1e9))
    with pytest.raises(LadderError, match="NICE diverged at every learning rate"):
        ladder("nowhere", tmp_path / "out", 0.02, 1, images=4, only=("nice",))
    tries = json.loads((tmp_path / "out" / "runs" / "nice-rates" / "tries.json").read_text(encoding="utf-8"))
    assert tries == {str(1e8): None, str(1e9): None}
