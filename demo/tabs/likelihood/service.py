"""What the Likelihood tab asks of the core: the bits of every pixel, Bayes' rule, and the codec.

Images are uint8 (H, W, 3), at the size of the model; what a coded file holds may have any size.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

from demo.kit.pictures import all_bundled, kept_for, shrink
from demo.service.bridge import Service
from demo.service.drawing import to_tensor
from demo.service.faces import EXAMPLES
from demo.service.images import load_image
from demo.service.settings import UserError, shorten
from pixelcnn_core.codec.codec import CodecError, Steps, compressing, decompressing, read_header
from pixelcnn_core.codec.table import idat_bytes, png_bytes, webp_bytes
from pixelcnn_core.evaluation.bayes import bits_given_classes, posterior
from pixelcnn_core.results import read_measured

VARIANTS = ("the picture", "its pixels shuffled", "its mean colour", "a scanned digit", "a face")
FACE = (128, 60, 400, 332)  # left, top, right, bottom of the face in the photo of Grace Hopper
MAX_SIDE = 256  # of a coded file that the page decodes: some seconds of work
KEPT = 32
PNG_PIXELS = "PNG, its pixels alone"


@dataclass(frozen=True)
class Reading:
    """`bits` (H, W) of the pixels without a class; `classes`, p(class | image), and `class_bits`,
    -log2 p(image | class), empty for a model that knows none; `sizes` in bytes by the name of the format, the model's
    own being -log2 p(image) / 8."""

    bits: np.ndarray
    classes: dict[str, float]
    class_bits: dict[str, float]
    sizes: dict[str, float]

    @property
    def bits_per_dim(self) -> float:
        return float(self.bits.mean()) / 3


class LikelihoodService:
    """Reads pictures with the first colour model of a `Service`."""

    def __init__(self, service: Service):
        self.service, self.model_name = service, service.colour_name

    @functools.cached_property
    def _read(self) -> Callable[[bytes], Reading]:
        own = (image for picture in all_bundled() for image in self.variants(picture).values())
        return kept_for(own, KEPT, self._read_pixels)

    @functools.cached_property
    def _costs(self) -> Callable[[bytes], list[float]]:
        return kept_for(map(self.fit, all_bundled()), KEPT, self._costs_of_pixels)

    @property
    def size(self) -> int:
        return self.service.info(self.model_name).image_size

    @property
    def measured(self) -> dict:
        """What `compress-table` wrote beside the checkpoint; empty if nothing."""
        return read_measured(self.service.folder / self.model_name, "codec.json")

    def fit(self, picture) -> np.ndarray:
        """A picture at the size of the model. Raises UserError where there is none."""
        if not isinstance(picture, np.ndarray):
            raise UserError("Choose a picture first.")
        return shrink(Image.fromarray(picture), self.size)

    def variants(self, picture) -> dict[str, np.ndarray]:
        """The picture, and images that are more or less like those that the model was trained on."""
        image = self.fit(picture)
        pixels = image.reshape(-1, 3)  # (H * W, 3)
        shuffled = np.random.default_rng(0).permutation(pixels).reshape(image.shape)
        flat = np.broadcast_to(pixels.mean(0).round().astype(np.uint8), image.shape)
        return dict(zip(VARIANTS, (image, shuffled, flat, digit(self.size), face(self.size))))

    def variant(self, picture, name) -> np.ndarray:
        """One of them. Raises UserError."""
        if name not in VARIANTS:
            raise UserError(f"There is no image called {shorten(name)}; choose one of {', '.join(VARIANTS)}.")
        return self.variants(picture)[name]

    def read(self, image: np.ndarray) -> Reading:
        """The likelihood of an image. Raises Busy, and UserError where the model cannot be loaded."""
        return self._read(np.ascontiguousarray(image).tobytes())

    def _read_pixels(self, pixels: bytes) -> Reading:
        model, info = self.service.model(self.model_name), self.service.info(self.model_name)
        image = np.frombuffer(pixels, np.uint8).reshape(self.size, self.size, 3)
        x = to_tensor(image).to(self.service.device)
        with self.service.turn(), torch.inference_mode():
            bits = model.bits_per_sub_pixel(x)[0].sum(0).double().cpu().numpy()  # (H, W)
            told = bits_given_classes(model, x) if info.classes else torch.zeros(1, 0)  # (1, classes)
        png = png_bytes(image)
        sizes = {"all values alike": image.size, "PNG": len(png), PNG_PIXELS: idat_bytes(png),
                 "WebP, lossless": len(webp_bytes(image)), "this PixelCNN": bits.sum() / 8}
        odds = posterior(told)[0].tolist()
        return Reading(bits, dict(zip(info.classes, odds)), dict(zip(info.classes, told[0].tolist())), sizes)

    def costs(self, picture) -> list[float]:
        """Bits per dimension of all variants of a picture, from one forward pass."""
        return self._costs(self.fit(picture).tobytes())

    def _costs_of_pixels(self, pixels: bytes) -> list[float]:
        picture = np.frombuffer(pixels, np.uint8).reshape(self.size, self.size, 3)
        x = to_tensor(np.stack(list(self.variants(picture).values())))
        model = self.service.model(self.model_name)
        with self.service.turn(), torch.inference_mode():
            return model.bits_per_dim(x.to(self.service.device)).tolist()

    def compress(self, image: np.ndarray) -> Steps[bytes]:
        """The file of an image, uint8 (H, W, 3), row by row: the turn is free when it is closed. Raises Busy and
        UserError."""
        with self.service.turn():
            try:
                return (yield from compressing(self.service.model(self.model_name), image))
            except CodecError as error:
                raise UserError(sentence(error)) from error

    def decompress(self, data: bytes) -> Steps[np.ndarray]:
        """The image in a file, uint8 (H, W, 3) or (H, W), row by row. Raises Busy, and UserError for any other file."""
        try:
            header = read_header(data)
            if max(header.height, header.width) > MAX_SIDE:
                raise UserError(f"This page decodes images up to {MAX_SIDE} x {MAX_SIDE}; this one has "
                                f"{header.width} x {header.height}. The command line takes larger ones.")
            with self.service.turn():
                return (yield from decompressing(self.service.model(self.model_name), data))
        except CodecError as error:
            raise UserError(sentence(error)) from error


def sentence(error: CodecError) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


@functools.cache
def digit(size: int) -> np.ndarray:
    """A scanned 8 x 8 digit of scikit-learn, enlarged: uint8 (size, size, 3)."""
    scan = (load_digits().images[0] * (255 / 16)).round().astype(np.uint8)  # (8, 8), 17 levels
    return np.asarray(Image.fromarray(scan).resize((size, size), Image.Resampling.NEAREST).convert("RGB"))


@functools.cache
def face(size: int) -> np.ndarray:
    """The face in a bundled portrait, uint8 (size, size, 3)."""
    return shrink(load_image(EXAMPLES["Grace Hopper"]).crop(FACE), size)
