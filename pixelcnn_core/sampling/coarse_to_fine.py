"""Ancestral sampling from a chain: the smallest picture first, then each next one given the last, row by row.

One seed gives the noise of all sizes. A picture of any size can be given, real, edited or drawn before, and only the
finer ones are drawn: the same coarse picture with other details, super-resolution, an 8 x 8 mosaic imagined. Pixels of
the largest picture can be given too (inpainting): each smaller picture then keeps the pixels whose parts are all given,
so what lies below and to the right of a hole is known to every pixel in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn_core.models.chain import Chain, taken
from pixelcnn_core.models.conditioning import Condition, ConditionLike, as_condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.images import as_images, as_mask
from pixelcnn_core.models.upscaler import Upscaler, halved
from pixelcnn_core.sampling.sample import (
    Array,
    check_seed,
    check_settings,
    finish,
    height_and_width,
    sample_rows,
    uniforms_from_seed,
)
from pixelcnn_core.sampling.truncation import PAPER, Truncation

Pictures = dict[int, Tensor]  # {size: uint8 (B, C, size, size)}, the smallest first
T = TypeVar("T")


def chain_uniforms(seed: int, batch: int, chain: Chain) -> dict[int, Tensor]:
    """The noise of every size, {size: float64 (batch, C, size, size)} in [0, 1). Image k gets the same in any batch."""
    check_seed(seed)
    shapes = {size: (batch, chain.config.channels, size, size) for size in chain.sizes}
    return {size: torch.from_numpy(np.random.default_rng((seed, size)).random(shape)) for size, shape in shapes.items()}


def sample_chain(chain: Chain, condition: ConditionLike = None, *, batch: int | None = None, seed: int = 0,
                 uniforms: Mapping[int, Tensor] | None = None, given: Array | None = None,
                 temperature: float | Sequence[float] = 1.0, guidance: float | Sequence[float] = 1.0,
                 truncation: Truncation | Sequence[Truncation] = PAPER, image: Array | None = None,
                 known: Array | None = None, method: str | None = None) -> Iterator[Pictures]:
    """Draw pictures, yielding those of all sizes so far after every row; rows to come of the last one are 0.

    uniforms     {size: (B or 1, C, size, size)}: the noise; default: from `seed`
    given        integers (B or 1, C, s, s): this size's picture; only the finer ones are drawn, and yielded
    temperature, guidance, truncation: as in `sample_rows`; one for all steps, or a sequence with one for each
    image, known integers (B or 1, C, S, S) of the largest size and bool (S, S) or (B, S, S): pixels to keep
    Raises ValueError for anything that does not fit, before any work is done.
    """
    condition, steps = as_condition(condition, chain.config.class_names), len(chain.steps)
    temperatures, guidances = per_step(temperature, steps), per_step(guidance, steps)
    truncations = per_step(truncation, steps)
    for number in range(steps):
        check_settings(temperatures[number], guidances[number], truncations[number])
    channels, levels = chain.config.channels, chain.config.levels
    given, image = (source if source is None else as_images(source, channels, levels) for source in (given, image))
    known = known if known is None else as_mask(known)
    sources = [source for source in (given, image, *(uniforms or {}).values()) if source is not None]
    batch = batch or len(condition) or max((len(source) for source in sources), default=1)
    condition = condition.expand(batch)
    if uniforms is None:
        uniforms = chain_uniforms(seed, batch, chain)
    if missing := [size for size in chain.sizes if size not in uniforms]:
        raise ValueError(f"there is no noise for the step of {missing[0]} pixels")
    start = 0
    if given is not None:
        check_picture(given, batch, chain)
        start = chain.sizes.index(given.shape[-1]) + 1
        given = given.to(torch.uint8).expand(batch, -1, -1, -1)
    kept = known_pyramid(chain, image, known, batch) if image is not None or known is not None else {}
    device = chain.steps[0].head1.weight.device

    def draw() -> Iterator[Pictures]:
        last, pictures = given, {}
        for number in range(start, steps):
            step, size = chain.steps[number], chain.sizes[number]
            h = taken(condition, step).to(device)
            settings = {"batch": batch, "uniforms": uniforms[size], "temperature": temperatures[number],
                        "guidance": guidances[number], "truncation": truncations[number], "method": method}
            settings |= kept.get(size, {})
            if not isinstance(step, Upscaler):
                rows = sample_rows(step, h, **settings)
            else:
                with torch.no_grad():
                    told = step.condition(last.to(device), h)
                    without = step.condition(last.to(device)) if guidances[number] != 1 and len(h) else None
                settings["guidance"] = guidances[number] if without is not None else 1.0
                rows = sample_rows(step.decoder, told, unconditional=without, **settings)
            for partial in rows:
                last = partial
                yield {**pictures, size: partial}
            pictures[size] = last

    return draw()


def draw_batches(model: GatedPixelCNN | Chain, condition: Condition, seed: int, *, count: int | None = None,
                 batch: int = 100, **settings) -> Tensor:
    """Finished images of a single model or of a chain, one for each entry of the condition or `count` without any:
    uint8 (N, C, H, W), on the CPU. Drawn in batches; the seed fixes the noise of image k. `settings` as in
    `sample_rows` or `sample_chain`; an image, a mask or a picture given is one for all, or one for each."""
    images, count = [], count or len(condition)
    condition, single = condition.expand(count), not isinstance(model, Chain)
    noise = uniforms_from_seed(seed, count, model.config, height_and_width(settings.get("size"), model.config)) \
        if single else chain_uniforms(seed, count, model)
    each = {name: settings.pop(name) for name in ("image", "known", "given")
            if name in settings and settings[name].ndim > 2 and len(settings[name]) == count}
    for start in range(0, count, batch):
        part = slice(start, start + batch)
        own = {name: value[part] for name, value in each.items()}
        if single:
            images.append(finish(sample_rows(model, condition[part], uniforms=noise[part], **own, **settings)).cpu())
        else:
            uniforms = {size: numbers[part] for size, numbers in noise.items()}
            images.append(finish(sample_chain(model, condition[part], uniforms=uniforms, **own,
                                              **settings))[model.size].cpu())
    return torch.cat(images)


def preview(pictures: Pictures, row: int | None = None) -> Tensor:
    """One picture to look at, uint8 (B, C, S, S): the largest so far; below `row`, its rows finished, the one before
    it enlarged."""
    sizes = list(pictures)
    picture = pictures[sizes[-1]]
    if row is None or row + 1 >= sizes[-1] or len(sizes) == 1:
        return picture
    coarse = pictures[sizes[-2]].repeat_interleave(2, 2).repeat_interleave(2, 3)
    return torch.cat([picture[:, :, :row + 1], coarse[:, :, row + 1:]], dim=2)


def by_step(model: GatedPixelCNN | Chain, guidance: float | Sequence[float] = 1.0,
            truncation: Truncation | Sequence[Truncation] = PAPER) -> dict:
    """One guidance and one truncation as `sample_chain` takes them: a sequence each, with one for every step. What is a
    sequence already stays.

    Guidance is for all steps but the finest, which draws texture: there it makes specks, and costs most. Truncation is
    for all but the coarsest, which draws what is in the picture: there it takes away variety before it takes away
    errors, and is a min-p of at most the chain's `coarsest_min_p`. A single model's are left as they are."""
    if not isinstance(model, Chain):
        return {"guidance": guidance, "truncation": truncation}
    finer = len(model.steps) - 1
    if not isinstance(guidance, Sequence):
        guidance = [*[guidance] * finer, 1.0]
    if not isinstance(truncation, Sequence):
        truncation = [Truncation(min_p=min(truncation.min_p, model.coarsest_min_p)), *[truncation] * finer]
    return {"guidance": guidance, "truncation": truncation}


def per_step(value: T | Sequence[T], steps: int) -> list[T]:
    """One setting for every step of a chain. Raises ValueError for a sequence of another length."""
    if isinstance(value, Sequence):
        if len(value) != steps:
            raise ValueError(f"the chain has {steps} steps, {len(value)} settings were given")
        return list(value)
    return [value] * steps


def check_picture(picture: Tensor, batch: int, chain: Chain) -> None:
    """Raises ValueError for a picture (B or 1, C, s, s) of a size that the chain does not go on from."""
    sizes = chain.sizes[:-1]
    shapes = [(chain.config.channels, size, size) for size in sizes]
    if picture.ndim != 4 or tuple(picture.shape[1:]) not in shapes or len(picture) not in (1, batch):
        raise ValueError(f"the picture given has shape {tuple(picture.shape)}, the chain goes on from "
                         f"{', '.join(f'{size} x {size}' for size in sizes)} pixels")


def known_pyramid(chain: Chain, image: Tensor | None, known: Tensor | None, batch: int) -> dict[int, dict[str, Tensor]]:
    """What `sample_rows` keeps at every size, {size: {"image": (B or 1, C, size, size), "known": bool (B or 1, size,
    size)}}; a smaller pixel is known where all its parts are. Raises ValueError for what does not fit the chain."""
    if image is None or known is None:
        raise ValueError("inpainting needs both the image and the mask of its known pixels")
    mask = known if known.ndim == 3 else known[None]  # (B or 1, S, S)
    shape = (chain.config.channels, chain.size, chain.size)
    if image.ndim != 4 or tuple(image.shape[1:]) != shape or tuple(mask.shape[1:]) != shape[1:] \
            or not {len(image), len(mask)} <= {1, batch}:
        raise ValueError(f"image and mask have shapes {tuple(image.shape)} and {tuple(known.shape)}, "
                         f"the chain needs {(batch, *shape)} and {(batch, *shape[1:])}")
    found = {}
    for size in reversed(chain.sizes):
        found[size] = {"image": image, "known": mask.expand(len(mask), size, size)}
        if size != chain.sizes[0]:
            image, mask = halved(image), F.avg_pool2d(mask.float(), 2) == 1
    return found
