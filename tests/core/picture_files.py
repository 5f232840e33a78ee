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


def tiff16(pixels: np.ndarray) -> bytes:
    """A TIFF of uint16 RGB pixels (H, W, 3)."""
    height, width, _ = pixels.shape
    data, place = pixels.astype("<u2").tobytes(), 8
    bits = place + len(data)
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2),
               (273, 4, 1, place), (277, 3, 1, 3), (278, 3, 1, height), (279, 4, 1, len(data))]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *each) for each in entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", bits + 6) + data + struct.pack("<HHH", 16, 16, 16) + directory
