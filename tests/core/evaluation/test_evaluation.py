"""Evaluation: the numbers are those of the model, and cards and tables quote them from files."""

import json
import shutil

import pytest
import torch
from PIL import Image
from tiny_runs import tiny_recipe

from pixelcnn_core import CheckpointError, Condition, GatedPixelCNN
from pixelcnn_core.cards import readme
from pixelcnn_core.cards.card import FIGURE_3, shown_classes, write_card
from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.results import ResultsError, merge_results, read_results
from pixelcnn_core.training.loop import train
from tests.conftest import small_model


@pytest.fixture
def checkpoint(tmp_path):
    return train(tiny_recipe(validate=0), "nowhere", tmp_path / "tiny")


def test_the_numbers_are_the_models(checkpoint):
    results = evaluate(checkpoint, "nowhere", limit=40, batch=7)
    model, data = GatedPixelCNN.from_pretrained(checkpoint), load_data("digits", ".", "test").first(40)
    with torch.inference_mode():
        bits = model.bits_per_dim(data.images, Condition(label=data.labels))
        without = model.bits_per_dim(data.images, None)
    assert results["images"] == results["images_test"] == results["images_train"] == 40
    assert results["bits_per_dim_test"] == pytest.approx(bits.mean().item(), abs=1e-4)
    assert results["bits_per_dim_test_unconditional"] == pytest.approx(without.mean().item(), abs=1e-4)
    assert results["bits_per_dim_test"] != results["bits_per_dim_test_unconditional"]
    threes = results["bits_per_dim_test_per_class"]["3"]
    assert threes["images"] == (data.labels == 3).sum()
    assert threes["bits_per_dim"] == pytest.approx(bits[data.labels == 3].mean().item(), abs=1e-4)
    assert results["bits_per_dim_test_standard_error"] == pytest.approx(bits.std().item() / 40 ** 0.5, abs=1e-4)
    assert json.loads((checkpoint / "results.json").read_text(encoding="utf-8")) == results


def test_a_hub_id_is_evaluated_like_a_folder(checkpoint, tmp_path, monkeypatch):
    """Its recipe comes from the Hub as well; results are written nowhere."""
    monkeypatch.setattr("pixelcnn_core.models.checkpoint.hf_hub_download", lambda hub_id, name, **_: checkpoint / name)
    monkeypatch.chdir(tmp_path)
    results = evaluate("somebody/tiny", "nowhere", limit=3)
    assert results["data"] == "digits" and "weights" not in results
    assert not (checkpoint / "results.json").exists() and not list(tmp_path.glob("somebody*"))


def test_one_image_has_no_standard_error(checkpoint):
    """And nothing that is not a number is written."""
    assert "bits_per_dim_test_standard_error" not in evaluate(checkpoint, "nowhere", limit=1)
    json.loads((checkpoint / "results.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_what_others_measured_stays_and_damage_is_an_error(checkpoint):
    merge_results(checkpoint, {"identity": {"rank1": 0.5}})
    assert evaluate(checkpoint, "nowhere", limit=5)["identity"] == {"rank1": 0.5}
    before = (checkpoint / "results.json").read_text(encoding="utf-8")
    (checkpoint / "results.json").write_text(before[:40], encoding="utf-8")
    with pytest.raises(ResultsError, match="results.json is damaged"):
        evaluate(checkpoint, "nowhere", limit=5)
    assert (checkpoint / "results.json").read_text(encoding="utf-8") == before[:40]


def test_results_of_other_weights_are_not_shown(checkpoint):
    results = evaluate(checkpoint, "nowhere", limit=5)
    assert read_results(checkpoint) == results
    model = GatedPixelCNN.from_pretrained(checkpoint)
    model.head1.bias.data += 0.5
    model.save_pretrained(checkpoint)
    assert read_results(checkpoint) == {}
    card = write_card(checkpoint, per_class=1).read_text(encoding="utf-8")
    assert "| bits per dimension, test | not measured |" in card
    merge_results(checkpoint, {"identity": 1})
    assert set(read_results(checkpoint)) == {"identity", "weights"}


def test_a_checkpoint_that_does_not_fit_the_data_is_refused(checkpoint, tmp_path):
    small_model(classes=10, channels=1, levels=17, image_size=8).save_pretrained(tmp_path / "foreign")
    with pytest.raises(CheckpointError, match="no recipe.json"):
        evaluate(tmp_path / "foreign", "nowhere")
    shutil.copy(checkpoint / "recipe.json", tmp_path / "foreign")
    with pytest.raises(DataError, match="other classes"):
        evaluate(tmp_path / "foreign", "nowhere")


def test_the_card_holds_only_what_the_files_say(checkpoint):
    text = write_card(checkpoint, per_class=1).read_text(encoding="utf-8")
    assert "| bits per dimension, test | not measured |" in text and "not evaluated" in text
    assert (checkpoint / "samples.png").exists()
    results = evaluate(checkpoint, "nowhere", limit=20)
    facts = json.loads((checkpoint / "training.json").read_text(encoding="utf-8"))
    text = write_card(checkpoint, per_class=1).read_text(encoding="utf-8")
    assert f"| bits per dimension, test | {results['bits_per_dim_test']:.3f} |" in text
    assert "| training | 12 steps of 8 images" in text and f"| trained on | {facts['hardware']} |" in text
    assert "pixelcnn_core train tiny --data DATA --out RUN`" in text


def test_the_card_shows_sample_quality_where_it_was_measured(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "judged")
    assert "## Sample quality" not in write_card(folder, per_class=1).read_text(encoding="utf-8")
    numbers = {"frechet": 1.5, "precision": 0.25, "recall": 0.75}
    judged = {"images": 100, "temperature": 1.0, "guidance": 1.5, "features": 128, "accuracy": 0.4321,
              "accuracy_real": 0.9, "reference_images": 5000, **numbers, "real": {**numbers, "frechet": 0.125}}
    merge_results(folder, judged, "quality.json")
    text = write_card(folder, per_class=1).read_text(encoding="utf-8")
    assert "taken for the class that was asked for | 43.2% | 90.0% |" in text and "guidance 1.5" in text
    assert "other test images | 1.50 | 0.12 |" in text and "| recall | 0.75 | 0.75 |" in text


def test_the_card_of_a_model_with_many_classes_or_none(tmp_path):
    small_model(classes=12, class_names=tuple("abcdefghijkl"), channels=1).float().save_pretrained(tmp_path / "many")
    assert "10 of 12 classes" in write_card(tmp_path / "many", per_class=1).read_text(encoding="utf-8")
    names = ("pizza", *FIGURE_3, *"abc")
    small_model(classes=len(names), class_names=names, channels=1).float().save_pretrained(tmp_path / "imagenet")
    assert shown_classes(names) == FIGURE_3
    assert "8 of 12 classes" in write_card(tmp_path / "imagenet", per_class=1).read_text(encoding="utf-8")
    small_model(channels=1).float().save_pretrained(tmp_path / "none")
    text = write_card(tmp_path / "none", per_class=2).read_text(encoding="utf-8")
    assert "without any condition" in text and "model.sample(n=8, seed=0)" in text
    with Image.open(tmp_path / "none" / "samples.png") as picture:
        assert picture.size == (2 * 5 * 12 + 2,) * 2


def test_the_card_tells_of_earlier_runs(checkpoint, tmp_path):
    more = train(tiny_recipe(validate=0), "nowhere", tmp_path / "more", init=str(checkpoint), max_minutes=5)
    text = write_card(more, per_class=1).read_text(encoding="utf-8")
    assert "| training | 24 steps of 8 images" in text
    assert "--max-minutes 5` with `--init` on the result of a first run of `tiny` (12 steps" in text


def test_the_readme_lists_every_evaluated_checkpoint(checkpoint):
    results = evaluate(checkpoint, "nowhere", limit=20)
    table = readme.models_table(checkpoint.parent)
    assert f"| {results['bits_per_dim_test']:.3f} |" in table and "[tiny]" in table
