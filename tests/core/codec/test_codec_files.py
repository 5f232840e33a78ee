"""The codec on files and on the command line, and the table that compares it with PNG and WebP."""

import numpy as np
import pytest
import torch
from picture_files import ORIENTATION, png, saved, tiff, turned
from PIL import Image, ImageCms, PngImagePlugin
from typer.testing import CliRunner

from pixelcnn_core import CheckpointError, GatedPixelCNN
from pixelcnn_core.cli.main import app
from pixelcnn_core.codec.codec import HEADER_BYTES, CodecError
from pixelcnn_core.codec.files import compress_file, decompress_file, read_picture
from pixelcnn_core.codec.table import compress_table, idat_bytes, ideal_bits, png_bytes, sheets_of
from pixelcnn_core.results import write_json
from tests.conftest import small_model


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A model of random weights for 8 x 8 pictures, and 12 of these as a data set."""
    folder = tmp_path_factory.mktemp("codec")
    small_model(levels=256, image_size=8).save_pretrained(folder / "model")
    write_json(folder / "model" / "recipe.json", {"data": "folder"})
    rng = np.random.default_rng(2)
    for k in range(12):
        place = folder / "data" / "test" / "noise"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(place / f"{k}.png")
    return folder


def run(*arguments):
    """`main` turns these exceptions into a sentence and exit code 1."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_compress_and_decompress_on_the_command_line(checkpoint, tmp_path):
    picture = checkpoint / "data" / "test" / "noise" / "0.png"
    done = run("compress", picture, tmp_path / "0.pxcn", "--model", checkpoint / "model")
    assert done.exit_code == 0 and f"-> {(tmp_path / '0.pxcn').stat().st_size} bytes" in done.output
    for suffix in ("png", "webp", "bmp", "tif"):
        done = run("decompress", tmp_path / "0.pxcn", tmp_path / f"0.{suffix}", "--model", checkpoint / "model")
        assert done.exit_code == 0 and "8 x 8" in done.output
        assert np.array_equal(read_picture(tmp_path / f"0.{suffix}").pixels, read_picture(picture).pixels)
    done = run("decompress", tmp_path / "0.pxcn", tmp_path / "0.jpg", "--model", checkpoint / "model")
    assert isinstance(done.exception, CodecError) and "without loss" in str(done.exception)
    done = run("decompress", picture, tmp_path / "1.png", "--model", checkpoint / "model")
    assert isinstance(done.exception, CodecError) and not (tmp_path / "1.png").exists()
    done = run("compress", tmp_path / "none.png", tmp_path / "1", "--model", checkpoint / "model")
    assert isinstance(done.exception, CodecError) and "no such image file" in str(done.exception)
    for verb, source in (("compress", picture), ("decompress", tmp_path / "0.pxcn")):
        done = run(verb, source, tmp_path / "none" / "1.png", "--model", checkpoint / "model")
        assert isinstance(done.exception, CodecError) and "make it first" in str(done.exception)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_modes_that_hold_8_bits_come_back(checkpoint, tmp_path, mode):
    model = GatedPixelCNN.from_pretrained(checkpoint / "model")
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (6, 7, 3), dtype=np.uint8)).convert(mode).save(
        tmp_path / "in.png")
    compress_file(model, tmp_path / "in.png", tmp_path / "file")
    assert decompress_file(model, tmp_path / "file", tmp_path / "out.png") == (6, 7)
    with Image.open(tmp_path / "in.png") as before, Image.open(tmp_path / "out.png") as after:
        assert np.array_equal(np.asarray(before.convert("RGB")), np.asarray(after.convert("RGB")))


def frames(kind: str) -> bytes:
    pictures = [Image.new("RGB", (4, 4), colour) for colour in ("white", "black")]
    return saved(pictures[0], kind, save_all=True, append_images=pictures[1:])


RGB16 = np.arange(48, dtype=np.uint16).reshape(4, 4, 3) * 1000
LOST = {
    "16-bit grey": (saved(Image.fromarray(RGB16[:, :, 0])), "more than 8 bits"),
    "16-bit grey TIFF": (saved(Image.fromarray(RGB16[:, :, 0]), "TIFF"), "more than 8 bits"),
    "16-bit RGB": (png(RGB16, 2), "more than 8 bits"),
    "16-bit RGB TIFF": (tiff(RGB16), "more than 8 bits"),
    "16-bit RGB TIFF in planes": (tiff(RGB16, planes=True), "more than 8 bits"),
    "inverted TIFF in planes": (tiff(RGB16[:, :, :1].astype(np.uint8), 0, planes=True), "cannot be read here"),
    "floats": (saved(Image.new("F", (4, 4)), "TIFF"), "more than 8 bits"),
    "RGBA": (saved(Image.new("RGBA", (4, 4))), "transparency"),
    "LA": (saved(Image.new("LA", (4, 4))), "transparency"),
    "grey with tRNS": (saved(Image.new("L", (4, 4), 30), transparency=30), "transparency"),
    "1 bit with tRNS": (saved(Image.new("1", (4, 4)), transparency=0), "transparency"),
    "RGB with tRNS": (saved(Image.new("RGB", (4, 4)), transparency=(0, 0, 0)), "transparency"),
    "palette with tRNS": (saved(Image.new("P", (4, 4)), transparency=0), "transparency"),
    "WebP with alpha": (saved(Image.new("RGBA", (4, 4)), "WEBP", lossless=True), "transparency"),
    "GIF": (frames("GIF"), "has 2 frames"),
    "APNG": (frames("PNG"), "has 2 frames"),
    "animated WebP": (frames("WEBP"), "has 2 frames"),
    "TIFF of two pages": (frames("TIFF"), "has 2 frames"),
    "CMYK JPEG": (saved(Image.new("CMYK", (4, 4)), "JPEG"), "colour space CMYK"),
    "CMYK TIFF": (saved(Image.new("CMYK", (4, 4)), "TIFF"), "colour space CMYK"),
    "LAB": (saved(Image.new("LAB", (4, 4)), "TIFF"), "colour space LAB"),
    "fourth value of a TIFF": (saved(Image.new("RGBX", (4, 4)), "TIFF"), "more values a pixel"),
    "another kind": (b"P6 1 1 65535\n" + bytes(6), "is of the kind PPM"),
    "no image": (b"words", "not an image"),
    "half an image": (png(RGB16.astype(np.uint8), 2)[:60], "damaged"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_would_be_lost_is_refused_with_advice(tmp_path, name):
    data, words = LOST[name]
    (tmp_path / "in").write_bytes(data)
    with pytest.raises(CodecError, match=words) as error:
        read_picture(tmp_path / "in")
    text = str(error.value)
    assert "\n" not in text and len(text) - len(str(tmp_path)) < 160


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_pixels_upright_and_the_colour_profile_come_back(checkpoint, tmp_path, kind):
    model, options = GatedPixelCNN.from_pretrained(checkpoint / "model"), {"lossless": True} if kind == "WEBP" else {}
    pixels = np.random.default_rng(4).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "in").write_bytes(saved(Image.fromarray(pixels), kind, exif=turned(6), icc_profile=profile, **options))
    compress_file(model, tmp_path / "in", tmp_path / "file")
    for suffix in ("png", "tif", "webp"):
        decompress_file(model, tmp_path / "file", tmp_path / f"out.{suffix}")
        with Image.open(tmp_path / f"out.{suffix}") as image:
            assert np.array_equal(np.asarray(image), np.rot90(pixels, -1)), "turned as the camera was held"
            assert image.info["icc_profile"] == profile and image.getexif().get(ORIENTATION, 1) == 1
    with pytest.raises(CodecError, match="colour profile, which .bmp cannot hold: write a .png"):
        decompress_file(model, tmp_path / "file", tmp_path / "out.bmp")


def test_what_a_file_says_besides_is_named_where_it_is_left_out(checkpoint, tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "somebody")
    (tmp_path / "in.png").write_bytes(saved(Image.new("RGB", (4, 4)), pnginfo=texts, exif=turned(1)))
    done = run("compress", tmp_path / "in.png", tmp_path / "file", "--model", checkpoint / "model")
    assert done.exit_code == 0 and "left out: EXIF, text" in done.output
    colours = ((b"gAMA", (45455).to_bytes(4, "big")), (b"cHRM", bytes(32)), (b"cICP", bytes((9, 16, 0, 1))))
    (tmp_path / "in.png").write_bytes(png(RGB16.astype(np.uint8), 2, colours))
    assert read_picture(tmp_path / "in.png").left_out == ("chromaticities (cHRM)", "colour space (cICP)", "gamma")
    (tmp_path / "in.tif").write_bytes(saved(Image.new("RGB", (4, 4)), "TIFF", tiffinfo={270: "a picture"}))
    assert read_picture(tmp_path / "in.tif").left_out == ("text",)
    picture = checkpoint / "data" / "test" / "noise" / "0.png"
    assert "left out" not in run("compress", picture, tmp_path / "file", "--model", checkpoint / "model").output


def test_the_table(checkpoint):
    table = compress_table(checkpoint / "model", checkpoint / "data", 7)
    size = table["bytes_per_image"]
    assert table["images"] == 7 and table["byte_exact"] and size["raw"] == 192
    assert size["pixelcnn"] == pytest.approx(size["pixelcnn_payload"] + HEADER_BYTES, abs=0.1)
    assert size["ideal"] - 0.1 <= size["pixelcnn_payload"] <= size["ideal"] + 8, "a range coder wastes two words"
    assert size["png_payload"] < size["png"]
    assert table["bits_per_dim"]["ideal"] == pytest.approx(8 * size["ideal"] / 192, abs=0.01)
    assert table["sheets"] == 0 and "png_in_sheets" not in size
    with pytest.raises(CheckpointError, match="recipe"):
        (checkpoint / "model" / "recipe.json").write_text("{}", encoding="utf-8")
        compress_table(checkpoint / "model", checkpoint / "data")


def test_sheets_lay_images_side_by_side():
    images = np.random.default_rng(5).integers(0, 256, (205, 4, 4, 3), dtype=np.uint8)
    sheets = sheets_of(images)
    assert len(sheets) == 2 and sheets[0].shape == (40, 40, 3)
    assert np.array_equal(sheets[1][4:8, 12:16], images[113])


def test_the_ideal_counts_what_is_coded():
    model = small_model(levels=256)
    images = torch.randint(0, 256, (2, 3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images[1] = images[1, :1]
    bits = model.bits_per_sub_pixel(images).double()
    assert ideal_bits(model, images) == pytest.approx((bits[0].sum() + bits[1, 0].sum()).item())


def test_idat_bytes_leave_out_the_chunks_around():
    png = png_bytes(np.zeros((5, 5, 3), np.uint8))
    assert idat_bytes(png) == len(png) - 8 - 25 - 12 - 12  # signature, IHDR, the frame of IDAT, IEND
