"""The model card of a restorer: the measured table, and a picture of what it does to pictures that no data set has."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pixelcnn_core.cards.card import write_picture
from pixelcnn_core.cards.parts import write
from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.pictures import fit, load_picture
from pixelcnn_core.device import choose_device
from pixelcnn_core.figures import image_grid
from pixelcnn_core.restoration.damage import damage, random_damage, visible
from pixelcnn_core.restoration.evaluation import cases
from pixelcnn_core.restoration.repairs import repair
from pixelcnn_core.restoration.restorer import Restorer
from pixelcnn_core.results import read_results
from pixelcnn_core.sampling.sample import finish
from pixelcnn_core.training.samples import COLUMNS, rows

BODY = """| evaluated on | {images:,} test images, {images_drawn} of them drawn {samples} times; {evaluated_on} |

A Conditional PixelCNN ([arXiv 1606.05328](https://arxiv.org/abs/1606.05328), equation 5) whose spatial map s is made
from a damaged image by a small convolutional network, trained together with it. One checkpoint fills holes of any
shape, removes noise, adds colour and resolution.

## Measured

PSNR in dB of the missing sub-pixels (all of them unless the picture was masked), over all images together. A sample is
one possible original and cannot have a low squared error; the mean of {samples} samples is the fair one to compare.
Bits are those of one missing sub-pixel given the damaged picture, and, in raster order alone, given the earlier
sub-pixels.

| damage | one sample | mean of {samples} | without a model | bits | bits in raster order alone |
| --- | --- | --- | --- | --- | --- |
{table}
"""

FIGURE = """
![For each damage: the original, the damaged picture, two restorations, the mean of {drawn}, the repair without a
model](samples.png)

Pictures of `demo/assets/pictures`, which are in no data set; unselected, seed 0.
"""
LIMITS = """
## Limits

The training budget was that of one CPU thread: {images_seen:,} images, after a start from the bundled CIFAR-10 model.
Where the simple repair is ahead in the table, more training is what is missing: the samples drift away from what the
damaged picture says. Nothing here was trained on faces or text.
"""
DRAWN = 8


def write_restorer_card(folder: str | Path, pictures: Sequence[Path] = ()) -> Path:
    """Write README.md of an evaluated restorer, and samples.png if pictures are given."""
    folder = Path(folder)
    model, body = Restorer.from_pretrained(folder, map_location=choose_device()), BODY
    if pictures:
        write_picture(folder / "samples.png", draw_restorations(model, pictures))
        body += FIGURE
    table = "\n".join(
        f"| {name} | {case['psnr_sample']:.1f} | {case['psnr_mean']:.1f} | {case['psnr_baseline']:.1f} "
        f"({case['baseline']}) | {case['bits_per_missing_dim']:.2f} | {case['bits_per_missing_dim_raster']:.2f} |"
        for name, case in read_results(folder).get("cases", {}).items())
    return write(folder, model, body, "image-restoration", {"table": table, "drawn": DRAWN}, LIMITS)


def draw_restorations(model: Restorer, pictures: Sequence[Path]) -> Image.Image:
    """One row per case, the pictures taking turns: original, damaged, two samples, mean of `DRAWN`, simple repair."""
    size, levels, images = model.config.image_size, model.config.levels, []
    for k, options in enumerate(cases(size).values()):
        original = as_image(pictures[k % len(pictures)], size)
        damaged = damage(original, levels, rng=np.random.default_rng(0), **options)
        drawn = finish(model.restore(damaged.repeat(DRAWN, 1, 1, 1))).cpu()
        mean = drawn.double().mean(0, keepdim=True).round().byte()
        images += [original, visible(damaged, levels), drawn[:2], mean, repair(damaged, levels, options["kind"])]
    return image_grid(torch.cat(images), 6, levels, scale=max(1, 96 // size))


def restorations(model: Restorer, data: ImageData) -> Image.Image:
    """The sheet of a restorer in training: held-out images, their damaged selves, and what it makes of these."""
    originals, levels = data.images[:COLUMNS], model.config.levels
    damaged = random_damage(originals, levels, (0,), range(len(originals)))
    return rows(levels, originals, visible(damaged, levels), finish(model.restore(damaged)))


def as_image(path: Path, size: int) -> Tensor:
    """A picture as uint8 (1, 3, size, size)."""
    return torch.from_numpy(fit(load_picture(path), size).copy())[None]
