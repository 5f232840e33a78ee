"""The Auto-encoder tab in a real browser: a stored example, streaming, stop, edits, an upload, a path, a link."""

import pytest
from browser_steps import pixels, wait_for_text
from helpers import wait_until
from PIL import Image

GRID, STATUS = "#autoencoder-grid", "#autoencoder-status"


def open_tab(visitor, query: str = ""):
    page = visitor.open(f"?tab=autoencoder{query}")
    page.wait_for_selector(f"{GRID} .original img")
    return page


def wait_for_other(page, place: str, before: list[str]) -> list[str]:
    """The pictures in a place, once one of them has changed."""
    assert wait_until(lambda: pixels(page, place) != before, 30)
    return pixels(page, place)


def test_the_tab_opens_on_a_stored_example_of_both_decoders(kept):
    page = kept(open_tab)
    assert "Stored example" in page.inner_text(STATUS)
    assert "given its 6 numbers" in page.text_content(f"{GRID} .code-says"), "folded"
    assert len(pixels(page, GRID)) == 11 and "error" not in " ".join(
        page.locator(f"{GRID} figcaption").all_inner_texts())
    assert page.locator(f"{GRID} figure[title^='error 0.']").count() == 10
    assert page.locator(f"{GRID} .code-bars rect").count() == 6 and "mean of 64 draws" in page.inner_text(GRID)
    page.get_by_text("What the code keeps, measured").click()
    page.get_by_text("class kept", exact=True).wait_for()


def test_a_slider_shows_what_it_does_at_its_ends(kept):
    page = kept(open_tab)
    ends = pixels(page, "#autoencoder-ends-1")
    assert len(ends) == 3 and ends[1] == pixels(page, GRID)[1] and ends[0] != ends[2]
    assert " – " in page.inner_text("#autoencoder-edit-1") and " – " in page.inner_text("#autoencoder-edit-4")


@pytest.mark.slow
def test_the_sliders_of_a_code_without_stored_names_are_numbered(visit):
    page = open_tab(visit())
    page.locator("#autoencoder-size").get_by_label("4 numbers").check()
    wait_for_text(page, "#autoencoder-edit-2", "Direction 2")


def test_draws_stream_in_and_the_answer_of_the_other_decoder_stays(visit, service):
    page = open_tab(visit())
    before = pixels(page, GRID)
    service.row_seconds = 0.05
    page.click("#autoencoder-new-seed")
    wait_for_text(page, STATUS, "Row ")
    assert page.locator("#autoencoder-stop").is_enabled()
    wait_for_text(page, STATUS, "8 pictures")
    after = pixels(page, GRID)
    assert after[:2] == before[:2] and not set(after[2:10]) & set(before[2:10]), "other draws"
    assert after[10:] == before[10:] and "mean of 64 draws" in page.inner_text(GRID), "the mean of many stays"


@pytest.mark.slow
def test_stop(visit, service):
    page = open_tab(visit())
    service.row_seconds = 0.3
    page.click("#autoencoder-generate")
    wait_for_text(page, STATUS, "Row ")
    page.click("#autoencoder-stop")
    wait_for_text(page, STATUS, "Stopped")
    page.wait_for_function("!document.querySelector('#autoencoder-generate').disabled")


@pytest.mark.slow
def test_a_slider_moves_the_code_at_once_and_the_rest_is_drawn_when_it_rests(visit):
    page = open_tab(visit())
    before = pixels(page, GRID)
    page.focus("#autoencoder-edit-1 input[type=range]")
    page.keyboard.press("End")
    wait_for_text(page, STATUS, "The code was moved")
    after = pixels(page, GRID)
    assert after[0] == before[0] and after[1] != before[1]
    assert page.locator(f"{GRID} .code-bars rect").count() == 12, "the picture's own code stands behind the moved one"
    wait_for_text(page, STATUS, "8 pictures")
    assert not set(pixels(page, GRID)[3:]) & set(before), "without a press of Draw"
    page.get_by_role("button", name="Code moved by").click()
    wait_for_text(page, STATUS, "Stored example")
    assert pixels(page, GRID) == before


@pytest.mark.slow
def test_an_upload_is_encoded_and_never_in_the_address(visit, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "slope.png")
    page = open_tab(visit())
    before = pixels(page, GRID)
    page.set_input_files("#autoencoder-photo input[type=file]", tmp_path / "slope.png")
    shown = wait_for_other(page, GRID, before)
    wait_for_text(page, STATUS, "8 pictures")
    assert shown[0] != before[0] and shown[1] != before[1]
    page.wait_for_function("!new URLSearchParams(location.search).get('autoencoder.picture')")


def edits(page) -> list[str]:
    return [one.input_value() for one in page.locator(".code-slider input[type=range]").all()]


@pytest.mark.slow
def test_another_picture_begins_with_its_own_code(visit, tmp_path):
    page = open_tab(visit())
    reset = page.get_by_role("button", name="Code moved by")
    Image.linear_gradient("L").save(tmp_path / "slope.png")
    for choose in (lambda: page.locator("#autoencoder-picture").get_by_label("coffee").check(),
                   lambda: page.set_input_files("#autoencoder-photo input[type=file]", tmp_path / "slope.png")):
        page.focus("#autoencoder-edit-1 input[type=range]")
        page.keyboard.press("End")
        reset.wait_for()
        assert edits(page)[0] == "2" and reset.inner_text().endswith("+2 – reset")
        choose()
        reset.wait_for(state="hidden")
        assert set(edits(page)) == {"0"}


@pytest.mark.slow
def test_a_path_between_two_pictures(visit):
    page = open_tab(visit())
    place = "#autoencoder-path-grid"
    page.get_by_text("Between two codes").click()
    page.wait_for_selector(f"{place} .end img")
    before = pixels(page, place)
    assert len(before) == 2 + 2 * 6
    page.locator("#autoencoder-to-picture").get_by_label("galaxies").check()
    shown = wait_for_other(page, place, before)
    page.click("#autoencoder-path-generate")
    wait_for_text(page, "#autoencoder-path-status", "18 pictures")
    after = pixels(page, place)
    assert len(after) == 14 and after[0] == before[0] and after[-1] == shown[-1]
    draws = range(2, 13, 2)
    assert not {after[k] for k in draws} & {shown[k] for k in draws}


@pytest.mark.slow
def test_a_link_brings_the_settings_back(visit):
    page = open_tab(visit(), "&autoencoder.size=4&autoencoder.picture=rocket&autoencoder.edit2=-1.5"
                             "&autoencoder.seed=12")
    wait_for_text(page, STATUS, "seed 12", 60)  # a link is drawn as soon as it is open
    assert "code of 4" in page.inner_text(STATUS) and "bits" not in page.inner_text(STATUS)
    assert page.locator("#autoencoder-size input:checked").get_attribute("value") == "4"
    assert page.locator("#autoencoder-picture input:checked").get_attribute("value") == "rocket"
    assert page.locator("#autoencoder-edit-2 input[type=range]").input_value() == "-1.5"
    page.get_by_text("How it is drawn").click()
    page.wait_for_function("document.querySelector('#autoencoder-seed input')?.value === '12'")


@pytest.mark.slow
def test_on_a_phone_nothing_is_wider_than_the_screen(visit):
    page = visit(viewport={"width": 390, "height": 800}).open("?tab=autoencoder")
    page.wait_for_selector(f"{GRID} .original img")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
