"""The chip of the face network: 150 x 150 pixels of face, from a photo with its landmarks or from an aligned crop.

dlib cuts its chips by five landmarks of its own (corners of the eyes, base of the nose). From the five of MTCNN, and
from the aligned crops of the tables, nearly the same chip is a fixed window of the crop: 0.71 of its width, centred at
(0.50, 0.61). Scale, place and rotation were searched on 240 photos of training people so that the descriptors in the
tables are met: the mean distance is 0.226 from 64 x 64 crops (same person: below about 0.6), a rotation does not help.
A chip cut from the photo itself comes twice as near to dlib's own, since it keeps the detail.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn_core.faces.alignment import align
from pixelcnn_core.models.images import as_images

CHIP = 150  # height and width of a chip
ALIGNED = 211  # of the aligned crop that it is cut from: 150 / 211 = 0.71
TOP, LEFT = 54, 30  # of the window in it


def chip_from_photo(pixels: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """uint8 photo (H, W, 3) and the five landmarks (5, 2) of one face, in pixels -> uint8 chip (150, 150, 3)."""
    crop, _ = align(pixels, landmarks, ALIGNED)
    return crop[TOP:TOP + CHIP, LEFT:LEFT + CHIP]


def chips_from_crops(crops: Tensor) -> Tensor:
    """uint8 aligned crops (N, 3, 64, 64) -> uint8 chips (N, 3, 150, 150), enlarged bicubically. Raises ValueError."""
    crops = as_images(crops, 3, 256).float()
    large = F.interpolate(crops, size=(ALIGNED, ALIGNED), mode="bicubic", align_corners=False)  # (N, 3, 211, 211)
    chips = large[:, :, TOP:TOP + CHIP, LEFT:LEFT + CHIP]  # (N, 3, 150, 150)
    return chips.round().clamp(0, 255).to(torch.uint8)
