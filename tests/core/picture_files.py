"""Picture files for tests that Pillow cannot write itself, and the bytes of those that it can."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(pixels: np.ndarray, colour_type: int, extra: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    """A PNG of uint8 or uint16 pixels (H, W, channels), with any other chunks before the pixels."""
    height, width, _ = pixels.shape
    depth = 8 * pixels.dtype.itemsize
    rows = pixels.astype(pixels.dtype.newbyteorder(">"))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*each) for each in extra)
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))) + chunk(b"IEND", b""))


def turned(orientation: int) -> Image.Exif:
    """An EXIF block that says how the camera was held."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif
