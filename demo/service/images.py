"""What a visitor gives as an image becomes a plain RGB picture, or one sentence says what is wrong.

The decoder is the core's (pixelcnn_core/data/pictures.py); here stand the page's limits and its `data:` URLs.
A 20 kB PNG can hold 13000 x 13000 pixels, and a `data:` URL passes by the upload limit of a web server.

Cameras take more pixels than a face needs. A JPEG above the limit is decoded at a half, a quarter or an eighth of its
size, which its blocks of 8 x 8 allow without ever holding the whole. That bounds the memory only where the file is
sequential, as cameras write it: of a progressive one the decoder keeps every coefficient, so the limit stays.
"""

import base64
import binascii
import io
import warnings
from pathlib import Path

from PIL import Image, JpegImagePlugin

from pixelcnn_core.data.pictures import DAMAGED, load_picture
from pixelcnn_core.data.pictures import PictureError as ImageError

MAX_BYTES = 20 * 2**20
MAX_PIXELS = 24_000_000  # that are decoded
MAX_JPEG_PIXELS = 120_000_000  # of a sequential JPEG, which is then decoded at a part of its size
JPEG_START = b"\xff\xd8\xff"

# Process-wide on purpose: the web server decodes images too, before they get here.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def load_image(source) -> Image.Image:
    """A path, bytes, a `data:` URL, a numpy array or a PIL image -> an RGB image, upright, on white where transparent.

    Of an animation the first frame is taken. Raises ImageError.
    """
    if source is None:
        raise ImageError("Please choose an image first.")
    if isinstance(source, str) and source.startswith("data:"):
        source = from_data_url(source)
    if isinstance(source, (str, Path)):
        source = read_file(source)
    if isinstance(source, (bytes, bytearray)):
        check_bytes(len(source))
        if source[:3] == JPEG_START:
            source = reduced(bytes(source)) or source
    return load_picture(source, MAX_PIXELS)


def reduced(data: bytes) -> Image.Image | None:
    """A large sequential JPEG, opened so that it will be decoded within MAX_PIXELS; None for any other file."""
    try:
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))  # reads the header only
    except DAMAGED:
        return None
    width, height = image.size
    if not MAX_PIXELS < width * height <= MAX_JPEG_PIXELS or image.info.get("progressive"):
        return None
    part = next(part for part in (2, 4, 8) if -(-width // part) * -(-height // part) <= MAX_PIXELS)
    image.draft(None, (width // part, height // part))  # at least so many pixels
    return image if image.width * image.height <= MAX_PIXELS else None


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
