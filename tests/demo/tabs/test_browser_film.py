"""The tab Interpolate in a real browser: the film, its ends from photos, paths between people and between classes."""

import pytest
from browser_steps import EILEEN, ENDS, GRACE, canvases, idle, pixels, wait_for_change, wait_for_text
from PIL import Image


def open_film(visitor):
    page = visitor.open("?tab=interpolate")
    page.wait_for_selector("#interpolate-film .cell")
    return page


@pytest.fixture
def film(visit):
    return open_film(visit())


def large(page) -> str:
    return canvases(page, "#interpolate-film .large")[0]


def step_of(page) -> str:
    return page.locator("#interpolate-film .large canvas").get_attribute("aria-label")


def test_the_film_opens_on_the_stored_path_and_can_be_moved(kept):
    page = kept(open_film)
    page.focus("#interpolate-film .scrub")
    assert step_of(page) == "Eileen Collins to Grace Hopper, step 1 of 7, noise 1"
    assert page.inner_text("#interpolate-film .where") == "Step 1 of 7: all Eileen Collins."
    first = large(page)
    page.keyboard.press("ArrowRight")
    assert "step 2 of 7" in step_of(page) and "changed clearly" in page.inner_text("#interpolate-film .change")
    page.keyboard.press("End")
    assert "step 7 of 7" in step_of(page) and large(page) != first
    assert page.inner_text("#interpolate-film .where") == "Step 7 of 7: all Grace Hopper."
    assert not page.locator("#interpolate-film .exact").is_visible(), "folded"
    page.get_by_text("In numbers").click()
    assert "t = 1.00" in page.inner_text("#interpolate-film .exact")
    page.locator("#interpolate-film .cell").nth(9).hover()  # second noise, third step
    assert step_of(page).endswith("step 3 of 7, noise 2")
    page.get_by_role("button", name="Noise 3").click()
    assert step_of(page).endswith("step 3 of 7, noise 3")


def test_the_film_plays_flashes_and_pauses(kept):
    page = kept(open_film)
    assert not page.get_by_label("flash the pixels that change").is_checked()
    page.get_by_role("button", name="Play").click()
    at = step_of(page)
    page.wait_for_function("at => document.querySelector('#interpolate-film canvas').getAttribute('aria-label') !== at",
                           arg=at)
    page.get_by_role("button", name="Pause", exact=True).click()
    page.focus("#interpolate-film .scrub")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    plain = large(page)
    page.keyboard.press("Home")
    page.get_by_label("flash the pixels that change").check()
    page.focus("#interpolate-film .scrub")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("plain => document.querySelector('#interpolate-film .large canvas').toDataURL() === plain",
                           arg=plain)  # the flash fades to the picture itself


@pytest.mark.slow
def test_the_stored_film_plays_once_when_it_is_seen(visit):
    page = visit(reduced_motion="no-preference").open("?tab=interpolate")
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    page.evaluate("""() => {
      const canvas = document.querySelector("#interpolate-film canvas");
      window.steps = new Set();
      new MutationObserver(() => steps.add(canvas.getAttribute("aria-label"))).observe(canvas, {attributes: true});
    }""")
    page.get_by_role("button", name="Play").wait_for()
    assert "step 1 of 7" in step_of(page) and page.evaluate("steps.size") >= 5


def test_a_path_is_drawn_and_can_be_downloaded(film):
    page, before = film, canvases(film, "#interpolate-film .timeline")
    page.click("#interpolate-new-seed")
    wait_for_text(page, "#interpolate-status", "Eileen Collins to Grace Hopper: 21 images")
    assert canvases(page, "#interpolate-film .timeline") != before
    for kind in ("PNG", "GIF"):
        with page.expect_download() as download:
            page.locator("#interpolate-links").get_by_text(f"Download {kind}").click()
        assert download.value.suggested_filename.endswith(kind.lower())


@pytest.mark.slow
@pytest.mark.parametrize("end", [0, 1])
def test_a_photo_for_either_end_draws_at_once(film, end, tmp_path):
    page, before = film, canvases(film, "#interpolate-film .timeline")
    card = pixels(page, f"#interpolate-card-{end}")
    with Image.open((GRACE, EILEEN)[end]) as photo:
        photo.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.png")
    page.set_input_files(ENDS.format(end), tmp_path / "mirrored.png")
    mine = ("your first photo", "your second photo")[end]
    wait_for_text(page, "#interpolate-status", "21 images")
    assert mine in page.inner_text("#interpolate-status") and mine in page.inner_text("#interpolate-film .ends")
    assert pixels(page, f"#interpolate-card-{end}") != card and mine in page.inner_text(f"#interpolate-card-{end}")
    wait_for_change(page, "#interpolate-film .timeline", before, canvases)
    idle(page, "interpolate-")
    page.click("#interpolate-examples")
    wait_for_text(page, "#interpolate-status", "Stored example")
    wait_for_text(page, "#interpolate-film .ends", "Grace Hopper")
    assert pixels(page, f"#interpolate-card-{end}") == card


@pytest.mark.slow
def test_a_refused_photo_for_an_end_changes_nothing(film, tmp_path):
    page = film
    Image.new("RGB", (300, 300), "teal").save(tmp_path / "wall.png")
    page.set_input_files(ENDS.format(1), tmp_path / "wall.png")
    page.locator("#interpolate-refused-1 [role=alert]").wait_for()
    assert "Grace Hopper" in page.inner_text("#interpolate-card-1")
    assert "Stored example" in page.inner_text("#interpolate-status")


@pytest.mark.slow
def test_the_same_face_at_both_ends_is_refused(film):
    page = film
    page.set_input_files(ENDS.format(0), GRACE)
    alert = page.locator("#interpolate-refused-0 [role=alert]")
    alert.wait_for()
    assert "the same face: choose another for the other end" in alert.inner_text()
    assert "Eileen Collins" in page.inner_text("#interpolate-card-0")
    assert "Stored example" in page.inner_text("#interpolate-status")


@pytest.mark.slow
def test_a_film_that_began_by_itself_pauses_when_something_is_done(visit):
    page = visit(reduced_motion="no-preference").open("?tab=interpolate")
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    page.locator("#interpolate-film .where").click()
    page.get_by_role("button", name="Play").wait_for()
    at = step_of(page)
    page.wait_for_timeout(1500)
    assert step_of(page) == at
    page.get_by_role("button", name="Play").click()
    page.locator("#interpolate-film .where").click()
    assert page.get_by_role("button", name="Pause", exact=True).is_visible(), "whoever pressed Play sees it play"


@pytest.mark.slow
def test_people_and_classes_have_seeds_of_their_own(film):
    page, seed = film, "#interpolate-seed input"
    page.locator(".path-bench").get_by_text("How it is drawn").click()
    stored = page.input_value(seed)
    page.locator("#interpolate-kind").get_by_label("two classes").check()
    wait_for_text(page, "#interpolate-status", "cat to ship: 21 images")
    idle(page, "interpolate-")
    page.click("#interpolate-new-seed")
    page.wait_for_function("([place, old]) => document.querySelector(place).value !== old", arg=[seed, stored])
    wait_for_text(page, "#interpolate-status", f"seed {page.input_value(seed)}")
    idle(page, "interpolate-")
    another = page.input_value(seed)
    page.locator("#interpolate-kind").get_by_label("two people").check()
    wait_for_text(page, "#interpolate-status", "Stored example")
    assert page.input_value(seed) == stored
    page.locator("#interpolate-kind").get_by_label("two classes").check()
    wait_for_text(page, "#interpolate-status", f"seed {another}")


@pytest.mark.slow
def test_between_classes_nothing_of_the_people_stays(film):
    page = film
    page.locator("#interpolate-kind").get_by_label("two classes").check()
    wait_for_text(page, "#interpolate-film .ends", "cat")
    words = page.inner_text("#interpolate-film") + page.inner_text("#interpolate-status")
    assert "Collins" not in words and "Stored" not in words
    wait_for_text(page, "#interpolate-status", "cat to ship: 21 images")
    idle(page, "interpolate-")
    before = canvases(page, "#interpolate-film .timeline")
    page.locator("#interpolate-class-to input").click()
    page.get_by_role("option", name="dog").click()
    wait_for_text(page, "#interpolate-status", "cat to dog: 21 images")
    wait_for_change(page, "#interpolate-film .timeline", before, canvases)
    idle(page, "interpolate-")
    page.locator("#interpolate-model").get_by_label("Digits").check()
    wait_for_text(page, "#interpolate-status", "0 to 9: 21 images")
    idle(page, "interpolate-")
    page.locator("#interpolate-kind").get_by_label("two people").check()
    wait_for_text(page, "#interpolate-status", "Stored example")
    wait_for_text(page, "#interpolate-film .ends", "Eileen Collins")
    assert "0 to 9" not in page.inner_text("#interpolate-film")


@pytest.mark.slow
def test_a_link_between_classes_draws_them(visit):
    page = visit().open("?tab=interpolate&interpolate.between=two+classes&interpolate.model=photos"
                        "&interpolate.from=dog&interpolate.to=ship&interpolate.steps=4&interpolate.rows=1")
    wait_for_text(page, "#interpolate-status", "dog to ship: 4 images")
    page.wait_for_function("document.querySelectorAll('#interpolate-film .cell').length === 4")


@pytest.mark.slow
def test_the_straight_path_is_drawn_as_a_straight_line(film):
    page = film
    page.get_by_text("In numbers").click()
    assert "arc" in page.inner_text("#interpolate-film .exact")
    page.locator("#interpolate-path").get_by_label("linear").check()
    page.click("#interpolate-generate")
    wait_for_text(page, "#interpolate-film .exact", "straight line")
    wait_for_text(page, "#interpolate-status", "21 images")


@pytest.mark.slow
def test_on_a_phone_the_whole_strip_is_there_below_its_ends(visit):
    page = visit(viewport={"width": 390, "height": 844}).open("?tab=interpolate")
    page.wait_for_selector("#interpolate-film .cell")
    places = [page.locator(f"{place} >> visible=true").first.bounding_box() for place in (
        "#interpolate-film .large", "#interpolate-kind", "#interpolate-card-0", "#interpolate-film .timeline",
        "#interpolate-film .circle", "#interpolate-path")]
    assert all(above["y"] + above["height"] <= below["y"] for above, below in zip(places, places[1:]))
    assert not page.locator("#interpolate-examples").is_visible(), "the examples are there already"
    edges = page.eval_on_selector_all("#interpolate-film .cell, #interpolate-film .ends img",
                                      "all => all.map(one => one.getBoundingClientRect().right)")
    assert edges and max(edges) <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
