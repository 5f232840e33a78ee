"""Detection and alignment on the bundled public-domain portraits, and a clear answer for photos that are none."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn_core.faces.alignment import CROP_SIZE, TEMPLATE, FaceError, align, find_faces, similarity

EXAMPLES = Path(__file__).parents[3] / "demo" / "assets" / "faces"
BOXES = {"eileen_collins": (180, 60, 269, 173), "grace_hopper": (174, 120, 356, 340)}


def example(name: str) -> Image.Image:
    return Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")


@pytest.mark.parametrize("name", BOXES)
def test_the_bundled_portraits_are_found_where_they_are(name):
    face, = find_faces(example(name))
    assert face.box == pytest.approx(BOXES[name], abs=12)
    assert face.probability > 0.99 and face.inside > 0.99
    assert face.crop.shape == (CROP_SIZE, CROP_SIZE, 3) and face.crop.dtype == np.uint8


def test_the_crop_puts_the_landmarks_on_the_template():
    """Bright dots drawn at the landmarks of a dark photo appear at the template's places in the crop."""
    landmarks = np.array([[220.3, 189.9], [308.5, 187.1], [269.2, 238.9], [230.4, 282.6], [306.8, 279.6]])
    placed = landmarks @ similarity(landmarks, TEMPLATE)[:, :2].T + similarity(landmarks, TEMPLATE)[:, 2]
    for point, place in zip(landmarks, placed):
        photo = np.zeros((400, 400, 3), np.uint8)
        x, y = np.round(point).astype(int)
        photo[y - 3:y + 4, x - 3:x + 4] = 255
        crop, _ = align(photo, landmarks)
        weights = crop[..., 0].astype(float)
        centre = np.array([(weights.sum(0) @ np.arange(CROP_SIZE)), (weights.sum(1) @ np.arange(CROP_SIZE))])
        assert centre / weights.sum() + 0.5 == pytest.approx(place * CROP_SIZE, abs=0.4)
    assert np.abs(placed - TEMPLATE).max() < 0.06


def test_similarity_recovers_a_rotation_a_scale_and_a_shift():
    angle, scale, shift = 0.3, 1.7, np.array([5.0, -2.0])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.random.default_rng(0).random((5, 2))
    matrix = similarity(points, scale * points @ rotation.T + shift)
    assert matrix == pytest.approx(np.hstack([scale * rotation, shift[:, None]]))


def test_borders_are_mirrored_and_counted():
    landmarks = (TEMPLATE * 64) - [32, 0]  # the left half of the crop lies outside
    crop, inside = align(np.full((64, 64, 3), 200, np.uint8), landmarks)
    assert inside == pytest.approx(0.5, abs=0.02)
    assert (crop == 200).all()


def test_a_turned_photo_gives_an_upright_crop():
    """Alignment follows the eyes: the crop of a tilted photo is nearly that of the straight one."""
    straight = find_faces(example("grace_hopper"))[0].crop.astype(float)
    tilted = find_faces(example("grace_hopper").rotate(15, Image.Resampling.BICUBIC))[0].crop.astype(float)
    middle = slice(12, 52)
    assert np.corrcoef(straight[middle, middle].ravel(), tilted[middle, middle].ravel())[0, 1] > 0.85


def test_a_photo_too_narrow_is_told_its_own_size():
    """Not that of the reduced one that the detector would see."""
    for size in ((30, 6000), (6000, 60), (19, 500)):
        with pytest.raises(FaceError, match=f"This photo has {size[0]} x {size[1]} pixels: too few, or too narrow"):
            find_faces(Image.new("RGB", size))


def test_several_faces_come_largest_first():
    both = Image.new("RGB", (1100, 620), "grey")
    both.paste(example("eileen_collins"), (0, 0))
    both.paste(example("grace_hopper"), (540, 0))
    faces = find_faces(both)
    assert len(faces) == 2
    assert faces[0].area > faces[1].area
    assert faces[0].box[0] > 540


def test_a_large_photo_gives_the_same_crop():
    small, large = example("grace_hopper"), example("grace_hopper").resize((2048, 2400))
    a, b = find_faces(small)[0].crop.astype(float), find_faces(large)[0].crop.astype(float)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("photo, message", [
    (Image.new("RGB", (300, 300), "white"), "No face"),
    (Image.new("RGB", (12, 12)), "12 x 12"),
    (Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)), "No face"),
    (example("eileen_collins").resize((120, 120)), "too small"),
])
def test_a_photo_without_a_usable_face_is_answered_in_a_sentence(photo, message):
    with pytest.raises(FaceError, match=message):
        find_faces(photo)


def test_embeddings_are_the_same_in_another_process():
    code = (f"import torch; torch.set_num_threads({torch.get_num_threads()})\n"
            "from pixelcnn_core.faces.encoder import FaceEncoder\n"
            f"encoder = FaceEncoder.from_pretrained({str(EXAMPLES.parent / 'face_encoder')!r})\n"
            "crops = (torch.arange(2 * 3 * 64 * 64) % 251).reshape(2, 3, 64, 64).to(torch.uint8)\n"
            "print(encoder.embed(crops).numpy().tobytes().hex())")
    answer = subprocess.run([sys.executable, "-c", code], cwd=EXAMPLES.parents[2], capture_output=True,
                            encoding="utf-8", check=True).stdout.strip()
    assert len(answer) == 2 * 128 * 4 * 2
    with contextlib.redirect_stdout(io.StringIO()) as here:
        exec(code, {})
    assert here.getvalue().strip() == answer
