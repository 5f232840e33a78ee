"""From a photo to aligned faces: MTCNN finds them, five landmarks align them, as section 3.3 needs them.

The crop is the one that portrait data sets of this project are made with: a similarity transform takes the landmarks
to fixed places in a square, the photo is sampled at twice the size with mirrored borders, and averaged down.
facenet-pytorch's MTCNN carries its weights in the wheel, so detection works offline.

References: van den Oord et al., 2016, arXiv 1606.05328, section 3.3 (portraits); Zhang et al., 2016, arXiv 1604.02878
(MTCNN); Umeyama, 1991, IEEE TPAMI 13(4) (the least-squares similarity transform).
"""

import functools
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

# Left eye, right eye, nose, left and right mouth corner, (x, y) in a unit square: the usual 112-pixel five-point
# template, shrunk to 0.8 about its centre so that hair and chin stay in the frame.
TEMPLATE = (np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
                      [70.7299, 92.2041]]) - 56) * 0.8 / 112 + 0.5
CROP_SIZE = 64
MIN_PROBABILITY = 0.9  # of MTCNN; below it are mostly hands, patterns and drawings
MIN_EYE_DISTANCE = 12.0  # pixels in the photo; less does not carry a person's features into a 64-pixel crop
LONG_SIDE = 1024  # larger photos are reduced before detection


class FaceError(ValueError):
    """A photo without a usable face; the message is one sentence for the person who gave it."""


@dataclass(frozen=True)
class Face:
    """One face of a photo. `box` (left, top, right, bottom) and `landmarks` (5, 2) are in pixels of the photo."""

    box: tuple[float, float, float, float]
    probability: float
    landmarks: np.ndarray
    crop: np.ndarray  # uint8 (64, 64, 3), aligned
    inside: float  # share of the crop that lies inside the photo, 0 to 1

    @property
    def area(self) -> float:
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


@functools.cache
def detector():
    """facenet-pytorch's MTCNN, loaded once."""
    from facenet_pytorch import MTCNN

    return MTCNN(keep_all=True, min_face_size=20, post_process=False, device="cpu").eval()


def find_faces(photo: Image.Image, limit: int | None = None) -> list[Face]:
    """The faces of an upright RGB photo, the largest first, `limit` of them at most. Raises FaceError where there is
    none to work with."""
    reduction = min(1.0, LONG_SIDE / max(photo.size))
    if min(photo.size) * reduction < 20:
        raise FaceError(f"This photo has {photo.width} x {photo.height} pixels: too few, or too narrow, to find a face "
                        "in.")
    small = photo
    if reduction < 1:
        small = photo.resize([max(1, round(side * reduction)) for side in photo.size], Image.Resampling.BOX)
    found = [face for face in zip(*_detect(small)) if face[1] >= MIN_PROBABILITY]
    found.sort(key=lambda face: -(face[0][2] - face[0][0]) * (face[0][3] - face[0][1]))
    pixels = np.asarray(photo)
    faces, too_small = [], 0
    for box, probability, landmarks in found:
        if len(faces) == limit:
            break
        landmarks = np.asarray(landmarks, np.float64) / reduction
        if np.linalg.norm(landmarks[1] - landmarks[0]) < MIN_EYE_DISTANCE:
            too_small += 1
            continue
        crop, inside = align(pixels, landmarks)
        faces.append(Face(tuple(float(v) / reduction for v in box), float(probability), landmarks, crop, inside))
    if not faces and too_small:
        raise FaceError("The face in this photo is too small: the eyes must be at least "
                        f"{MIN_EYE_DISTANCE:.0f} pixels apart.")
    if not faces:
        raise FaceError("No face was found: choose a photo in which a face looks roughly at the camera.")
    return faces


def _detect(photo: Image.Image) -> tuple:
    """MTCNN's boxes, probabilities and landmarks; three empty lists without a face."""
    with torch.no_grad():
        boxes, probabilities, points = detector().detect(photo, landmarks=True)
    if boxes is None:
        return [], [], []
    return boxes, probabilities, points


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The least-squares similarity transform between two point sets (N, 2), as a 2 x 3 matrix (Umeyama, 1991)."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    u, scales, vt = np.linalg.svd(b.T @ a / len(source))
    flip = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])  # never mirror
    rotation = u @ np.diag(flip) @ vt
    scale = (scales * flip).sum() / (a ** 2).sum(1).mean()
    return np.hstack([scale * rotation, (target_mean - scale * rotation @ source_mean)[:, None]])


def mirrored(where: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Places (..., 2) outside a photo of `size` (width, height), mirrored at its border pixels into it."""
    period = np.maximum(2 * (np.array(size) - 1), 1)
    folded = np.abs(where) % period
    return np.minimum(np.minimum(folded, period - folded), np.array(size) - 1)


def cut_out(pixels: np.ndarray, where: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """The part of a photo (H, W, 3) that holds the places `where` (..., 2), and the places in it. Where they are
    `step` pixels apart, four or more, it is averaged down first until they are two apart: skipped pixels alias."""
    (left, top), (right, bottom) = np.floor(where.min((0, 1))).astype(int), np.ceil(where.max((0, 1))).astype(int) + 1
    part, place = pixels[top:bottom, left:right], where - (left, top)
    if (factor := int(step / 2)) < 2:
        return part, place
    return np.asarray(Image.fromarray(part).reduce(factor)), (place + 0.5) / factor - 0.5


def align(pixels: np.ndarray, landmarks: np.ndarray, size: int = CROP_SIZE) -> tuple[np.ndarray, float]:
    """Cut one face out: uint8 (H, W, 3) and landmarks (5, 2) -> uint8 (size, size, 3), share inside the photo."""
    big = 2 * size
    matrix = similarity(landmarks, TEMPLATE * big - 0.5)  # pixel centres have whole coordinates
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    y, x = np.mgrid[:big, :big]
    where = np.stack([x, y, np.ones_like(x)], -1) @ inverse.T  # (big, big, 2): (x, y) in the photo
    height, width = pixels.shape[:2]
    part, place = cut_out(pixels, mirrored(where, (width, height)), np.sqrt(abs(np.linalg.det(inverse[:, :2]))))
    grid = torch.from_numpy(place / np.maximum([part.shape[1] - 1, part.shape[0] - 1], 1) * 2 - 1).float()[None]
    image = torch.from_numpy(part.astype(np.float32)).permute(2, 0, 1)[None]  # (1, 3, h, w)
    warped = F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)
    crop = F.avg_pool2d(warped.round(), 2)[0].permute(1, 2, 0)  # (size, size, 3)
    inside = ((where >= -0.5) & (where <= [width - 0.5, height - 0.5])).all(-1).mean()
    return crop.round().clamp(0, 255).to(torch.uint8).numpy(), float(inside)
