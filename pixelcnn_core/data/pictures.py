"""The one decoder of picture files: whatever a folder, a table or a visitor gives becomes a plain RGB picture.

    16-bit grey      scaled to 8 bits                  transparency        laid on white
    EXIF             the picture is turned upright     animations          the first frame
    CMYK, palettes   converted to RGB                  colour profiles     not looked at

Width and height are checked in the header, before anything is decoded: a file of 20 kB can hold 13000 x 13000 pixels.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 150_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")  # none that runs a program, as EPS does

Image.init()
FORMATS = tuple(name for name in FORMATS if name in Image.OPEN)  # Pillow may be built without AVIF or WebP

# What decoders raise for a damaged file; RuntimeError is AVIF's.
DAMAGED = (OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, SyntaxError, MemoryError,
           RuntimeError, struct.error)
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)  # the warning where a program made it an error


class PictureError(ValueError):
    """A picture that cannot be used; the message is one sentence."""


def load_picture(source, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A path, the bytes of a file, an array or a PIL image -> an RGB image, upright, on white where transparent.

    Arrays are as in `from_array`. Of an animation the first frame is taken. Raises PictureError.
    """
    if isinstance(source, np.ndarray):
        check_pixels(*source.shape[1::-1], max_pixels)
        return to_rgb(from_array(source))
    if isinstance(source, Image.Image):
        return to_rgb(decode(source, max_pixels))
    with opened(source, max_pixels) as image:
        return to_rgb(decode(image, max_pixels))


@contextmanager
def opened(source, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """A picture file, by its path or its bytes, of which only the header was read. Raises PictureError."""
    if not isinstance(source, (str, Path, bytes, bytearray)):
        raise PictureError(f"An image is needed here, not a value of type {type(source).__name__}.")
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, (bytes, bytearray)) else source, formats=FORMATS)
    except UnidentifiedImageError:
        raise PictureError("This file is not an image that can be read: use PNG, JPEG, WebP, GIF, BMP or TIFF."
                           ) from None
    except BOMBS:
        raise PictureError(too_large(max_pixels)) from None
    except (FileNotFoundError, IsADirectoryError):
        raise PictureError("There is no such image file.") from None
    except PermissionError:
        raise PictureError("This file cannot be read.") from None
    except DAMAGED:
        raise PictureError("This image is damaged and cannot be read.") from None
    with image:
        yield image


def decode(image: Image.Image, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Check the size in the header, decode the first frame, turn it upright. Raises PictureError."""
    check_pixels(*image.size, max_pixels)
    if problem := misread(image):
        raise PictureError(problem)
    try:
        image.seek(0)
        image.load()
    except BOMBS:
        raise PictureError(too_large(max_pixels)) from None
    except DAMAGED:
        raise PictureError("This image is damaged and cannot be read.") from None
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block can fail in many ways, and the picture itself is fine
        return image


def misread(image: Image.Image) -> str:
    """Of a file that Pillow would decode to wrong values without a word, a sentence on it; else empty. Only the header
    need be read."""
    tags, bits = getattr(image, "tag_v2", {}), bits_of(image)
    inverted, deep = tags.get(PHOTOMETRIC) == 0, max(bits, default=8) > 8
    in_planes = tags.get(PLANES) == 2 and image.info.get("compression") == "raw"
    if inverted and deep or in_planes and (inverted or set(bits) != {8}):
        return "This TIFF holds its values in a way that cannot be read here: save it as PNG."
    if "transparency" in image.info and ";16" in stored_as(image):
        return "This PNG has 16 bits and one transparent colour, which cannot be read here: save it with 8 bits."
    return ""


BITS, PHOTOMETRIC, PLANES = 258, 262, 284  # TIFF tags


def bits_of(image: Image.Image) -> tuple[int, ...]:
    """The bits of each value in a TIFF; of other files none."""
    return tuple(image.tag_v2.get(BITS, (1,))) if hasattr(image, "tag_v2") else ()


def stored_as(image: Image.Image) -> str:
    """How the values lie in a file that was not decoded yet, such as "RGB;16B"."""
    return str(image.tile[0].args) if getattr(image, "tile", None) else ""


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode -> RGB: 16-bit and float greys scaled to 8 bits, transparency laid on white. Raises PictureError."""
    if image.mode.startswith("I;16"):
        image = from_array(np.asarray(image).astype(np.uint16))
    elif image.mode in ("I", "F"):
        image = from_array(np.asarray(image))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    try:
        return image.convert("RGB")
    except ValueError:
        raise PictureError(f"Images of colour mode {image.mode} cannot be used: save it as RGB.") from None


def from_array(array: np.ndarray) -> Image.Image:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) -> a PIL image of mode L, RGB or RGBA. Raises PictureError.

    bool is black and white, uint16 is scaled by 1 / 257; other integers are levels from 0 to 255, or of 16 bits where
    one is above 255; floats are in [0, 1], or levels where one is above 1.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or array.size == 0:
        raise PictureError(f"An image has height, width and 1, 3 or 4 channels, not the shape {array.shape}.")
    if array.dtype == np.uint8:
        return Image.fromarray(np.ascontiguousarray(array))
    if array.dtype == bool:
        return Image.fromarray(array.astype(np.uint8) * 255)
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise PictureError(f"An image holds numbers, not values of type {array.dtype}.")
    if not np.isfinite(array).all():
        raise PictureError("This image holds values that are not finite numbers.")
    largest = array.max()
    if array.dtype == np.uint16 or largest > 255:
        scale = 1 / 257
    else:
        scale = 255 if np.issubdtype(array.dtype, np.floating) and largest <= 1 else 1
    return Image.fromarray((array.astype(np.float64) * scale).round().clip(0, 255).astype(np.uint8))


def fit(image: Image.Image, size: int | tuple[int, int], channels: int = 3) -> np.ndarray:
    """The middle of a picture, as much as has the wanted proportions, area-averaged: uint8 (channels, H, W).

    size: height and width, or one number for both; one channel is grey, luma of ITU-R 601.
    """
    height, width = (size, size) if isinstance(size, int) else size
    across, down = image.size
    if across * height > down * width:
        across = down * width / height
    else:
        down = across * height / width
    left, top = (image.width - across) // 2, (image.height - down) // 2
    box = (left, top, left + across, top + down)
    image = image.convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BOX, box=box))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)  # (channels, H, W)


def check_pixels(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Raises PictureError for an image of no pixels, or of too many."""
    if width < 1 or height < 1:
        raise PictureError("This image has no pixels.")
    if width * height > max_pixels:
        raise PictureError(too_large(max_pixels))


def too_large(max_pixels: int) -> str:
    return f"This image has too many pixels; the limit is {max_pixels // 10**6} million."
