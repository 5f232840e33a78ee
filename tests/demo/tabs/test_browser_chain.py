"""The tab "Coarse to fine" in a real browser, with a tiny chain: every start, the mosaic by hand and keys, a photo."""

import pytest
from browser_steps import pixels, sources, wait_for_text
from helpers import Visit, save_tiny, save_tiny_chain, wait_until
from PIL import Image

from app import LAUNCH
from demo.make_assets import draw_scales
from demo.service.bridge import Service
from demo.service.faces import EXAMPLES
from demo.tabs.chain.panels import SMOOTHED
from demo.tabs.chain.service import ChainService
from demo.tabs.chain.tab import MOSAIC, NOBODY, NOTHING, PHOTO, YOURS
from demo.web.page import build_page

GRID, STATUS = "#chain-grid", "#chain-status"
CELLS = """place => {  // the colours in the middle of the 8 x 8 cells of the first picture there
  const picture = document.querySelector(place), canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  canvas.width = picture.naturalWidth || picture.width;
  canvas.height = picture.naturalHeight || picture.height;
  pen.drawImage(picture, 0, 0);
  return [...Array(64).keys()].map(k => [...pen.getImageData(
    (k % 8 + .5) * canvas.width / 8, (Math.floor(k / 8) + .5) * canvas.height / 8, 1, 1).data].join());
}"""


@pytest.fixture(scope="module")
def chain_url(tmp_path_factory):
    """A page whose chain draws faces of 16 x 16 pixels, with a stored example."""
    folder = tmp_path_factory.mktemp("chain_page") / "models"
    save_tiny_chain(folder / "people-chain")
    save_tiny(folder / "photos")
    service = Service(folder, budget=60, patience=5)
    draw_scales(ChainService(service), "people-chain")
    page = build_page(service)
    page.launch(server_name="127.0.0.1", quiet=True, **LAUNCH)
    yield page.local_url
    page.close(verbose=False)


@pytest.fixture
def chain_page(chromium, chain_url):
    """The open tab; it may not have complained at the end."""
    visits = []

    def start(query: str = "", **context):
        visits.append(Visit(chromium, chain_url, **context))
        page = visits[-1].page
        page.goto(f"{chain_url}?tab=chain{query}")
        page.wait_for_selector(f"{GRID} img")
        page.wait_for_function("window.addressRead")
        return page

    yield start
    for visit in visits:
        visit.context.close()
        assert not visit.complaints


def choose(page, start: str) -> None:
    page.locator(f"#chain-start input[value={start}]").check()


def drawn(page, act) -> list[str]:
    """The pictures once something was done that draws others; the sentence says that it has ended."""
    before = sources(page, GRID)
    act()
    page.wait_for_function("([place, before]) => [...document.querySelectorAll(place + ' img')]"
                           ".map(image => image.src).join() !== before.join()", arg=[GRID, before], timeout=60_000)
    wait_for_text(page, STATUS, "4 pictures")
    return sources(page, GRID)


def test_it_opens_on_a_stored_picture_that_grows_from_row_to_row(chain_page):
    page = chain_page()
    assert "Stored example" in page.inner_text(STATUS) and page.locator(f"{STATUS} .small-print").count() == 1
    assert len(sources(page, GRID)) == 2 + 4, "the start, smoothed, and four pictures"
    words = page.inner_text(GRID)
    assert words.count(" bits, ") == 2 and "the start" in words and SMOOTHED in words
    assert "4 pictures of the same 8 × 8 pixels, told: " in words


def test_draw_another_and_the_same_coarse_picture_with_other_details(chain_page):
    page = chain_page()
    stored = pixels(page, GRID)
    drawn(page, lambda: page.click("#chain-new-seed"))
    after = pixels(page, GRID)
    assert after[:2] == stored[:2] and not set(after[2:]) & set(stored[2:]), "other details of one picture"
    new = drawn(page, lambda: choose(page, NOTHING))  # draws by itself
    assert len(new) == 4 + 4 and pixels(page, GRID)[0] != stored[0] and "the start" not in page.inner_text(GRID)
    page.wait_for_function("!document.querySelector('#chain-generate').disabled", timeout=60_000)
    assert page.locator("#chain-stop").is_disabled()


def test_the_shown_mosaic_is_painted_by_the_button_below_it(chain_page):
    page = chain_page()
    drawn(page, lambda: choose(page, NOTHING))
    shown = page.evaluate(CELLS, f"{GRID} img")
    before = pixels(page, GRID)
    page.get_by_role("button", name="Paint on the first mosaic").click()
    page.wait_for_function("document.activeElement?.matches('#chain-mosaic canvas')")
    assert page.locator(f"#chain-start input[value={MOSAIC}]").is_checked()
    assert page.evaluate(CELLS, "#chain-mosaic canvas") == shown
    assert page.locator(".stage.stale #chain-grid").count() == 0 and pixels(page, GRID) == before
    page.locator("#chain-mosaic .swatches button").last.click()
    page.locator("#chain-mosaic canvas").focus()  # it had it; the colour took it
    assert len(drawn(page, lambda: page.keyboard.press("Enter"))) == 2 + 4, "its own start now"


def test_a_stroke_on_the_mosaic_is_imagined(chain_page):
    page = chain_page()
    drawn(page, lambda: choose(page, MOSAIC))
    canvas = page.locator("#chain-mosaic canvas")
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    page.locator("#chain-mosaic .swatches button").last.click()
    start = sources(page, GRID)[0]

    def stroke():
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 5, steps=12)
        page.mouse.up()

    drawn(page, stroke)
    assert canvas.evaluate("canvas => canvas.toDataURL()") != before
    assert sources(page, GRID)[0] != start, "the first row is the mosaic"


def test_the_mosaic_by_keyboard(chain_page):
    page = chain_page()
    drawn(page, lambda: choose(page, MOSAIC))
    page.locator("#chain-mosaic .swatches button").first.click()
    page.locator("#chain-mosaic canvas").focus()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    drawn(page, lambda: page.keyboard.press("Enter"))
    assert "Row 2, column 2 is painted" in page.inner_text("#chain-mosaic output")
    assert page.locator("#chain-mosaic output i").count() == 1, "in its colour"


@pytest.mark.slow
def test_the_mosaic_is_touched_and_large_enough_for_fingers(chain_page):
    page = chain_page(viewport={"width": 390, "height": 844}, has_touch=True)
    drawn(page, lambda: choose(page, MOSAIC))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sides = page.eval_on_selector_all("#chain-mosaic .swatches button", "all => all.map(b => b.clientWidth)")
    assert min(sides) >= 30
    page.locator("#chain-mosaic .swatches button").last.tap()
    page.locator("#chain-mosaic canvas").scroll_into_view_if_needed()
    box = page.locator("#chain-mosaic canvas").bounding_box()
    assert box["width"] / 8 >= 36
    drawn(page, lambda: page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))


@pytest.mark.slow
def test_the_mosaic_begins_with_a_photo(chain_page):
    page = chain_page()
    drawn(page, lambda: choose(page, MOSAIC))
    value = "canvas => canvas.toDataURL()"
    canvas = page.locator("#chain-mosaic canvas")
    before = canvas.evaluate(value)
    drawn(page, lambda: page.get_by_role("button", name=f"Begin with {next(iter(EXAMPLES))}").click())
    assert wait_until(lambda: canvas.evaluate(value) != before, 5)


@pytest.mark.slow
def test_a_photo_is_shrunk_and_imagined_beside_the_smoothed_one_and_itself(chain_page, tmp_path):
    page = chain_page()
    after = drawn(page, lambda: choose(page, PHOTO))  # the bundled one
    assert len(after) == 3 + 4
    for words in ("the original", SMOOTHED, "finished"):
        assert words in page.inner_text(GRID)
    Image.open(list(EXAMPLES.values())[1]).convert("RGB").save(tmp_path / "mine.png")
    mine = drawn(page, lambda: page.set_input_files("#chain-photo input[type=file]", tmp_path / "mine.png"))
    assert mine[2] != after[2], "the original is the visitor's"
    told = page.locator("#chain-who input:checked")
    assert told.get_attribute("value") == NOBODY, "whoever was told before is another"
    assert f"told: {NOBODY}" in page.inner_text(GRID)
    drawn(page, lambda: page.locator("#chain-who").get_by_label(YOURS).check())
    assert f"told: {YOURS}" in page.inner_text(GRID)
    page.locator(f"#chain-start input[value={MOSAIC}]").check()
    page.get_by_role("button", name=f"Begin with {YOURS}").wait_for()
    assert "mine" not in page.url


def test_a_picture_without_a_face_is_refused_in_a_sentence(chain_page, tmp_path):
    page = chain_page()
    drawn(page, lambda: choose(page, PHOTO))
    before = sources(page, GRID)
    Image.linear_gradient("L").resize((200, 200)).save(tmp_path / "slope.png")
    page.set_input_files("#chain-photo input[type=file]", tmp_path / "slope.png")
    wait_for_text(page, STATUS, "still the last picture")
    assert page.locator(f"{STATUS} [role=alert]").count() == 1
    page.wait_for_timeout(1500)  # nothing is drawn for it
    assert sources(page, GRID) == before


def test_a_link_opens_its_start(chain_page):
    page = chain_page(f"&chain.start={PHOTO}&chain.seed=5")
    wait_for_text(page, STATUS, "Seed 5")
    assert len(sources(page, GRID)) == 3 + 4
    page.wait_for_selector("#chain-photo", state="visible")
