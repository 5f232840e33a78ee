"""One function that turns whatever a visitor gives as an image into a plain RGB picture, or says what is wrong.

Everything is checked before it is decoded: the size in bytes, the format, the width and height in the header.
A 20 kB PNG can hold 13000 x 13000 pixels, and a `data:` URL passes by the upload limit of a web server.
"""

import base64
import binascii
import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 12 * 2**20
MAX_PIXELS = 24_000_000  # what phones take
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # none that runs a program, as EPS does

Image.init()
FORMATS = tuple(name for name in FORMATS if name in Image.OPEN)  # Pillow may be built without AVIF or WebP
# Process-wide on purpose: the web server decodes images too, before they get here.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


class ImageError(ValueError):
    """An image that cannot be used; the message is one sentence for the person who gave it."""


def load_image(source) -> Image.Image:
    """A path, bytes, a `data:` URL, a numpy array or a PIL image -> an RGB image, upright, on white where transparent.

    Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), of bool, integers (8 or 16 bit) or floats in [0, 1].
    Of an animation the first frame is taken. Raises ImageError.
    """
    if source is None:
        raise ImageError("Please choose an image first.")
    if isinstance(source, np.ndarray):
        return to_rgb(from_array(source))
    if isinstance(source, Image.Image):
        return decode(source)
    if isinstance(source, str) and source.startswith("data:"):
        source = from_data_url(source)
    if isinstance(source, (str, Path)):
        source = read_file(source)
    if not isinstance(source, (bytes, bytearray)):
        raise ImageError(f"An image is needed here, not a value of type {type(source).__name__}.")
    check_bytes(len(source))
    try:
        with Image.open(io.BytesIO(source), formats=FORMATS) as image:
            return decode(image)
    except UnidentifiedImageError:
        raise ImageError("This file is not an image that can be read: use PNG, JPEG, WebP, GIF, BMP or TIFF.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(too_large()) from None
    except (OSError, ValueError, SyntaxError, struct.error):
        raise ImageError("This image is damaged and cannot be read.") from None


def decode(image: Image.Image) -> Image.Image:
    """Check the size in the header, decode the first frame, turn it upright, make it RGB."""
    check_pixels(*image.size)
    try:
        image.seek(0)
        image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(too_large()) from None
    except (OSError, EOFError, ValueError, SyntaxError, MemoryError, struct.error):
        raise ImageError("This image is damaged and cannot be read.") from None
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block can fail in many ways, and the picture itself is fine
        pass
    return to_rgb(image)


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode -> RGB: 16-bit and float greys scaled to 8 bits, transparency laid on white."""
    if image.mode.startswith(("I", "F")):
        image = from_array(np.asarray(image))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    try:
        return image.convert("RGB")
    except ValueError:
        raise ImageError(f"Images of colour mode {image.mode} cannot be used: save it as RGB.") from None


def from_array(array: np.ndarray) -> Image.Image:
    """An array as described in `load_image` -> a PIL image of mode L, RGB or RGBA."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or array.size == 0:
        raise ImageError(f"An image has height, width and 1, 3 or 4 channels, not the shape {array.shape}.")
    check_pixels(array.shape[1], array.shape[0])
    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
            raise ImageError(f"An image holds numbers, not values of type {array.dtype}.")
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise ImageError("This image holds values that are not finite numbers.")
        # floats in [0, 1], 16-bit integers, or 8-bit values kept in a wider type
        scale = 255 if array.max() <= 1 else 1 / 257 if array.max() > 255 else 1
        array = (array * scale).round().clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(array))


def from_data_url(url: str) -> bytes:
    """The bytes in a base64 `data:` URL, measured before they are decoded."""
    head, comma, body = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ImageError("This data: address does not hold a base64 image.")
    check_bytes(len(body) * 3 // 4)
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise ImageError("This data: address does not hold a base64 image.") from None


def read_file(path: str | Path) -> bytes:
    """The bytes of a file, measured before they are read."""
    try:
        size = Path(path).stat().st_size if Path(path).is_file() else None
    except (OSError, ValueError):  # too long a name, or a NUL in it
        size = None
    if size is None:
        raise ImageError("There is no such image file.")
    check_bytes(size)
    try:
        return Path(path).read_bytes()
    except OSError:
        raise ImageError("This file cannot be read.") from None


def check_bytes(size: int) -> None:
    if size > MAX_BYTES:
        raise ImageError(f"This image is {size / 2**20:.0f} MB; the limit is {MAX_BYTES // 2**20} MB.")
    if size == 0:
        raise ImageError("This file is empty.")


def check_pixels(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ImageError("This image has no pixels.")
    if width * height > MAX_PIXELS:
        raise ImageError(too_large())


def too_large() -> str:
    return f"This image has too many pixels; the limit is {MAX_PIXELS // 10**6} million."
