"""What is asked of the model without a Draw button, in a real browser: it says at once that it waits, and its place,
and can be stopped; a picture that cannot be used is refused beside its drop zone."""

import pytest
from browser_steps import wait_for_text

from demo.tabs.inside.layout import DRAWN

# one tab of a kind by default: what they share is one function
CHOOSERS = ("complete", *(pytest.param(tab, marks=pytest.mark.slow) for tab in ("likelihood", "autoencoder")))


@pytest.mark.slow
def test_looking_waits_with_its_place_and_can_be_stopped(visit, busy):
    page = visit().open("?tab=likelihood")
    before = page.inner_text("#likelihood-status")
    page.locator("#likelihood-picture").get_by_label("rocket").check()
    wait_for_text(page, "#likelihood-status", "in the queue")
    page.wait_for_function("document.querySelector('#announcer').textContent.includes('Waiting')")
    assert page.locator("#likelihood-stop").is_enabled()
    page.click("#likelihood-stop")
    wait_for_text(page, "#likelihood-status", "Stopped")
    assert page.locator("#likelihood-stop").is_disabled() and "raw" in before


@pytest.mark.slow
def test_a_picture_is_packed_one_at_a_time(visit, busy):
    page = visit().open("?tab=likelihood")
    invitation = page.inner_text("#likelihood-coded")
    page.click("#likelihood-compress")
    wait_for_text(page, "#likelihood-coded", "in the queue")
    assert page.locator("#likelihood-compress").is_disabled()
    page.click("#likelihood-stop")
    wait_for_text(page, "#likelihood-coded", invitation)
    page.wait_for_function("!document.querySelector('#likelihood-compress').disabled")


@pytest.mark.parametrize("tab", CHOOSERS)
def test_a_picture_that_the_model_draws_waits_with_its_place_and_can_be_stopped(visit, busy, tab):
    page = visit().open(f"?tab={tab}")
    page.click(f"#{tab}-draw")
    wait_for_text(page, f"#{tab}-draw-status", "in the queue")
    assert page.locator(f"#{tab}-draw").is_disabled()
    page.click(f"#{tab}-draw-stop")
    wait_for_text(page, f"#{tab}-draw-status", "Stopped")
    page.wait_for_function("id => !document.getElementById(id).disabled", arg=f"{tab}-draw")
    assert not page.locator(f"#{tab}-draw-stop").is_visible()


@pytest.mark.slow
def test_inside_looks_and_paints_with_its_place_also_after_a_stop(visit, busy):
    page = visit().open("?tab=inside")
    for act in (lambda: page.locator("#inside-picture").get_by_label(DRAWN).check(),
                lambda: page.click("#inside-generate"),
                lambda: page.locator("#inside-picture").get_by_label("rocket").check(),
                lambda: (page.click("#inside-canvas [data-colour='#00c8e6']"),
                         page.click("#inside-canvas canvas"))):
        act()
        wait_for_text(page, "#inside-status", "in the queue")
        assert page.locator("#inside-generate").is_disabled() and page.locator("#inside-stop").is_enabled()
        page.click("#inside-stop")
        wait_for_text(page, "#inside-status", "Stopped")
        page.wait_for_function("!document.querySelector('#inside-generate').disabled")


@pytest.mark.parametrize("tab", (*CHOOSERS, pytest.param("inside", marks=pytest.mark.slow)))
def test_a_picture_that_cannot_be_used_is_refused_where_it_was_given(visit, service, tmp_path, tab):
    (tmp_path / "fake.png").write_bytes(b"no picture")
    page = visit().open(f"?tab={tab}")
    picture = f"#{tab}-picture input:checked"
    chosen = page.eval_on_selector(picture, "input => input.value")
    kind = "upload" if tab == "inside" else "photo"
    field = page.locator(f"#{tab}-{kind} input[type=file], input[type=file]:has(+ #{tab}-{kind})").first
    field.set_input_files(tmp_path / "fake.png")
    refused = page.locator(f"#tab-{tab} .refused[role=alert]")
    refused.wait_for()
    assert "Not used." in refused.inner_text() and "Still showing the picture before" in refused.inner_text()
    assert page.eval_on_selector(picture, "input => input.value") == chosen
    page.locator(f"#{tab}-picture").get_by_label("coffee").check()
    refused.wait_for(state="detached")


@pytest.mark.slow
def test_what_is_shown_can_be_copied_and_downloaded(visit):
    page = visit().open("?tab=likelihood")
    with page.expect_download() as download:
        page.click("#likelihood-png")
    assert download.value.suggested_filename == "pixelcnn_likelihood.png"
    page.click("#likelihood-link")
    page.wait_for_function("['Link copied', 'Copy it from the address bar'].includes("
                           "document.querySelector('#likelihood-link').innerText)")
