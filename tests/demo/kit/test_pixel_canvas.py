"""The canvas of real pixels: what it sends back, cleaned; and in a browser, exact under mouse, touch and keys."""

import base64

import gradio as gr
import numpy as np
import pytest

from app import LAUNCH
from demo.kit.pictures import bundled
from demo.kit.pixel_canvas import (
    PACK_MASK,
    canvas_value,
    pixel_canvas,
    read_click,
    read_mask,
    read_paint,
    unpack_mask,
)
from demo.service.settings import UserError


def test_the_value_holds_the_very_pixels():
    image = bundled("cat")
    value = canvas_value(image, (3, 4), readings=np.arange(1024) / 3, unit="bits")
    assert (value["height"], value["width"], value["outline"], value["mask"]) == (32, 32, [3, 4], None)
    assert base64.b64decode(value["pixels"]) == image.tobytes() and value["readings"][1] == 0.33
    grey = canvas_value(np.full((8, 8, 1), 7, np.uint8))
    assert base64.b64decode(grey["pixels"]) == bytes([7] * 8 * 8 * 3)


def test_clicks_and_masks_come_back():
    mask = np.zeros((32, 32), bool)
    mask[2, 5:9] = True
    value = canvas_value(bundled("cat"), (31, 0), mask)
    assert read_click(value) == (31, 0) and np.array_equal(read_mask(value), mask)
    assert not read_mask(canvas_value(bundled("cat"))).any() and read_mask(None).shape == (32, 32)


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"outline": None}, {"outline": [1]}, {"outline": [32, 0]},
                                   {"outline": [-1, 0]}, {"outline": [1.5, 0]}, {"outline": ["1", "2"]},
                                   {"outline": [True, 0]}, {"outline": {"0": 1, "1": 2}}, {"outline": [10**99, 0]}])
def test_hostile_clicks_are_refused(value):
    with pytest.raises(UserError):
        read_click(value)


@pytest.mark.parametrize("mask", ["", "01", "2" * 1024, "1" * 10**6, 7, ["1"] * 1024, {"a": 1}, True])
def test_hostile_masks_are_refused(mask):
    with pytest.raises(UserError):
        read_mask({"mask": mask})


@pytest.mark.parametrize("value", [None, {}, {"paint": None}, {"paint": [1, 2]}, {"paint": {"place": [32, 0]}},
                                   {"paint": {"place": "1,2", "colour": "#fff"}}])
def test_hostile_paint_is_refused(value):
    with pytest.raises(UserError):
        read_paint(value)


@pytest.mark.parametrize("text", [None, 7, "", "abc", "*" * 171, "A" * 10**6, ["A"]])
def test_hostile_masks_of_an_address_are_none(text):
    assert unpack_mask(text, 32, 32) is None


@pytest.fixture(scope="module")
def canvas_url():
    """A page with a canvas of each kind, and what its handlers were told."""
    with gr.Blocks() as page:
        for mode, read in (("click", read_click), ("brush", lambda value: int(read_mask(value).sum()))):
            value = canvas_value(bundled("cat"), (9, 9), layers={"other": 255 - bundled("cat")})
            canvas = pixel_canvas(mode, f"To {mode}", mode, value, layers=("own", "other"), linked="paint")
            told = gr.Textbox(elem_id=f"{mode}-told")
            canvas.input(lambda value, read=read: str(read(value)), canvas, told, show_progress="hidden")
        canvas = pixel_canvas("paint", "To paint", "paint", canvas_value(bundled("rocket")))
        told = gr.Textbox(elem_id="paint-told")
        canvas.submit(lambda value: str(read_paint(value)), canvas, told, show_progress="hidden")
    _, address, _ = page.launch(server_name="127.0.0.1", quiet=True, **LAUNCH)
    yield address
    page.close(verbose=False)


PIXEL = """([id, row, column]) => {
  const canvas = document.querySelector(`#${id} canvas`), zoom = canvas.width / 32;
  const [x, y] = [column, row].map(k => Math.round((k + 0.4) * zoom));  // clear of the frames' edges
  return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3);
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser(chromium, canvas_url, width):
    context = chromium.new_context(viewport={"width": width, "height": 1400}, has_touch=True)
    page = context.new_page()
    page.goto(canvas_url)

    def place(mode, row, column):
        box = page.locator(f"#{mode} canvas").bounding_box()
        return box["x"] + (column + 0.5) * box["width"] / 32, box["y"] + (row + 0.5) * box["height"] / 32

    def told(mode, text):
        page.wait_for_function("([place, text]) => document.querySelector(place).value === text",
                               arg=[f"#{mode}-told textarea", text], timeout=20000)

    page.wait_for_function("[...document.querySelectorAll('canvas')].every(c => c.clientWidth > 300)", timeout=20000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    side = page.locator("#click canvas").bounding_box()["width"]
    assert side % 32 == 0, "every pixel has the same whole size"
    assert page.evaluate(PIXEL, ["click", 3, 20]) == bundled("cat")[3, 20].tolist(), "drawn unblurred and unchanged"

    page.mouse.click(*place("click", 0, 31))
    told("click", "(0, 31)")
    page.touchscreen.tap(*place("click", 30, 1))
    told("click", "(30, 1)")
    for key in ("ArrowUp", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    told("click", "(29, 3)")
    assert "row 29, column 3" in page.inner_text("#click output")
    r, g, b = bundled("rocket")[29, 3]
    assert f"R {r}  G {g}  B {b}" in page.inner_text("#paint output"), "the linked canvas says its own pixel"

    page.mouse.move(*place("brush", 10, 5))
    page.mouse.down()
    page.mouse.move(*place("brush", 10, 15))  # one jump: the stroke has no gaps
    page.mouse.up()
    told("brush", "39")  # 13 x 3 pixels
    page.keyboard.press("Shift+ArrowDown")
    told("brush", "42")
    mask = page.evaluate(f"({PACK_MASK})({{mask: '1' + '0'.repeat(1022) + '1'}})")
    assert np.argwhere(unpack_mask(mask, 32, 32)).tolist() == [[0, 0], [31, 31]]
    page.get_by_role("button", name="Eraser").click()
    page.mouse.click(*place("brush", 10, 5))
    told("brush", "33")  # 3 x 3 pixels less
    page.get_by_role("button", name="Clear").click()
    told("brush", "0")
    page.get_by_role("button", name="Other").first.click()
    seen = page.evaluate(PIXEL, ["click", 3, 20])
    assert seen == (255 - bundled("cat")[3, 20]).tolist(), "the other layer"
    page.mouse.move(*place("click", 3, 20))
    assert " ".join(f"{name} {value} " for name, value in zip("RGB", bundled("cat")[3, 20])).strip() in \
        page.inner_text("#click output"), "what is said is the picture's colour"

    page.get_by_role("button", name="Paint cyan").click()
    page.mouse.click(*place("paint", 4, 5))
    told("paint", "((4, 5), '#00c8e6')")
    assert page.evaluate(PIXEL, ["paint", 4, 5]) == [0, 200, 230], "seen at once"
    context.close()
