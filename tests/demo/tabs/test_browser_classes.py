"""The Classes tab in a real browser: what is shown of a model that is chosen while another one draws."""

import pytest
from browser_steps import type_seed, wait_for_text

STAGE = "document.querySelector('.classes-bench .stage')"


def open_tab(visitor, query: str = ""):
    page = visitor.open(f"?tab=classes{query}")
    page.locator("#generate").wait_for(state="visible")
    return page


@pytest.mark.slow
def test_stored_samples_are_not_marked_as_changed_after_a_cancelled_run(visit, service):
    """Draw another, and at once another model: its stored samples are of the settings that stand there."""
    service.row_seconds = 0.3
    page = open_tab(visit())
    for model, said, at_once in (("digits", "Nothing drawn yet", False), ("photos", "Stored samples", False),
                                 ("digits", "Nothing drawn yet", True), ("photos", "Stored samples", True)):
        page.click("#new-seed")
        if not at_once:
            page.wait_for_function(f"{STAGE}.matches('.running:not(.waiting)')")
        page.locator("#model").get_by_label(model, exact=False).first.check()
        wait_for_text(page, "#status", said)
        page.wait_for_function("!document.querySelector('#stop').matches(':enabled')")
        page.wait_for_timeout(1500)
        assert not page.evaluate(f"{STAGE}.matches('.stale')"), (model, at_once)
        assert said in page.inner_text("#status")


def test_the_button_that_is_wanted_wears_the_colour(visit):
    """Another picture while this one is up to date; this one again once a setting has changed."""
    page = open_tab(visit())
    colour = "name => getComputedStyle(document.getElementById(name)).backgroundColor"
    quiet, loud = (page.evaluate(colour, name) for name in ("generate", "new-seed"))
    assert quiet != loud
    type_seed(page, "41")
    page.wait_for_function(f"{STAGE}.matches('.stale')")
    page.wait_for_function(f"loud => ({colour})('generate') === loud && ({colour})('new-seed') !== loud", arg=loud)
