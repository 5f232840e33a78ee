"""The odds of the codec, equal bit for bit on every machine.

Every step from weights to frequencies is an IEEE 754 operation rounded on its own and done in a fixed order: the
compiled engine fuses no multiplication with an addition and reorders no sum (numba_math.py), and what elsewhere comes
from a library that may do so (the terms of the position map: cosines and products) is worked out here once more.
"""

import copy
import functools
import math
import zlib

import numpy as np
import torch
from torch import Tensor

from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.sampling.cached.numba_math import compiled, exp_in_place, multiply_add
from pixelcnn_core.sampling.cached.sampler import CachedSampler

PRECISION = 24  # bits of a frequency: what constriction's coder works with
CHECK = 0x7b346e12  # of the frequencies in `check`


@compiled
def quantise(logits):
    """Logits (N, levels) -> frequencies, int64 (N, levels), each at least 1, that sum to 2^PRECISION.

    What rounding down leaves over goes to the likeliest level.
    """
    count, levels = logits.shape
    frequencies = np.empty((count, levels), np.int64)
    e, scratch = np.empty(levels), np.empty(levels)
    for n in range(count):
        largest = logits[n].max()
        for k in range(levels):
            e[k] = max(logits[n, k] - largest, -700.0)
        exp_in_place(e, levels, scratch)
        total, left, top = 0.0, 2**PRECISION, 0
        for k in range(levels):
            total += e[k]
        for k in range(levels):
            frequencies[n, k] = 1 + int(e[k] / total * (2**PRECISION - levels))
            left -= frequencies[n, k]
            if e[k] > e[top]:
                top = k
        frequencies[n, top] += left
    return frequencies


def prepared(model: GatedPixelCNN) -> GatedPixelCNN:
    """The same weights on the CPU, whose engine's sums have one order, without a condition; the position's terms exact.

    The model that is given stays as it is.
    """
    model = copy.copy(model) if model.head1.weight.device.type == "cpu" else copy.deepcopy(model).cpu()
    if model.config.position:
        terms = position_terms(model)
        model.condition_terms = lambda condition, batch, size: terms
    return model


def position_terms(model: GatedPixelCNN) -> list[Tensor]:
    """`condition_terms` of a model whose only condition is the position: for each layer (1, 4F, H, W)."""
    size, frequencies = model.config.image_size, model.config.position
    # Cosines of two libraries differ in the last digit; so few digits of them are the same.
    cosines = np.array([[round(math.cos(math.pi * k * (i + 0.5) / size) * 2**20) / 2**20 for i in range(size)]
                        for k in range(frequencies)])  # (K, size)
    where = cosines[:, None, :, None] * cosines[None, :, None, :]  # (K, K, H, W)
    terms = []
    for term in model.position_terms:
        weight = np.ascontiguousarray(term.weight.detach()[:, :, 0, 0].numpy().T)  # (K * K, 4F)
        x = np.ascontiguousarray(where.reshape(frequencies**2, size * size).T.astype(weight.dtype))  # (H * W, K * K)
        out = np.zeros((size * size, weight.shape[1]), weight.dtype)
        multiply_add(out, x, weight, frequencies**2)
        terms.append(torch.from_numpy(out.T.reshape(1, -1, size, size).copy()))  # (1, 4F, H, W)
    return terms


@functools.cache
def arithmetic_is_exact() -> bool:
    """Whether this machine reaches the frequencies that every machine should. Takes some milliseconds, once."""
    return check() == CHECK


def check() -> int:
    """CRC-32 of the frequencies that a small made-up model gives to a made-up image, by the engine of the codec."""
    config = PixelCNNConfig(image_size=5, levels=32, features=12, layers=3, head_features=12, first_kernel_size=5)
    with torch.random.fork_rng(devices=[]):  # the random weights, not used, leave no trace
        model = GatedPixelCNN(config).float().eval()
    model.load_state_dict({name: made_up(tuple(tensor.shape)) for name, tensor in model.state_dict().items()})
    found = 0

    def choose(logits: np.ndarray, row: int, column: int, channel: int) -> np.ndarray:
        nonlocal found
        found = zlib.crc32(quantise(logits).astype("<i8").tobytes(), found)
        return (np.arange(len(logits)) * 7 + row * 5 + column * 3 + channel) % config.levels

    for _ in CachedSampler(model, None, 6, backend="numba").decide(choose):
        pass
    return found


def made_up(shape: tuple[int, ...]) -> Tensor:
    """float32 numbers between -1 and 1, the same on every machine."""
    k = np.arange(1, math.prod(shape) + 1, dtype=np.uint64) * 2654435761 % 2**32
    return torch.from_numpy((k.astype(np.float64) / 2**31 - 1).astype(np.float32)).reshape(shape)
