"""The frame of the page in a real browser: header, tabs, history, what answers to a change, who can use it."""

import io

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_steps import type_seed
from helpers import wait_until
from PIL import Image

from demo.web.page import TABS

FIRST = TABS[0].ID
SHOWN = "() => document.querySelector('[role=tab][aria-selected=true]')?.dataset.tabId"
STALE = "() => !!document.querySelector('#tab-classes .stage.stale')"
PICTURE_TOP = """() => Math.min(...[...document.querySelectorAll(
    "[role=tabpanel] :is(img, canvas, svg[viewBox], svg[role=img])")]
  .filter(node => node.getClientRects().length && node.getBoundingClientRect().width >= 40)
  .map(node => node.getBoundingClientRect().top))"""


def shown(page, tab: str) -> None:
    page.wait_for_function(f"tab => ({SHOWN})() === tab", arg=tab)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_the_header_is_slim_and_the_first_screen_has_a_picture(visit, size):
    visitor = visit(viewport={"width": size[0], "height": size[1]})
    page, places = visitor.open(), {}
    for module in TABS:
        visitor.open_tab(module.TITLE)
        strip = page.locator(".strip-head").bounding_box()
        assert strip["height"] <= 60
        bar = page.locator("#tabs > .tab-wrapper").bounding_box()
        assert bar["y"] + bar["height"] <= 120 and bar["y"] == places.setdefault("bar", bar["y"]), module.ID
        assert page.locator("h1:visible").count() == 1, module.ID
        chosen = page.locator("[role=tab][aria-selected=true]").bounding_box()
        assert chosen["x"] >= 0 and chosen["x"] + chosen["width"] <= size[0], module.ID
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], module.ID
        if size[0] > 1100 and module.ID != "about":  # every tab is in sight; About is one more
            bar = "document.querySelector('.tab-container')"
            assert page.evaluate(f"{bar}.scrollWidth <= {bar}.clientWidth")
        if module.ID not in ("about", "chain"):  # words only; and the made-up models have no chain
            assert page.evaluate(PICTURE_TOP) < size[1], module.ID


@pytest.mark.slow
def test_on_a_phone_a_link_shows_its_tab_in_the_bar(visit):
    page = visit(viewport={"width": 390, "height": 844}).open("?tab=scoreboard")
    page.wait_for_function("""() => {
      const box = document.querySelector("[role=tab][aria-selected=true]").getBoundingClientRect();
      return window.addressRead && box.left >= 0 && box.right <= innerWidth;
    }""")


@pytest.mark.slow
def test_arrow_keys_move_between_tabs_and_the_link_skips_them(visit):
    page = visit().open("?tab=classes")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("skip")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "tab-classes"
    page.focus("[role=tab][aria-selected=true]")
    page.keyboard.press("ArrowRight")
    shown(page, "portraits")
    assert page.evaluate("document.activeElement.dataset.tabId") == "portraits"
    page.keyboard.press("Home")
    shown(page, FIRST)
    page.keyboard.press("ArrowLeft")
    shown(page, "scoreboard")
    assert page.locator("[role=tab][tabindex='0']").count() == 1


def test_back_goes_through_the_tabs_and_settings_stay(visit):
    visitor = visit()
    page = visitor.open("?tab=classes")
    visitor.open_tab("Inside")
    visitor.open_tab("Classes")
    type_seed(page, "41")
    page.wait_for_function("location.search.includes('seed=41')")
    visitor.open_tab("About")
    page.go_back()
    shown(page, "classes")
    page.go_back()
    shown(page, "inside")
    assert visitor.query()["seed"] == "41", "the address says what is set on the page"
    page.go_back()
    shown(page, "classes")
    page.go_forward()
    shown(page, "inside")
    assert page.input_value("#seed input") == "41"


def test_the_link_tells_of_the_open_tab_alone(visit):
    visitor = visit()
    page = visitor.open("?tab=classes&seed=3&p=cat&at=4,5&inside.network=plain&portraits.seed=5")
    page.evaluate("() => { navigator.clipboard.writeText = async text => { window.copied = text; } }")
    for name, tab, own, others in (("Classes", "classes", "seed=3", "portraits."),
                                   ("Portraits", "portraits", "portraits.seed=5", "seed=")):
        visitor.open_tab(name)
        page.locator("#portraits-link" if tab == "portraits" else "#link").click()
        page.wait_for_function(f"window.copied?.includes('tab={tab}')")
        parts = set(page.evaluate("window.copied").split("?")[1].replace("%2C", ",").split("&"))
        assert {own, f"tab={tab}", "p=cat", "at=4,5"} <= parts
        assert not [part for part in parts if part.startswith(("inside.", others))]


@pytest.mark.slow
def test_an_address_without_a_tab_opens_the_first_and_an_old_link_the_classes(visit):
    page = visit().page
    page.goto(visit().url)
    shown(page, FIRST)
    page.goto(visit().url + "?model=digits&seed=3")
    shown(page, "classes")


def test_a_change_marks_the_picture_and_undoing_it_takes_the_mark_away(visit):
    visitor = visit()
    page = visitor.open()
    assert not page.evaluate(STALE)
    type_seed(page, "41")
    page.wait_for_function(STALE)
    assert "changed: press Redraw" in page.evaluate(
        "getComputedStyle(document.querySelector('#tab-classes .toolbar'), '::after').content")
    page.wait_for_function("document.querySelector('#announcer').textContent.includes('Changed')")
    type_seed(page, "7")
    page.wait_for_function(f"!({STALE})()")
    type_seed(page, "41")
    page.wait_for_function(STALE)
    page.click("#generate")
    visitor.wait_for_status("12 images in", 60)
    assert not page.evaluate(STALE)
    page.click("#new-seed")
    page.wait_for_function("document.querySelector('#seed input').value !== '41'")
    visitor.wait_for_status("12 images in", 60)
    assert not page.evaluate(STALE), "the new seed is that of the picture"


@pytest.mark.slow
def test_who_waits_is_told_the_place_and_can_stop(visit, service):
    service.row_seconds = 4.0
    first, second, third = (visit() for _ in range(3))
    pages = [one.open() for one in (first, second, third)]
    pages[0].click("#generate")
    first.wait_for_status("Row 1", 60)
    pages[1].click("#generate")
    second.wait_for_status("Waiting: place 1 in the queue", 60)
    assert pages[1].locator("#generate").is_disabled() and pages[1].locator("#stop").is_enabled()
    pages[2].click("#generate")
    third.wait_for_status("Waiting: place 2 in the queue", 60)
    pages[1].click("#stop")
    second.wait_for_status("Stopped", 60)
    third.wait_for_status("Waiting: place 1 in the queue", 60)
    for page in (pages[2], pages[0]):
        page.click("#stop")
    assert wait_until(lambda: not service.busy, 20)


@pytest.mark.slow
def test_while_one_waits_the_last_picture_stays_and_is_marked(visit, busy):
    visitor = visit()
    page = visitor.open()
    shown, dim = visitor.sources(), "() => Number(getComputedStyle(document.querySelector('#grid img')).opacity) < 0.6"
    type_seed(page, "41")
    page.wait_for_function(dim)
    page.click("#generate")
    visitor.wait_for_status("in the queue", 60)
    page.wait_for_timeout(400)
    assert page.evaluate(dim) and visitor.sources() == shown
    seen = "document.querySelector('#status p.status').checkVisibility({opacityProperty: true})"
    faded = "[...document.querySelectorAll('#status, #status *')].every(one => getComputedStyle(one).opacity === '1')"
    assert page.evaluate(seen) and page.evaluate(faded), "the words that say so can be read"
    page.click("#stop")
    visitor.wait_for_status("Stopped", 60)
    assert visitor.sources() == shown
    page.wait_for_function(STALE)  # it is still not that of the settings
    type_seed(page, "7")
    page.wait_for_function(f"!({dim})()")


@pytest.mark.slow
def test_what_arrives_after_stop_changes_nothing(visit, service):
    service.row_seconds = 0.3
    visitor = visit()
    page = visitor.open()
    page.click("#generate")
    visitor.wait_for_status("Row 2", 60)
    page.click("#stop")
    visitor.wait_for_status("Stopped at row", 60)
    stopped = visitor.status()
    page.evaluate("""() => {  // a frame that was on its way
      const line = document.querySelector("#status p.status");
      line.textContent = "Row 13 of 32";
      line.insertAdjacentHTML("afterend", '<div class="bar"><span style="width:40%"></span></div>');
    }""")
    page.wait_for_function("text => document.querySelector('#status').innerText.trim() === text", arg=stopped.strip())
    assert not page.locator("#status .bar").filter(visible=True).count()


def test_a_link_of_the_stored_picture_is_not_drawn_again(visit, service):
    service.row_seconds = 0.2
    visitor = visit()
    page = visitor.open("?tab=classes&seed=7&temperature=1")
    page.wait_for_timeout(1500)
    assert "Stored samples" in visitor.status() and not service.busy
    assert not page.evaluate(STALE)


@pytest.mark.slow
def test_a_link_with_settings_is_drawn_at_once_and_says_so(visit, service):
    service.row_seconds = 0.2
    visitor = visit()
    page = visitor.open("?tab=classes&seed=123")
    visitor.wait_for_status("Row 2", 60)
    assert page.locator("#generate").is_disabled()
    visitor.wait_for_status("seed 123", 60)
    page.wait_for_function("!document.querySelector('#generate').disabled")


@pytest.mark.slow
def test_the_picture_can_be_downloaded_as_it_is_seen(visit):
    page = visit().open()
    page.wait_for_function("[...document.querySelectorAll('#grid img')].every(image => image.complete)")
    with page.expect_download() as download:
        page.click("#png")
    assert download.value.suggested_filename == "pixelcnn_classes_seed-7.png"
    image = Image.open(io.BytesIO(download.value.path().read_bytes()))
    box = page.locator("#grid .panels").bounding_box()
    assert image.width >= 2 * box["width"] and len(set(image.convert("RGB").resize((64, 64)).getdata())) > 50


@pytest.mark.slow
def test_the_digit_pauses_and_stands_still_for_who_wants_less_motion(visit):
    page = visit(reduced_motion="no-preference").open()
    assert page.locator("#digit svg.moving").is_visible()
    page.click("#digit")
    assert page.get_attribute("#digit", "aria-pressed") == "true"
    assert page.locator("#digit svg.still").is_visible() and not page.locator("#digit svg.moving").is_visible()
    page = visit().open()
    assert page.locator("#digit svg.still").is_visible() and not page.locator("#digit svg.moving").is_visible()


# What a finger presses, and how high it is; a link within a sentence has the height of its line, and a box in a photo
# that of the face.
PRESSED = """() => [...document.querySelectorAll(`button:not(.box), [role=tab], select, summary,
    label:has(input[type=radio], input[type=checkbox]), input:is([type=range], [type=number], [type=text]),
    .elsewhere a, .notebook-links a`)]
  .filter(node => node.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}))
  .map(node => [(node.innerText || node.ariaLabel || node.id).trim(), node.getBoundingClientRect().height])
  .filter(([, height]) => height > 1 && height < 44)"""


@pytest.mark.slow
def test_fingers_find_room(visit):
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visitor.open()
    for module in TABS:
        visitor.open_tab(module.TITLE)
        assert not page.evaluate(PRESSED), module.ID


@pytest.mark.slow
def test_on_a_phone_the_toolbar_is_one_line(visit, service):
    visitor = visit(viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True)
    page = visitor.open()
    for module in TABS:
        visitor.open_tab(module.TITLE)
        bars = page.locator(f"#tab-{module.ID} .toolbar").filter(visible=True).all()
        assert all(bar.bounding_box()["height"] <= 64 for bar in bars), module.ID
        for button in page.locator(f"#tab-{module.ID} .toolbar button").filter(visible=True).all():
            box = button.bounding_box()
            assert box["width"] >= 44 and box["height"] >= 42 and button.inner_text().strip(), module.ID
    service.row_seconds = 0.3
    visitor.open_tab("Classes")
    page.tap("#generate")
    visitor.wait_for_status("Row 2", 60)
    assert page.locator("#stop").is_visible() and not page.locator("#new-seed").is_visible()
    assert page.locator("#tab-classes .toolbar").first.bounding_box()["height"] <= 64
    page.tap("#stop")
    visitor.wait_for_status("Stopped", 60)
    assert page.locator("#new-seed").is_visible() and not page.locator("#stop").is_visible()


def test_the_page_carries_its_own_name_and_no_pictures(url):
    answer = httpx.get(url, timeout=60)
    page = answer.text
    head = page[:page.index("</head>")]
    for tag in ('property="og:title"', 'property="og:description"', 'name="description"', 'name="twitter:title"'):
        assert head.count(tag) == 1, tag
    assert "Gradio\"" not in head.split("window.gradio_config")[0] and "one pixel at a time" in head
    assert "charset" in page.encode()[:1024].decode()
    assert "data:image/png" not in page
    assert len(answer.content) > 4 * int(answer.headers["content-length"]), "it is sent packed"
    place = page.split("stored/")[1].split("\\")[0].split('"')[0]
    answer = httpx.get(f"{url}stored/{place}", timeout=60)
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"
    for wrong in ("stored/" + "0" * 24 + ".png", "stored/../app.py", "stored/x.png"):
        assert httpx.get(url + wrong, timeout=60).status_code == 404, wrong


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_the_way_of_anyone(visit, scheme):
    """axe-core finds no violation of serious or critical impact in any tab."""
    visitor = visit(color_scheme=scheme)
    page = visitor.open()
    found = []
    for module in TABS:
        visitor.open_tab(module.TITLE)
        page.wait_for_timeout(400)
        for one in Axe().run(page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                places = [f"{node['target']}: {node['html'][:120]}" for node in one["nodes"][:4]]
                found.append(f"{module.ID}: {one['id']}, {one['help']} ({len(one['nodes'])})\n    " +
                             "\n    ".join(places))
    assert not found, "\n" + "\n".join(found)
