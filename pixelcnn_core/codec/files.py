"""The codec on files: what `python -m pixelcnn_core compress` and `decompress` do.

Kept are the pixels, upright as the EXIF orientation says, and the ICC colour profile. What else would change what one
sees (more than 8 bits, transparency, further frames, other colour spaces) is refused, and text about the picture (EXIF,
XMP, comments) is left out by name. A palette comes back as the colours that it stood for.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pixelcnn_core.codec.codec import MAX_PIXELS, CodecError, compress, decompress, read_header
from pixelcnn_core.data.pictures import DAMAGED, PictureError, bits_of, decode, opened, stored_as
from pixelcnn_core.files import check_target, replacing
from pixelcnn_core.models.gated import GatedPixelCNN

LOSSLESS = {".png": {}, ".webp": {"lossless": True, "exact": True}, ".bmp": {}, ".tif": {}, ".tiff": {}}
WITHOUT_PROFILE = {".bmp"}
KINDS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF")  # of which all that can be lost is known
EXTRA_SAMPLES = 338  # a TIFF tag
LEFT_OUT = {"exif": "EXIF", "xmp": "XMP", "XML:com.adobe.xmp": "XMP", "comment": "comments", "photoshop": "IPTC",
            "gamma": "gamma", "chromaticity": "chromaticities (cHRM)"}  # by the names that Pillow gives
UNKNOWN_CHUNKS = {b"cICP": "colour space (cICP)", b"mDCV": "HDR (mDCV)", b"cLLI": "HDR (cLLI)"}  # Pillow drops them
TIFF_TAGS = {270: "text", 305: "text", 306: "text", 315: "text", 33432: "text", 34665: "EXIF", 301: "gamma",
             318: "chromaticities", 319: "chromaticities"}


class Picture(NamedTuple):
    """`pixels` uint8 (H, W) or (H, W, 3), `profile` the ICC colour profile, `left_out` what a file says besides."""

    pixels: np.ndarray
    profile: bytes
    left_out: tuple[str, ...]


class Coded(NamedTuple):
    """Sizes in bytes, of the coded file and of the raw pixels, and what of the picture's file is not in it."""

    size: int
    raw: int
    left_out: tuple[str, ...]


def compress_file(model: GatedPixelCNN, source: Path, target: Path) -> Coded:
    """Write the coded image. Raises CodecError and OSError."""
    check(target)
    picture = read_picture(source)
    data = compress(model, picture.pixels, picture.profile)
    with replacing(target) as path:
        path.write_bytes(data)
    return Coded(len(data), picture.pixels.size, picture.left_out)


def decompress_file(model: GatedPixelCNN, source: Path, target: Path) -> tuple[int, int]:
    """Write the image of a coded file; returns its height and width. Raises CodecError and OSError."""
    kind = target.suffix.lower()
    if kind not in LOSSLESS:
        raise CodecError(f"the image must be written without loss, to {', '.join(LOSSLESS)}, not {target.name}")
    check(target)
    data = source.read_bytes()
    profile = {"icc_profile": p} if (p := read_header(data).profile) else {}
    if profile and kind in WITHOUT_PROFILE:
        raise CodecError(f"the image has a colour profile, which {kind} cannot hold: write a .png")
    image = decompress(model, data)
    with replacing(target) as path:
        Image.fromarray(image).save(path, **LOSSLESS[kind], **profile)
    return image.shape[:2]


def check(target: Path) -> None:
    """Before the work, not after it."""
    try:
        check_target(target)
    except ValueError as error:
        raise CodecError(str(error)) from error


def read_picture(path: Path) -> Picture:
    """An image file with all that is to be seen in it. Raises CodecError where the codec cannot keep that."""
    try:
        with opened(path, MAX_PIXELS) as image:
            if problem := cannot_keep(image):
                raise CodecError(f"{path} {problem}")
            upright = decode(image, MAX_PIXELS)
            profile = image.info.get("icc_profile") or b""
            left_out = {LEFT_OUT[key] for key in image.info if key in LEFT_OUT}
            left_out |= {TIFF_TAGS[tag] for tag in getattr(image, "tag_v2", {}) if tag in TIFF_TAGS}
            if getattr(image, "text", None):
                left_out.add("text")
            if image.format == "PNG":
                left_out |= {UNKNOWN_CHUNKS[kind] for kind in chunks(path) if kind in UNKNOWN_CHUNKS}
    except PictureError as error:
        raise CodecError(f"{path} cannot be coded: {str(error).rstrip('.')}") from error
    return Picture(np.asarray(upright.convert("L" if upright.mode in ("1", "L") else "RGB")), profile,
                   tuple(sorted(left_out)))


def cannot_keep(image: Image.Image) -> str:
    """What of an image, of which only the header was read, would be lost, and what to do; empty if nothing."""
    if image.format not in KINDS:
        return f"is of the kind {image.format}, which may hold more than the codec keeps: save it as PNG"
    if (frames := count_frames(image)) > 1:
        return f"has {frames} frames, and the codec keeps one picture: save the one that you want as PNG"
    deep = image.format == "PNG" and ";16" in stored_as(image) or max(bits_of(image), default=8) > 8
    if deep or image.mode.startswith(("I", "F")):
        return "has more than 8 bits a value, and the codec keeps 8: save it with 8 bits if these are enough"
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return "has transparency, which the codec does not keep: lay it on a background and save that"
    if image.mode not in ("1", "L", "P", "RGB"):
        return f"has the colour space {image.mode}, and the codec keeps grey and RGB: convert it to RGB"
    if EXTRA_SAMPLES in getattr(image, "tag_v2", {}):
        return "has more values a pixel than grey or RGB, which the codec does not keep: save it as PNG"
    return ""


def chunks(path: Path) -> Iterator[bytes]:
    """The kinds of the chunks in a PNG file, in their order."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            yield kind
            file.seek(length + 4, 1)


def count_frames(image: Image.Image) -> int:
    """How many pictures the file holds. Raises PictureError."""
    try:
        return getattr(image, "n_frames", 1)
    except DAMAGED:
        raise PictureError("This image is damaged and cannot be read.") from None
