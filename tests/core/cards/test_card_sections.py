"""Sections of the cards that stand where their file does: the curve of training, and how long sampling takes."""

import csv
import json

import pytest
from PIL import Image

from pixelcnn_core.cards.curve import curve_section, held_out
from pixelcnn_core.cards.readme import drawing_times
from pixelcnn_core.cards.tables import quality_section, sampling_section, tried_section


def write_table(folder, column: str, points: int = 20) -> None:
    """A training.csv in which every other row was scored on held-out images, a minute each."""
    with (folder / "training.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "seconds", "images", "bits_per_dim", column])
        writer.writerows([k, 60 * k, 8 * k, 9, "" if k % 2 else f"{4 + 1 / k:.4f}"] for k in range(1, points + 1))


@pytest.mark.parametrize("column", ["bits_per_dim_validation", "bits_per_dim_test"])
def test_the_curve_is_drawn_and_told(tmp_path, column):
    write_table(tmp_path, column)
    section = curve_section(tmp_path)
    assert "4.500 after 2, 4.167 after 6, 4.100 after 10, 4.050 after 20.\n" in section and "(curve.png)" in section
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.width > picture.height > 100
    (tmp_path / "training.json").write_text(json.dumps({"before": {"seconds": 600}}), encoding="utf-8")
    assert "after 10 of an earlier run: " in curve_section(tmp_path) and "4.050 after 30" in curve_section(tmp_path)


def test_without_a_curve_there_is_no_picture(tmp_path):
    assert curve_section(tmp_path) == "" and held_out(tmp_path / "training.csv") == []
    write_table(tmp_path, "bits_per_dim_validation", 4)
    assert curve_section(tmp_path) == "`training.csv` holds the loss curve.\n"
    assert not (tmp_path / "curve.png").exists()


def test_what_was_tried_stands_below_what_was_judged(tmp_path):
    point = {"temperature": 1.0, "guidance": 2.0, "images": 500, "accuracy": 0.5, "frechet": 4.25, "precision": 0.8,
             "recall": 0.4, "real": {"frechet": 0.1, "precision": 0.9, "recall": 0.9}}
    judged = {**point, "accuracy_real": 0.9, "features": 128, "reference_images": 5000, "min_p": 0.05, "weights": None}
    (tmp_path / "quality.json").write_text(json.dumps(judged), encoding="utf-8")
    assert "guidance 2 and min-p 0.05, beside" in quality_section(tmp_path)
    assert tried_section(tmp_path) == ""
    tried = [point, {**point, "min_p": 0.1}]
    (tmp_path / "quality.json").write_text(json.dumps({**judged, "curve": tried}), encoding="utf-8")
    section = tried_section(tmp_path)
    assert "| 1 | 2 | 0 | 50.0% | 4.25 | 0.80 | 0.40 |\n| 1 | 2 | 0.1 | 50.0% |" in section
    assert "as many real\nimages have one of 0.10." in section


TIMES = {"forward_s": 0.0061, "naive_s": 1234.5, "cached_s": 0.0214, "naive_over_cached": 900.4,
         "images_per_second": 46.7}
WHOLE = {key: TIMES[key] for key in TIMES if key != "forward_s"} | {"coarse_s": 0.0042, "steps": {"8": TIMES}}
MEASURED = {"device": "a core", "threads": 1, "versions": {"torch": "2.9"}, "repeats": 3, "naive_steps_timed": 4}


def test_sampling_times_of_a_single_model_and_of_a_chain(tmp_path):
    assert sampling_section(tmp_path) == ""
    single, chain = ({**MEASURED, "batch": {"1": times, "16": times}} for times in (TIMES, WHOLE))
    (tmp_path / "benchmark.json").write_text(json.dumps(single), encoding="utf-8")
    section = sampling_section(tmp_path)
    assert "| 16 | 0.0061 s | 1,234.5 s | 0.021 s | 900 times | 46.7 |\n" in section and "pixels" not in section.split(
        "| images")[1]
    (tmp_path / "benchmark.json").write_text(json.dumps(chain), encoding="utf-8")
    section = sampling_section(tmp_path)
    assert "| images at once | pixels | one forward pass |" in section
    assert "| 1 | 8 x 8 | 0.0061 s |" in section and "| 1 | all |  | 1,234.5 s |" in section
    assert "after 0.004 (1 image), 0.004 (16 images) s." in section
    assert drawing_times(chain) == (
        "one image in 0.02 s, 900 times as fast as the naive loop; the first row of the smallest picture after "
        "0.004 s; 16 images at once: 47 a second (a core, 1 threads).")
