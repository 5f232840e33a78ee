"""Which part of a photo is used, where it is not square: the copy that is kept, and the frame in a real browser."""

import pytest
from PIL import Image

from demo.kit.crop import GONE, read_place, taken
from demo.kit.pictures import shrink

TOP, MIDDLE, BOTTOM = (230, 20, 20), (20, 200, 20), (20, 20, 230)


def flag(path=None, size=(300, 900)) -> Image.Image:
    """Three fields one above the other, of which the middle square is one."""
    image = Image.new("RGB", (1, 3))
    image.putdata([TOP, MIDDLE, BOTTOM])
    image = image.resize(size, Image.Resampling.NEAREST)
    if path:
        image.save(path)
    return image


def test_of_a_photo_only_a_small_copy_is_kept_and_of_a_square_one_nothing():
    value, copy = taken(flag(size=(1000, 3000)))
    assert copy.shape == (384, 128, 3) and (value["width"], value["height"], value["at"]) == (128, 384, 0.5)
    for at, colour in ((0, TOP), (0.5, MIDDLE), (1, BOTTOM)):
        assert (shrink(Image.fromarray(copy), at=at) == colour).all()
    assert max(taken(Image.new("RGB", (9000, 100)))[1].shape) <= 480
    assert taken(Image.new("RGB", (40, 20)))[1].shape == (20, 40, 3)
    assert taken(Image.new("RGB", (640, 640))) == GONE == taken(Image.new("RGB", (640, 650)))


@pytest.mark.parametrize("value", [None, {}, {"at": None}, {"at": "x"}, {"at": float("nan")}, [1], 3])
def test_whatever_a_browser_says_of_the_frame(value):
    assert read_place(value) == 0.5
    assert read_place({"at": 7}) == 1 and read_place({"at": "-3"}) == 0


@pytest.mark.slow
@pytest.mark.parametrize("tab, canvas, field", [
    ("likelihood", "likelihood-image", "#likelihood-photo input[type=file]"),
    ("inside", "inside-canvas", "input[type=file]:has(+ #inside-upload), #inside-upload input[type=file]"),
    pytest.param("complete", "complete-canvas", "#complete-photo input[type=file]", marks=pytest.mark.slow)])
def test_the_frame_moves_by_key_and_finger_and_the_figures_follow(visit, service, tmp_path, tab, canvas, field):
    flag(tmp_path / "flag.png")
    page = visit(has_touch=True).open(f"?tab={tab}")
    frame = page.locator(f"#{tab}-crop input")
    assert not frame.is_visible()

    def becomes(wanted) -> None:
        page.wait_for_function("""([id, wanted]) => {
          const canvas = document.querySelector(`#${id} canvas`);
          const at = [canvas.width * .45, canvas.height * .55].map(Math.round);
          const seen = canvas.getContext("2d").getImageData(...at, 1, 1).data;
          return wanted.every((value, k) => Math.abs(value - seen[k]) < 3);
        }""", arg=[canvas, list(wanted)], timeout=30_000)

    if tab == "complete":
        page.click("#complete-canvas [data-tool=clear]")
    page.locator(field).first.set_input_files(tmp_path / "flag.png")
    frame.wait_for()
    becomes(MIDDLE)
    frame.focus()
    page.keyboard.press("Home")
    becomes(TOP)
    box = frame.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] - 4)
    becomes(BOTTOM)
    assert frame.get_attribute("aria-valuetext") == "bottom" and "jpeg" not in page.url
    page.locator(f"#{tab}-picture").get_by_label("rocket").check()
    frame.wait_for(state="hidden")
