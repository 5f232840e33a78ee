"""The Inside tab in a real browser: a pixel is clicked and its numbers are read; play, scrub, edit, link, phone."""

import numpy as np
import pytest
from PIL import Image

from demo.kit.pictures import bundled
from demo.tabs.inside.service import InsideService
from demo.tabs.inside.tab import opposite, read_colour

SLOW = 60_000  # milliseconds that a loaded machine may need


@pytest.fixture
def inside(service) -> InsideService:
    return InsideService(service)


def open_inside(visitor, query: str = ""):
    page = visitor.open("?tab=inside" + query)
    page.wait_for_selector("#inside-trace [data-ready]", timeout=SLOW)
    page.wait_for_function("document.querySelector('#inside-canvas canvas').clientWidth > 200", timeout=SLOW)
    return page


def click_pixel(page, size: int, row: int, column: int) -> None:
    canvas = page.locator("#inside-canvas canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": (column + 0.5) * box["width"] / size, "y": (row + 0.5) * box["height"] / size})


def wait_for(page, place: str, text: str) -> None:
    page.wait_for_function("([place, text]) => document.querySelector(place).innerText.includes(text)",
                           arg=[place, text], timeout=SLOW)


def numbers(page) -> list[list[float]]:
    """Value, rank, surprise and entropy of R, G and B, as they are on the screen."""
    return page.eval_on_selector_all("#inside-trace section", """sections => sections.map(
        section => [...section.querySelectorAll('b')].map(number => Number(number.innerText)))""")


def test_a_click_shows_the_numbers_of_the_core(visit, inside):
    page = open_inside(visit())
    image, size = inside.fit(bundled("cat")), inside.size
    trace = inside.look(image, "cat")
    click_pixel(page, size, 3, 11)
    wait_for(page, "#inside-canvas output", "row 3, column 11")
    expected = np.stack([image[3, 11], trace.rank[3, 11], trace.surprise[3, 11], trace.entropy[3, 11]], 1)
    assert np.allclose(numbers(page), expected, atol=0.0051)
    said = page.inner_text("#inside-canvas output")
    assert np.isclose(float(said.split(" · ")[-1].removesuffix(" bits")), trace.surprise[3, 11].sum(), atol=0.0051)
    plain, earlier = inside.field("plain", 32, (3, 11))
    wait_for(page, "#inside-seen", f"{int((earlier & ~plain).sum())} of {int(earlier.sum())} earlier pixels")
    page.get_by_label("Gated PixelCNN").check()
    wait_for(page, "#inside-seen", f"0 of {int(earlier.sum())} earlier pixels")
    page.get_by_label("This model, trained").check()
    wait_for(page, "#inside-seen", "half of the influence")


def test_play_pause_step_and_scrub(visit, inside):
    page, size = open_inside(visit()), inside.size
    drawn = "#inside-trace .player output"
    wait_for(page, drawn, f"all {size ** 2} pixels")
    page.select_option("#inside-trace select", label="slow")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("[1, 2, 3, 4].includes(Number(document.querySelector('#inside-trace input').value))",
                           timeout=SLOW)
    page.get_by_role("button", name="Pause", exact=True).click()
    step = int(page.input_value("#inside-trace input"))
    page.get_by_role("button", name="One pixel").click()
    wait_for(page, drawn, f"{step + 1} pixels drawn; next: row 0, column {step + 1}")
    page.get_by_role("button", name="One row").click()
    wait_for(page, drawn, f"{size} pixels drawn; next: row 1, column 0")
    values = inside.fit(bundled("cat"))[1, 0].tolist()
    assert [int(row[0]) for row in numbers(page)] == values, "the distributions follow"
    page.focus("#inside-trace input")
    page.keyboard.press("ArrowRight")
    wait_for(page, drawn, "next: row 1, column 1")
    page.wait_for_function("location.search.includes('inside.pixel=1%2C1')", timeout=SLOW)  # chosen for all the tab
    page.keyboard.press("End")
    wait_for(page, drawn, f"all {size ** 2} pixels")


def test_an_edit_is_drawn_with_the_same_noise(visit, inside):
    page, size = open_inside(visit()), inside.size
    click_pixel(page, size, 2, 5)
    wait_for(page, "#inside-seen", f"of {2 * size + 5} earlier pixels")
    page.click("#inside-edit")
    page.wait_for_selector("#inside-comparison .changed", timeout=SLOW)
    image, place = inside.fit(bundled("cat")), (2, 5)
    *_, last = inside.edit(image, "cat", 7, place, read_colour(opposite(image[place])), False)
    changed = int((last.images[0, 0] != last.images[1, 0]).any(2).sum())
    assert page.inner_text("#inside-comparison .early") == "0"
    assert int(page.inner_text("#inside-comparison .changed")) == changed - 1, "all but the edited pixel itself"
    page.get_by_label("coffee").first.check()
    wait_for(page, "#inside-comparison", "Nothing is drawn yet")


def test_a_link_opens_the_same_sample_and_pixel(visit, inside):
    *_, last = inside.draw("ship", 41)
    query = "&inside.picture=a+sample&inside.class=ship&inside.seed=41&inside.pixel=4,7&inside.network=gated"
    page = open_inside(visit(), query)
    wait_for(page, "#inside-status", "seed 41")
    page.wait_for_function("document.querySelector('#inside-trace h5').innerText.includes('h = ship')", timeout=SLOW)
    page.wait_for_function("values => String([...document.querySelectorAll('#inside-trace section')].map("
                           "s => Number(s.querySelector('b').innerText))) == String(values)",
                           arg=last.images[0, 0, 4, 7].tolist(), timeout=SLOW)
    wait_for(page, "#inside-seen", f"0 of {4 * inside.size + 7} earlier pixels")


def test_an_upload_is_shown_and_never_in_the_address(visit, inside, tmp_path):
    page = open_inside(visit())
    for colour in ((10, 200, 30), (40, 50, 60)):
        Image.new("RGB", (80, 60), colour).save(tmp_path / f"mine{colour[0]}.png")
        with page.expect_file_chooser() as chooser:
            page.click("#inside-upload")
        chooser.value.set_files(tmp_path / f"mine{colour[0]}.png")
        page.wait_for_function("values => String([...document.querySelectorAll('#inside-trace section')].map("
                               "s => Number(s.querySelector('b').innerText))) == String(values)", arg=list(colour),
                               timeout=SLOW)
        assert "Your picture" in page.inner_text("#inside-status")
    page.wait_for_function("!location.search.includes('inside.picture')", timeout=SLOW)
    assert "mine" not in page.url


def test_a_phone_and_the_keyboard(visit, inside):
    page = open_inside(visit(viewport={"width": 390, "height": 844}))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.focus("#inside-canvas canvas")
    for key in ("ArrowUp", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    row, column = inside.size * 5 // 8 - 1, inside.size // 3 - 1
    wait_for(page, "#inside-canvas output", f"row {row}, column {column}")
    page.wait_for_function("text => location.search.includes(text)", arg=f"inside.pixel={row}%2C{column}",
                           timeout=SLOW)
