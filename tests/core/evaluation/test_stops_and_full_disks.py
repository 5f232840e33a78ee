"""What a study says when it is stopped, where it cannot write, and when the disk is full."""

from pathlib import Path

import pytest
from tiny_runs import tiny_recipe

from pixelcnn_core.evaluation import ablation, ladder, race
from pixelcnn_core.evaluation.chain_bits import evaluate_chain
from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.evaluation.quality import quality
from pixelcnn_core.results import ResultsError
from pixelcnn_core.training.recipe import load_recipe
from pixelcnn_core.training.state import TrainingError
from pixelcnn_core.training.stop import TrainingStopped
from tests.conftest import save_small_chain, small_model


@pytest.fixture
def stopped(monkeypatch):
    """Every training is asked to stop at once."""
    class Asked:
        signal = 15

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr("pixelcnn_core.training.loop.StopSignals", Asked)


def test_a_race_that_was_stopped_says_that_it_cannot_go_on(stopped, tmp_path):
    recipe = load_recipe("race-digits")
    with pytest.raises(TrainingStopped, match="and saved in .*: a race cannot go on: begin again with another --out$"):
        race.race(recipe, "nowhere", tmp_path, 5.0)
    with pytest.raises(TrainingError, match="plain already holds a run: a race cannot go on"):
        race.race(recipe, "nowhere", tmp_path, 5.0)


def test_an_ablation_that_was_stopped_goes_on_by_the_same_command(stopped, tmp_path):
    with pytest.raises(TrainingStopped, match="and saved in .*: the same command again goes on$"):
        ablation.ablate(tiny_recipe(), "nowhere", tmp_path, 5.0)


def test_a_folder_that_cannot_be_written_is_found_before_the_work(tmp_path, monkeypatch):
    small_model().save_pretrained(tmp_path / "single")
    save_small_chain(tmp_path / "chain")
    monkeypatch.setattr("pixelcnn_core.results.writable", lambda folder: False)
    for name, measure in (("single", lambda folder: evaluate(folder, "nowhere")),
                          ("chain", lambda folder: evaluate_chain(folder, "nowhere")),
                          ("single", lambda folder: quality(folder, "nowhere", "nowhere"))):
        with pytest.raises(ResultsError, match="could not be written: the folder cannot be written to"):
            measure(tmp_path / name)


@pytest.mark.parametrize("name", ["race.csv", "ladder.csv"])
def test_a_full_disk_names_the_table_and_leaves_the_old_one(name, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / name).write_text("old", encoding="utf-8")
    monkeypatch.setattr(f"pixelcnn_core.evaluation.{name.removesuffix('.csv')}.csv.writer", full)
    with pytest.raises(OSError, match=f"{name} could not be written: No space left on device"):
        if name == "race.csv":
            race.write_table({"models": {}, "batch": 1}, tmp_path / name)
        else:
            ladder.summarise(tmp_path, {})
    assert (tmp_path / name).read_text(encoding="utf-8") == "old" and not list(tmp_path.glob("writing-*"))


def test_a_plot_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    curve = [{"seconds": t, "steps": t, "bits_per_dim": 3 - t / 10} for t in (1, 2)]
    result = {"data": "digits", "images_test": 1, "hardware": "a CPU", "versions": {"torch": "2"}, "clock": "a clock",
              "baselines": {"gaussian": {"name": "Gaussian", "bits_per_dim_test": 3.0}},
              "models": {"plain": {"name": "PixelCNN", "bits_per_dim_test": 2.0, "curve": curve}}}
    race.plot(result, tmp_path / "race.png")
    before = (tmp_path / "race.png").read_bytes()

    def full(figure, path, **_):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(OSError, match="race.png could not be written: No space left"):
        race.plot(result, tmp_path / "race.png")
    assert (tmp_path / "race.png").read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["race.png"]
