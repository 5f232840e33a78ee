"""results.py: what is read, merged and written; damage is an error and never an empty result."""

import json

import pytest

from pixelcnn_core.provenance import training_so_far
from pixelcnn_core.results import (
    ResultsError,
    merge_results,
    read_json,
    read_measured,
    read_results,
    weights_hash,
    write_json,
)
from tests.conftest import small_model


@pytest.fixture
def folder(tmp_path):
    small_model().save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"a"', "[" * 100_000, "{}x", "\0"])
def test_a_damaged_file_is_an_error_and_stays_as_it_is(folder, text):
    (folder / "results.json").write_text(text, encoding="utf-8")
    for touch in (lambda: read_json(folder / "results.json"), lambda: read_results(folder),
                  lambda: merge_results(folder, {"a": 1})):
        with pytest.raises(ResultsError, match="results.json is damaged") as error:
            touch()
        assert "\n" not in str(error.value)
    assert (folder / "results.json").read_text(encoding="utf-8") == text


def test_no_file_is_no_results_and_no_folder_is_none_made(folder):
    assert read_json(folder / "results.json") == {} == read_results(folder)
    assert merge_results(folder / "name-on-the-hub", {"a": 1}) == {"a": 1}
    assert not (folder / "name-on-the-hub").exists()


def test_measurements_are_merged(folder):
    merge_results(folder, {"a": 1, "b": 2})
    assert merge_results(folder, {"b": 3, "c": 4}) == read_results(folder)
    assert {key: read_results(folder)[key] for key in "abc"} == {"a": 1, "b": 3, "c": 4}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_written(folder, value):
    merge_results(folder, {"a": 1})
    with pytest.raises(ResultsError, match="could not be written"):
        merge_results(folder, {"b": [value]})
    assert read_results(folder)["a"] == 1 and not list(folder.glob("*.tmp"))


def test_results_without_the_name_of_their_weights_are_nobodys(folder):
    write_json(folder / "results.json", {"bits_per_dim_test": 1.0})
    assert read_results(folder) == {}


def test_numbers_of_other_weights_are_not_taken(folder):
    """What `benchmark` and `compress-table` write with --json; files of earlier versions name no weights."""
    for name, taken in ((weights_hash(folder), True), (None, True), ("0" * 64, False)):
        write_json(folder / "benchmark.json", {"batch": {}, **({"weights": name} if name else {})})
        assert bool(read_measured(folder, "benchmark.json")) == taken
    assert read_measured(folder, "codec.json") == {}


@pytest.mark.parametrize("facts", [{"steps": "many"}, {"steps": 1}, {"steps": 1, "images": [], "seconds": 2},
                                   {"steps": 1, "images": 1, "seconds": 1, "before": [3]}])
def test_a_damaged_training_json(folder, facts):
    (folder / "training.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(ResultsError, match="how long it was trained"):
        training_so_far(folder)
