"""The Complete tab in a real browser: brushing on the canvas, completions beside it, the restorer's settings."""

import pytest
from browser_steps import pixels, sources, wait_for_text
from helpers import wait_until

from demo.kit.pictures import bundled
from demo.tabs.complete import tab
from demo.tabs.complete.service import CompleteService


def open_tab(visitor, query: str = ""):
    page = visitor.open(f"?tab=complete{query}")
    wait_for_text(page, "#complete-status", "Stored example" if not query else "")
    page.wait_for_selector("#complete-result img")
    page.wait_for_selector("#complete-canvas canvas")
    return page


def canvas(page) -> str:
    return page.evaluate("document.querySelector('#complete-canvas canvas').toDataURL()")


def test_it_opens_on_a_stored_example(kept):
    page = kept(open_tab)
    words = page.inner_text("#complete-result")
    assert len(sources(page, "#complete-result")) == 8 and "effective sample size" in words
    assert "each time differently" in page.inner_text(".complete-lead")
    wait_for_text(page, "#complete-canvas output", "of 256 pixels are brushed away")
    assert page.inner_text("#complete-hole") == "", "the hole is a hole until something is drawn for the visitor"
    assert not page.locator("#complete-measured table").first.is_visible()
    page.click("#complete-measured summary")
    assert "grey copied" in page.inner_text("#complete-measured")


def test_it_can_be_brushed_when_it_is_opened_from_another_tab(visit):
    visitor = visit()
    page = visitor.open("?tab=about")
    visitor.open_tab("Complete")
    wait_for_text(page, "#complete-canvas output", "pixels are brushed away")
    page.click("#complete-canvas [data-tool=clear]")
    wait_for_text(page, "#complete-canvas output", "nothing is brushed away")
    page.click("#complete-canvas canvas")
    wait_for_text(page, "#complete-canvas output", "9 of 256 pixels are brushed away")


def test_brushing_fills_the_hole_as_soon_as_the_brush_is_lifted(visit, service):
    page = open_tab(visit())
    page.click("#complete-canvas [data-tool=clear]")
    wait_for_text(page, "#complete-status", "Brush a part of the picture away")
    wait_for_text(page, "#complete-canvas output", "nothing is brushed away")
    page.wait_for_selector("#complete-result .blank")
    page.wait_for_function("document.querySelector('#complete-generate').disabled")  # there is nothing to draw
    box = page.locator("#complete-canvas canvas").bounding_box()
    before = sources(page, "#complete-result")
    service.row_seconds = 0.05
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    page.mouse.move(box["x"] - 20, box["y"])
    wait_for_text(page, "#complete-canvas output", "pixels are brushed away")
    wait_for_text(page, "#complete-status", "Row ", 60)
    wait_for_text(page, "#complete-status", "8 completions", 60)
    after = sources(page, "#complete-result")
    assert len(after) == 8 and not set(after) & set(before)
    page.wait_for_function("location.search.includes('complete.mask=')")
    mask = page.evaluate("new URLSearchParams(location.search).get('complete.mask')")
    said = page.inner_text("#complete-canvas output")
    again = open_tab(visit(), f"&complete.mask={mask}&complete.way=raster+order+and+weights")
    wait_for_text(again, "#complete-canvas output", said)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_drawn_stands_in_the_hole_until_one_brushes_again(visit, width):
    page = open_tab(visit())
    page.set_viewport_size({"width": width, "height": 844})
    page.click("#complete-new-seed")
    wait_for_text(page, "#complete-status", "8 completions", 60)
    wait_for_text(page, "#complete-hole", "Number 1 of 8, in the hole")
    figures = page.locator("#complete-result figure")
    figures.nth(2).click()
    page.mouse.move(5, 5)
    wait_for_text(page, "#complete-hole", "Number 3 of 8, in the hole")
    assert figures.nth(2).get_attribute("data-here") is not None
    assert width > 800 or figures.first.bounding_box()["y"] > page.locator("#complete-canvas").bounding_box()["y"]
    page.evaluate("scrollTo(0, 0)")
    filled, box = canvas(page), page.locator("#complete-canvas canvas").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    assert page.inner_text("#complete-hole") == "" and canvas(page) != filled
    page.mouse.up()


@pytest.mark.slow
def test_completions_are_ordered_by_weight_and_stand_in_the_hole(visit):
    page = open_tab(visit())
    page.get_by_role("button", name="square in the middle").click()
    wait_for_text(page, "#complete-status", "8 completions", 60)
    figures = page.locator("#complete-result figure")
    left = [box["x"] + 2000 * box["y"] for box in (one.bounding_box() for one in figures.all())]
    assert left == sorted(left)
    page.get_by_role("button", name="by weight").click()
    moved = [box["x"] + 2000 * box["y"] for box in (one.bounding_box() for one in figures.all())]
    places = [int(one.get_attribute("style").split(":")[1]) for one in figures.all()]
    assert [place for _, place in sorted(zip(moved, places))] == list(range(8))
    page.mouse.move(5, 5)
    empty = canvas(page)
    figures.nth(3).hover()
    page.wait_for_function("before => document.querySelector('#complete-canvas canvas').toDataURL() !== before",
                           arg=empty)
    page.mouse.move(5, 5)
    page.wait_for_function("before => document.querySelector('#complete-canvas canvas').toDataURL() === before",
                           arg=empty)


def test_the_keyboard_brushes(visit):
    page = open_tab(visit())
    page.click("#complete-canvas [data-tool=clear]")
    wait_for_text(page, "#complete-status", "Brush a part of the picture away")
    page.focus("#complete-canvas canvas")
    page.keyboard.press("Enter")
    wait_for_text(page, "#complete-canvas output", "9 of 256 pixels are brushed away")
    page.click("#complete-look button")
    wait_for_text(page, "#complete-seen", "9 pixels are missing")


@pytest.mark.slow
def test_the_restorer_shows_its_settings_and_the_damaged_picture(visit):
    page = open_tab(visit())
    assert not page.locator("#complete-kind").is_visible()
    page.get_by_label(tab.LABELS[tab.RESTORER]).check()
    wait_for_text(page, "#complete-result", "smooth filling", 60)
    masked = canvas(page)
    page.locator("#complete-kind").get_by_label("noise", exact=True).check()
    wait_for_text(page, "#complete-result", "median filter", 60)
    assert page.locator("#complete-noise").is_visible()
    assert not page.locator(".brushes").is_visible() and not page.locator(".complete-shapes").is_visible()
    assert canvas(page) != masked, "the noisy picture"
    before = sources(page, "#complete-result")
    page.click("#complete-new-seed")
    wait_for_text(page, "#complete-status", "8 restorations", 60)
    assert len(set(sources(page, "#complete-result")) - set(before)) == 9  # eight samples and their mean


@pytest.mark.slow
def test_the_ways_are_compared_in_rows(visit):
    page = open_tab(visit())
    page.get_by_label(tab.LABELS[tab.COMPARE]).check()
    page.wait_for_selector("#complete-result .way-name")
    assert "Stored example" in page.inner_text("#complete-status")
    names = page.locator("#complete-result .way-name").all_inner_texts()
    assert names == [tab.ROWS[tab.RASTER], tab.ROWS[tab.RESTORER]], "this page has no chain"
    before = pixels(page, "#complete-result")
    assert len(before) == 8
    page.click("#complete-generate")
    wait_for_text(page, "#complete-status", "2 ways", 60)
    assert pixels(page, "#complete-result") == before, "the stored ones are the first of what is drawn alone"
    page.click("#complete-new-seed")
    assert wait_until(lambda: not set(pixels(page, "#complete-result")) & set(before), 60)


@pytest.mark.slow
def test_every_picture_and_shape_changes_the_canvas(visit):
    page = open_tab(visit())
    seen = [canvas(page)]
    choices = [page.locator("#complete-picture").get_by_label(name) for name in ("coffee", "astronaut")]
    first, *others = page.locator(".complete-shapes button").all()  # the tab opens with the first
    for choice in (*choices, *others, first):
        choice.click()
        page.wait_for_function("before => document.querySelector('#complete-canvas canvas').toDataURL() !== before",
                               arg=seen[-1])
        seen.append(canvas(page))
    wait_for_text(page, "#complete-status", "8 completions", 60)


def test_the_address_keeps_the_state(visit):
    page = open_tab(visit(), "&complete.way=restorer&complete.damage=grey&complete.seed=11&p=coffee")
    page.wait_for_function("document.querySelector('#complete-seed input').value === '11'")
    page.wait_for_function("document.querySelector('#complete-picture input[value=coffee]').checked")
    assert page.get_by_label("grey", exact=True).is_checked()
    wait_for_text(page, "#complete-status", "8 restorations", 60)


@pytest.mark.slow
def test_a_shape_stops_a_request_for_the_old_one(visit, service):
    service.row_seconds = 0.4
    page = open_tab(visit())
    page.click("#complete-generate")
    wait_for_text(page, "#complete-status", "Row ")
    page.get_by_role("button", name="right half").click()
    service.row_seconds = 0
    wait_for_text(page, "#complete-canvas output", "128 of 256 pixels")
    wait_for_text(page, "#complete-status", "8 completions", 60)
    assert wait_until(lambda: not service.busy, 10)
    known = CompleteService(service).masks()["right half"]
    assert known.sum() == 128 and bundled("cat").shape == (32, 32, 3)
