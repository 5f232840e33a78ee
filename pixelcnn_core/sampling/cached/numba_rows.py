"""One row of cached sampling on the CPU, compiled with Numba: no per-operation overhead, so that batch 1 is fast too.

A row is drawn in one compiled call, `horizontal_row`. Its parts can also be called one sub-pixel at a time by a caller
that decides the values itself, as an entropy coder does: the same arithmetic in the same order, so the same bits. An
image's result is the same in any batch and with any number of threads: see `numba_math.py`.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from pixelcnn_core.sampling.cached.buffers import Caches, RowTask
from pixelcnn_core.sampling.cached.numba_math import compiled, draw, gate, multiply_add
from pixelcnn_core.sampling.cached.packing import PackedWeights


@compiled
def vertical_row(w, s, r, n0, n1):
    """Vertical stack and link of row r for the streams n0 ... n1: fills s.row and row r of s.v."""
    layers, _, size, width = s.row.shape
    features = width // 2
    rows0, rows = w.v_first.shape[0], w.v_rest.shape[1]
    channels, reach = s.x.shape[3], (s.v.shape[3] - size) // 2
    span0, span = w.v_first.shape[1], w.v_rest.shape[2]
    patch = np.empty((size, max(span0, span)), s.x.dtype)
    pre = np.empty((size, width), s.x.dtype)
    gated = np.empty(features, s.x.dtype)
    e, scratch = np.empty(width), np.empty(width)
    for layer in range(layers):
        v_condition, h_condition = s.v_condition[layer], s.h_condition[layer]
        condition_row = min(r, v_condition.shape[1] - 1)
        step = 1 if v_condition.shape[2] > 1 else 0  # 0: one vector for all columns
        for n in range(n0, n1):
            pre[:] = 0
            for k in range(rows0 if layer == 0 else rows):
                if layer == 0:
                    source = s.x[n, r + k].reshape(-1)
                    for c in range(size):
                        patch[c, :span0] = source[c * channels:c * channels + span0]
                    multiply_add(pre, patch, w.v_first[k], span0)
                else:
                    source = s.v[layer - 1, n, r + k].reshape(-1)
                    for c in range(size):
                        patch[c, :span] = source[c * features:c * features + span]
                    multiply_add(pre, patch, w.v_rest[layer - 1, k], span)
            target = s.row[layer, n]
            for c in range(size):
                target[c] = h_condition[n, condition_row, c * step]
            # the bias belongs to v_pre, which the link reads; the condition does not
            for c in range(size):
                pre[c] += w.v_bias[layer]
            multiply_add(target, pre, w.link[layer], width)
            if layer + 1 < layers:
                for c in range(size):
                    pre[c] += v_condition[n, condition_row, c * step]
                    gate(gated, pre[c], e, scratch)
                    s.v[layer, n, r + reach, c + reach] = gated


class Work(NamedTuple):
    """What one pixel of a slice of M streams needs, while it is computed."""

    left: np.ndarray  # (M, inputs)
    sums: np.ndarray  # (M, 2F)
    pre: np.ndarray  # (L, G, M, 2F/G)  inside the gates
    pixel: np.ndarray  # (M, C)  the current pixel in [-1, 1]
    gated: np.ndarray  # (L, M, F)
    h: np.ndarray  # (L, M, F)
    out: np.ndarray  # (M, F/G)
    skip_part: np.ndarray  # (M, S/G)
    hidden_part: np.ndarray  # (M, D/G)
    skip: np.ndarray  # (M, S)
    hidden: np.ndarray  # (M, D)
    logits: np.ndarray  # (M, levels)
    mixed: np.ndarray  # (levels,)  logits with guidance
    e: np.ndarray
    scratch: np.ndarray


@compiled
def allocate(w, s, streams):
    """Room for the current pixel of so many streams."""
    layers, _, _, width = s.row.shape
    groups, levels = w.head2.shape[0], w.head2.shape[2]
    features, channels = width // 2, groups
    m, dtype = streams, s.x.dtype
    return Work(np.empty((m, max(w.left_first.shape[0], w.left_rest.shape[1])), dtype), np.empty((m, width), dtype),
                np.empty((layers, groups, m, width // groups), dtype), np.zeros((m, channels), dtype),
                np.empty((layers, m, features), dtype), np.empty((layers, m, features), dtype),
                np.empty((m, features // groups), dtype), np.empty((m, w.skip_bias.shape[1]), dtype),
                np.empty((m, w.head1.shape[2]), dtype), np.empty((m, w.head1.shape[1]), dtype),
                np.empty((m, w.head2.shape[1]), dtype), np.empty((m, levels), dtype), np.empty(levels),
                np.empty(max(levels, width)), np.empty(max(levels, width)))


@compiled
def left_of_pixel(w, s, work, r, c, n0):
    """What the pixels to the left of (r, c) contribute to all layers, into work.pre."""
    layers, _, _, width = s.row.shape
    channels, features = s.x.shape[3], width // 2
    groups, rows = work.pre.shape[1], len(work.sums)
    both = width // groups
    reach0, h_all = w.left_first.shape[0] // channels, s.h[min(r, len(s.h) - 1)]  # (L, N, W + R, F)
    left, sums = work.left, work.sums
    for layer in range(layers):
        reads = w.left_first.shape[0] if layer == 0 else w.left_rest.shape[1]
        for m in range(rows):
            if layer == 0:
                source = s.x[n0 + m, r + reach0].reshape(-1)
                left[m, :reads] = source[c * channels:c * channels + reads]
            else:
                source = h_all[layer - 1, n0 + m].reshape(-1)
                left[m, :reads] = source[c * features:c * features + reads]
            sums[m] = s.row[layer, n0 + m, c]
        if layer == 0:
            multiply_add(sums, left, w.left_first, reads)
        else:
            multiply_add(sums, left, w.left_rest[layer - 1], reads)
        for g in range(groups):
            for m in range(rows):
                work.pre[layer, g, m] = sums[m, g * both:(g + 1) * both]


@compiled
def colour(w, work, g, residual_head):
    """The features of colour g in all layers and in the output network, up to work.hidden."""
    layers, _, rows, _ = work.pre.shape
    part = work.out.shape[1]
    pre, gated, h, out = work.pre, work.gated, work.h, work.out
    skip_part, hidden_part, skip, hidden = work.skip_part, work.hidden_part, work.skip, work.hidden
    lower, upper = g * part, (g + 1) * part
    skip_part[:] = w.skip_bias[g]
    for layer in range(layers):
        if layer == 0:
            multiply_add(pre[0, g], work.pixel, w.centre_first[g], g)
        else:
            multiply_add(pre[layer, g], h[layer - 1], w.centre_rest[layer - 1, g], upper)
        for m in range(rows):
            gate(gated[layer, m, lower:upper], pre[layer, g, m], work.e, work.scratch)
        out[:] = w.out_bias[layer, g]
        multiply_add(out, gated[layer], w.out[layer, g], upper)
        for m in range(rows):
            h[layer, m, lower:upper] = out[m]
        if layer:
            for m in range(rows):
                h[layer, m, lower:upper] += h[layer - 1, m, lower:upper]
        if not residual_head:
            multiply_add(skip_part, gated[layer], w.skip[layer, g], upper)
    if residual_head:  # without skip connections the output network reads the last layer
        for m in range(rows):
            skip_part[m] = h[layers - 1, m, lower:upper]
    size_in, size_hidden = skip_part.shape[1], hidden_part.shape[1]
    for m in range(rows):
        for j in range(size_in):
            skip[m, g * size_in + j] = max(skip_part[m, j], 0)
    hidden_part[:] = w.head1_bias[g]
    multiply_add(hidden_part, skip, w.head1[g], (g + 1) * size_in)
    for m in range(rows):
        for j in range(size_hidden):
            hidden[m, g * size_hidden + j] = max(hidden_part[m, j], 0)


@compiled
def logits_of(w, work, g):
    """The logits of colour g of the current pixel, into work.logits."""
    work.logits[:] = w.head2_bias[g]
    multiply_add(work.logits, work.hidden, w.head2[g], (g + 1) * work.hidden_part.shape[1])


@compiled
def put(w, s, work, r, c, g, stream, m, level):
    """Colour g of pixel (r, c) has this level: the network reads it from now on."""
    reach0 = w.left_first.shape[0] // s.x.shape[3]
    value = level * (2 / (work.logits.shape[1] - 1)) - 1
    work.pixel[m, g] = value
    s.x[stream, r + reach0, c + reach0, g] = value


@compiled
def keep_pixel(s, work, r, c, n0):
    """The finished pixel's features become what the next pixels have to their left."""
    reach, h_all = s.h.shape[3] - s.row.shape[2], s.h[min(r, len(s.h) - 1)]
    for layer in range(len(work.h)):
        for m in range(work.h.shape[1]):
            h_all[layer, n0 + m, c + reach] = work.h[layer, m]


@compiled
def horizontal_row(w, s, task, r, first_column, n0, n1, copies, temperature, truncation, guidance,
                   residual_head):
    """Horizontal stack, output network and draws of row r, streams n0 ... n1: fills task.values, s.h and s.x."""
    size, groups, levels, rows = s.row.shape[2], w.head2.shape[0], w.head2.shape[2], n1 - n0
    work = allocate(w, s, rows)
    logits, mixed = work.logits, work.mixed
    for c in range(first_column, size):
        left_of_pixel(w, s, work, r, c, n0)
        for g in range(groups):
            colour(w, work, g, residual_head)
            if not task.known[n0 // copies:n1 // copies, c, g].all():
                logits_of(w, work, g)
            for m in range(0, rows, copies):
                b = (n0 + m) // copies
                if not task.known[b, c, g]:
                    for k in range(levels):
                        mixed[k] = logits[m, k]
                        if copies == 2:
                            mixed[k] = logits[m + 1, k] + guidance * (mixed[k] - logits[m + 1, k])
                    task.values[b, c, g] = draw(mixed, task.uniforms[b, c, g], temperature, truncation, work.e,
                                                     work.scratch)
                for k in range(m, m + copies):
                    put(w, s, work, r, c, g, n0 + k, k, task.values[b, c, g])
        keep_pixel(s, work, r, c, n0)


@compiled
def next_logits(w, s, work, r, c, g, residual_head):
    """The logits of one sub-pixel, for a caller that decides its values itself and then calls `put_all`."""
    if g == 0:
        left_of_pixel(w, s, work, r, c, 0)
    colour(w, work, g, residual_head)
    logits_of(w, work, g)


@compiled
def put_all(w, s, work, r, c, g, values):
    """One sub-pixel of every stream, `values` (N,), is decided."""
    for m in range(len(work.pixel)):
        put(w, s, work, r, c, g, m, m, values[m])
    if g == work.pixel.shape[1] - 1:
        keep_pixel(s, work, r, c, 0)


class NumbaRows:
    """The steps of a row for a `CachedSampler` on the CPU: the batch is cut into one slice per thread."""

    def __init__(self, sampler, threads: int):
        self.weights = PackedWeights(*(t.numpy() for t in sampler.weights))
        self.caches = Caches(*(t.numpy() for t in sampler.caches))
        self.copies, self.temperature, self.guidance = sampler.copies, sampler.temperature, float(sampler.guidance)
        chosen = sampler.truncation
        self.truncation = (float(chosen.min_p), float(chosen.top_p), int(chosen.top_k))
        self.residual_head = not sampler.config.skip
        threads = max(1, min(threads, sampler.batch))
        cuts = [round(sampler.batch * k / threads) * self.copies for k in range(threads + 1)]
        self.slices = list(zip(cuts[:-1], cuts[1:]))
        self.pool = ThreadPoolExecutor(threads, "pixelcnn") if threads > 1 else None

    def _each_slice(self, step, *arguments) -> None:
        if self.pool is None:
            step(*self.slices[0], *arguments)
        else:
            list(self.pool.map(lambda cut: step(*cut, *arguments), self.slices))

    def vertical(self, row: int) -> None:
        self._each_slice(lambda n0, n1: vertical_row(self.weights, self.caches, row, n0, n1))

    def horizontal(self, row: int, first_column: int, task: RowTask) -> None:
        arrays = RowTask(*(t.numpy() for t in task))
        self._each_slice(lambda n0, n1: horizontal_row(
            self.weights, self.caches, arrays, row, first_column, n0, n1, self.copies, float(self.temperature),
            self.truncation, self.guidance, self.residual_head))

    def decide(self, row: int, choose) -> None:
        """Horizontal stack of one row, in which `choose(logits, row, column, channel)` decides every sub-pixel."""
        w, s = self.weights, self.caches
        work = allocate(w, s, s.x.shape[0])
        for column in range(s.row.shape[2]):
            for channel in range(s.x.shape[3]):
                next_logits(w, s, work, row, column, channel, self.residual_head)
                put_all(w, s, work, row, column, channel, choose(work.logits, row, column, channel))
