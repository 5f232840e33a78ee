"""The tabs of faces in a real browser: what every chooser, button and upload changes, and nothing sent elsewhere."""

import pytest
from browser_steps import EILEEN, GRACE, PHOTO, idle, sources, wait_for_change, wait_for_text
from PIL import Image

from demo.tabs.portraits.tab import STORED_SEED


@pytest.fixture
def group(tmp_path):
    """A photo of two people side by side."""
    photo = Image.new("RGB", (840, 420))
    for k, path in enumerate((EILEEN, GRACE)):
        photo.paste(Image.open(path).convert("RGB").resize((420, 420)), (420 * k, 0))
    photo.save(path := tmp_path / "two.png")
    return path


@pytest.fixture
def portraits(visit):
    page = visit().open("?tab=portraits")
    page.wait_for_selector("#portraits-grid img")
    page.wait_for_selector(PHOTO, state="attached")
    return page


def test_portraits_open_on_a_stored_example(portraits):
    page = portraits
    assert "Eileen Collins and Grace Hopper" in page.inner_text("#portraits-status")
    assert len(sources(page, "#portraits-grid")) == 12 and page.locator("#portraits-grid .scale").count() == 10
    assert page.locator("#portraits-grid figure.given").count() == 2, "a photo before each row"
    assert page.locator("#portraits-way i").count() == 5, "eyes, nose and mouth"
    assert page.locator("#portraits-way svg path.line").count() == 1, "another person below the bars"
    assert page.inner_text("#portraits-grid").count("two strangers") == 1
    assert not page.locator("#portraits-stored").is_visible(), "it is what the tab opens with"


def test_a_photo_becomes_portraits_without_another_click(portraits, service):
    page, before = portraits, sources(portraits, "#portraits-grid")
    way = sources(page, "#portraits-way")
    service.row_seconds = 0.05
    page.set_input_files(PHOTO, GRACE)
    wait_for_change(page, "#portraits-way", way)
    wait_for_text(page, "#portraits-status", "Row ")
    assert page.locator("#portraits-stop").is_enabled()
    service.row_seconds = 0
    wait_for_text(page, "#portraits-status", "9 portraits of your photo")
    assert not set(sources(page, "#portraits-grid")) & set(before)
    assert "portraits.example" not in page.url
    assert page.get_by_role("link", name="PNG").count() == 0, "one button, not two"
    with page.expect_download() as download:
        page.click("#portraits-png")
    assert download.value.suggested_filename == f"portraits_seed-{STORED_SEED}.png"


@pytest.mark.slow
def test_every_example_draws_at_once_and_is_in_the_address(portraits):
    page = portraits
    for name in ("Grace Hopper", "Eileen Collins"):
        before = sources(page, "#portraits-way")
        page.get_by_role("button", name=name, exact=True).click()
        wait_for_change(page, "#portraits-way", before)
        wait_for_text(page, "#portraits-status", f"9 portraits of {name}")
        page.wait_for_function("name => new URLSearchParams(location.search).get('portraits.example') === name",
                               arg=name)
        idle(page, "portraits-")


@pytest.mark.slow
def test_a_link_to_an_example_draws_it(visit):
    page = visit().open("?tab=portraits&portraits.example=Grace+Hopper")
    wait_for_text(page, "#portraits-status", "9 portraits of Grace Hopper")


def test_draw_and_draw_another(portraits):
    page = portraits
    page.click("#portraits-generate")
    wait_for_text(page, "#portraits-status", "9 portraits of Eileen Collins")
    idle(page, "portraits-")
    page.get_by_text("Same dice, two people: the stored comparison").click()
    assert page.locator("#portraits-stored .twins img").filter(visible=True).count() == 12
    first = sources(page, "#portraits-grid")
    page.click("#portraits-new-seed")
    wait_for_change(page, "#portraits-grid", first)
    wait_for_text(page, "#portraits-status", "9 portraits")
    assert not set(sources(page, "#portraits-grid figure:not(.given)")) & set(first)


@pytest.mark.slow
def test_faces_of_a_group_are_chosen_by_their_pictures(portraits, group):
    page = portraits
    page.set_input_files(PHOTO, group)
    wait_for_text(page, "#portraits-status", "9 portraits of your photo")
    idle(page, "portraits-")
    chips = page.locator("#portraits-faces button")
    assert chips.count() == 2 and len(set(sources(page, "#portraits-faces"))) == 2
    assert [chip.get_attribute("aria-pressed") for chip in chips.all()] == ["true", "false"]
    before = sources(page, "#portraits-grid")
    chips.nth(1).focus()
    page.keyboard.press("Enter")
    wait_for_text(page, "#portraits-status", "2 faces, averaged")
    both = wait_for_change(page, "#portraits-grid", before)
    idle(page, "portraits-")
    assert page.locator("#portraits-way path.line").count() == 2
    page.locator("#portraits-way .box[data-face='1']").click()  # the box in the photo
    wait_for_text(page, "#portraits-status", "9 portraits of your photo")
    assert wait_for_change(page, "#portraits-grid", both) != before
    idle(page, "portraits-")
    chips.nth(1).click()
    wait_for_text(page, "#portraits-status", "Choose at least one face")


@pytest.mark.slow
def test_photos_are_added_to_each_other(portraits):
    page = portraits
    page.set_input_files(PHOTO, GRACE)
    wait_for_text(page, "#portraits-status", "9 portraits")
    idle(page, "portraits-")
    page.get_by_label("Average it with earlier photos").check()
    page.set_input_files(PHOTO, EILEEN)
    wait_for_text(page, "#portraits-status", "2 faces, averaged")
    assert page.locator("#portraits-faces button").count() == 2


@pytest.mark.slow
def test_the_likest_are_drawn_on_request(portraits):
    page = portraits
    page.fill("#portraits-likest input[type=number]", "2")
    page.keyboard.press("Tab")
    page.click("#portraits-generate")
    wait_for_text(page, "#portraits-status", "the most like of 2")
    assert "the most like of 2" in page.inner_text("#portraits-grid")


def test_portraits_stop(portraits, service):
    page, service.row_seconds = portraits, 0.3
    page.click("#portraits-generate")
    wait_for_text(page, "#portraits-status", "Row ")
    page.click("#portraits-stop")
    wait_for_text(page, "#portraits-status", "Stopped", 20)
    idle(page, "portraits-")


def test_a_refused_photo_says_so_beside_the_drop_zone(portraits, tmp_path):
    page, shown = portraits, sources(portraits, "#portraits-grid")
    Image.new("RGB", (300, 300), "teal").save(tmp_path / "wall.png")
    page.set_input_files(PHOTO, tmp_path / "wall.png")
    alert = page.locator("#portraits-refused [role=alert]")
    alert.wait_for()
    assert "No face was found" in alert.inner_text() and "Still showing Eileen Collins" in alert.inner_text()
    assert alert.locator("img").count() == 1 and "Row" not in page.inner_text("#portraits-status")
    assert sources(page, "#portraits-grid") == shown and page.locator("#portraits-generate").is_enabled()
    page.set_input_files(PHOTO, GRACE)
    wait_for_text(page, "#portraits-status", "9 portraits of your photo")
    assert alert.count() == 0, "a good photo takes it away"


@pytest.mark.slow
def test_a_refused_photo_stops_nothing(portraits, service, tmp_path):
    page, service.row_seconds = portraits, 0.3
    page.click("#portraits-generate")
    wait_for_text(page, "#portraits-status", "Row ")
    Image.new("RGB", (300, 300), "teal").save(tmp_path / "wall.png")
    page.set_input_files(PHOTO, tmp_path / "wall.png")
    page.locator("#portraits-refused [role=alert]").wait_for()
    assert page.locator("#portraits-stop").is_enabled(), "it is still drawing"
    service.row_seconds = 0
    wait_for_text(page, "#portraits-status", "9 portraits of Eileen Collins")


@pytest.mark.slow
def test_on_a_phone_the_photo_comes_first(visit):
    page = visit(viewport={"width": 390, "height": 844}).open("?tab=portraits")
    page.wait_for_selector("#portraits-grid img")
    tops = [page.locator(place).first.bounding_box()["y"]
            for place in ("#portraits-photo", "#portraits-way", "#portraits-generate", "#portraits-grid")]
    assert tops == sorted(tops)
    assert page.locator("#portraits-way .way").bounding_box()["height"] < 150, "a strip"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_on_a_phone_drawing_brings_the_portraits_into_sight(visit):
    page = visit(viewport={"width": 390, "height": 664}).open("?tab=portraits")
    page.wait_for_selector("#portraits-grid img")
    page.click("#portraits-generate")
    page.wait_for_function("document.querySelector('#portraits-grid .nine').getBoundingClientRect().top < 400")
    wait_for_text(page, "#portraits-status", "9 portraits of Eileen Collins")
