"""The Inside tab in a real browser: a pixel is clicked and read; play, paint, undo, link, phone; what goes along."""

import numpy as np
import pytest
from helpers import seen_from
from PIL import Image

from demo.kit.pictures import bundled
from demo.tabs.inside.layout import DRAWN
from demo.tabs.inside.panels import lit
from demo.tabs.inside.service import InsideService, Shown
from demo.tabs.inside.stored import read_inside

SLOW = 60_000  # milliseconds that a loaded machine may need
CYAN = (0, 200, 230)


@pytest.fixture
def inside(service) -> InsideService:
    return InsideService(service)


@pytest.fixture
def stored(inside, models):
    return read_inside(models / inside.model_name)


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


def pixels(page, size: int) -> np.ndarray:
    """The middles of the pixels on the canvas, (size, size, 3)."""
    found = page.evaluate("""size => {
      const canvas = document.querySelector("#inside-canvas canvas"), pen = canvas.getContext("2d");
      const zoom = canvas.width / size, middle = k => Math.round((k + 0.4) * zoom), found = [];
      for (let k = 0; k < size * size; k++)
        found.push(...pen.getImageData(middle(k % size), middle(Math.floor(k / size)), 1, 1).data.slice(0, 3));
      return found;
    }""", size)
    return np.array(found).reshape(size, size, 3)


def wait_for_pixels(page, image: np.ndarray) -> None:
    size = len(image)
    for _ in range(SLOW // 200):
        if np.array_equal(pixels(page, size), image):
            return
        page.wait_for_timeout(200)
    raise AssertionError("the canvas shows another picture")


def values(page) -> list[int]:
    return [int(text) for text in page.locator("#inside-trace section .value").all_inner_texts()]


def test_it_opens_on_a_painted_photo_with_everything_drawn(kept, inside, stored):
    page = kept(open_inside)
    wait_for_pixels(page, lit(stored.example))
    assert "Example: one pixel of a photo was painted" in page.inner_text("#inside-canvas .caption")
    assert "0 was painted" in page.inner_text("#inside-trace section p")
    changed = int((stored.photo.image != stored.example.image).any(2).sum())
    assert page.inner_text("#inside-comparison .changed") == str(changed - 1)
    assert page.inner_text("#inside-comparison .early") == "0"
    row, column = stored.place
    earlier = row * inside.size + column
    missing = earlier - int(seen_from("plain", 32, inside.size, stored.place).sum())
    wait_for(page, "#inside-fields [data-kind=plain]", f"{missing} of {earlier} earlier pixels are missing")
    wait_for(page, "#inside-fields [data-kind=gated]", f"0 of {earlier} earlier pixels are missing")
    assert f"{stored.settled.passes} passes" in page.inner_text(".inside-passes")
    wait_for(page, "#inside-influence", "half of the influence")


def test_a_click_shows_the_numbers_of_the_core(kept, inside, stored):
    page = kept(open_inside)
    trace = inside.look(stored.example.image, stored.example.label)
    click_pixel(page, inside.size, 3, 11)
    wait_for(page, "#inside-canvas output", "row 3, column 11")
    assert values(page) == stored.example.image[3, 11].tolist()
    assert "is in the photo" in page.inner_text("#inside-trace section p")
    likeliest = trace.odds[3, 11, 0].argmax()
    assert f"likeliest red is {likeliest} (1 in" in page.inner_text("#inside-trace section p")
    page.click("#inside-trace summary")
    page.wait_for_selector("#inside-trace tbody tr")
    cells = page.eval_on_selector_all("#inside-trace tbody tr", """rows => rows.map(
        row => [...row.cells].slice(-3).map(cell => cell.textContent.trim().split(/\\s/)[0]))""")
    expected = np.stack([trace.rank[3, 11], trace.surprise[3, 11], trace.entropy[3, 11]], 1)
    assert np.allclose(np.array(cells, float), expected, atol=0.0051)
    said = page.inner_text("#inside-canvas output")
    assert np.isclose(float(said.split(" · ")[-1].removesuffix(" bits")), trace.surprise[3, 11].sum(), atol=0.0051)


@pytest.mark.slow
def test_hovering_is_not_read_out_and_a_click_is(visit, inside):
    page = open_inside(visit())
    page.wait_for_timeout(600)
    spoken = page.inner_text("#announcer")
    box = page.locator("#inside-canvas canvas").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    wait_for(page, "#inside-canvas output", "row ")
    page.wait_for_timeout(300)
    assert page.inner_text("#announcer") == spoken
    click_pixel(page, inside.size, 2, 2)
    wait_for(page, "#announcer", "row 2, column 2")


@pytest.mark.slow
def test_layers_of_the_picture(visit, inside, stored):
    page = open_inside(visit())
    wait_for_pixels(page, lit(stored.example))
    assert page.is_visible("#inside-changes") and not page.is_visible("#inside-scale")
    page.click("#inside-canvas [data-layer=surprise]")
    page.wait_for_selector("#inside-scale .heat-bar")
    assert not (page.is_visible("#inside-changes") or np.array_equal(pixels(page, inside.size), lit(stored.example)))
    surprise = page.evaluate("document.querySelector('#inside-canvas canvas').toDataURL()")
    page.click("#inside-canvas [data-layer=mask]")
    assert page.evaluate("document.querySelector('#inside-canvas canvas').toDataURL()") != surprise
    page.click("#inside-canvas [data-layer='']")
    wait_for_pixels(page, stored.example.image)
    page.click("#inside-undo")
    wait_for_pixels(page, stored.photo.image)
    assert page.is_disabled("#inside-canvas [data-layer=changes]"), "nothing is painted"


@pytest.mark.slow
def test_play_pause_step_and_scrub(visit, inside, stored):
    page, size = open_inside(visit()), inside.size
    drawn = "#inside-trace .player output"
    wait_for(page, drawn, f"all {size ** 2} pixels")
    page.select_option("#inside-trace select", label="slow")
    play = page.locator("#inside-trace [data-do=play]")
    play.click()
    page.wait_for_function("[1, 2, 3, 4].includes(Number(document.querySelector('#inside-trace input').value))",
                           timeout=SLOW)
    play.click()
    step = int(page.input_value("#inside-trace input"))
    page.get_by_role("button", name="One pixel").click()
    wait_for(page, drawn, f"{step + 1} pixels drawn; next: row 0, column {step + 1}")
    page.get_by_role("button", name="One row").click()
    wait_for(page, drawn, f"{size} pixels drawn; next: row 1, column 0")
    assert values(page) == stored.example.image[1, 0].tolist(), "the distributions follow"
    page.focus("#inside-trace input")
    page.keyboard.press("ArrowRight")
    wait_for(page, drawn, "next: row 1, column 1")
    page.wait_for_function("location.search.includes('at=1%2C1')", timeout=SLOW)  # chosen for all tabs
    page.keyboard.press("End")
    wait_for(page, drawn, f"all {size ** 2} pixels")


def test_figures_play(kept):
    page = kept(open_inside)
    for figure in ("#inside-fields", "#inside-passes"):
        drawn = f"[...document.querySelectorAll('{figure} canvas')].map(one => one.toDataURL()).join()"
        page.locator(f"{figure} input").focus()
        page.keyboard.press("Home")
        before = page.evaluate(drawn)
        page.locator(f"{figure} button").click()
        page.wait_for_function(f"before => {drawn} !== before", arg=before, timeout=SLOW)
        assert int(page.input_value(f"{figure} input")) >= 1


def test_painting_draws_the_rest_again_in_place_and_undo_takes_it_back(visit, inside, service, stored):
    page, size = open_inside(visit()), inside.size
    page.click("#inside-undo")
    wait_for(page, "#inside-comparison", "Choose a colour")
    wait_for_pixels(page, stored.photo.image)
    service.row_seconds = 0.1
    page.get_by_role("button", name="Paint cyan").click()
    click_pixel(page, size, 2, 5)
    wait_for(page, "#inside-status", "W")  # waiting, or already at work
    page.wait_for_function("document.querySelector('#inside-generate').disabled "
                           "&& !document.querySelector('#inside-stop').disabled", timeout=SLOW)
    wait_for(page, "#inside-status", "one pixel painted")
    *_, last = inside.edit(stored.photo, (2, 5), CYAN)
    wait_for_pixels(page, lit(stored.photo.after(last.images[1, 0], (2, 5))))
    assert "You painted one pixel" in page.inner_text("#inside-canvas .caption")
    changed = int((last.images[0, 0] != last.images[1, 0]).any(2).sum())
    assert page.inner_text("#inside-comparison .changed") == str(changed - 1), "all but the painted pixel itself"
    assert page.inner_text("#inside-comparison .early") == "0"
    page.get_by_role("button", name="Look", exact=True).click()
    click_pixel(page, size, 9, 9)
    page.wait_for_selector("#inside-comparison .old", timeout=SLOW)  # of another pixel than the framed one
    page.click("#inside-undo")
    wait_for_pixels(page, stored.photo.image)
    page.wait_for_function("document.querySelector('#inside-undo').disabled", timeout=SLOW)


@pytest.mark.slow
def test_stop_leaves_the_picture_as_it_was(visit, inside, service, stored):
    page = open_inside(visit())
    wait_for_pixels(page, lit(stored.example))
    service.row_seconds = 0.5
    page.get_by_role("button", name="Paint red").click()
    click_pixel(page, inside.size, 2, 5)
    wait_for(page, "#inside-status", "Row ")
    page.click("#inside-stop")
    wait_for_pixels(page, lit(stored.example))
    wait_for(page, "#inside-comparison", "One painted pixel (row")
    page.wait_for_function("!document.querySelector('#inside-generate').disabled", timeout=SLOW)


def passes_pixels(page, kind: str) -> list[int]:
    return page.evaluate("""kind => {
      const sheet = document.querySelector(`#inside-passes [data-kind=${kind}] canvas`);
      return [...sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data];
    }""", kind)


@pytest.mark.slow
def test_passes_are_those_of_the_picture_on_the_page(visit, inside):
    page, image = open_inside(visit()), inside.fit(bundled("rocket"))
    page.locator("#inside-picture").get_by_label("rocket").check()
    wait_for_pixels(page, image)
    wait_for(page, "#inside-passes .told", "Press Play")
    assert not any(passes_pixels(page, "fixed-point")), "nothing of another picture"
    page.locator("#inside-passes button").click()
    wait_for(page, "#inside-passes .told", "For the picture above that took")
    label = page.input_value("#inside-class input")
    *_, found = inside.settle(Shown.new(image, label, int(page.input_value("#inside-seed input")), False))
    wait_for(page, "#inside-passes .told", f"took {found.passes} passes")
    page.locator("#inside-passes input").focus()
    page.keyboard.press("End")
    shown = np.array(passes_pixels(page, "fixed-point")).reshape(inside.size, inside.size, 4)
    assert np.array_equal(shown[..., :3], found.image)
    page.wait_for_function("!document.querySelector('#inside-generate').disabled", timeout=SLOW)


def test_axes_fit_the_tallest_bar_and_say_so(kept, inside, stored):
    page, trace = kept(open_inside), inside.look(stored.example.image, stored.example.label)
    click_pixel(page, inside.size, 5, 4)
    wait_for(page, "#inside-canvas output", "row 5, column 4")
    for channel, chart in enumerate(page.locator("#inside-trace section canvas").all()):
        peak = trace.odds[5, 4, channel].max()
        end = next(end for end in (5, 10, 20, 50, 100) if peak <= end / 100)
        assert f"the axis ends at {end} %" in chart.get_attribute("aria-label")
    words = page.locator("#inside-trace section p").first.inner_text()
    assert ("the likeliest" in words) == (trace.rank[5, 4, 0] == 1)


@pytest.mark.slow
def test_draw_and_every_picture_change_the_canvas(visit, inside):
    page = open_inside(visit())
    page.locator("#inside-picture").get_by_label("rocket").check()
    wait_for_pixels(page, inside.fit(bundled("rocket")))
    assert "is in the photo" in page.inner_text("#inside-trace section p")
    assert "Choose a colour" in page.inner_text("#inside-comparison")
    for button in ("generate", "new-seed", "seed", "stop"):
        assert not page.is_visible(f"#inside-{button}"), "nothing is drawn of a photo"
    page.locator("#inside-picture").get_by_label(DRAWN).check()
    wait_for(page, "#inside-status", "A sample that the network drew, seed 8")
    page.wait_for_function("!document.querySelector('#inside-new-seed').disabled", timeout=SLOW)
    page.click("#inside-new-seed")
    page.wait_for_function("document.querySelector('#inside-seed input').value !== '8'", timeout=SLOW)
    seed = int(page.input_value("#inside-seed input"))
    wait_for(page, "#inside-status", f"seed {seed}")
    *_, last = inside.draw(page.input_value("#inside-class input"), seed)
    wait_for_pixels(page, last.images[0, 0])
    assert page.locator("#inside-picture").get_by_label(DRAWN).is_checked()
    page.fill("#inside-seed input", "77")
    page.wait_for_selector("#tab-inside .stale", timeout=SLOW)
    page.locator("#inside-picture").get_by_label("rocket").check()
    wait_for_pixels(page, inside.fit(bundled("rocket")))
    page.wait_for_selector("#tab-inside .stale", state="detached", timeout=SLOW)


@pytest.mark.slow
def test_a_link_to_a_photo_opens_the_photo_and_nothing_is_due(visit, inside, stored):
    for query, label in (("&p=cat", "cat"), ("&inside.picture=cat&inside.class=dog&inside.seed=8", "dog")):
        page = open_inside(visit(), query)
        wait_for(page, "#inside-status", f"A photo; the network was told class {label}. By its odds")
        assert page.input_value("#inside-class input") == label
        wait_for_pixels(page, stored.photo.image)
        assert not page.locator("#tab-inside .stale").count()


@pytest.mark.slow
def test_a_link_opens_the_same_sample_and_pixel(visit, inside):
    *_, last = inside.draw("ship", 41)
    query = "&inside.picture=a+sample&inside.class=ship&inside.seed=41&at=4,7"
    page = open_inside(visit(), query)
    wait_for(page, "#inside-status", "seed 41")
    wait_for_pixels(page, last.images[0, 0])
    assert values(page) == last.images[0, 0, 4, 7].tolist()
    wait_for(page, "#inside-fields [data-kind=gated]", f"0 of {4 * inside.size + 7} earlier pixels")


@pytest.mark.slow
def test_an_upload_is_shown_and_never_in_the_address(visit, inside, tmp_path):
    page = open_inside(visit())
    for colour in ((10, 200, 30), (40, 50, 60)):
        Image.new("RGB", (80, 60), colour).save(tmp_path / f"mine{colour[0]}.png")
        with page.expect_file_chooser() as chooser:
            page.click("#inside-upload")
        chooser.value.set_files(tmp_path / f"mine{colour[0]}.png")
        wait_for_pixels(page, np.broadcast_to(np.array(colour), (inside.size, inside.size, 3)))
        wait_for(page, "#inside-status", "A photo")
    page.wait_for_function("!location.search.includes('p=')", timeout=SLOW)
    assert "mine" not in page.url


@pytest.mark.slow
def test_one_picture_and_one_pixel_go_along(visit, inside, tmp_path):
    visited = visit()
    page = open_inside(visited)
    click_pixel(page, inside.size, 3, 4)
    page.locator("#inside-picture").get_by_label("rocket").check()
    wait_for_pixels(page, inside.fit(bundled("rocket")))
    page.click("a[data-go=likelihood] >> visible=true")
    wait_for(page, "#likelihood-image output", "row 3, column 4")
    page.wait_for_function("document.querySelector('#likelihood-picture input[value=rocket]').checked", timeout=SLOW)
    page.locator("#likelihood-picture").get_by_label("coffee").check()
    page.wait_for_function("location.search.includes('p=coffee')", timeout=SLOW)
    page.click("a[data-go=complete] >> visible=true")
    page.wait_for_function("document.querySelector('#complete-picture input[value=coffee]').checked", timeout=SLOW)
    Image.new("RGB", (80, 60), (10, 200, 30)).save(tmp_path / "mine.png")
    page.locator("#complete-photo input[type=file]").set_input_files(tmp_path / "mine.png")
    page.wait_for_function("!location.search.includes('p=')", timeout=SLOW)
    page.click("a[data-go=inside] >> visible=true")
    wait_for_pixels(page, np.broadcast_to(np.array((10, 200, 30)), (inside.size, inside.size, 3)))


@pytest.mark.slow
def test_a_phone_and_the_keyboard(visit, inside, stored):
    page = open_inside(visit(viewport={"width": 390, "height": 844}))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    lead, sheet = (page.locator(part).bounding_box() for part in ("#tab-inside .lead", "#inside-canvas canvas"))
    assert 0 <= sheet["y"] - lead["y"] - lead["height"] < 40 and sheet["y"] + sheet["height"] < 844
    assert not page.is_visible("#tab-inside .notes")
    page.get_by_role("button", name="How it works").click()
    page.wait_for_selector("#tab-inside .notes")
    page.focus("#inside-canvas canvas")
    for key in ("ArrowUp", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    row, column = stored.place[0] - 1, stored.place[1] - 1
    wait_for(page, "#inside-canvas output", f"row {row}, column {column}")
    page.wait_for_function("text => location.search.includes(text)", arg=f"at={row}%2C{column}", timeout=SLOW)
