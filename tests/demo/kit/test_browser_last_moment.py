"""Stop in the last moment, in a real browser: looking at an upload, and a sample whose last row is on its way."""

import pytest
from browser_steps import wait_for_text
from PIL import Image

CANVAS = "() => document.querySelector('#likelihood-image canvas').toDataURL()"
# As if Stop were pressed just before the page hears of the finished picture, too late for the server to hear of it.
STOPPED = """() => window.drawOne = new Proxy({}, {
  get: (all, key) => all[key] === "drawing" ? "stopped" : all[key]})"""


@pytest.mark.slow
def test_looking_at_an_upload_waits_with_its_place_and_can_be_stopped(visit, busy, tmp_path):
    Image.new("RGB", (40, 40), "#36c").save(tmp_path / "blue.png")
    page = visit().open("?tab=inside")
    field = page.locator("#inside-upload input[type=file], input[type=file]:has(+ #inside-upload)").first
    field.set_input_files(tmp_path / "blue.png")
    wait_for_text(page, "#inside-status", "in the queue")
    assert page.locator("#inside-generate").is_disabled() and page.locator("#inside-stop").is_enabled()
    page.click("#inside-stop")
    wait_for_text(page, "#inside-status", "Stopped")
    page.wait_for_function("!document.querySelector('#inside-generate').disabled")


@pytest.mark.slow
def test_a_sample_that_was_stopped_never_arrives(visit, service):
    page = visit().open("?tab=likelihood")
    wait_for_text(page, "#likelihood-headline", "needs")
    before, idle = page.evaluate(CANVAS), "!document.querySelector('#likelihood-draw').disabled"
    page.evaluate(STOPPED)
    page.click("#likelihood-draw")
    page.wait_for_selector("#likelihood-draw-stop")
    page.wait_for_function(idle)
    page.wait_for_timeout(2000)
    assert page.evaluate(CANVAS) == before and page.locator("#likelihood-picture input:checked").count() == 1
    page.evaluate("() => window.drawOne = null")
    page.click("#likelihood-draw")
    page.wait_for_function(f"before => ({CANVAS})() !== before", arg=before)
    page.wait_for_function(idle)
    assert page.inner_text("#likelihood-draw-status") == ""
