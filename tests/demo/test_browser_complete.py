"""The Complete tab in a real browser: painting on the canvas, completions appearing, the restorer's settings."""

from helpers import wait_until
from test_browser_faces import sources, wait_for_text


def open_tab(visit, query: str = "", **context):
    page = visit(**context).open(f"?tab=complete{query}")
    wait_for_text(page, "#complete-status", "Stored example" if not query else "")
    page.wait_for_selector("#complete-seen img")
    page.wait_for_selector("#complete-canvas canvas")
    return page


def test_it_opens_on_a_stored_example(visit):
    page = open_tab(visit)
    words = page.inner_text("#complete-result")
    assert len(sources(page, "#complete-result")) == 16 and "effective sample size" in words
    assert "64 pixels are missing" in page.inner_text("#complete-seen")
    assert "grey copied" in page.inner_text("#complete-measured")


def test_painting_takes_pixels_away_and_generate_fills_them(visit, service):
    page = open_tab(visit)
    page.click("#complete-canvas [data-tool=clear]")
    wait_for_text(page, "#complete-status", "Brush a part of the picture away")
    box = page.locator("#complete-canvas canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    wait_for_text(page, "#complete-seen", "pixels are missing")
    wait_for_text(page, "#complete-status", "press Generate")
    before = sources(page, "#complete-result")
    service.row_seconds = 0.05
    page.click("#complete-generate")
    wait_for_text(page, "#complete-status", "Row ")
    wait_for_text(page, "#complete-status", "8 completions")
    after = sources(page, "#complete-result")
    assert len(after) == 16 and not set(after) & set(before)
    assert "effective sample size" in page.inner_text("#complete-result")


def test_the_keyboard_paints(visit):
    page = open_tab(visit)
    page.click("#complete-canvas [data-tool=clear]")
    wait_for_text(page, "#complete-status", "Brush a part of the picture away")
    page.focus("#complete-canvas canvas")
    page.keyboard.press("Enter")
    wait_for_text(page, "#complete-seen", "9 pixels are missing")


def test_the_restorer_shows_its_settings_and_the_damaged_picture(visit):
    page = open_tab(visit)
    assert not page.locator("#complete-kind").is_visible()
    page.get_by_label("restorer", exact=True).check()
    wait_for_text(page, "#complete-seen", "damaged picture")
    wait_for_text(page, "#complete-result", "diffusion")
    page.get_by_label("noise", exact=True).check()
    wait_for_text(page, "#complete-result", "median filter")
    assert page.locator("#complete-noise").is_visible()
    before = sources(page, "#complete-result")
    page.click("#complete-new-seed")
    wait_for_text(page, "#complete-status", "8 restorations")
    assert len(set(sources(page, "#complete-result")) - set(before)) == 9  # eight samples and their mean


def test_the_address_keeps_the_state(visit):
    page = open_tab(visit, "&complete.way=restorer&complete.damage=grey&complete.seed=11&complete.picture=coffee")
    wait_for_text(page, "#complete-seen", "damaged picture")
    page.wait_for_function("document.querySelector('#complete-seed input').value === '11'")
    assert page.get_by_label("grey", exact=True).is_checked() and page.get_by_label("coffee").is_checked()


def test_a_phone_shows_everything_in_its_width(visit):
    page = open_tab(visit, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_painting_stops_a_request_for_the_old_picture(visit, service):
    service.row_seconds = 0.4
    page = open_tab(visit)
    page.click("#complete-generate")
    wait_for_text(page, "#complete-status", "Row ")
    page.get_by_role("button", name="right half").click()
    wait_for_text(page, "#complete-status", "press Generate")
    page.wait_for_function("!document.querySelector('#complete-generate').disabled")
    wait_for_text(page, "#complete-seen", "128 pixels are missing")
    assert wait_until(lambda: not service.busy, 10)
