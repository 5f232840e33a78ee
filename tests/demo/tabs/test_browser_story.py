"""The story in a real browser: every step moves its figure, with the numbers of the stored record and no help of the
server; by keyboard, without motion, on a phone; its doors lead on."""

import re

import numpy as np
import pytest
from helpers import unpack

from demo.tabs.story.tab import DOORS, read_record

MOVING = {"reduced_motion": "no-preference"}
SLOW = 60_000  # milliseconds that a loaded machine may need
EASEL = "document.querySelector('#story .easel canvas').toDataURL()"
SAID = "#story .said"


@pytest.fixture(scope="module")
def record() -> dict:
    return read_record()


@pytest.fixture(scope="module")
def picture(record) -> np.ndarray:
    return unpack(record["picture"]["pixels"])


def open_story(visited, query: str = "?tab=story"):
    page = visited.page
    page.goto(visited.url + query)
    page.wait_for_selector("#story [data-ready]", timeout=SLOW)
    page.wait_for_function("window.addressRead", timeout=SLOW)
    page.wait_for_function("document.querySelector('#story .easel canvas').width > 200", timeout=SLOW)
    return page


@pytest.fixture
def still(kept):
    """The story for someone who wants no motion: every figure is at its end at once."""
    return kept(open_story)


def step(page, name: str):
    page.click(f"#story [data-go={name}]")
    page.wait_for_selector(f"#story section[data-step={name}]", state="visible")
    return page.locator(f"#story section[data-step={name}]")


def changes(page, act, what: str) -> None:
    before = page.evaluate(EASEL)
    act()
    page.wait_for_function(f"before => {EASEL} !== before", arg=before, timeout=SLOW)
    assert page.evaluate(EASEL) != before, what


def said(page, pattern: str) -> re.Match:
    page.wait_for_function("([place, text]) => new RegExp(text).test(document.querySelector(place).innerText)",
                           arg=[SAID, pattern], timeout=SLOW)
    return re.search(pattern, page.inner_text(SAID))


def one_in(p: float) -> str:
    return "hardly ever" if p < 1e-4 else f"{round(100 * p)} in 100" if p > 0.4 else f"1 in {round(1 / p):,}"


def pixel(page, size: int, row: int, column: int) -> list[int]:
    """The colour in the middle of a pixel of the large canvas."""
    return page.evaluate("""([size, row, column]) => {
        const canvas = document.querySelector('#story .easel canvas'), zoom = canvas.width / size;
        const at = [column, row].map(k => Math.floor((k + 0.5) * zoom));
        return [...canvas.getContext('2d').getImageData(...at, 1, 1).data].slice(0, 3);
    }""", [size, row, column])


def test_it_is_what_the_page_opens_with(visit):
    page = open_story(visit(**MOVING), "")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "What is a PixelCNN?"
    assert page.is_visible("#story section[data-step=guess]")


def test_every_step_shows_another_picture_and_asks_nothing_of_the_server(visit):
    visited = visit(**MOVING)
    page = open_story(visited)
    asked, icon = [], page.get_attribute("link[rel=icon]", "href")  # which a browser may look up at any address
    page.on("request", lambda request: asked.append(request.url) if icon not in request.url else None)
    for name, press in (("dice", "[data-do=throw]"), ("drawing", "[data-do=row]"), ("edits", ".spots button >> nth=2"),
                        ("peek", "[data-do=mask]"), ("told", ".classes button >> nth=4"),
                        ("chain", ".sizes button >> nth=1"), ("face", ".portraits-drawn button >> nth=2"),
                        ("guess", ".swatches button >> nth=1")):
        changes(page, lambda n=name: step(page, n), f"step {name}")
        changes(page, step(page, name).locator(press).click, f"{name}: {press}")
    assert not asked


@pytest.mark.slow
def test_next_back_arrow_keys_and_the_address(visit):
    visited = visit(**MOVING)
    page = open_story(visited)
    assert page.is_disabled("#story [data-turn=back]")
    page.click("#story [data-turn=next]")
    assert page.is_visible("#story section[data-step=dice]")
    assert page.evaluate("document.activeElement.innerText") == "It throws dice", "the keyboard goes on at its head"
    page.focus("#story [data-go=dice]")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#story section[data-step=drawing]")
    assert page.evaluate("document.activeElement.dataset.go") == "drawing"
    page.wait_for_function("location.search.includes('story.step=drawing')", timeout=SLOW)
    page.click("#story [data-turn=back]")
    assert page.is_visible("#story section[data-step=dice]")
    page = open_story(visit(**MOVING), "?tab=story&story.step=face")
    assert page.is_visible("#story section[data-step=face]") and page.is_hidden("#story [data-turn=next]")


def test_the_browsers_back_button_goes_one_step_back(visit):
    page = open_story(visit(**MOVING))
    opened = page.evaluate("history.length")
    for name in ("dice", "peek"):
        step(page, name)
    page.click("[role=tab][data-tab-id=inside]")
    page.wait_for_function("location.search.includes('tab=inside')", timeout=SLOW)
    assert page.evaluate("history.length") == opened + 3
    for act, name in ((page.go_back, "peek"), (page.go_back, "dice"), (page.go_back, "guess"),
                      (page.go_forward, "dice")):
        act()
        page.wait_for_selector(f"#story section[data-step={name}]", state="visible", timeout=SLOW)
        page.wait_for_function("document.querySelector('#story .easel canvas').width > 200", timeout=SLOW)
        assert ("story.step=" + name in page.url) is (name != "guess")
    assert page.evaluate("history.length") == opened + 3


def test_a_guess_gets_the_networks_odds(still, record, picture):
    deal, near = record["guesses"][0], record["near"]
    odds = unpack(deal["odds"]) / 65535  # (6, 3, 256)
    shares = [np.prod([odds[n, c, max(0, v - near):v + near + 1].sum() for c, v in enumerate(colour)])
              for n, colour in enumerate(deal["colours"])]
    section = step(still, "guess")
    assert not section.locator(".chart").first.is_visible(), "nothing to see yet"
    for number, (colour, share) in enumerate(zip(deal["colours"], shares)):
        section.locator(".swatches button").nth(number).click()
        said(still, f"Your colour: {one_in(share)}[.,]")
        assert pixel(still, record["picture"]["size"], *deal["place"]) == colour
        assert section.locator(".swatches .best").count() == 1 and section.locator(".chart").first.is_visible()
        assert f"red {picture[*deal['place']][0]}," in still.locator(f"{SAID} .drew i").get_attribute("aria-label")
    assert section.locator(".swatches b").nth(int(np.argmax(shares))).inner_text().startswith(one_in(max(shares)))
    changes(still, section.get_by_role("button", name="Guess another pixel").click, "another pixel")


def test_dice_fall_where_the_bars_say_and_heat_bends_them(still, record):
    odds = unpack(record["dice"]["odds"]) / 65535
    section = step(still, "dice")
    for _ in range(3):
        section.get_by_role("button", name="Throw", exact=True).click()
        found = said(still, r"The dice say (0\.\d+): red (\d+),")
        u, level = float(found[1]), int(found[2])
        below = np.append(0, np.cumsum(odds) / odds.sum())
        assert below[level] - 6e-4 <= u <= below[level + 1] + 6e-4  # three digits of u are shown
        assert pixel(still, record["picture"]["size"], *record["dice"]["place"]) == [level, 0, 0]
    section.get_by_role("button", name="Throw 100").click()
    said(still, "103 throws")
    section.locator("input").fill("0.5")
    sharp = odds ** 2 / (odds ** 2).sum()
    said(still, f"comes {one_in(sharp.max())}")


def test_the_drawing_plays_pauses_steps_and_scrubs(still, record, picture):
    section, size = step(still, "drawing"), record["picture"]["size"]
    bar, count = section.locator("input"), section.locator(".count")
    assert not section.get_by_role("button", name="Pause").count(), "nobody pressed Play"
    section.get_by_role("button", name="Restart").click()
    section.get_by_role("button", name="One pixel").click()
    assert count.inner_text() == "1 of 1,024 pixels · 3 throws"
    section.get_by_role("button", name="One row").click()
    assert bar.input_value() == str(size)
    bits = unpack(record["trace"]["surprise"])[0, -1].sum() / 1000
    chance = said(still, r"it drew this colour: ?\. One that comes 1 in ([\d,]+)\.")[1]
    assert int(chance.replace(",", "")) == pytest.approx(2 ** bits, rel=1e-3, abs=1)
    bar.focus()
    still.keyboard.press("ArrowRight")
    assert count.inner_text().startswith(f"{size + 1} of")
    assert pixel(still, size, 1, 0) == picture[1, 0].tolist()
    value, level = picture[1, 1], unpack(record["trace"]["surprise"]).astype(int)[1, 1]
    for c, chart in enumerate(section.locator(".chart").all()):
        assert f"{value[c]} is thrown, {one_in(2 ** (-level[c] / 1000))}" in chart.get_attribute("aria-label")
    section.locator("select").select_option("400")
    section.get_by_role("button", name="Play", exact=True).click()
    still.wait_for_function("document.querySelector('#story [data-step=drawing] input').value > 40", timeout=SLOW)
    section.get_by_role("button", name="Pause").click()
    stopped = bar.input_value()
    still.wait_for_timeout(300)
    assert bar.input_value() == stopped


def test_what_follows_an_edit_is_counted(still, record, picture):
    section, edits = step(still, "edits"), record["edits"]
    redrawn = unpack(edits["pixels"])
    for number, (row, column) in enumerate(edits["places"]):
        section.locator(".spots button").nth(number).click()
        at, changed = row * edits["size"] + column, (redrawn[number] != picture).any(2).ravel()
        later, earlier = int(changed[at + 1:].sum()), int(changed[:at].sum())
        said(still, f"{later} of the {changed.size - at - 1} pixels after it change. Of the {at} before it: {earlier}")
        assert section.locator(".counts td").all_inner_texts() == [f"{earlier} of {at}",
                                                                   f"{later} of {changed.size - at - 1}"]
        assert pixel(still, edits["size"], row, column) == edits["colour"]
    small = [section.locator(name).evaluate("one => one.toDataURL()") for name in (".was", ".becomes", ".map")]
    assert len(set(small)) == 3, "before, after and what changed stand side by side"
    assert section.locator("a[data-door=inside]").is_visible()
    last = [edits["size"] - 1, edits["size"] - 1]
    assert pixel(still, edits["size"], *last) == redrawn[-1][*last].tolist()
    section.get_by_role("button", name="Show the original").click()
    assert pixel(still, edits["size"], *last) == picture[*last].tolist()
    row, column = edits["places"][0]
    box = still.locator("#story .easel canvas").bounding_box()
    still.locator("#story .easel canvas").click(position={"x": (column + 0.5) * box["width"] / edits["size"],
                                                          "y": (row + 0.5) * box["height"] / edits["size"]})
    assert section.locator(".spots [aria-pressed=true]").inner_text() == "1", "a click takes the nearest spot"


def test_the_blind_spot_and_its_cure_are_counted(still, record):
    section, fields = step(still, "peek"), record["fields"]
    earlier, plain, gated = (unpack(fields[name]).astype(bool) for name in ("earlier", "plain", "gated"))
    section.get_by_role("button", name="Layer on layer").click()
    for layers in (1, 7, fields["layers"]):
        section.locator("[name=depth]").fill(str(layers))
        for kind, seen in (("plain", plain), ("gated", gated)):
            expected = f"{int((seen[layers - 1] & earlier).sum())} of {int(earlier.sum())}"
            assert section.locator(f"[data-kind={kind}] b").inner_text() == expected
    said(still, f"never sees {int((earlier & ~plain[-1]).sum())} earlier pixels")
    changes(still, section.locator("[data-kind=gated]").click, "the other network")
    section.get_by_role("button", name="Two stacks").click()
    row = fields["place"][0]
    for stack, count in (("Vertical", gated[-1][:row].sum()), ("Horizontal", gated[-1][row].sum())):
        changes(still, section.get_by_role("button", name=stack).click, stack)
        said(still, f"{int(count)} pixels")
    section.get_by_role("button", name="The gate").click()
    changes(still, lambda: section.locator("[name=gate]").fill("0"), "the gate")
    said(still, "lets 50 %")


@pytest.mark.slow
def test_classes_sizes_and_portraits_are_the_stored_ones(still, record):
    step(still, "dice")
    folded = still.locator("#story section[data-step=dice] details")
    assert f"less than {record['picture']['min_p']} times as likely" in folded.text_content().replace("\n", " ")
    for number, told in enumerate(record["told"]):
        section = step(still, "told")
        section.locator(f"[data-model='{number}']").click()
        assert section.locator(".classes span").all_inner_texts() == list(told["names"])
        section.locator(".classes button").last.click()
        said(still, f"told “{told['names'][-1]}”")
        middle = [told["size"] // 2, told["size"] // 2]
        assert pixel(still, told["size"], *middle) == unpack(told["pixels"])[-1][*middle].tolist()
        assert f"seed {told['seed']}," in section.locator("details .recipe").text_content()
    section, sizes = step(still, "chain"), record["chain"]["sizes"]
    section.locator(".people button").nth(3).click()
    for number, size in enumerate(sizes):
        section.locator(".sizes button").nth(number).click()
        said(still, f"{size} × {size}")
        assert pixel(still, size, 3, 4) == unpack(record["chain"]["pixels"][str(size)])[3][3, 4].tolist()
    section, people = step(still, "face"), record["faces"]["people"]
    for number, person in enumerate(people):
        section.locator(".people button").nth(number).click()
        section.locator(".portraits-drawn button").nth(1).click()
        said(still, f"Portrait 2: .*{person['name']}")
        size = record["faces"]["size"]
        assert pixel(still, size, 30, 30) == unpack(person["portraits"])[1][30, 30].tolist()


@pytest.mark.slow
def test_sharpening_waits_for_its_button_and_says_the_size_that_is_shown(visit, record):
    page = open_story(visit(**MOVING))
    section, sizes = step(page, "chain"), record["chain"]["sizes"]
    page.wait_for_timeout(700)
    said(page, f"^{sizes[0]} × {sizes[0]}")
    assert section.locator(".sizes [aria-pressed=true]").inner_text() == f"{sizes[0]} × {sizes[0]}"
    page.evaluate("""() => {
      window.seen = [];
      const canvas = document.querySelector("#story .easel canvas");
      new MutationObserver(() => seen.push([canvas.getAttribute("aria-label"), document.querySelector("#story .said")
        .innerText, document.querySelector("#story .sizes [aria-pressed=true]").innerText]))
        .observe(canvas, {attributes: true, attributeFilter: ["aria-label"]});
    }""")
    section.get_by_role("button", name="Sharpen").click()
    said(page, f"^{sizes[-1]} × {sizes[-1]}")
    for shown, words, framed in page.evaluate("seen"):
        size = re.search(r"of (\d+) by", shown)[1]
        assert words.startswith(f"{size} × {size}") and framed == f"{size} × {size}"
    assert len({shown for shown, *_ in page.evaluate("seen")}) == len(sizes)


def test_nothing_moves_by_itself_where_motion_is_unwanted(still):
    for name in ("guess", "drawing", "chain"):
        step(still, name)
        before = still.evaluate(EASEL)
        still.wait_for_timeout(500)
        assert still.evaluate(EASEL) == before, name


@pytest.mark.slow
def test_the_drawing_waits_for_play_and_stops_where_it_is_left(visit):
    page = open_story(visit(**MOVING))
    section = step(page, "drawing")
    page.wait_for_timeout(500)
    assert section.locator("input").input_value() == "0" and "Press Play" in page.inner_text(SAID)
    section.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("document.querySelector('#story section[data-step=drawing] input').value > 3", timeout=SLOW)
    step(page, "guess")
    stopped = section.locator("input").input_value()
    page.wait_for_timeout(500)
    assert section.locator("input").input_value() == stopped, "a step that was left stands still"


def test_doors_open_their_tabs(visit):
    page = open_story(visit(**MOVING))
    assert page.locator("#story .doors a").count() == len(DOORS)
    for tab in ("inside", "portraits"):
        page.locator(f"#story .doors [data-door={tab}]").click()
        page.wait_for_selector(f"[role=tab][aria-selected=true][data-tab-id={tab}]", timeout=SLOW)
        page.wait_for_function("tab => location.search.includes('tab=' + tab)", arg=tab, timeout=SLOW)
        page.click("[role=tab][data-tab-id=story]")


@pytest.mark.parametrize("width, height", [(1280, 900), (390, 844)])
def test_next_is_in_sight_and_so_is_what_one_should_press(visit, width, height):
    page = open_story(visit(viewport={"width": width, "height": height}, reduced_motion="reduce"))

    for name, press in (("guess", ".swatches button"), ("dice", "[data-do=throw]"), ("drawing", "[data-do=play]")):
        page.evaluate("name => { scrollTo(0, 0); document.querySelector(`#story [data-go=${name}]`).click(); }", name)
        press = f"#story section[data-step={name}] {press} >> nth=0"
        for selector in ("#story [data-turn=next]", press):
            box = page.locator(selector).bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= height, selector
        page.click(press)
        assert page.locator("#story [data-turn=next]").bounding_box()["y"] <= height - 40, f"{name}, afterwards"


@pytest.mark.slow
def test_a_phone_loses_nothing_and_fingers_find_everything(visit):
    page = open_story(visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    for name in ("guess", "dice", "drawing", "edits", "peek", "told", "chain", "face"):
        section = step(page, name)
        if name == "guess":
            section.locator(".swatches button").first.click()
        assert page.locator("#story nav [aria-current] span").is_visible(), "the name beside the numbers"
        assert page.locator("#story nav [data-go] span:visible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        targets = page.locator("#story button:visible, #story select:visible, #story a:visible, #story input:visible")
        for target in targets.all():
            box = target.bounding_box()
            assert box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 391, \
                f"{name}: {target.evaluate('one => one.outerHTML.slice(0, 80)')} {box}"
