"""The page in a real browser: what a visitor sees and does, and that nothing is asked of any other machine."""

from urllib.parse import urlsplit

import pytest
from browser_steps import open_how
from helpers import wait_until

from demo.web.page import TABS


def test_it_opens_on_stored_samples(visit):
    visitor = visit()
    page = visitor.open()
    assert visitor.labels() == ["cat", "dog", "ship"]
    assert "Stored samples" in visitor.status()
    sizes = page.eval_on_selector_all("#grid img", "images => images.map(i => [i.naturalWidth, i.clientWidth])")
    assert all(natural >= 320 and shown > 100 for natural, shown in sizes)
    page.wait_for_function("document.querySelectorAll('.katex').length > 5")  # the formulas are drawn
    assert page.locator("#stop").is_disabled() and page.locator("#generate").is_enabled()
    visitor.open_tab("About")
    page.get_by_text("How to read this page").wait_for()
    page.wait_for_function("location.search.includes('tab=about')")


COUNT_PICTURES = """() => {
  window.seen = new Set();
  const look = () => window.seen.add([...document.querySelectorAll("#grid img")].map(image => image.src).join());
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def test_generate_draws_row_after_row(visit, service):
    service.row_seconds = 0.08
    visitor = visit()
    page = visitor.open()
    before = visitor.sources()
    page.evaluate(COUNT_PICTURES)
    page.click("#new-seed")
    page.wait_for_function("document.querySelector('#status').innerText.includes('Row ')")
    assert page.locator("#stop").is_enabled() and page.locator("#generate").is_disabled()
    visitor.wait_for_status("12 images in")
    assert page.evaluate("window.seen.size") >= 4 and set(visitor.sources()).isdisjoint(before)
    open_how(page)
    seed = page.input_value("#seed input")
    assert f"seed {seed}" in visitor.status()
    page.wait_for_function("seed => new URLSearchParams(location.search).get('seed') == seed", arg=seed)
    with page.expect_download() as download:
        page.click("#png")
    assert download.value.suggested_filename == f"pixelcnn_classes_seed-{seed}.png"


@pytest.mark.slow
def test_generate_with_the_stored_settings_draws_the_stored_samples(visit):
    visitor = visit()
    page = visitor.open()
    before = visitor.sources()
    page.click("#generate")
    visitor.wait_for_status("12 images in")
    assert visitor.sources() == before


def test_stop_frees_the_model_within_a_second(visit, service):
    service.row_seconds = 0.2
    visitor = visit()
    page = visitor.open()
    page.click("#generate")
    visitor.wait_for_status("Row 2")
    page.click("#stop")
    visitor.wait_for_status("Stopped at row", 1)
    assert wait_until(lambda: not service.busy, 1)
    assert page.locator("#generate").is_enabled() and page.locator("#stop").is_disabled()
    assert page.locator("#grid .unfinished").count() == 1, "what was drawn stays on the screen"
    service.row_seconds = 0
    page.click("#generate")
    visitor.wait_for_status("12 images in")


@pytest.mark.slow
def test_a_closed_page_frees_the_model(visit, service):
    service.row_seconds = 0.2
    visitor = visit()
    page = visitor.open()
    page.click("#generate")
    visitor.wait_for_status("Row 2")
    page.close()
    assert wait_until(lambda: not service.busy, 2)


@pytest.mark.slow
def test_the_address_holds_the_settings(visit):
    query = "?tab=classes&model=photos&classes=cat,no+class&n=2&temperature=0.5&guidance=2&seed=41&noise=same"
    visitor = visit()
    page = visitor.open(query)
    visitor.wait_for_status("4 images in", 30)  # a link is drawn at once
    open_how(page)
    assert page.input_value("#seed input") == "41"
    assert page.is_checked("#same-noise input")
    chosen = page.eval_on_selector_all("#classes input:checked",
                                       "boxes => boxes.map(box => box.parentElement.innerText)")
    assert [name.strip() for name in chosen] == ["cat", "no class"]
    assert visitor.labels() == ["cat", "no class"]
    page.locator("#classes").get_by_label("dog").check()
    page.wait_for_function("location.search.includes('dog')")
    values = visitor.query()
    assert values["classes"] == "cat,dog,no class" or set(values["classes"].split(",")) == {"cat", "dog", "no class"}
    assert (values["n"], values["temperature"], values["guidance"], values["noise"]) == ("2", "0.5", "2", "same")
    drawn = visitor.sources()
    again = visit()
    again.open("?" + urlsplit(page.url).query.replace("dog%2C", "").replace("%2Cdog", ""))
    again.wait_for_status("4 images in", 30)
    assert again.sources() == drawn, "the same link, the same images"


@pytest.mark.slow
def test_the_address_can_open_the_other_tab_and_the_other_model(visit):
    visitor = visit()
    page = visitor.open("?tab=about&model=digits")
    page.get_by_text("How to read this page").wait_for(state="visible")
    page.get_by_role("tab", name="Classes").click()
    assert visitor.labels() == list("0123456789")


@pytest.mark.slow
def test_a_wrong_address_opens_and_says_what_is_wrong(visit):
    visitor = visit()
    page = visitor.open("?model=../../etc&classes=%3Cscript%3Ealert(1)%3C/script%3E&n=NaN&seed=-5&tab=nowhere")
    page.get_by_text("There is no model").wait_for()
    assert visitor.labels() == ["cat", "dog", "ship"]


def test_without_a_class_the_buttons_rest_and_say_why(visit):
    visitor = visit()
    page = visitor.open()
    before = visitor.sources()
    page.get_by_role("button", name="None").click()
    page.get_by_text("Choose at least one class").wait_for()
    assert page.locator("#generate").is_disabled() and page.locator("#new-seed").is_disabled()
    assert visitor.sources() == before
    page.get_by_role("button", name="All classes").click()
    page.wait_for_function("document.querySelectorAll('#classes input:checked').length == 3")
    page.wait_for_function("!document.querySelector('#generate').disabled")
    assert not page.get_by_text("Choose at least one class").count()
    page.click("#generate")
    visitor.wait_for_status("12 images in")


@pytest.mark.slow
def test_the_papers_sampler_is_one_click_away(visit):
    visitor = visit()
    page = visitor.open("?tab=classes&classes=cat&n=2&temperature=0.8&guidance=2&min_p=0.05&seed=3")
    visitor.wait_for_status("2 images in", 60)
    assert "temperature 0.8, guidance 2, min-p 0.05" in page.inner_text("#sampler")
    before = visitor.sources()
    page.click("#paper-sampler")
    page.wait_for_function("document.querySelector('#sampler').innerText.includes('This is the paper')")
    page.wait_for_function("before => document.querySelector('#grid img').src !== before", arg=before[0])
    assert page.locator("#paper-sampler").is_disabled()
    page.wait_for_function("new URLSearchParams(location.search).get('min_p') === '0'")


@pytest.mark.slow
def test_another_model(visit):
    visitor = visit()
    page = visitor.open()
    page.get_by_label("Digits", exact=True).check()
    visitor.wait_for_status("Nothing drawn yet")
    assert visitor.labels() == list("0123456789")
    page.click("#generate")
    visitor.wait_for_status("40 images in")


@pytest.mark.slow
def test_a_picture_of_a_strip_sets_its_knob(visit):
    page = visit().open()
    open_how(page)
    for knob, place, value in (("temperature", 4, "1.5"), ("guidance", 2, "2")):
        page.locator(f"#knob-{knob} button").nth(place).click()
        page.wait_for_function(f"document.querySelector('#{knob} input[type=number]').value == '{value}'")
    page.wait_for_function("location.search.includes('temperature=1.5&guidance=2')")


@pytest.mark.slow
def test_a_model_with_stored_samples_brings_their_settings(visit):
    visitor = visit()
    page = visitor.open("?model=digits&seed=99&temperature=0.5&n=2")
    page.get_by_label("Photos", exact=True).check()
    visitor.wait_for_status("Stored samples")
    open_how(page)
    page.wait_for_function("document.querySelector('#seed input').value == '7'")
    before = visitor.sources()
    page.click("#generate")
    visitor.wait_for_status("12 images in", 60)
    assert visitor.sources() == before


@pytest.mark.slow
def test_a_phone(visit):
    visitor = visit(viewport={"width": 390, "height": 844})
    page = visitor.open()
    for module in TABS:  # those that find no room on a phone are to the right: the bar scrolls
        visitor.open_tab(module.TITLE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, module.ID
        if module.ID == "likelihood":
            picture, heat = (page.locator(f"#likelihood-{name} canvas").bounding_box() for name in ("image", "heat"))
            assert min(picture["width"], heat["width"]) >= 150 and picture["y"] == heat["y"], "side by side"
    visitor.open_tab("Classes")
    page.click("#generate")
    visitor.wait_for_status("12 images in")
    box = page.locator("#grid figure").first.bounding_box()
    assert 0 <= box["x"] and box["x"] + box["width"] <= 390 and box["width"] >= 90


@pytest.mark.slow
def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit):
    visitor = visit()
    page = visitor.open()
    open_how(page)
    page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")  # Tab begins at the top again
    reached, outlines = set(), set()
    for _ in range(45):
        page.keyboard.press("Tab")
        found = page.evaluate("""() => {
          const active = document.activeElement, place = active.closest('[id]:not([id^=range]):not([id^=component])');
          return [place ? place.id : '', getComputedStyle(active).outlineStyle];
        }""")
        if found[0]:  # not where the focus leaves the page
            reached.add(found[0])
            outlines.add(found[1])
    wanted = {"generate", "new-seed", "png", "link", "model", "classes", "images", "temperature", "guidance",
              "seed", "same-noise"}
    assert wanted <= reached, wanted - reached
    assert "none" not in outlines
    page.focus("#generate")
    page.keyboard.press("Enter")
    visitor.wait_for_status("12 images in")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read(visit, scheme):
    """WCAG contrast of the main words against the page, at least 4.5."""
    page = visit(color_scheme=scheme).open()
    for selector in ("h1", "#status p", "figcaption", "#facts b", ".colophon", "#images label span",
                     ".notes p"):
        page.wait_for_selector(selector, state="attached")
        colours = page.evaluate("""selector => {
          const numbers = text => text.match(/[\\d.]+/g).map(Number);
          const word = document.querySelector(selector);
          return [numbers(getComputedStyle(word).color), numbers(getComputedStyle(document.body).backgroundColor)];
        }""", selector)
        light, dark = sorted((luminance(colour[:3]) for colour in colours), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (scheme, selector, colours)


def luminance(rgb) -> float:
    parts = [c / 255 / 12.92 if c / 255 <= 0.03928 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
