"""The third way to the same image: guess all sub-pixels, correct all at once, until nothing changes.

With fixed uniform numbers each sub-pixel is a function of the earlier ones. One forward pass evaluates that function at
every place at once, from the current guess (Jacobi iteration). Its one fixed point is the image that ancestral sampling
draws: after pass k at least the first k sub-pixels are right for good, and in practice many more settle together. So a
GPU works on a single image with all it has; on a CPU the cached sampler stays faster: a pass costs a whole image.

Reference: Song et al., 2021, "Accelerating feedforward computation via parallel nonlinear equation solving",
arXiv 2002.03629.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.sampling.inversion import guided, invert_cdf
from pixelcnn_core.sampling.truncation import PAPER, Truncation


@torch.no_grad()
def fixed_point_passes(model: GatedPixelCNN, condition: Condition, uniforms: Tensor, temperature: float,
                       guidance: float, image: Tensor, known: Tensor, truncation: Truncation = PAPER,
                       unconditional: Condition | None = None) -> Iterator[Tensor]:
    """The guess after every forward pass, uint8 (B, C, H, W); the last one is the image, and is yielded once.

    uniforms, image, known: (B, C, H, W), as `sample_rows` has checked them. At most C * H * W + 1 passes.
    """
    device = next(model.parameters()).device
    condition, uniforms, known = condition.to(device), uniforms.to(device), known.to(device)
    unconditional = unconditional and unconditional.to(device)
    image = image.to(device)
    x, passes = torch.where(known, image, 0).to(torch.uint8), 0
    while True:
        logits = model(x, condition)  # (B, levels, C, H, W)
        if guidance != 1:
            logits = guided(logits, model(x, unconditional), guidance)
        drawn = invert_cdf(logits.movedim(1, -1), uniforms, temperature, truncation).to(torch.uint8)  # (B, C, H, W)
        guess = torch.where(known, image, drawn).to(torch.uint8)
        settled, passes = torch.equal(guess, x), passes + 1
        if settled and passes > 1:
            return
        x = guess
        yield x.cpu()
        if settled:  # at once: all was known, or is 0
            return


def settled_after(passes: list[Tensor]) -> Tensor:
    """In which pass each sub-pixel took its final value, from 1 on: guesses (B, C, H, W) -> integers of that shape."""
    last, found = passes[-1], torch.zeros(passes[-1].shape, dtype=torch.long)
    for number, guess in enumerate(passes, 1):
        found = torch.where(guess != last, number + 1, found)
    return found.clamp(min=1)
