"""The codec beside PNG and WebP on test images: bytes, the ideal -log2 p(x), and seconds.

A 32 x 32 image is unfair to PNG: signature and chunks take 57 bytes or more of each file. So three sizes are given for
it: whole files; their compressed pixels alone (the payload of the IDAT chunks); and sheets of 10 x 10 images in one
file, which can also learn from each other. The codec's own bytes are whole files too, header and checksums included.
"""

import io
import struct
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pixelcnn_core.codec.codec import HEADER_BYTES, CodecError, compress, decompress
from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.models.checkpoint import locate
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.provenance import origin, trained_on, versions
from pixelcnn_core.results import WEIGHTS, weights_hash

SHEET = 10  # images each way


def compress_table(checkpoint: str | Path, data_dir: str | Path, images: int = 100) -> dict:
    """Code the first `images` test images one by one, and decode them again. Returns bytes per image and seconds.

    Raises CheckpointError, DataError, and CodecError should an image not come back as it was.
    """
    model, recipe = GatedPixelCNN.from_pretrained(checkpoint), trained_on(checkpoint)
    data = load_data(recipe["data"], data_dir, "test", model.config.image_size).first(images)
    if data.levels != 256:
        raise DataError(f"image files hold 256 levels, the data set {recipe['data']} has {data.levels}")
    pixels = list(data.images.permute(0, 2, 3, 1).numpy())  # (H, W, C) each
    decompress(model, compress(model, pixels[0]))  # compile, before anything is timed
    coded, compress_s = timed(lambda image: compress(model, image), pixels)
    decoded, decompress_s = timed(lambda file: decompress(model, file), coded)
    if not all(np.array_equal(*pair) for pair in zip(decoded, pixels)):
        raise CodecError("an image did not come back as it was")
    ideal = sum(ideal_bits(model, part) for part in data.images.split(50)) / 8
    png, png_s = timed(png_bytes, pixels)
    webp, webp_s = timed(webp_bytes, pixels)
    sheets, count = sheets_of(np.stack(pixels)), len(pixels)
    total = sum(len(file) for file in coded)
    result = {"raw": pixels[0].size, "png": mean_size(png), "png_payload": sum(map(idat_bytes, png)) / count,
              "webp_lossless": mean_size(webp), "pixelcnn": total / count,
              "pixelcnn_payload": total / count - HEADER_BYTES, "ideal": ideal / count}
    if sheets:
        in_sheets = len(sheets) * SHEET ** 2
        result |= {"png_in_sheets": sum(len(png_bytes(sheet)) for sheet in sheets) / in_sheets,
                   "webp_in_sheets": sum(len(webp_bytes(sheet)) for sheet in sheets) / in_sheets}
    return {"checkpoint": str(checkpoint), WEIGHTS: weights_hash(Path(locate(checkpoint))),
            "data": recipe["data"], "images": count,
            "bytes_per_image": {name: round(value, 1) for name, value in result.items()},
            "bits_per_dim": {name: round(8 * value / pixels[0].size, 4) for name, value in result.items()},
            "seconds_per_image": {"compress": round(compress_s / count, 4),
                                  "decompress": round(decompress_s / count, 4),
                                  "png": round(png_s / count, 5), "webp_lossless": round(webp_s / count, 5)},
            "header_bytes": HEADER_BYTES, "byte_exact": True, "sheet": [SHEET, SHEET], "sheets": len(sheets),
            **origin(torch.device("cpu")), "versions": {**versions(), "pillow": Image.__version__}}


@torch.inference_mode()
def ideal_bits(model: GatedPixelCNN, images: torch.Tensor) -> float:
    """-log2 p of what is coded of uint8 (N, C, H, W): of grey images, whose colours are equal, the first one."""
    bits = model.bits_per_sub_pixel(images).double()
    bits[(images == images[:, :1]).flatten(1).all(1), 1:] = 0
    return bits.sum().item()


def timed(work, items: list) -> tuple[list, float]:
    """work(item) of every item, and the seconds for all."""
    begun = time.perf_counter()
    return [work(item) for item in items], time.perf_counter() - begun


def mean_size(files: list[bytes]) -> float:
    return sum(map(len, files)) / len(files)


def png_bytes(image: np.ndarray) -> bytes:
    """The smallest PNG that Pillow makes of (H, W), (H, W, 1) or (H, W, 3)."""
    return saved(image, "PNG", optimize=True)


def webp_bytes(image: np.ndarray) -> bytes:
    """Lossless WebP at its highest effort."""
    return saved(image, "WEBP", lossless=True, quality=100, method=6)


def saved(image: np.ndarray, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2:] == (1,) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def idat_bytes(png: bytes) -> int:
    """Bytes of compressed pixels in a PNG: the IDAT chunks without their frames."""
    place, total = 8, 0
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        total += length * (kind == b"IDAT")
        place += 12 + length
    return total


def sheets_of(images: np.ndarray) -> list[np.ndarray]:
    """(N, H, W, C) -> whole sheets of SHEET x SHEET images side by side; what is left over is left out."""
    n, height, width, channels = images.shape
    full = images[:n // SHEET ** 2 * SHEET ** 2].reshape(-1, SHEET, SHEET, height, width, channels)
    return list(full.transpose(0, 1, 3, 2, 4, 5).reshape(-1, SHEET * height, SHEET * width, channels))
