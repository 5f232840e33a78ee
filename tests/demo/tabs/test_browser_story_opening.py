"""The story's first screen in a real browser: whole before its record has arrived; on a phone answers come in sight."""

import pytest

PHONE = {"width": 390, "height": 844}


@pytest.mark.slow
def test_the_first_screen_is_whole_before_the_record_arrives(visit):
    visited = visit(viewport=PHONE)
    page = visited.page
    page.route("**/stored/*.json", lambda route: None)  # it never comes
    page.goto(visited.url + "?tab=story")
    page.wait_for_selector("#story .swatches button")
    assert page.locator("#story .swatches button").count() == 6
    assert page.inner_text("#story [data-turn=next]").split() == ["Next:", "It", "throws", "dice"]
    assert "/stored/" in page.evaluate(
        "getComputedStyle(document.querySelector('#story .easel canvas')).backgroundImage")
    assert page.locator("#story .easel canvas").bounding_box()["width"] == 208, "as large as when it is painted"


@pytest.mark.slow
def test_on_a_phone_a_guess_brings_its_answer_into_sight(visit):
    visited = visit(viewport=PHONE)
    page = visited.page
    page.goto(visited.url + "?tab=story")
    page.wait_for_selector("#story [data-ready]")
    page.locator("#story .swatches button").nth(2).click()
    foot = page.locator("#story .turn").bounding_box()["y"]
    for chart in page.locator("#story section[data-step=guess] .chart").all():
        box = chart.bounding_box()
        assert box["y"] > 48 and box["y"] + box["height"] <= foot
    assert page.locator("#story .said").bounding_box()["y"] >= 48, "and so is what it says in words"
