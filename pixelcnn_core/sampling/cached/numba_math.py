"""The compiled arithmetic of the cached sampler: products, the exponential, the gate, a draw.

All products are `multiply_add`: out += x @ w for a few rows of x. The order of additions never depends on the number
of rows, so an image's result is the same, bit for bit, in any batch and with any number of threads. Nor does it depend
on the processor: there is no `fastmath`, not even fused multiply-add, which some have and some have not (it would gain
5 to 15 %), so that a file of the codec can be decoded everywhere. Probabilities are computed in float64.
"""

import numba
import numpy as np
from numba import njit

from pixelcnn_core.sampling.cached.compile_cache import cache_folder

numba.config.CACHE_DIR = cache_folder()
compiled = njit(nogil=True, cache=True, error_model="numpy")

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
def least_weight(weights, levels, min_p, top_p, top_k):
    """Levels whose weight is below this are cut: `Truncation.cut` for one sub-pixel, the largest weight being 1."""
    least = min_p
    if top_k or top_p < 1:
        ordered = np.sort(weights[:levels])  # the smallest first
        if top_k:
            least = max(least, ordered[levels - min(top_k, levels)])
        if top_p < 1:
            mass = 0.0
            for k in range(levels - 1, -1, -1):
                mass += ordered[k]
            total, mass = mass, 0.0
            for k in range(levels - 1, -1, -1):
                mass += ordered[k]
                if mass >= top_p * total:
                    least = max(least, ordered[k])
                    break
    return least


@compiled
def draw(logits, u, temperature, truncation, e, scratch):
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
    least = least_weight(e, levels, truncation[0], truncation[1], truncation[2])
    total = 0.0
    for k in range(levels):
        if e[k] >= least:
            total += e[k]
        e[k] = total
    for k in range(levels):
        if e[k] > u * total:
            return k
    return levels - 1
