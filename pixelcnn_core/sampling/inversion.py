"""How a sub-pixel is drawn from its logits: classifier-free guidance, temperature, truncation, then the inverse of the
cumulative distribution at a uniform number. All methods of sampling share it, in torch; `cached/numba_math.py` has its
compiled twin.

References: Ho and Salimans, 2022, arXiv 2207.12598 (classifier-free guidance).
"""

import torch
from torch import Tensor

from pixelcnn_core.sampling.truncation import PAPER, Truncation


def invert_cdf(logits: Tensor, uniforms: Tensor, temperature: float, truncation: Truncation = PAPER) -> Tensor:
    """Levels of sub-pixels: logits (..., levels), uniforms (...) -> integers (...). Temperature 0 takes the mode."""
    if temperature == 0:
        return logits.argmax(-1)
    logits = logits.double()
    weights = torch.exp((logits - logits.amax(-1, keepdim=True)) / temperature)
    if truncation:
        weights = truncation.cut(weights)
    cdf = weights.cumsum(-1)
    below = cdf <= uniforms[..., None] * cdf[..., -1:]
    return below.sum(-1).clamp(max=logits.shape[-1] - 1)


def guided(conditional: Tensor, unconditional: Tensor, guidance: float) -> Tensor:
    """Logits of p(x_i | x_<i)^(1 - w) p(x_i | x_<i, h)^w: w = 0 ignores h, 1 is the model, above 1 stresses h."""
    return unconditional + guidance * (conditional - unconditional)
