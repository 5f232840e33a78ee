"""Truncated sampling: levels that the model finds improbable are never drawn.

A softmax over 256 levels always leaves some probability in its tail, on values that are nearly never right; one of them
among thousands of sub-pixels leads the rest of the picture off the data. Three standard ways to cut the tail:

    min-p   levels below `min_p` times the most probable one's probability (Nguyen et al., 2024, arXiv 2407.01082)
    top-p   all but the fewest levels that together hold `top_p` of the probability: nucleus sampling
            (Holtzman et al., 2020, arXiv 1904.09751)
    top-k   all but the `top_k` most probable levels (Fan et al., 2018, arXiv 1805.04833); ties with the last one stay

Each looks at the whole distribution, after temperature; a level stays if all of them keep it, and the most probable one
always does. None of them (`PAPER`) is the paper's sampler. Likelihoods are always those of the untruncated model.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Truncation:
    """Which levels may be drawn. Raises ValueError for numbers outside their range."""

    min_p: float = 0.0  # 0 to 1; 0: off
    top_p: float = 1.0  # above 0, to 1; 1: off
    top_k: int = 0  # 0: off

    def __post_init__(self) -> None:
        if not (math.isfinite(self.min_p) and 0 <= self.min_p <= 1):
            raise ValueError(f"min_p must be from 0 to 1, not {self.min_p}")
        if not (math.isfinite(self.top_p) and 0 < self.top_p <= 1):
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        if self.top_k < 0 or self.top_k != int(self.top_k):
            raise ValueError(f"top_k must be a whole number of at least 0, not {self.top_k}")

    def __bool__(self) -> bool:
        return self != PAPER

    def cut(self, weights: Tensor) -> Tensor:
        """Unnormalised probabilities (..., levels), float64, the largest of them 1 -> the same, with 0 where cut."""
        least = torch.full_like(weights[..., :1], self.min_p)  # (..., 1) weights below it are cut
        if self.top_k or self.top_p < 1:
            ordered = weights.sort(-1, descending=True).values  # (..., levels)
            if self.top_k:
                least = torch.maximum(least, ordered[..., min(self.top_k, ordered.shape[-1]) - 1, None])
            if self.top_p < 1:
                mass = ordered.cumsum(-1)
                enough = (mass < self.top_p * mass[..., -1:]).sum(-1, keepdim=True)  # (..., 1) the last that stays
                least = torch.maximum(least, ordered.gather(-1, enough.clamp(max=ordered.shape[-1] - 1)))
        return weights * (weights >= least)


PAPER = Truncation()
