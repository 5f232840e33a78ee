"""Drawing for every tab, with a single model or with a chain: noise that can be arranged over the images of a request,
and one picture after every row to show on the way."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.sampling.coarse_to_fine import Pictures, by_step, chain_uniforms, preview, sample_chain
from pixelcnn_core.sampling.sample import sample_rows, uniforms_from_seed
from pixelcnn_core.sampling.truncation import PAPER, Truncation

Model = GatedPixelCNN | Chain
Noise = dict[int, torch.Tensor]  # {size: (n, C, size, size)}, one entry for a single model


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """A picture (H, W, C), or several (B, H, W, C) -> (B, C, H, W)."""
    found = torch.from_numpy(np.array(images))
    return (found if found.ndim == 4 else found[None]).permute(0, 3, 1, 2)


def to_array(images: torch.Tensor) -> np.ndarray:
    """The first of some pictures (B, C, H, W) -> (H, W, C)."""
    return images[0].permute(1, 2, 0).numpy()


def noise_of(model: Model, seed: int, count: int) -> Noise:
    """The noise of `count` images by a seed, at every size that the model draws."""
    if isinstance(model, Chain):
        return chain_uniforms(seed, count, model)
    return {model.config.image_size: uniforms_from_seed(seed, count, model.config)}


def arranged(noise: Noise, order: Callable[[torch.Tensor], torch.Tensor]) -> Noise:
    """The same rearrangement of the images' noise at every size."""
    return {size: order(numbers) for size, numbers in noise.items()}


def draw_rows(model: Model, condition: Condition, noise: Noise, *, temperature: float = 1.0, guidance: float = 1.0,
              truncation: Truncation = PAPER, given: torch.Tensor | None = None,
              keep: Pictures | None = None) -> Iterator[torch.Tensor]:
    """The picture to show after every row, uint8 (B, C, s, s); a chain's grows, and its rows to come are the smaller
    picture's. `given`: see `sample_chain`; `keep` is filled with the pictures of all sizes so far."""
    settings = {"temperature": temperature, **by_step(model, guidance, truncation)}
    if not isinstance(model, Chain):
        (numbers,) = noise.values()
        yield from sample_rows(model, condition, uniforms=numbers, **settings)
        return
    yield from previews(sample_chain(model, condition, uniforms=noise, given=given, **settings), given, keep)


def previews(moments: Iterator[Pictures], given: torch.Tensor | None = None,
             keep: Pictures | None = None) -> Iterator[torch.Tensor]:
    """The picture to show at every moment of a chain at work; `given` and `keep` as in `draw_rows`."""
    row = size = 0
    for pictures in moments:
        last = max(pictures)
        row, size = (row + 1, size) if last == size else (0, last)
        if keep is not None:
            keep.update(pictures)
        if given is not None and len(pictures) == 1:
            pictures = {given.shape[-1]: given.expand(len(pictures[last]), -1, -1, -1), **pictures}
        yield preview(pictures, row)


def rows_of(model: Model, given: torch.Tensor | None = None) -> int:
    """How many rows `draw_rows` yields."""
    if not isinstance(model, Chain):
        return model.config.image_size
    return sum(size for size in model.sizes if given is None or size > given.shape[-1])
