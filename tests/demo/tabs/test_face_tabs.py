"""The tabs of faces: what the service finds and draws, the endpoints, and that no face is left on the disk."""

import base64
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from helpers import images_of, save_tiny_portraits, wait_until
from PIL import Image

from demo.kit.downloads import strip_gif
from demo.kit.stored import read_portraits
from demo.service.bridge import Service
from demo.service.faces import EXAMPLES, FaceService, average, stored_example
from demo.service.settings import UserError
from demo.tabs.interpolate.player import player_value
from demo.tabs.portraits.face_chips import chips_value, read_chips
from demo.tabs.portraits.panels import HIGH, LOW, bars_html, judge_html, legend_html, on_scale, scale_html, way_html

EILEEN, GRACE = EXAMPLES.values()


@pytest.fixture(scope="module")
def faces(shared_service) -> FaceService:
    return FaceService(shared_service)


@pytest.fixture
def uploads(tmp_path_factory) -> Path:
    """The folder in which Gradio keeps what visitors upload and what it offers them."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Path:
    """A photo of two people side by side."""
    first, second = (Image.open(path).convert("RGB").resize((420, 420)) for path in (EILEEN, GRACE))
    photo = Image.new("RGB", (840, 420))
    photo.paste(first)
    photo.paste(second, (420, 0))
    photo.save(path := tmp_path_factory.mktemp("photos") / "both.png")
    return path


def atlas_of(film: dict) -> np.ndarray:
    """The pictures of a film, (columns, rows, H, W, channels)."""
    atlas = np.asarray(Image.open(io.BytesIO(base64.b64decode(film["atlas"].partition(",")[2]))))
    cells = atlas.reshape(film["rows"], film["size"], film["columns"], film["size"], -1)
    return cells.transpose(2, 0, 1, 3, 4)


def test_two_photos_of_one_face_are_closer_than_two_people(faces):
    eileen, grace = faces.faces(EILEEN)[0], faces.faces(GRACE)[0]
    mirrored = faces.faces(Image.open(EILEEN).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT))[0]
    assert eileen.embedding @ mirrored.embedding > 0.9 > eileen.embedding @ grace.embedding
    assert np.linalg.norm(average([eileen, mirrored])) == pytest.approx(1, abs=1e-5)


def test_a_face_says_where_it_lies_in_its_photo(faces, both):
    left, right = sorted(faces.faces(both), key=lambda face: face.box[0])
    assert left.photo is right.photo and left.photo.shape == (240, 480, 3)
    assert left.box[2] < 0.5 < right.box[0]
    for face in (left, right):
        (x0, y0, x1, y1), points = face.box, face.landmarks
        assert ((points > (x0, y0)) & (points < (x1, y1))).all(), "eyes, nose and mouth lie in the box"


def test_bundled_photos_are_known_without_looking_again(faces):
    for name, path in EXAMPLES.items():
        known, seen = stored_example(name), faces.faces(path, name)[0]
        assert known.name == name and known.embedding @ seen.embedding > 0.9999
        assert np.abs(known.landmarks - seen.landmarks).max() < 0.002
        assert np.abs(known.crop.astype(int) - seen.crop).max() <= 3
        assert faces.example(name) is known


def test_photos_without_a_usable_face_are_named(faces):
    for source, words in ((Image.new("RGB", (300, 200), "green"), "No face was found"),
                          (Image.new("L", (8, 8)), "too few"), (b"text", "not an image"), (None, "choose an image")):
        with pytest.raises(UserError, match=words):
            faces.faces(source)


def test_portraits_are_a_function_of_the_seed_and_the_face(faces, service):
    eileen, grace = (faces.faces(path)[0].embedding for path in (EILEEN, GRACE))

    def draw(embedding, seed=1, count=2, **more):
        return list(faces.portraits(embedding, count, seed, temperature=1.0, guidance=1.0, **more))[-1].images

    first = draw(eileen)
    assert first.shape == (1, 2, 32, 32, 3) and (draw(eileen) == first).all()
    assert (draw(eileen, 2) != first).any() and (draw(grace) != first).any()
    assert (draw(eileen, count=4)[0, :2] == first[0]).all(), "more portraits, the same first ones"
    with_nobody = draw(eileen, baseline=True)[0]
    assert (with_nobody[:2] == first[0]).all() and (with_nobody[2] == draw(grace, baseline=True)[0, 2]).all()
    assert (with_nobody[2] != first[0, 0]).any(), "the same noise without h is another picture"
    alike = faces.alike(first[0], eileen)
    assert alike.shape == (2,) and (np.abs(alike) <= 1).all()


def test_the_likest_are_kept_place_by_place(faces, service):
    eileen = faces.example("Eileen Collins").embedding
    images = list(faces.portraits(eileen, 6, 1, temperature=1.0, guidance=1.0))[-1].images[0]
    kept = faces.likest(images, eileen, 3)  # candidates 0, 2, 4 of the first place, 1, 3, 5 of the second
    alike = faces.alike(images, eileen)
    for place in (0, 1):
        best = place + 2 * int(np.argmax(alike[place::2]))
        assert (kept[place] == images[best]).all()


def test_a_path_begins_and_ends_with_the_people_themselves(faces, service):
    eileen, grace = (faces.faces(path)[0].embedding for path in (EILEEN, GRACE))
    images = list(faces.path(eileen, grace, 3, 2, "spherical", 5, temperature=1.0, guidance=1.0))[-1].images
    assert images.shape == (3, 2, 32, 32, 3)
    for embedding, column in ((eileen, images[0]), (grace, images[-1])):
        alone = list(faces.portraits(embedding, 2, 5, temperature=1.0, guidance=1.0))[-1].images[0]
        assert (alone == column).all(), "the same noise, the same face"


def test_a_path_between_classes(faces, service):
    how = {"temperature": 1.0, "guidance": 1.0}
    images = list(faces.class_path("photos", "cat", "ship", 4, 1, "linear", 7, **how))[-1].images
    assert images.shape == (4, 1, 16, 16, 3)
    with pytest.raises(UserError, match="two classes of photos"):
        faces.class_path("photos", "cat", "horse", 4, 1, "linear", 7, temperature=1.0, guidance=1.0)


def test_a_portrait_model_of_another_encoder_is_refused(tmp_path):
    save_tiny_portraits(tmp_path / "people")
    config = tmp_path / "people" / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace("dlib-resnet ", "dlib-resnet 00"), encoding="utf-8")
    faces = FaceService(Service(tmp_path))
    with pytest.raises(UserError, match="somebody else"):
        list(faces.portraits(np.ones(128, np.float32), 1, 0, temperature=1.0, guidance=1.0))


def test_a_damaged_encoder_is_named(shared_service, tmp_path):
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    faces = FaceService(shared_service, tmp_path)
    with pytest.raises(UserError, match="face encoder cannot be loaded"):
        faces.faces(EILEEN)
    assert faces.scale is None, "nobody measured it"


def test_the_scale_of_likeness_is_the_measured_one(faces):
    strangers, same = faces.scale["two_people"], faces.scale["same_person"]
    assert LOW < strangers[0] < strangers[1] < strangers[2] < same[0] < same[1] < same[2] < HIGH
    assert on_scale(LOW - 1) == 0 and on_scale(HIGH) == 1 and on_scale((LOW + HIGH) / 2) == pytest.approx(0.5)
    mark = scale_html(strangers[1], faces.scale)
    assert f"left:{on_scale(strangers[1]):.1%}" in mark and f"<b>{strangers[1]:.2f}</b>" in mark
    assert scale_html(0.5, None) == "<b>0.50</b>"


def test_the_way_shows_points_chip_and_both_faces(faces):
    eileen, grace = map(faces.example, EXAMPLES)
    alone = way_html([eileen], [eileen], [grace])
    assert alone.count("<i style=") == 5 and "data-face" not in alone
    assert f"Grace Hopper: likeness {eileen.embedding @ grace.embedding:.2f}" in alone
    assert alone.count('class="line') == 1 and way_html([eileen], [eileen], []).count('class="line') == 0
    together = way_html([eileen, grace], [eileen, grace], [])
    assert together.count('class="line') == 2 and "2 faces, averaged" in together
    assert "Choose at least one face" in way_html([eileen], [], [])


def test_the_bars_below_are_what_differs(faces):
    eileen, grace = map(faces.example, EXAMPLES)
    same = bars_html([eileen], [eileen])
    heights = re.findall(r"V(\S+?)h", re.search(r'class="line line-0" d="(.*?)"', same)[1])
    assert len(heights) == 128 and len(set(heights)) == 1, "nothing differs"
    assert len(set(re.findall(r"V(\S+?)h", re.search(r'class="line line-0" d="(.*?)"',
                                                   bars_html([eileen], [grace]))[1]))) > 40


def test_the_legend_counts_what_the_scale_shows(faces):
    strangers, same = faces.scale["two_people"], faces.scale["same_person"]
    words = legend_html([strangers[1], (strangers[2] + same[0]) / 2, same[1]], faces.scale)
    assert "<b>2 of 3</b> are more like the photo" in words and "<b>1</b> as like as two photos" in words
    identity = {"people": 200, "gallery": 100, "rank1": 0.6125, "rank1_real": 0.981,
                "second": {"rank1": 0.39, "rank1_real": 0.6524}}
    told = judge_html(identity)
    assert all(f"{share} %" in told for share in (61, 98, 39, 65)) and "among 100 people" in told
    assert judge_html(None) == "" == judge_html({"gallery": 100})


def test_the_stored_portraits_of_two_people_have_the_same_dice(faces, models):
    kept = read_portraits(models / faces.model_name)
    second = faces.example(kept.names[1]).embedding
    drawn = list(faces.portraits(second, len(kept.twins), **kept.settings))[-1].images[0]
    assert (drawn == kept.twins).all() and len(kept.twins_judged) == len(kept.twins) <= len(kept.images)


def test_chips_carry_pictures_and_survive_nonsense(faces):
    eileen, grace = map(faces.example, EXAMPLES)
    value = chips_value([eileen, grace], [1, 2])
    assert len(set(value["faces"])) == 2 and read_chips(value) == {1, 2}
    assert chips_value([eileen], [1])["faces"] == [], "no choice, no chips"
    assert read_chips(["2", 3]) == {2, 3}
    for nonsense in (None, 7, "12", {}, {"chosen": {}}, {"chosen": [None, [], {}, -1, "x", 1.5, "9" * 999, True]}):
        assert read_chips(nonsense) == set()


def test_a_film_holds_every_picture():
    images = np.arange(3 * 2 * 4 * 4 * 3, dtype=np.uint8).reshape(3, 2, 4, 4, 3)
    film = player_value(images, ("a", "b"), "linear", 27.5, [])
    assert (atlas_of(film) == images).all() and film["done"]
    half = atlas_of(player_value(images, ("a", "b"), "linear", 27.5, [], 2, False))
    assert (half[..., :2, :, :3] == images[..., :2, :, :]).all() and not half[..., 2:, :, 3].any()


def files_below(folder: Path) -> set[Path]:
    """By os.walk, which does not mind that the server removes a folder meanwhile."""
    return {Path(place, name) for place, _, names in os.walk(folder) for name in names}


def test_from_a_photo_to_portraits_and_nothing_is_left(url, service, uploads):
    client = Client(url, verbose=False)
    before = files_below(uploads)
    _, way, chips, refused, text = client.predict(handle_file(GRACE), False, api_name="/find_faces")
    assert "1 face found" in text and not refused and way.count("data:image/jpeg") == 2 and chips["chosen"] == [1]
    stage, text, seed = client.predict(["1"], 1, 1, 3, api_name="/portraits")
    assert "9 portraits of your photo" in text and seed == 3
    assert len(re.findall(r"<b>-?\d\.\d\d</b>", stage)) == 10 and "told nothing about the person" in stage
    assert len(images_of(stage)) == 11 and stage.index("class=given") < stage.index("New portrait 1"), "the photo first"
    sheet = re.search(r'download="(.*?)" href="data:image/png;base64,(.*?)"', stage)
    assert sheet[1] == "portraits_seed-3.png"
    assert Image.open(io.BytesIO(base64.b64decode(sheet[2]))).width > 600

    def left():
        return files_below(uploads) - before

    assert wait_until(lambda: not left(), 5), f"a face was left on the disk: {left()}"


def test_the_likest_of_several_are_labelled(url, service):
    client = Client(url, verbose=False)
    usual, text, _ = client.predict(["1"], 1, 1, 3, api_name="/portraits")
    likest, words, _ = client.predict(["1"], 1, 1, 3, 0, 2, api_name="/portraits")
    assert "most like of" not in usual + text and "most like of 2" in likest and "most like of 2" in words

    def alike(stage):
        return [float(value) for value in re.findall(r"<b>(-?\d\.\d\d)</b>", stage)]

    assert all(a <= b for a, b in zip(alike(usual), alike(likest))) and sum(alike(usual)) < sum(alike(likest))
    assert (images_of(usual)[-1] == images_of(likest)[-1]).all(), "nobody is not chosen"


def test_several_photos_are_averaged_and_one_can_be_chosen(url, service):
    client = Client(url, verbose=False)
    client.predict(handle_file(GRACE), False, api_name="/find_faces")
    _, way, chips, *_ = client.predict(handle_file(GRACE), True, api_name="/find_faces")
    assert "2 faces, averaged" in way and len(chips["faces"]) == 2
    both = client.predict(["1", "2"], 1, 1, 3, api_name="/portraits")[0]
    one = client.predict({"chosen": [2]}, 1, 1, 3, api_name="/portraits")[0]
    # two times the same photo: the average is the photo
    assert all((a == b).all() for a, b in zip(images_of(both)[1:], images_of(one)[1:]))


def test_hostile_photos_and_numbers_get_a_sentence(url, service, tmp_path):
    client = Client(url, verbose=False)
    (tmp_path / "no.png").write_bytes(b"no image")
    refused = client.predict(handle_file(tmp_path / "no.png"), False, api_name="/find_faces")[3]
    assert "not an image" in refused and 'role="alert"' in refused and "Still showing Eileen Collins" in refused
    Image.new("RGB", (200, 200)).save(tmp_path / "black.png")
    assert "No face" in client.predict(handle_file(tmp_path / "black.png"), False, api_name="/find_faces")[3]
    stage, _, seed = client.predict("nonsense", "NaN", 1e9, -5, api_name="/portraits")  # no photo: the example
    assert seed == 0 and len(images_of(stage)) == 11


def test_a_path_as_png_and_gif(url, service):
    client = Client(url, verbose=False)
    film, links, text, seed = client.predict("two classes", "photos", "cat", "dog", "linear", 4, 2, 1, 1, 9,
                                             api_name="/interpolate")
    assert "cat to dog" in text and "8 images" in text and seed == 9
    assert film["names"] == ["cat", "dog"] and film["done"] and atlas_of(film).shape == (4, 2, 16, 16, 3)
    gif = re.search(r'href="data:image/gif;base64,(.*?)"', links)[1]
    with Image.open(io.BytesIO(base64.b64decode(gif))) as animation:
        assert animation.n_frames == 6  # there and back


def test_the_film_shows_every_step():
    columns = np.stack([np.full((1, 8, 8, 3), value, np.uint8) for value in (0, 120, 240)])
    with Image.open(io.BytesIO(strip_gif(columns))) as film:
        seen = []
        for k in range(film.n_frames):
            film.seek(k)
            seen.append(film.convert("RGB").getpixel((3, 3))[0])
    assert seen == [0, 120, 240, 120]
