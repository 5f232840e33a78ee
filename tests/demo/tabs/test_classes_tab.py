"""The tab "Classes": panels without holes, ink on paper, what is said of the sampler."""

import shutil

import numpy as np
import pytest

from demo.kit.page_files import FILES
from demo.tabs.classes.knobs import KNOBS, NAME, read_knobs, turned
from demo.tabs.classes.panels import as_shown, blank_html, columns, grid_html
from demo.tabs.classes.tab import is_paper, sampler_words


@pytest.mark.parametrize("panels, wide, narrow", [
    (1, 1, 1), (2, 2, 2), (3, 3, 2), (4, 2, 2), (6, 3, 2), (8, 4, 3), (10, 5, 3), (11, 6, 3), (12, 6, 3), (33, 6, 3)])
def test_few_panels_are_large_and_many_fill_their_rows(panels, wide, narrow):
    assert columns(panels) == (wide, narrow)
    assert panels % wide == 0 or panels % wide > wide / 2 or panels > 10, "the last row is not nearly empty"


def test_digits_are_ink_on_paper_and_photos_as_they_are(service):
    dark = np.zeros((1, 1, 8, 8, 1), np.uint8)
    assert as_shown(dark, service.info("digits")).min() == 255
    photo = np.full((1, 1, 16, 16, 3), 9, np.uint8)
    assert (as_shown(photo, service.info("photos")) == photo).all()


def test_the_panels_carry_their_columns(service):
    settings = service.settings("photos", images=1)
    page = blank_html(service, settings)
    assert "--wide:3;--narrow:2;" in page and page.count("<figure>") == 3 and "unfinished" in page
    images = np.zeros((3, 1, 16, 16, 3), np.uint8)
    assert "unfinished" not in grid_html(images, settings, service.info("photos"))


@pytest.mark.parametrize("numbers, paper", [((1, 1, 0), True), ((1.0, "1", 0), True), ((0.9, 1, 0), False),
                                            ((1, 1.5, 0), False), ((1, 1, 0.05), False), ((None, None, None), True)])
def test_the_papers_sampler_is_known_by_its_numbers(numbers, paper):
    assert is_paper(*numbers) is paper
    words = sampler_words(*numbers)
    assert ("This is the paper" in words) is paper and ("Sharpened" in words) is not paper


def test_what_sharpens_is_named_and_nothing_else():
    words = sampler_words(1, 1.5, 0.05)
    assert "guidance 1.5, min-p 0.05" in words and "temperature" not in words


def test_the_strips_show_one_class_and_turn_one_knob(service):
    stored = service.settings("photos", images=3, temperature=0.9, guidance=2, seed=5)
    asked = list(turned(stored))
    assert {(one.classes, one.images, one.seed) for one in asked} == {(stored.classes[1:2], 1, 5)}
    assert [(one.temperature, one.guidance) for one in asked] == [
        *((value, 2) for value in KNOBS["temperature"]), *((0.9, value) for value in KNOBS["guidance"])]


def test_stored_strips_belong_to_their_weights(service, tmp_path):
    info, folder = service.info("photos"), tmp_path / "photos"
    shutil.copytree(service.folder / "photos", folder)
    strips = read_knobs(folder, info)
    assert {name: tuple(strip["values"]) for name, strip in strips.items()} == KNOBS
    assert all(source.split("/")[1] in FILES for strip in strips.values() for source in strip["pictures"])
    assert len({*strips["temperature"]["pictures"], *strips["guidance"]["pictures"]}) > 5
    (folder / f"{NAME}.json").write_text('{"weights": "of others"}', encoding="utf-8")
    assert all(not strip["pictures"] for strip in read_knobs(folder, info).values())
    nothing = read_knobs(service.folder / "digits", service.info("digits"))
    assert all(not strip["pictures"] for strip in nothing.values())
