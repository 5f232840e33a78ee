"""One row of cached sampling on the CPU, compiled with Numba: no per-operation overhead, so that batch 1 is fast too.

All products are `multiply_add`: out += x @ w for a few rows of x. The order of additions never depends on the number
of rows, so an image's result is the same, bit for bit, in any batch and with any number of threads (no `reassoc`
in `fastmath`: only fused multiply-add is allowed). Probabilities are computed in float64.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from pixelcnn_core.packing import PackedWeights

compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # their sum is ln 2 to 80 bits
SHIFTER = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the rounded integer in the low bits of the mantissa


@compiled
def multiply_add(out, x, w, inputs):
    """out (M, O) += x[:, :inputs] @ w[:inputs]; all C-contiguous. Four rows at a time share each load of w."""
    rows, outputs = len(out), out.shape[1]
    m = 0
    while m + 4 <= rows:
        o0, o1, o2, o3 = out[m], out[m + 1], out[m + 2], out[m + 3]
        i = 0
        while i + 2 <= inputs:
            a0, a1, a2, a3 = x[m, i], x[m + 1, i], x[m + 2, i], x[m + 3, i]
            b0, b1, b2, b3 = x[m, i + 1], x[m + 1, i + 1], x[m + 2, i + 1], x[m + 3, i + 1]
            w0, w1 = w[i], w[i + 1]
            for j in range(outputs):
                o0[j] = (o0[j] + a0 * w0[j]) + b0 * w1[j]
                o1[j] = (o1[j] + a1 * w0[j]) + b1 * w1[j]
                o2[j] = (o2[j] + a2 * w0[j]) + b2 * w1[j]
                o3[j] = (o3[j] + a3 * w0[j]) + b3 * w1[j]
            i += 2
        if i < inputs:
            w0 = w[i]
            for k in range(m, m + 4):
                o0, a0 = out[k], x[k, i]
                for j in range(outputs):
                    o0[j] += a0 * w0[j]
        m += 4
    while m < rows:
        o0 = out[m]
        i = 0
        while i + 4 <= inputs:
            a0, a1, a2, a3 = x[m, i], x[m, i + 1], x[m, i + 2], x[m, i + 3]
            w0, w1, w2, w3 = w[i], w[i + 1], w[i + 2], w[i + 3]
            for j in range(outputs):
                o0[j] = (((o0[j] + a0 * w0[j]) + a1 * w1[j]) + a2 * w2[j]) + a3 * w3[j]
            i += 4
        while i < inputs:
            a0, w0 = x[m, i], w[i]
            for j in range(outputs):
                o0[j] += a0 * w0[j]
            i += 1
        m += 1


@compiled
def exp_in_place(x, size, scratch):
    """x[:size] <- exp(x[:size]) for float64 within +-700, to one unit in the last place; written so that it vectorises.

    exp(x) = 2^k * exp(r) with |r| <= ln(2)/2, a Taylor polynomial for exp(r), and 2^k put together from its bits.
    """
    bits = scratch.view(np.int64)
    for i in range(size):
        scratch[i] = x[i] * LOG2_E + SHIFTER
    for i in range(size):
        k = scratch[i] - SHIFTER
        r = (x[i] - k * LN2_HIGH) - k * LN2_LOW
        p = 1 / 479001600
        p = p * r + 1 / 39916800
        p = p * r + 1 / 3628800
        p = p * r + 1 / 362880
        p = p * r + 1 / 40320
        p = p * r + 1 / 5040
        p = p * r + 1 / 720
        p = p * r + 1 / 120
        p = p * r + 1 / 24
        p = p * r + 1 / 6
        p = p * r + 1 / 2
        p = p * r + 1
        x[i] = p * r + 1
    for i in range(size):
        bits[i] = (bits[i] + 1023) << 52  # the exponent field of 2^k
    for i in range(size):
        x[i] *= scratch[i]


@compiled
def gate(out, pre, e, scratch):
    """out[:k] = tanh(pre[:k]) * sigmoid(pre[k:2k]), equation 2, through one exponential each."""
    k = len(out)
    for j in range(k):
        e[j] = -2.0 * min(max(pre[j], -20.0), 20.0)
    for j in range(k, 2 * k):
        e[j] = -min(max(pre[j], -80.0), 80.0)
    exp_in_place(e, 2 * k, scratch)
    for j in range(k):
        out[j] = (1.0 - e[j]) / ((1.0 + e[j]) * (1.0 + e[k + j]))


@compiled
def draw(logits, u, temperature, e, scratch):
    """Smallest level whose cumulative probability exceeds u; the most probable one at temperature 0."""
    levels = len(logits)
    top = 0
    for k in range(1, levels):
        if logits[k] > logits[top]:
            top = k
    if temperature == 0:
        return top
    largest = logits[top]
    for k in range(levels):
        e[k] = max((logits[k] - largest) / temperature, -700.0)
    exp_in_place(e, levels, scratch)
    total = 0.0
    for k in range(levels):
        total += e[k]
        e[k] = total
    for k in range(levels):
        if e[k] > u * total:
            return k
    return levels - 1


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


@compiled
def horizontal_row(w, s, task, r, first_column, n0, n1, copies, temperature, guidance, residual_head):
    """Horizontal stack, output network and draws of row r, streams n0 ... n1: fills task.values, s.h and s.x."""
    layers, _, size, width = s.row.shape
    groups, levels = w.head2.shape[0], w.head2.shape[2]
    features, channels = width // 2, groups
    part, both, rows = features // groups, width // groups, n1 - n0
    reach0, reach = w.left_first.shape[0] // channels, w.left_rest.shape[1] // features
    dtype = s.x.dtype
    h_all = s.h[min(r, len(s.h) - 1)]  # (L, N, W + R, F)
    left = np.empty((rows, max(reach0 * channels, reach * features)), dtype)
    sums = np.empty((rows, width), dtype)
    pre = np.empty((layers, groups, rows, both), dtype)
    pixel = np.zeros((rows, channels), dtype)
    gated, h = np.empty((layers, rows, features), dtype), np.empty((layers, rows, features), dtype)
    out = np.empty((rows, part), dtype)
    skip_part, hidden_part = np.empty((rows, w.skip_bias.shape[1]), dtype), np.empty((rows, w.head1.shape[2]), dtype)
    skip, hidden = np.empty((rows, w.head1.shape[1]), dtype), np.empty((rows, w.head2.shape[1]), dtype)
    logits, mixed = np.empty((rows, levels), dtype), np.empty(levels)
    e, scratch = np.empty(max(levels, width)), np.empty(max(levels, width))
    for c in range(first_column, size):
        for layer in range(layers):  # all that the pixels to the left contribute
            reads = reach0 * channels if layer == 0 else reach * features
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
                    pre[layer, g, m] = sums[m, g * both:(g + 1) * both]
        for g in range(groups):
            lower, upper = g * part, (g + 1) * part
            skip_part[:] = w.skip_bias[g]
            for layer in range(layers):
                if layer == 0:
                    multiply_add(pre[0, g], pixel, w.centre_first[g], g)
                else:
                    multiply_add(pre[layer, g], h[layer - 1], w.centre_rest[layer - 1, g], upper)
                for m in range(rows):
                    gate(gated[layer, m, lower:upper], pre[layer, g, m], e, scratch)
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
            if not task.known[n0 // copies:n1 // copies, c, g].all():
                logits[:] = w.head2_bias[g]
                multiply_add(logits, hidden, w.head2[g], (g + 1) * size_hidden)
            for m in range(0, rows, copies):
                b = (n0 + m) // copies
                if not task.known[b, c, g]:
                    for k in range(levels):
                        mixed[k] = logits[m, k]
                        if copies == 2:
                            mixed[k] = logits[m + 1, k] + guidance * (mixed[k] - logits[m + 1, k])
                    task.values[b, c, g] = draw(mixed, task.uniforms[b, c, g], temperature, e, scratch)
                value = task.values[b, c, g] * (2 / (levels - 1)) - 1
                for k in range(m, m + copies):
                    pixel[k, g] = value
                    s.x[n0 + k, r + reach0, c + reach0, g] = value
        for layer in range(layers):
            for m in range(rows):
                h_all[layer, n0 + m, c + reach] = h[layer, m]


class NumbaRows:
    """The two steps of a row for a `CachedSampler` on the CPU: the batch is cut into one slice per thread."""

    def __init__(self, sampler, threads: int):
        self.weights = PackedWeights(*(t.numpy() for t in sampler.weights))
        self.caches = type(sampler.caches)(*(t.numpy() for t in sampler.caches))
        self.copies, self.temperature, self.guidance = sampler.copies, sampler.temperature, float(sampler.guidance)
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

    def horizontal(self, row: int, first_column: int, task) -> None:
        arrays = type(task)(*(t.numpy() for t in task))
        self._each_slice(lambda n0, n1: horizontal_row(
            self.weights, self.caches, arrays, row, first_column, n0, n1, self.copies, float(self.temperature),
            self.guidance, self.residual_head))
