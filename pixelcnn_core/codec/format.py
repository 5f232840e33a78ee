"""The file of the codec: what stands in it around the coded pixels, and every way in which it can be wrong.

    4  magic "PXCN"          1  version             1  flags: 1 = colour image, 2 = its colours are equal (coded once),
    2  height, 2  width      8  model: the first bytes of the SHA-256 of configuration and weights      4 = a profile
    4  CRC-32 of the pixels  [4  length  .. colour profile, compressed]
    .. the range coder's 32-bit words               4  CRC-32 of all the bytes before it

All little-endian. The last checksum finds damage before anything is decoded; the checksum of the pixels finds whatever
else could make them wrong. Version 1 had odds that depended on the processor (multiply and add in one rounding where it
can); since version 2 they are those of plain IEEE 754 operations, on every machine.
"""

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass, fields

import numpy as np
import torch

from pixelcnn_core.models.gated import GatedPixelCNN

MAGIC, VERSION = b"PXCN", 2
COLOUR, EQUAL_COLOURS, PROFILE = 1, 2, 4
HEAD, TAIL, LENGTH = struct.Struct("<4sBBHH8sI"), struct.Struct("<I"), struct.Struct("<I")
HEADER_BYTES = HEAD.size + TAIL.size  # all that is not payload, in a file without a profile
MAX_SIDE = 2**16 - 1
MAX_PROFILE = 2**22  # bytes


class CodecError(ValueError):
    """An image that cannot be coded or a file that cannot be decoded; the message is one sentence."""


@dataclass(frozen=True)
class Header:
    """`channels` of the image, 1 or 3; `grey` if one colour is coded for all; `model` as `model_hash`; `pixels` CRC;
    `profile`, the ICC colour profile, empty if there is none."""

    height: int
    width: int
    channels: int
    grey: bool
    model: bytes
    pixels: int
    profile: bytes = b""


def model_hash(model: GatedPixelCNN) -> bytes:
    """The first 8 bytes of a SHA-256 of all that decides the probabilities: configuration and weights.

    Settings at their default are left out, so that a setting added later does not make older files unreadable.
    Raises CodecError for weights in half precision, in which no image is coded.
    """
    if (dtype := next(model.parameters()).dtype) not in (torch.float32, torch.float64):
        raise CodecError(f"images are coded in float32 or float64, the weights are {dtype}: call model.float() first")
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
    """Header, the coder's uint32 words, and the checksum of both. Raises CodecError."""
    flags = COLOUR * (header.channels == 3) | EQUAL_COLOURS * (header.channels == 3 and header.grey)
    flags |= PROFILE * bool(header.profile)
    data = HEAD.pack(MAGIC, VERSION, flags, header.height, header.width, header.model, header.pixels)
    if header.profile:
        if len(header.profile) > MAX_PROFILE:
            raise CodecError(f"the colour profile has {len(header.profile):,} bytes, more than {MAX_PROFILE:,}: "
                             "convert the image to sRGB")
        packed = zlib.compress(header.profile, 9)
        data += LENGTH.pack(len(packed)) + packed
    data += words.astype("<u4").tobytes()
    return data + TAIL.pack(zlib.crc32(data))


def read_header(data: bytes) -> Header:
    """The header of a file that is whole. Raises CodecError."""
    return read_file(data)[0]


def read_file(data: bytes) -> tuple[Header, np.ndarray]:
    """The header of a file that is whole, and the coder's uint32 words. Raises CodecError."""
    if len(data) < HEADER_BYTES or data[:4] != MAGIC:
        raise CodecError("this is not a file of the PixelCNN codec" if data else "the file is empty")
    _, version, flags, height, width, model, pixels = HEAD.unpack_from(data)
    if version == 1:
        raise CodecError("the file has version 1 of the format, whose odds depended on the processor that made it: "
                         "decode it with the earlier version of this program that made it")
    if version != VERSION:
        raise CodecError(f"the file has version {version} of the format; this program reads version {VERSION}")
    if TAIL.unpack(data[-TAIL.size:])[0] != zlib.crc32(data[:-TAIL.size]):
        raise CodecError("the file is damaged or not complete: its checksum does not fit")
    channels, equal = 3 if flags & COLOUR else 1, bool(flags & EQUAL_COLOURS)
    if not height or not width or flags > COLOUR | EQUAL_COLOURS | PROFILE or channels == 1 and equal:
        raise CodecError("the file's header makes no sense")
    payload, profile = data[HEAD.size:-TAIL.size], b""
    if flags & PROFILE:
        profile, payload = read_profile(payload)
    if len(payload) % 4:
        raise CodecError("the file was altered: its length is impossible")
    words = np.frombuffer(payload, "<u4").astype(np.uint32)
    return Header(height, width, channels, channels == 1 or equal, model, pixels, profile), words


def read_profile(payload: bytes) -> tuple[bytes, bytes]:
    """The colour profile at the beginning of `payload`, and what comes after it. Raises CodecError."""
    length = LENGTH.unpack_from(payload)[0] if len(payload) >= LENGTH.size else 0
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(payload[LENGTH.size:LENGTH.size + length], MAX_PROFILE)
    except zlib.error:
        profile = b""
    if not profile or not unpacker.eof or LENGTH.size + length > len(payload):
        raise CodecError("the file was altered: its colour profile cannot be read")
    return profile, payload[LENGTH.size + length:]
