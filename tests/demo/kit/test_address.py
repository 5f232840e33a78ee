"""The address bar keeps the settings of every tab: written by the browser, cleaned when it is read."""

import gradio as gr
import pytest
from browser_steps import open_how, type_seed

from demo.kit.address import read_value

SLIDER, WHOLE = gr.Slider(0, 2, value=1, step=0.05), gr.Slider(1, 7, value=3, step=1)
SEED, RADIO, CHECK = gr.Number(7, precision=0), gr.Radio([("A cat", "cat"), "dog"]), gr.Checkbox()


@pytest.mark.parametrize("component, text, value", [
    (SLIDER, "0.5", 0.5), (SLIDER, "9", 2), (SLIDER, "-inf", 0), (SLIDER, "nan", 1), (SLIDER, "<b>", 1),
    (WHOLE, "6.9", 6), (WHOLE, "1e300", 7), (SEED, "41", 41), (SEED, "-3", 0), (SEED, "9" * 50, 2**32 - 1),
    (RADIO, "cat", "cat"), (CHECK, "true", True), (CHECK, "1;drop", False)])
def test_values_are_cleaned(component, text, value):
    assert read_value(component, text) == value
    assert type(read_value(component, text)) is type(value) or isinstance(component, gr.Slider)


@pytest.mark.parametrize("component, text", [(SLIDER, None), (RADIO, "A cat"), (RADIO, ""), (CHECK, None)])
def test_what_a_component_cannot_have_leaves_it_alone(component, text):
    assert read_value(component, text) == gr.skip()


def changed(page, key: str, value: str) -> None:
    page.wait_for_function("([key, value]) => new URLSearchParams(location.search).get(key) == value",
                           arg=[key, value], timeout=20000)


@pytest.mark.slow
def test_portraits_remember_their_settings_and_never_an_upload(visit, tmp_path):
    from PIL import Image

    page = visit().open("?tab=portraits&portraits.seed=41&portraits.temperature=99&portraits.example=Grace+Hopper")
    page.wait_for_function("document.querySelector('#portraits-status').innerText.includes('of Grace Hopper in')",
                           timeout=30000)
    open_how(page, "portraits-")
    assert page.input_value("#portraits-seed input") == "41"
    assert page.input_value("#portraits-temperature input[type=number]") == "2"
    page.get_by_role("button", name="Eileen Collins").click()
    changed(page, "portraits.example", "Eileen Collins")
    type_seed(page, "12", "portraits-")
    changed(page, "portraits.seed", "12")
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "mine.png")
    page.set_input_files("#portraits-photo input[type=file]", tmp_path / "mine.png")
    page.wait_for_function("!location.search.includes('portraits.example')", timeout=20000)
    assert "mine" not in page.url


@pytest.mark.slow
def test_interpolate_remembers_its_settings(visit):
    page = visit().open("?tab=interpolate&interpolate.between=two+classes&interpolate.model=digits"
                        "&interpolate.from=3&interpolate.to=nobody&interpolate.steps=5&interpolate.path=linear")
    first, last = (page.get_by_role("combobox", name=name, exact=True) for name in ("From", "To"))
    first.wait_for(state="visible")
    page.wait_for_function("document.querySelector('#interpolate-kind input:checked').value == 'two classes'")
    assert (first.input_value(), last.input_value()) == ("3", "9")
    assert page.get_by_label("linear").is_checked()
    type_seed(page, "5", "interpolate-")
    changed(page, "interpolate.seed", "5")
    assert "interpolate.model=digits" in page.url and "interpolate.steps=5" in page.url
