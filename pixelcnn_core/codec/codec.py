"""Lossless compression: an image costs about -log2 p(x) bits when each sub-pixel is coded with the model's odds for it.

A range coder (constriction) writes the sub-pixels in the order of equation 1. The decoder can only follow if it meets
exactly the encoder's probabilities, and floating-point sums change with batch, threads, library, processor. Therefore

* both directions are the same walk through the same sequential engine, `CachedSampler.decide`, whose logits are the
  same bits in any batch, with any number of threads, on any machine (arithmetic.py); the encoder does not use the
  faster parallel forward pass;
* the odds become integers before they meet the coder: frequencies that sum to 2^24, each at least 1, so that every
  value can be coded and what the coder adds up is exact.

Images of any size are cut into tiles as large as the model's images; each is coded on its own, without a condition
(h = 0), up to 64 of them in step. Where a tile sticks out at the right, the last real pixel is repeated and nothing is
coded; below the image the walk ends. Where the three colours are equal everywhere, one is coded and the others follow.
"""

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import constriction
import numpy as np

from pixelcnn_core.codec.arithmetic import PRECISION, arithmetic_is_exact, prepared, quantise
from pixelcnn_core.codec.format import (
    HEADER_BYTES,
    MAX_SIDE,
    CodecError,
    Header,
    model_hash,
    pixel_check,
    read_file,
    read_header,
    write_file,
)
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.sampling.cached.sampler import CachedSampler

__all__ = ["HEADER_BYTES", "MAX_PIXELS", "PRECISION", "CodecError", "Header", "compress", "decompress", "model_hash",
           "quantise", "read_header"]
TILES_IN_STEP = 64
MAX_PIXELS = 2**26
# Given integer weights that sum to 2^24 - levels, this model adds 1 to each and rounds nothing.
ODDS = constriction.stream.model.Categorical(perfect=False)


OTHER_ARITHMETIC = ("this machine's arithmetic is not that of IEEE 754, so that it does not meet the odds of other "
                    "machines: use another one")


T = TypeVar("T")
Steps = Generator[float, None, T]  # yields which share of the work is done, after every row; returns what came of it


def finished(steps: Steps[T]) -> T:
    """Run such a generator to its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def compress(model: GatedPixelCNN, image: np.ndarray, profile: bytes = b"") -> bytes:
    """An image, uint8 (H, W, 3) or (H, W) with values below the model's levels, and its ICC colour profile -> a file.

    Raises CodecError.
    """
    return finished(compressing(model, image, profile))


def decompress(model: GatedPixelCNN, data: bytes) -> np.ndarray:
    """The image in a file of `compress`, exactly. Raises CodecError for any other file, and for another model."""
    return finished(decompressing(model, data))


def compressing(model: GatedPixelCNN, image: np.ndarray, profile: bytes = b"") -> Generator[float, None, bytes]:
    """`compress`, row by row; closing it stops the work."""
    pixels, channels, grey = check_image(image, model.config)
    if not arithmetic_is_exact():
        raise CodecError(OTHER_ARITHMETIC)
    model = prepared(model)
    encoder = constriction.stream.queue.RangeEncoder()

    def encode(frequencies: np.ndarray, rows: np.ndarray, columns: np.ndarray, channel: int) -> np.ndarray:
        values = pixels[rows, columns, channel]
        encoder.encode(values.astype(np.int32), ODDS, weights(frequencies))
        return values

    header = Header(*pixels.shape[:2], channels, grey, model_hash(model), pixel_check(image), profile)
    write_file(header, np.empty(0))  # says at once what is wrong with the profile
    yield from walk(model, *pixels.shape[:2], grey, encode)
    return write_file(header, encoder.get_compressed())


def decompressing(model: GatedPixelCNN, data: bytes) -> Generator[float, None, np.ndarray]:
    """`decompress`, row by row; closing it stops the work."""
    header, words = read_file(data)
    if header.model != (own := model_hash(model)):
        raise CodecError(f"the file was made with another model ({header.model.hex()}, this one is {own.hex()}): only "
                         "the same weights give the same probabilities")
    check_size(header.height, header.width)
    if not header.grey and model.config.channels == 1:
        raise CodecError("the file's header makes no sense")
    model, decoder = prepared(model), constriction.stream.queue.RangeDecoder(words)
    try:
        canvas = yield from walk(model, header.height, header.width, header.grey,
                                 lambda frequencies, *_: decoder.decode(ODDS, weights(frequencies)))
    except AssertionError as error:  # what constriction raises for impossible data
        raise CodecError(not_as_coded()) from error
    image = canvas[:header.height, :header.width]
    if header.channels == 1:
        image = image[:, :, 0]
    elif model.config.channels == 1:
        image = image.repeat(3, axis=2)
    if pixel_check(image) != header.pixels:
        raise CodecError(not_as_coded())
    return np.ascontiguousarray(image)


def not_as_coded() -> str:
    """Why a file whose checksum fits does not give the pixels that were coded."""
    return OTHER_ARITHMETIC if not arithmetic_is_exact() else (
        "the file was altered after it was made: it does not give the pixels that were coded")


Code = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


def walk(model: GatedPixelCNN, height: int, width: int, grey: bool, code: Code) -> Generator[float, None, np.ndarray]:
    """Go through the sub-pixels of all tiles; `code(frequencies (N, levels), rows (N,), columns (N,), channel)` gives
    the values (N,) of one sub-pixel in the N tiles that have it. Returns the image, padded: uint8 (H', W', C)."""
    size, channels = model.config.image_size, model.config.channels
    down, across = -(-height // size), -(-width // size)
    canvas = np.zeros((down * size, across * size, channels), np.uint8)
    tops, lefts = (axis.ravel() * size for axis in np.mgrid[:down, :across])
    for first in range(0, len(tops), TILES_IN_STEP):
        part = slice(first, first + TILES_IN_STEP)
        for done in walk_group(model, canvas, tops[part], lefts[part], height, width, grey, code):
            yield (first + done * len(tops[part])) / len(tops)
    return canvas


def walk_group(model: GatedPixelCNN, canvas: np.ndarray, tops: np.ndarray, lefts: np.ndarray, height: int, width: int,
               grey: bool, code: Code) -> Iterator[float]:
    """The walk through the tiles at (tops, lefts), all in step; fills the canvas, and yields the share of its rows."""
    heights, widths = height - tops, width - lefts  # what of the image lies below and to the right of each corner

    def choose(logits: np.ndarray, row: int, column: int, channel: int) -> np.ndarray:
        rows, columns = tops + row, lefts + column
        if grey and channel:
            values = canvas[rows, columns, 0]
        else:
            values = canvas[rows, lefts + max(column - 1, 0), channel]  # repeats the last pixel at the right
            inside = (row < heights) & (column < widths)
            if inside.any():
                values[inside] = code(quantise(logits[inside]), rows[inside], columns[inside], channel)
        canvas[rows, columns, channel] = values
        return values

    engine = CachedSampler(model, None, len(tops), backend="numba")
    last = min(heights.max(), model.config.image_size)
    for row, _ in enumerate(engine.decide(choose), 1):
        yield row / last
        if row == last:
            break


def weights(frequencies: np.ndarray) -> np.ndarray:
    """Frequencies as `ODDS` takes them: exact integers in float64, from which it makes the same frequencies."""
    return (frequencies - 1).astype(np.float64)


def check_size(height: int, width: int) -> None:
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE) or height * width > MAX_PIXELS:
        raise CodecError(f"images have from 1 x 1 to {MAX_PIXELS / 1e6:.0f} million pixels, not {height} x {width}")


def check_image(image: np.ndarray, config: PixelCNNConfig) -> tuple[np.ndarray, int, bool]:
    """An image as the model's (H, W, C), its own number of channels, and whether one colour stands for all."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim not in (2, 3) \
            or image.shape[2:] not in ((), (3,)):
        raise CodecError("an image is a uint8 array (H, W, 3) or (H, W), not "
                         f"{getattr(image, 'dtype', type(image).__name__)} {getattr(image, 'shape', '')}")
    check_size(*image.shape[:2])
    if (largest := int(image.max())) >= config.levels:
        raise CodecError(f"the model knows values from 0 to {config.levels - 1}, the image has {largest}")
    if image.ndim == 2:
        return image[:, :, None].repeat(config.channels, axis=2), 1, True
    grey = bool((image == image[:, :, :1]).all())
    if config.channels == 1 and not grey:
        raise CodecError("the model is for grey images, this one has colours")
    return image[:, :, :config.channels], 3, grey
