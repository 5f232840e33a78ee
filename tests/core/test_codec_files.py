"""The codec on files and on the command line, and the table that compares it with PNG and WebP."""

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from pixelcnn_core import GatedPixelCNN
from pixelcnn_core.cli.main import app
from pixelcnn_core.codec.codec import HEADER_BYTES, CodecError
from pixelcnn_core.codec.files import compress_file, decompress_file, read_pixels
from pixelcnn_core.codec.table import compress_table, idat_bytes, ideal_bits, png_bytes, sheets_of
from pixelcnn_core.data.image_data import DataError
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
        assert np.array_equal(read_pixels(tmp_path / f"0.{suffix}"), read_pixels(picture))
    done = run("decompress", tmp_path / "0.pxcn", tmp_path / "0.jpg", "--model", checkpoint / "model")
    assert isinstance(done.exception, CodecError) and "without loss" in str(done.exception)
    done = run("decompress", picture, tmp_path / "1.png", "--model", checkpoint / "model")
    assert isinstance(done.exception, CodecError) and not (tmp_path / "1.png").exists()
    assert isinstance(run("compress", tmp_path / "none.png", tmp_path / "1", "--model", checkpoint / "model").exception,
                      FileNotFoundError)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_modes_that_hold_8_bits_come_back(checkpoint, tmp_path, mode):
    model = GatedPixelCNN.from_pretrained(checkpoint / "model")
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (6, 7, 3), dtype=np.uint8)).convert(mode).save(
        tmp_path / "in.png")
    compress_file(model, tmp_path / "in.png", tmp_path / "file")
    assert decompress_file(model, tmp_path / "file", tmp_path / "out.png") == (6, 7)
    with Image.open(tmp_path / "in.png") as before, Image.open(tmp_path / "out.png") as after:
        assert np.array_equal(np.asarray(before.convert("RGB")), np.asarray(after.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16"])
def test_what_would_lose_something_is_refused(tmp_path, mode):
    Image.new(mode, (4, 4)).save(tmp_path / "in.png")
    with pytest.raises(CodecError, match="8-bit"):
        read_pixels(tmp_path / "in.png")
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    with pytest.raises(CodecError, match="not an image"):
        read_pixels(tmp_path / "text.png")


def test_the_table(checkpoint):
    table = compress_table(checkpoint / "model", checkpoint / "data", 7)
    size = table["bytes_per_image"]
    assert table["images"] == 7 and table["byte_exact"] and size["raw"] == 192
    assert size["pixelcnn"] == pytest.approx(size["pixelcnn_payload"] + HEADER_BYTES, abs=0.1)
    assert size["ideal"] - 0.1 <= size["pixelcnn_payload"] <= size["ideal"] + 8, "a range coder wastes two words"
    assert size["png_payload"] < size["png"]
    assert table["bits_per_dim"]["ideal"] == pytest.approx(8 * size["ideal"] / 192, abs=0.01)
    assert table["sheets"] == 0 and "png_in_sheets" not in size
    with pytest.raises(DataError, match="recipe"):
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
