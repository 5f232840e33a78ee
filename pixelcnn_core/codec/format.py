"""The file of the codec: what stands in it around the coded pixels, and every way in which it can be wrong.

    4  magic "PXCN"          1  version             1  flags: 1 = colour image, 2 = its colours are equal (coded once)
    2  height, 2  width      8  model: the first bytes of the SHA-256 of configuration and weights
    4  CRC-32 of the pixels  .. the range coder's 32-bit words          4  CRC-32 of all the bytes before it

All little-endian. The last checksum finds damage before anything is decoded; the checksum of the pixels finds whatever
else could make them wrong, such as a machine whose arithmetic differs.
"""

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass, fields

import numpy as np

from pixelcnn_core.models.gated import GatedPixelCNN

MAGIC, VERSION = b"PXCN", 1
COLOUR, EQUAL_COLOURS = 1, 2
HEAD, TAIL = struct.Struct("<4sBBHH8sI"), struct.Struct("<I")
HEADER_BYTES = HEAD.size + TAIL.size  # all that is not payload
MAX_SIDE = 2**16 - 1


class CodecError(ValueError):
    """An image that cannot be coded or a file that cannot be decoded; the message is one sentence."""


@dataclass(frozen=True)
class Header:
    """`channels` of the image, 1 or 3; `grey` if one colour is coded for all; `model` as `model_hash`; `pixels` CRC."""

    height: int
    width: int
    channels: int
    grey: bool
    model: bytes
    pixels: int


def model_hash(model: GatedPixelCNN) -> bytes:
    """The first 8 bytes of a SHA-256 of all that decides the probabilities: configuration and weights.

    Settings at their default are left out, so that a setting added later does not make older files unreadable.
    """
    defaults = {field.name: field.default for field in fields(model.config)}
    told = {key: value for key, value in model.config.to_dict().items()
            if key != "class_names" and value != defaults[key]}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.digest()[:8]


def pixel_check(image: np.ndarray) -> int:
    """CRC-32 of an image's bytes."""
    return zlib.crc32(np.ascontiguousarray(image).tobytes())


def write_file(header: Header, words: np.ndarray) -> bytes:
    """Header, the coder's uint32 words, and the checksum of both."""
    flags = COLOUR * (header.channels == 3) | EQUAL_COLOURS * (header.channels == 3 and header.grey)
    data = HEAD.pack(MAGIC, VERSION, flags, header.height, header.width, header.model, header.pixels)
    data += words.astype("<u4").tobytes()
    return data + TAIL.pack(zlib.crc32(data))


def read_header(data: bytes) -> Header:
    """The header of a file that is whole. Raises CodecError."""
    if len(data) < HEADER_BYTES or data[:4] != MAGIC:
        raise CodecError("this is not a file of the PixelCNN codec" if data else "the file is empty")
    _, version, flags, height, width, model, pixels = HEAD.unpack_from(data)
    if version != VERSION:
        raise CodecError(f"the file has version {version} of the format; this program reads version {VERSION}")
    if TAIL.unpack(data[-TAIL.size:])[0] != zlib.crc32(data[:-TAIL.size]):
        raise CodecError("the file is damaged or not complete: its checksum does not fit")
    if not height or not width or flags > COLOUR | EQUAL_COLOURS or flags == EQUAL_COLOURS:
        raise CodecError("the file's header makes no sense")
    channels = 3 if flags & COLOUR else 1
    return Header(height, width, channels, channels == 1 or bool(flags & EQUAL_COLOURS), model, pixels)


def read_words(data: bytes) -> np.ndarray:
    """The coder's uint32 words. Raises CodecError."""
    payload = data[HEAD.size:-TAIL.size]
    if len(payload) % 4:
        raise CodecError("the file is damaged: its length is impossible")
    return np.frombuffer(payload, "<u4").astype(np.uint32)
