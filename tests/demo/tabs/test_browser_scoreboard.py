"""The Scoreboard in a real browser: the race plays, the slider tells it, the samplers run live, and it fits a phone."""

import pytest


def open_board(visitor):
    page = visitor.open("?tab=scoreboard")
    page.locator("#race-plot svg").wait_for(state="visible")
    return page


def move(page, percent: int) -> None:
    """Set the slider through the number beside it."""
    page.fill("#race-percent input[type=number]", str(percent))
    page.locator("#race-percent input[type=number]").press("Enter")


@pytest.mark.slow
def test_the_slider_tells_who_leads(visit):
    page = open_board(visit())
    assert "Gated PixelCNN leads" in page.inner_text("#race-standing")
    move(page, 50)
    page.wait_for_function("document.querySelector('#race-standing').innerText.includes('Diagonal BiLSTM leads')")
    assert page.locator("#race-standing li").first.inner_text().startswith("Diagonal BiLSTM")
    page.wait_for_function("""document.querySelector('#race-plot svg').getAttribute('aria-label')
        .includes('after 20 seconds')""")
    move(page, 0)
    page.wait_for_function("document.querySelector('#race-standing').innerText.includes('no model has been scored')")


@pytest.mark.slow
def test_play_lets_the_race_run_and_stop_stays_where_it_is(kept):
    """Names change places on the way: the Diagonal BiLSTM leads in the middle of this race, not at its end. The slider
    goes along, and holds the moment of the stop."""
    page = kept(open_board)
    end = page.inner_text("#race-standing")
    line = "document.querySelector('#race-plot .runner-3 .so-far').getAttribute('points')"
    whole = page.evaluate(line)
    page.click("#race-play")
    said = "document.querySelector('#race-standing .leader').innerText"
    page.wait_for_function(f"{said}.startsWith('After ') && {said}.includes('Gated PixelCNN leads')")
    assert page.inner_text("#race-play") == "Stop"
    assert page.locator("#race-plot circle:not(.reached):visible").count() == 4, "all four are on their way at once"
    page.wait_for_function(f"whole => {line} !== whole", arg=whole)  # the plot is drawn a moment after the words
    early = page.evaluate(line)
    page.wait_for_function(f"{said}.includes('Diagonal BiLSTM leads')", timeout=20_000)
    assert page.locator("#race-standing li").first.inner_text().startswith("Diagonal BiLSTM")
    reach = "points => Number((points || '0,0').split(' ').at(-1).split(',')[0])"  # where a line ends
    page.wait_for_function(f"early => {{ const reach = {reach}; return reach({line}) > reach(early); }}", arg=early)
    page.click("#race-play")
    page.wait_for_function("document.querySelector('#race-play').innerText === '▶ Play'")
    slider = "Number(document.querySelector('#race-percent input[type=range]').value)"
    stopped = page.evaluate(slider)
    assert 45 < stopped < 100 and page.input_value("#race-percent input[type=number]") == str(stopped)
    page.wait_for_function(f"location.search.includes('scoreboard.time={stopped}&')")
    page.wait_for_function(f"{said}.startsWith('After {0.4 * stopped:.0f} s of')")  # the server, of this moment
    page.click("#race-play")
    page.wait_for_function(f"{said}.startsWith('After ')")
    assert page.evaluate(slider) >= stopped, "it goes on from there"
    page.wait_for_function(f"whole => {line} === whole", arg=whole, timeout=20_000)
    page.wait_for_function("document.querySelector('#race-play').innerText === '▶ Play'")
    page.wait_for_function("end => document.querySelector('#race-standing').innerText === end", arg=end)
    assert page.evaluate(slider) == 100 and len(whole.split()) == 4


def test_the_slider_takes_over_from_play(kept):
    page = kept(open_board)
    page.click("#race-play")
    page.wait_for_function("Number(document.querySelector('#race-percent input[type=range]').value) < 60")
    move(page, 50)
    page.wait_for_function("document.querySelector('#race-standing').innerText.includes('Diagonal BiLSTM leads with')")
    assert page.inner_text("#race-play") == "▶ Play"
    assert page.input_value("#race-percent input[type=range]") == "50"
    move(page, 100)
    page.wait_for_function("document.querySelector('#race-standing').innerText.includes('After 40 s')")


@pytest.mark.slow
def test_against_steps_the_axis_says_so(visit):
    page = open_board(visit())
    page.locator("#race-axis").get_by_label("training steps").check()
    page.wait_for_function("document.querySelector('#race-plot svg').textContent.includes('steps of training')")
    page.wait_for_function("location.search.includes('scoreboard.axis=steps')")
    assert "After 400 steps" in page.inner_text("#race-standing")


def test_the_tab_opens_on_three_numbers_and_folds_its_tables(kept):
    page = kept(open_board)
    numbers = page.locator("#scoreboard-headline .card b").all_inner_texts()
    assert numbers[0] == "3.03 bits" and numbers[1] == "88 %"
    size = page.eval_on_selector("#scoreboard-headline .card b", "node => parseFloat(getComputedStyle(node).fontSize)")
    assert size > 40
    assert not page.locator("#paper-tables table").first.is_visible()
    page.click("#paper-tables summary")
    rows = page.locator("#paper-tables tr.ours").all_inner_texts()
    assert len(rows) == 3 and "3.03 (2.90)" in rows[0]
    page.click("#paper-tables summary")
    assert "A stored race" in page.inner_text("#samplers-status")
    sizes = page.eval_on_selector_all("#samplers img", "images => images.map(i => [i.naturalWidth, i.clientWidth])")
    assert len(sizes) == 2 and all(natural == 256 and shown > 100 for natural, shown in sizes)


@pytest.mark.slow
def test_the_address_opens_what_it_names(visit):
    """What is opened is in the address, and a link with it opens it again, in sight."""
    page = open_board(visit())
    assert page.locator("details.fold[open]").count() == 0
    page.click("#paper-tables summary")
    page.wait_for_function("location.search.includes('scoreboard.open=paper-tables')")
    page.click("#paper-tables summary")
    page.wait_for_function("!location.search.includes('scoreboard.open')")
    page = visit().open("?tab=scoreboard&scoreboard.open=paper-tables,nothing")
    page.locator("#paper-tables table").first.wait_for(state="visible")
    page.wait_for_function("document.querySelector('#paper-tables').getBoundingClientRect().top < innerHeight / 2")


def test_the_samplers_race_live(visit, service):
    service.row_seconds = 0.03
    page = open_board(visit())
    page.click("#samplers-new-seed")
    page.wait_for_function("document.querySelector('#samplers-status').innerText.includes('Pixel ')", timeout=60_000)
    images = page.eval_on_selector_all("#samplers img", "images => images.map(image => image.src)")
    assert images[0] != images[1], "the naive one is still drawing"
    assert page.locator("#samplers-stop").is_enabled()
    service.row_seconds = 0
    page.wait_for_function("document.querySelector('#samplers-status').innerText.includes('Identical: yes')",
                           timeout=60_000)
    images = page.eval_on_selector_all("#samplers img", "images => images.map(image => image.src)")
    assert images[0] == images[1]


@pytest.mark.slow
def test_the_address_holds_the_moment_and_the_race(visit):
    visitor = visit()
    page = open_board(visitor)
    move(page, 50)
    page.wait_for_function("location.search.includes('scoreboard.time=50')")
    page.locator("#samplers-model").get_by_label("photos").check()
    page.wait_for_function("location.search.includes('scoreboard.model=photos')")
    again = visit()
    page = again.open("?tab=scoreboard&scoreboard.time=50&scoreboard.model=photos&scoreboard.seed=12")
    page.wait_for_function("document.querySelector('#race-standing').innerText.includes('Diagonal BiLSTM leads')")
    page.wait_for_function("document.querySelector('#samplers-class input').value == 'cat'")
    assert page.input_value("#samplers-seed input") == "12"


@pytest.mark.slow
def test_another_model_brings_its_classes(visit):
    page = open_board(visit())
    page.locator("#samplers-model").get_by_label("photos").check()
    page.wait_for_function("document.querySelector('#samplers-status').innerText.includes('Nothing drawn yet')")
    assert page.input_value("#samplers-class input") == "cat"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_lines_and_words_can_be_told_from_the_page(visit, kept, scheme):
    """WCAG contrast against the page: 4.5 for words, 3 for the curves."""
    page = kept(open_board) if scheme == "light" else open_board(visit(color_scheme=scheme))
    contrast = """([selector, property]) => {
      const numbers = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const light = rgb => rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
      const page = light(numbers(getComputedStyle(document.body).backgroundColor));
      const mine = light(numbers(getComputedStyle(document.querySelector(selector))[property]));
      return (Math.max(page, mine) + .05) / (Math.min(page, mine) + .05);
    }"""
    for k in range(4):
        assert page.evaluate(contrast, [f"#race-plot .runner-{k} .so-far", "stroke"]) >= 3, k
    for selector in (".board thead th", ".board td", ".headline p", "#race-standing .leader", "#samplers p",
                     ".fold span", ".scoreboard .facts"):
        assert page.evaluate(contrast, [selector, "color"]) >= 4.5, selector
    assert page.evaluate(contrast, ["#race-plot text", "fill"]) >= 4.5


@pytest.mark.slow
def test_a_phone(visit):
    page = open_board(visit(viewport={"width": 390, "height": 844}))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.scrollHeight") < 4600
    page.eval_on_selector_all(".scoreboard details", "all => all.forEach(details => details.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cut = page.eval_on_selector_all(".scoreboard td, .scoreboard .card", """nodes => nodes.filter(node => {
        const box = node.getBoundingClientRect();
        return box.width && (box.left < 0 || box.right > 390);
    }).map(node => node.innerText)""")
    assert cut == []
    for selector in ("#race-plot svg", "#samplers figure", "#race-percent input[type=range]", "#race-play"):
        box = page.locator(selector).first.bounding_box()
        assert 0 <= box["x"] and box["x"] + box["width"] <= 390 and box["width"] > 120, selector


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_play_and_the_curves_are_on_one_screen(visit, size):
    page = open_board(visit(viewport={"width": size[0], "height": size[1]}))
    page.click("#race-play")
    page.wait_for_function("document.querySelector('#race-play').innerText === 'Stop'")
    clock = "document.querySelector('#race-plot .clock').textContent"
    page.wait_for_function(f"{clock} !== '40 s'")
    bar = page.locator("#tabs > .tab-wrapper").bounding_box()
    for selector in ("#race-plot svg", "#race-play", "#race-percent"):
        box = page.locator(selector).first.bounding_box()
        assert bar["y"] + bar["height"] <= box["y"] and box["y"] + box["height"] <= size[1], selector


def test_the_keyboard_moves_the_race(kept):
    page = kept(open_board)
    page.focus("#race-percent input[type=range]")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('#race-standing').innerText.includes('no model has been scored')")
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('#race-standing').innerText.includes('After 40 s')")
