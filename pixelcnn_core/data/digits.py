"""Scikit-learn's scanned digits, 8 x 8 grey, 17 levels: in the wheel, so always there."""

import numpy as np
import torch

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.splits import members

DIGITS_TRAIN = 1500  # the first 1500 of the 1797 train and validate, the rest test: other writers, by their order


def digits(split: str) -> ImageData:
    """uint8 (N, 1, 8, 8): 1,425 train, 75 validate, 297 test."""
    from sklearn.datasets import load_digits

    scans = load_digits()
    part = slice(DIGITS_TRAIN, None) if split == "test" else slice(DIGITS_TRAIN)
    images, labels = scans.images[part].astype(np.uint8), scans.target[part]
    index = members(len(images), split)
    return ImageData(torch.from_numpy(images[index])[:, None], torch.from_numpy(labels[index]),
                     tuple("0123456789"), levels=17)
