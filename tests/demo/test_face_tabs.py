"""The tabs of faces: what the service finds and draws, the endpoints, and that no face is left on the disk."""

import base64
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from helpers import save_tiny_portraits, wait_until
from PIL import Image

from demo.kit.portrait_panels import strip_gif
from demo.service.bridge import Service
from demo.service.faces import EXAMPLES, FaceService, average
from demo.service.settings import UserError

EILEEN, GRACE = EXAMPLES.values()


@pytest.fixture(scope="module")
def faces(shared_service) -> FaceService:
    return FaceService(shared_service)


@pytest.fixture
def uploads(tmp_path_factory) -> Path:
    """The folder in which Gradio keeps what visitors upload and what it offers them."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def images_of(html: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
            for data in re.findall(r'<img src="data:image/png;base64,(.*?)"', html)]


def test_two_photos_of_one_face_are_closer_than_two_people(faces):
    eileen, grace = faces.faces(EILEEN)[0], faces.faces(GRACE)[0]
    mirrored = faces.faces(Image.open(EILEEN).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT))[0]
    assert eileen.embedding @ mirrored.embedding > 0.9 > eileen.embedding @ grace.embedding
    assert np.linalg.norm(average([eileen, mirrored])) == pytest.approx(1, abs=1e-5)


def test_photos_without_a_usable_face_are_named(faces):
    for source, words in ((Image.new("RGB", (300, 200), "green"), "No face was found"),
                          (Image.new("L", (8, 8)), "too few"), (b"text", "not an image"), (None, "choose an image")):
        with pytest.raises(UserError, match=words):
            faces.faces(source)


def test_portraits_are_a_function_of_the_seed_and_the_face(faces, service):
    eileen, grace = (faces.faces(path)[0].embedding for path in (EILEEN, GRACE))

    def draw(embedding, seed=1):
        return list(faces.portraits(embedding, 2, seed, temperature=1.0, guidance=1.0))[-1].images

    first = draw(eileen)
    assert first.shape == (1, 2, 32, 32, 3) and (draw(eileen) == first).all()
    assert (draw(eileen, 2) != first).any() and (draw(grace) != first).any()
    judged = faces.judge(first[0], eileen)
    assert len(judged) == 2 and all(-1 <= cosine <= 1 and 0 < bits < 20 for cosine, bits in judged)


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
    with pytest.raises(UserError, match="face encoder cannot be loaded"):
        FaceService(shared_service, tmp_path).faces(EILEEN)


def files_below(folder: Path) -> set[Path]:
    """By os.walk, which does not mind that the server removes a folder meanwhile."""
    return {Path(place, name) for place, _, names in os.walk(folder) for name in names}


def test_from_a_photo_to_portraits_and_nothing_is_left(url, service, uploads):
    client = Client(url, verbose=False)
    before = files_below(uploads)
    _, stage, text, picked = client.predict(handle_file(GRACE), False, api_name="/find_faces")
    assert "1 face found" in text and images_of(stage)[0].shape[2] == 4
    stage, text, seed = client.predict(["1"], 1, 1, 3, api_name="/portraits")
    assert "9 portraits" in text and seed == 3
    assert len(re.findall(r"similarity -?\d\.\d\d · \d+\.\d\d bits", stage)) == 9
    sheet = re.search(r'download="(.*?)" href="data:image/png;base64,(.*?)"', stage)
    assert sheet[1] == "portraits_seed-3.png"
    assert Image.open(io.BytesIO(base64.b64decode(sheet[2]))).width > 600

    def left():
        return files_below(uploads) - before

    assert wait_until(lambda: not left(), 5), f"a face was left on the disk: {left()}"


def test_several_photos_are_averaged_and_one_can_be_chosen(url, service):
    client = Client(url, verbose=False)
    client.predict(handle_file(GRACE), False, api_name="/find_faces")
    _, stage, _, picked = client.predict(handle_file(GRACE), True, api_name="/find_faces")
    assert "2 sources, averaged" in stage
    both = client.predict(["1", "2"], 1, 1, 3, api_name="/portraits")[0]
    one = client.predict(["2"], 1, 1, 3, api_name="/portraits")[0]
    # two times the same photo: the average is the photo
    assert all((a == b).all() for a, b in zip(images_of(both)[1:], images_of(one)[1:]))


def test_hostile_photos_and_numbers_get_a_sentence(url, service, tmp_path):
    client = Client(url, verbose=False)
    (tmp_path / "no.png").write_bytes(b"no image")
    assert "not an image" in client.predict(handle_file(tmp_path / "no.png"), False, api_name="/find_faces")[2]
    Image.new("RGB", (200, 200)).save(tmp_path / "black.png")
    assert "No face" in client.predict(handle_file(tmp_path / "black.png"), False, api_name="/find_faces")[2]
    stage, _, seed = client.predict("nonsense", "NaN", 1e9, -5, api_name="/portraits")  # no photo: the example
    assert seed == 0 and len(images_of(stage)) == 10


def test_a_path_as_png_and_gif(url, service):
    client = Client(url, verbose=False)
    strip, text, seed, *_ = client.predict("two classes", "photos", "cat", "dog", "linear", 4, 2, 1, 1, 9,
                                           api_name="/interpolate")
    assert "8 images" in text and seed == 9 and len(images_of(strip)) == 4
    gif = re.search(r'href="data:image/gif;base64,(.*?)"', strip)[1]
    with Image.open(io.BytesIO(base64.b64decode(gif))) as film:
        assert film.n_frames == 6  # there and back


def test_the_film_shows_every_step():
    columns = np.stack([np.full((1, 8, 8, 3), value, np.uint8) for value in (0, 120, 240)])
    with Image.open(io.BytesIO(strip_gif(columns))) as film:
        seen = []
        for k in range(film.n_frames):
            film.seek(k)
            seen.append(film.convert("RGB").getpixel((3, 3))[0])
    assert seen == [0, 120, 240, 120]
