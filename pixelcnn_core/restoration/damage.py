"""Damaged images as a map s: what the restorer of `restorer.py` is told about the image it has to draw.

    masked           some pixels are missing: a brushed hole, a half, single pixels
    noise            Gaussian noise on every sub-pixel, rounded and clipped as a camera would
    grey             the colours are gone, the brightness is left
    low resolution   the means of 2 x 2 or 4 x 4 blocks

A map has C + 4 planes: the damaged sub-pixels in [-1, 1], 0 where nothing is known; then one plane per kind, which says
how far the others can be trusted: 1 where a pixel is known exactly; the noise level; 1 for grey; 1 - 1 / factor.
All zeros therefore mean "nothing is known", a picture with every pixel missing.
"""

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.images import scaled

KINDS = ("masked", "noise", "grey", "low resolution")
FACTORS = (2, 4)
NOISE = (0.02, 0.3)  # standard deviations that training draws, as shares of the range from black to white
LUMA = (0.299, 0.587, 0.114)  # brightness of R, G, B (Rec. 601)


def map_planes(channels: int) -> int:
    return channels + len(KINDS)


def damage(images: Tensor, levels: int, kind: str, rng: np.random.Generator, *, known: Tensor | None = None,
           strength: float | None = None) -> Tensor:
    """Damage images in one way: integers (B, C, H, W) -> the map (B, C + 4, H, W), float32.

    known     masked: which pixels are left, bool (H, W) or (B, H, W); default: `random_mask`
    strength  noise: the standard deviation as a share of the range; low resolution: the factor; default: drawn
    Raises ValueError for another kind, or where the size is no multiple of the factor.
    """
    count, channels, height, width = images.shape
    x = scaled(images.float(), levels)
    planes = torch.zeros(count, len(KINDS), height, width, device=images.device)
    if kind == "masked":
        if known is None:
            known = random_mask(height, width, rng)
        known = known.to(images.device).expand(count, height, width)[:, None]  # (B, 1, H, W)
        x, planes[:, :1] = x * known, known
    elif kind == "noise":
        strength = rng.uniform(*NOISE) if strength is None else strength
        noise = torch.from_numpy(rng.standard_normal(tuple(images.shape), np.float32)).to(images.device)
        noisy = (images + noise * (strength * (levels - 1))).round().clamp(0, levels - 1)
        x, planes[:, 1] = scaled(noisy, levels), strength
    elif kind == "grey":
        weights = torch.tensor(LUMA if channels == 3 else (1.0,), device=images.device)
        grey = (images.float() * weights[:, None, None]).sum(1, keepdim=True).round()  # (B, 1, H, W)
        x, planes[:, 2] = scaled(grey, levels).expand_as(x), 1
    elif kind == "low resolution":
        factor = int(rng.choice(FACTORS) if strength is None else strength)
        if factor < 2 or height % factor or width % factor:
            raise ValueError(f"images of {height} x {width} cannot be reduced by the factor {factor}")
        x = enlarge(scaled(F.avg_pool2d(images.float(), factor).round(), levels), factor)
        planes[:, 3] = 1 - 1 / factor
    else:
        raise ValueError(f"damage is one of {', '.join(KINDS)}, not {kind!r}")
    return torch.cat([x, planes], 1)


def enlarge(x: Tensor, factor: int) -> Tensor:
    """(..., H, W) -> (..., H * factor, W * factor), every value as a block."""
    return x.repeat_interleave(factor, -2).repeat_interleave(factor, -1)


def random_damage(images: Tensor, levels: int, seed: tuple[int, ...], numbers: Iterable[int]) -> Tensor:
    """A kind and a strength for each image, functions of (seed, its number): (B, C, H, W) -> (B, C + 4, H, W).

    So it does not matter which process damages an image, or whether training was resumed before.
    """
    maps = []
    for image, number in zip(images, numbers, strict=True):
        rng = np.random.default_rng((*seed, number))
        maps.append(damage(image[None], levels, KINDS[rng.integers(len(KINDS))], rng))
    return torch.cat(maps)


def damaged_selves(recipe, images: Tensor, condition: Condition, levels: int, step: int, share: slice) -> Condition:
    """What training tells a restorer of a batch's images, (B, C, H, W): a map of each one damaged; see `kinds.py`."""
    return Condition(map=random_damage(images, levels, (recipe.seed, step, 2), range(recipe.batch)[share]))


def random_mask(height: int, width: int, rng: np.random.Generator) -> Tensor:
    """Which pixels are left, bool (H, W), at least one of them missing: a half, a rectangle, single pixels, strokes."""
    known = np.ones((height, width), bool)
    shape = rng.integers(4)
    if shape == 0:  # one side, from an edge up to anywhere between a quarter and three quarters
        view = known if rng.integers(2) else known.T
        cut = max(1, int(len(view) * rng.uniform(0.25, 0.75)))
        view[:cut] = False
        known = known if rng.integers(2) else known[::-1, ::-1]
    elif shape == 1:
        tall, wide = (max(1, int(side * rng.uniform(0.2, 0.7))) for side in (height, width))
        top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
        known[top:top + tall, left:left + wide] = False
    elif shape == 2:
        known = rng.random((height, width)) > rng.uniform(0.2, 0.9)
    else:  # a brush that wanders
        y, x, angle, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0, 7), rng.uniform(0.7, 2.5)
        rows, columns = np.mgrid[:height, :width]
        for _ in range(rng.integers(8, 60)):
            known[(rows - y) ** 2 + (columns - x) ** 2 <= radius ** 2] = False
            angle += rng.normal(0, 0.5)
            y, x = (y + np.sin(angle)) % height, (x + np.cos(angle)) % width
    if known.all():
        known[rng.integers(height), rng.integers(width)] = False
    return torch.from_numpy(known.copy())


def known_pixels(damaged: Tensor) -> Tensor:
    """Which pixels a map (B, C + 4, H, W) gives exactly: bool (B, 1, H, W)."""
    return damaged[:, -len(KINDS):-len(KINDS) + 1] > 0


def visible(damaged: Tensor, levels: int) -> Tensor:
    """The damaged image in a map, to look at, uint8 (B, C, H, W); missing pixels are mid-grey."""
    x = damaged[:, :-len(KINDS)]
    return ((x + 1) * ((levels - 1) / 2)).round().clamp(0, levels - 1).to(torch.uint8)


def preset_masks(size: int) -> dict[str, Tensor]:
    """Masks with a name, which pixels are left: bool (size, size). What the page offers and the evaluation measures."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    quarter, half = size // 4, size // 2
    middle = (rows >= quarter) & (rows < size - quarter) & (columns >= quarter) & (columns < size - quarter)
    return {"right half": columns < half, "lower half": rows < half, "square in the middle": ~middle,
            "every second pixel": (rows + columns) % 2 == 0}
