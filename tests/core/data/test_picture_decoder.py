"""The one decoder of picture files: the right values of every kind of file, and one sentence for what is none."""

import struct
import zlib

import numpy as np
import pytest
from picture_files import png, saved, tiff, turned
from PIL import Image

from pixelcnn_core.data.pictures import FORMATS, PictureError, fit, from_array, load_picture

RED = (220, 30, 40)
RAMP = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)  # 0, 257, 514, ... of 16 bits


def values(source) -> np.ndarray:
    image = load_picture(source)
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_brightness(kind):
    pixels = values(saved(Image.fromarray(RAMP), kind))
    assert np.array_equal(pixels, np.arange(256).reshape(16, 16, 1).repeat(3, 2))
    dark = values(saved(Image.fromarray(np.full((4, 4), 200, np.uint16)), kind))
    assert (dark == 1).all(), "nearly black, however dark the brightest pixel is"


def test_16_bit_colours_are_scaled():
    pixels = values(png(RAMP[:, :, None].repeat(3, 2), 2))
    assert np.array_equal(pixels, np.arange(256).reshape(16, 16, 1).repeat(3, 2))
    assert np.array_equal(values(tiff(RAMP[:, :, None].repeat(3, 2))), pixels)
    alpha = np.concatenate([RAMP[:, :, None].repeat(3, 2), np.zeros((16, 16, 1), np.uint16)], 2)
    assert (values(png(alpha, 6)) == 255).all()


def test_a_tiff_that_would_be_misread_is_refused():
    """Pillow takes 16 bits in planes for 8, and 0 for black where the file says that it is white."""
    grey = RAMP[:, :, None]
    colours = (grey // 257).astype(np.uint8).repeat(3, 2)
    assert np.array_equal(values(tiff(colours, planes=True)), colours), "8 bits are read"
    for file in (tiff(grey.repeat(3, 2), planes=True), tiff(grey, 0), tiff(colours[:, :, :1], 0, planes=True)):
        with pytest.raises(PictureError, match="This TIFF .* save it as PNG"):
            load_picture(file)


@pytest.mark.parametrize("image, options", [
    (Image.new("RGBA", (4, 4), (*RED, 0)), {}), (Image.new("LA", (4, 4), (30, 0)), {}),
    (Image.new("L", (4, 4), 30), {"transparency": 30}), (Image.new("1", (4, 4), 0), {"transparency": 0}),
    (Image.new("RGB", (4, 4), RED), {"transparency": RED}), (Image.new("P", (4, 4), 0), {"transparency": 0}),
], ids=["RGBA", "LA", "L with tRNS", "1 with tRNS", "RGB with tRNS", "P with tRNS"])
def test_transparency_is_laid_on_white(image, options):
    assert (values(saved(image, **options)) == 255).all()


@pytest.mark.parametrize("colours", [0, 2])
def test_a_transparent_colour_of_16_bits_is_refused(colours):
    """Pillow compares it with 8 bits, or forgets it."""
    pixels = RAMP[:, :, None].repeat(3 if colours else 1, 2)
    with pytest.raises(PictureError, match="one transparent colour"):
        load_picture(png(pixels, colours, ((b"tRNS", bytes(6 if colours else 2)),)))


@pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow reads no AVIF")
def test_a_damaged_avif_is_refused_wherever_the_damage_is():
    """In the head its decoder raises RuntimeError at the opening, in the body at the decoding."""
    file = saved(Image.effect_noise((16, 16), 80), "AVIF")
    for place in range(4, len(file) - 4, 5):
        try:
            load_picture(file[:place] + b"\xff" * 4 + file[place + 4:], 10_000)
        except PictureError as error:
            assert "damaged" in str(error) or "not an image" in str(error) or "too many pixels" in str(error)


def test_half_transparent_black_is_grey():
    assert np.abs(values(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128)))).astype(int) - 127).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation, corner", [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_pictures_stand_upright(kind, orientation, corner):
    image = Image.new("RGB", (32, 16), "white")
    image.paste("black", (0, 0, 8, 8))
    pixels = values(saved(image, kind, exif=turned(orientation)))
    assert pixels.shape == ((16, 32, 3) if orientation < 5 else (32, 16, 3))
    assert pixels[corner].max() < 50 and pixels.mean() > 200


def test_other_kinds_of_colour():
    assert np.abs(values(saved(Image.new("RGB", (8, 8), RED).convert("CMYK"), "JPEG")) - np.array(RED)).max() < 12
    assert (values(saved(Image.new("1", (4, 4), 1))) == 255).all()
    assert (values(saved(Image.new("F", (4, 4), 0.5), "TIFF")) == 128).all()
    assert (values(b"P5 2 2 255\n" + bytes([9, 9, 9, 9])) == 9).all()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black", "blue")]
    assert (values(saved(frames[0], kind, save_all=True, append_images=frames[1:])) >= 250).all()


@pytest.mark.parametrize("array, expected", [
    (np.full((4, 5), 9, np.uint8), 9), (np.full((4, 5, 3), 0.5), 128), (np.full((4, 5), 65535, np.uint16), 255),
    (np.ones((4, 5), np.uint16), 0), (np.ones((4, 5, 3), np.int64), 1), (np.full((4, 5, 3), 200.0), 200),
    (np.full((4, 5), 514, np.int32), 2), (np.ones((4, 5), bool), 255), (np.full((4, 5), -7.0), 0),
])
def test_arrays(array, expected):
    assert (np.asarray(from_array(array)) == expected).all()


def test_fit_takes_the_middle_and_averages():
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, 4:12] = 2 * np.arange(8, dtype=np.uint8)[:, None, None]
    assert fit(Image.fromarray(wide), 4)[0].tolist() == [[1] * 4, [5] * 4, [9] * 4, [13] * 4]
    assert fit(Image.fromarray(wide), (8, 16)).shape == (3, 8, 16)
    assert np.array_equal(fit(Image.fromarray(wide), (8, 16)).transpose(1, 2, 0), wide), "its own size: unchanged"
    assert fit(Image.fromarray(wide), (8, 4)).shape == (3, 8, 4)
    grey = fit(Image.new("RGB", (6, 6), RED), 3, channels=1)
    assert grey.shape == (1, 3, 3) and (grey == 88).all()  # 0.299 R + 0.587 G + 0.114 B
    for shape in ((1, 500), (500, 1), (7, 49), (333, 1000)):
        assert fit(Image.new("L", shape), (31, 47)).shape == (3, 31, 47)


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("source", [None, 5, b"", b"words", "/nowhere/at/all.png", "/", saved(
    Image.effect_noise((64, 64), 80))[:900], bomb(13000, 13000), bomb(60000, 60000), bomb(0, 10),
    np.zeros((3, 3, 5), np.uint8), np.full((3, 3), np.nan), np.zeros(9, np.uint8)], ids=str)
def test_anything_else_is_refused_in_one_sentence(source):
    with pytest.raises(PictureError) as error:
        load_picture(source)
    text = str(error.value)
    assert text.endswith(".") and text[0].isupper() and len(text) < 160


def test_the_limit_on_pixels_is_the_callers():
    with pytest.raises(PictureError, match="too many pixels; the limit is 1 million"):
        load_picture(Image.new("L", (2000, 2000)), max_pixels=10**6)
