"""What the cached sampler keeps between rows, and what a row of it is told."""

from typing import NamedTuple

from torch import Tensor


class Caches(NamedTuple):
    """Everything computed so far. N = B * copies streams: with guidance each image has two, with h and without."""

    x: Tensor  # (N, H + R0, W + 2 R0, C)  the image in [-1, 1], zero-padded above, left and right
    v: Tensor  # (L-1, N, H + R, W + 2 R, F)  inputs of the vertical stack of layers 2 ... L, padded likewise
    h: Tensor  # (H or 1, L, N, W + R, F)  outputs of the horizontal stack, padded left; all rows or the current one
    row: Tensor  # (L, N, W, 2F)  link + condition + bias of the horizontal gates for the current row
    v_condition: Tensor  # (L, N, H or 1, W or 1, 2F)
    h_condition: Tensor  # (L, N, H or 1, W or 1, 2F)


class RowTask(NamedTuple):
    """One row of the batch: what is drawn, what is given. `values` is filled in."""

    values: Tensor  # uint8 (B, W, C)
    known: Tensor  # bool (B, W, C)
    uniforms: Tensor  # float64 (B, W, C)
