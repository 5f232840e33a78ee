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


def tiff(pixels: np.ndarray, photometric: int = 2, planes: bool = False) -> bytes:
    """A TIFF of uint8 or uint16 pixels (H, W, channels), not compressed; with `planes`, one channel after the other."""
    height, width, channels = pixels.shape
    pixels = pixels.astype(pixels.dtype.newbyteorder("<"))
    strips = [plane.tobytes() for plane in pixels.transpose(2, 0, 1)] if planes else [pixels.tobytes()]
    data, place = b"".join(strips), 8
    end = place + len(data)
    offsets, sizes = [place + k * len(strips[0]) for k in range(len(strips))], [len(strip) for strip in strips]
    lists = {258: ("H", [8 * pixels.itemsize] * channels), 273: ("I", offsets), 279: ("I", sizes)}
    stored, values = b"", {256: width, 257: height, 259: 1, 262: photometric, 277: channels, 278: height,
                           284: 2 if planes else 1}
    entries = [(tag, 3, 1, value) for tag, value in values.items()]
    for tag, (kind, numbers) in lists.items():
        value = numbers[0] if len(numbers) == 1 else end + len(stored)
        entries.append((tag, 3 if kind == "H" else 4, len(numbers), value))
        stored += struct.pack(f"<{len(numbers)}{kind}", *numbers)
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in sorted(entries)) + bytes(4)
    return b"II*\0" + struct.pack("<I", end + len(stored)) + data + stored + directory
