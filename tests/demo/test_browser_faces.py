"""The tabs of faces in a real browser: a photo in, portraits out, a path between two people, nothing sent elsewhere."""

from demo.service.faces import EXAMPLES

GRACE = EXAMPLES["Grace Hopper"]


def wait_for_text(page, place: str, text: str, seconds: float = 30) -> None:
    page.wait_for_function("([place, text]) => document.querySelector(place).innerText.includes(text)",
                           arg=[place, text], timeout=1000 * seconds)


def sources(page, place: str) -> list[str]:
    return page.eval_on_selector_all(f"{place} img", "images => images.map(image => image.src)")


def test_portraits_open_on_a_stored_example(visit):
    page = visit().open("?tab=portraits")
    page.wait_for_selector("#portraits-grid .source img")
    assert "Eileen Collins" in page.inner_text("#portraits-status")
    assert len(sources(page, "#portraits-grid")) == 10
    assert page.inner_text("#portraits-grid").count("similarity") == 9


def test_a_photo_becomes_portraits(visit, service):
    page = visit().open("?tab=portraits")
    page.wait_for_selector("#portraits-photo input[type=file]", state="attached")
    before = sources(page, "#portraits-grid")
    page.set_input_files("#portraits-photo input[type=file]", GRACE)
    wait_for_text(page, "#portraits-status", "1 face found")
    crop = sources(page, "#portraits-grid")[0]
    assert crop != before[0]
    service.row_seconds = 0.05
    page.click("#portraits-generate")
    wait_for_text(page, "#portraits-status", "Row ")
    assert page.locator("#portraits-stop").is_enabled()
    wait_for_text(page, "#portraits-status", "9 portraits")
    after = sources(page, "#portraits-grid")
    assert after[0] == crop and not set(after[1:]) & set(before)
    with page.expect_download() as download:
        page.get_by_text("Download PNG").last.click()
    assert download.value.suggested_filename == "portraits_seed-7.png"


def test_portraits_stop(visit, service):
    service.row_seconds = 0.3
    page = visit().open("?tab=portraits")
    page.locator("#portraits-generate").wait_for(state="visible")
    page.click("#portraits-generate")
    wait_for_text(page, "#portraits-status", "Row ")
    page.click("#portraits-stop")
    wait_for_text(page, "#portraits-status", "Stopped", 3)
    page.wait_for_function("!document.querySelector('#portraits-generate').disabled")


def test_a_photo_without_a_face_is_said_plainly(visit, tmp_path):
    from PIL import Image

    Image.new("RGB", (300, 300), "teal").save(tmp_path / "wall.png")
    page = visit().open("?tab=portraits")
    page.wait_for_selector("#portraits-photo input[type=file]", state="attached")
    page.set_input_files("#portraits-photo input[type=file]", tmp_path / "wall.png")
    wait_for_text(page, "#portraits-status", "No face was found")
    assert len(sources(page, "#portraits-grid")) == 10, "nothing is lost"


def test_a_path_between_two_people_and_the_slider(visit):
    page = visit().open("?tab=interpolate")
    page.wait_for_selector("#interpolate-grid .end img")
    page.click("#interpolate-generate")
    wait_for_text(page, "#interpolate-status", "21 images")
    assert len(sources(page, "#interpolate-grid")) == 9
    first = sources(page, "#interpolate-large")
    page.focus("#interpolate-step input[type=range]")
    page.keyboard.press("End")
    wait_for_text(page, "#interpolate-large", "step 7 of 7")
    assert sources(page, "#interpolate-large") != first


def test_a_path_between_two_classes(visit):
    page = visit().open("?tab=interpolate")
    page.get_by_label("two classes").check()
    page.wait_for_function("!document.querySelector('#interpolate-generate').disabled")
    page.click("#interpolate-generate")
    wait_for_text(page, "#interpolate-status", "21 images")
    words = page.inner_text("#interpolate-grid")
    assert "cat" in words and "ship" in words
