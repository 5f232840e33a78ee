"""The one function that takes visitors' images: everything reasonable becomes RGB, everything else one sentence."""

import base64
import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from demo.service import images
from demo.service.images import ImageError, load_image

RED = (220, 30, 40)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A tiny PNG whose header promises an enormous picture."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


def pixel(image: Image.Image, at=(1, 1)) -> tuple:
    assert image.mode == "RGB"
    return image.getpixel(at)


def near(found: tuple, expected: tuple, within: int = 6) -> bool:
    return all(abs(a - b) <= within for a, b in zip(found, expected))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_formats_by_bytes_path_and_data_url(kind, tmp_path):
    data = encoded(Image.new("RGB", (20, 10), RED), kind)
    path = tmp_path / "picture"
    path.write_bytes(data)
    url = f"data:image/{kind.lower()};base64," + base64.b64encode(data).decode()
    for source in (data, bytearray(data), path, str(path), url):
        image = load_image(source)
        assert image.size == (20, 10) and near(pixel(image), RED)


def test_modes():
    red = Image.new("RGB", (4, 4), RED)
    assert near(pixel(load_image(encoded(red.convert("CMYK"), "JPEG"))), RED, 12)
    assert near(pixel(load_image(encoded(red.quantize(), "GIF"))), RED, 12)
    assert pixel(load_image(encoded(Image.new("1", (4, 4), 1)))) == (255, 255, 255)
    assert pixel(load_image(encoded(Image.new("L", (4, 4), 77)))) == (77, 77, 77)
    assert pixel(load_image(encoded(Image.new("LA", (4, 4), (77, 0))))) == (255, 255, 255)
    assert pixel(load_image(encoded(Image.new("RGBA", (4, 4), (*RED, 0))))) == (255, 255, 255)
    half = pixel(load_image(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 128)))))
    assert near(half, (127, 127, 127))
    sixteen = Image.fromarray(np.full((4, 4), 0x8080, np.uint16))
    assert pixel(load_image(encoded(sixteen))) == (128, 128, 128)
    assert pixel(load_image(encoded(Image.new("F", (4, 4), 0.5), "TIFF"))) == (128, 128, 128)


def test_a_palette_with_a_transparent_colour_is_laid_on_white():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0] * 256)
    assert pixel(load_image(encoded(image, "PNG", transparency=0))) == (255, 255, 255)


def test_a_photo_taken_sideways_stands_upright():
    image = Image.new("RGB", (20, 10), "black")
    image.paste(RED, (0, 0, 5, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = load_image(encoded(image, "JPEG", exif=exif, quality=95))
    assert upright.size == (10, 20) and near(pixel(upright, (5, 1)), RED, 25)


def test_the_first_frame_of_an_animation():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert near(pixel(load_image(data)), (255, 255, 255))


@pytest.mark.parametrize("array, expected", [
    (np.full((4, 5), 9, np.uint8), (9, 9, 9)),
    (np.full((4, 5, 1), 9, np.uint8), (9, 9, 9)),
    (np.full((4, 5, 3), 0.5), (128, 128, 128)),
    (np.full((4, 5, 3), 200, np.int64), (200, 200, 200)),
    (np.full((4, 5), 65535, np.uint16), (255, 255, 255)),
    (np.ones((4, 5), bool), (255, 255, 255)),
    (np.zeros((4, 5, 4), np.uint8), (255, 255, 255)),
    (np.full((4, 5, 3), -7.0), (0, 0, 0)),
])
def test_arrays(array, expected):
    image = load_image(array)
    assert image.size == (5, 4) and pixel(image) == expected


BROKEN = {
    "nothing": None,
    "empty": b"",
    "text": b"hello, I am not an image",
    "program": b"MZ" + bytes(500),
    "html": b"<html><body>no</body></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "cut PNG": encoded(Image.effect_noise((64, 64), 80))[:900],
    "cut JPEG": encoded(Image.effect_noise((64, 64), 80), "JPEG")[:300],
    "bomb": bomb(13000, 13000),
    "larger bomb": bomb(60000, 60000),
    "empty size": bomb(0, 10),
    "no such file": "/nowhere/at/all.png",
    "folder": "/",
    "NUL in the name": "a\0b",
    "very long name": "x" * 10**5,
    "web address": "http://example.invalid/a.png",
    "data without base64": "data:image/svg+xml,<svg/>",
    "data not base64": "data:image/png;base64,!!!!",
    "number": 5,
    "list": [[1, 2], [3, 4]],
    "dictionary": {"path": "x"},
    "array of text": np.array([["a", "b"]]),
    "array of objects": np.array([[object()]]),
    "array of NaN": np.full((3, 3), np.nan),
    "complex array": np.ones((3, 3), complex),
    "array with 5 channels": np.zeros((3, 3, 5), np.uint8),
    "array of one line": np.zeros(9, np.uint8),
    "array of nothing": np.zeros((0, 4, 3), np.uint8),
    "huge array": np.broadcast_to(np.uint8(0), (13000, 13000)),
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN.keys())
def test_anything_else_is_refused_at_once_in_one_sentence(source):
    begun = time.monotonic()
    with pytest.raises(ImageError) as error:
        load_image(source)
    text = str(error.value)
    assert text.endswith(".") and text[0].isupper() and len(text) < 160 and "Traceback" not in text
    assert time.monotonic() - begun < 1


def test_size_limits(monkeypatch, tmp_path):
    data = encoded(Image.effect_noise((64, 64), 80))
    path = tmp_path / "large.png"
    path.write_bytes(data)
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    for source in (data, path, url):
        with pytest.raises(ImageError, match="MB"):
            load_image(source)


def test_an_open_pil_image_of_any_kind():
    assert load_image(Image.new("RGB", (3, 2), RED)).size == (3, 2)
    lazy = Image.open(io.BytesIO(encoded(Image.effect_noise((64, 64), 80))[:900]))
    with pytest.raises(ImageError, match="damaged"):
        load_image(lazy)


def test_damaged_exif_does_not_matter():
    data = encoded(Image.new("RGB", (8, 8), RED), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40)
    assert near(pixel(load_image(data)), RED)


def large_jpeg(width: int, height: int, **options) -> bytes:
    image = Image.new("L", (width, height), 30)
    image.paste(220, (0, 0, width // 2, height))
    return encoded(image, "JPEG", **options)


def test_a_photo_of_fifty_megapixels_is_decoded_smaller():
    image = load_image(large_jpeg(8160, 6120))
    assert image.size == (4080, 3060) and image.width * image.height <= images.MAX_PIXELS
    assert near(pixel(image, (100, 100)), (220,) * 3) and near(pixel(image, (4000, 3000)), (30,) * 3)


def test_a_large_photo_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = load_image(large_jpeg(8000, 4000, exif=exif))
    assert upright.size == (2000, 4000) and near(pixel(upright, (1000, 100)), (220,) * 3)


def test_only_sequential_jpegs_may_be_so_large(monkeypatch):
    """Of a progressive one the decoder keeps every coefficient, however small the picture becomes."""
    monkeypatch.setattr(images, "MAX_PIXELS", 10_000)
    monkeypatch.setattr(images, "MAX_JPEG_PIXELS", 100_000)
    assert load_image(large_jpeg(300, 300)).size == (75, 75)
    for data in (large_jpeg(300, 300, progressive=True), large_jpeg(400, 300), encoded(Image.new("L", (300, 300)))):
        with pytest.raises(ImageError, match="too many pixels"):
            load_image(data)


def test_no_more_than_a_part_of_a_large_photo_is_ever_held(monkeypatch):
    sizes = []
    load = images.JpegImagePlugin.JpegImageFile.load
    monkeypatch.setattr(images.JpegImagePlugin.JpegImageFile, "load",
                        lambda self, *args: sizes.append(self.size) or load(self, *args))
    load_image(large_jpeg(8160, 6120))
    assert sizes and all(width * height <= images.MAX_PIXELS for width, height in sizes)
