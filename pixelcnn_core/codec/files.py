"""The codec on files: what `python -m pixelcnn_core compress` and `decompress` do."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from pixelcnn_core.codec.codec import CodecError, compress, decompress
from pixelcnn_core.models.gated import GatedPixelCNN

LOSSLESS = {".png": {}, ".webp": {"lossless": True, "exact": True}, ".bmp": {}, ".tif": {}, ".tiff": {}}


def compress_file(model: GatedPixelCNN, source: Path, target: Path) -> tuple[int, int]:
    """Write the coded image; returns its size and that of the raw pixels, in bytes. Raises CodecError and OSError."""
    image = read_pixels(source)
    data = compress(model, image)
    target.write_bytes(data)
    return len(data), image.size


def decompress_file(model: GatedPixelCNN, source: Path, target: Path) -> tuple[int, int]:
    """Write the image of a coded file; returns its height and width. Raises CodecError and OSError."""
    if target.suffix.lower() not in LOSSLESS:
        raise CodecError(f"the image must be written without loss, to {', '.join(LOSSLESS)}, not {target.name}")
    image = decompress(model, source.read_bytes())
    Image.fromarray(image).save(target, **LOSSLESS[target.suffix.lower()])
    return image.shape[:2]


def read_pixels(path: Path) -> np.ndarray:
    """The pixels of an image file, uint8 (H, W) or (H, W, 3). Raises CodecError where these would not be all of it."""
    try:
        with Image.open(path) as image:
            image.load()
            if image.mode in ("1", "L"):
                return np.asarray(image.convert("L"))
            if image.mode not in ("RGB", "P", "YCbCr", "CMYK") or "transparency" in image.info:
                raise CodecError(f"{path} has colour mode {image.mode}, perhaps with transparency: the codec keeps "
                                 "8-bit grey and RGB only")
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise CodecError(f"{path} is not an image that can be read") from error
