"""How well a restorer restores: PSNR against simple repairs, and bits per missing sub-pixel against raster order alone.

A sample is one possible original; the squared error is smallest at the mean of all of them. So both are scored: one
sample, and the mean of several, which is the fair one for PSNR. Only missing sub-pixels count, which are all of them
unless the picture was masked.
"""

import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixelcnn_core.device import choose_device
from pixelcnn_core.evaluation.common import batches, finish_results, load_test
from pixelcnn_core.restoration.damage import FACTORS, damage, known_pixels, preset_masks
from pixelcnn_core.restoration.repairs import NAMES, repair
from pixelcnn_core.restoration.restorer import Restorer
from pixelcnn_core.sampling.sample import finish, sample_rows, uniforms_from_seed

DRAWN, SAMPLES = 32, 8  # test images that are restored, and how often each; the bits are those of `limit` images
SCORED = 500  # default of `limit`
NO_DIFFERENCE = 99.0  # dB in the results: JSON knows no infinity


def cases(size: int) -> dict[str, dict]:
    """What is measured: name -> the arguments of `damage`."""
    masked = {name: {"kind": "masked", "known": known} for name, known in preset_masks(size).items()}
    noise = {f"noise {level}": {"kind": "noise", "strength": level} for level in (0.05, 0.2)}
    low = {f"low resolution {factor}": {"kind": "low resolution", "strength": factor} for factor in FACTORS}
    return {**masked, **noise, "grey": {"kind": "grey"}, **low}


def psnr(images: Tensor, originals: Tensor, missing: Tensor, levels: int) -> float:
    """Peak signal-to-noise ratio in dB of the missing sub-pixels of all images together.

    images, originals (N, C, H, W), missing bool that broadcasts to them. Infinite where nothing differs.
    """
    error = ((images.double() - originals.double()) / (levels - 1)).square() * missing
    mean = (error.sum() / missing.expand_as(error).sum()).item()
    return -10 * math.log10(mean) if mean else math.inf


@torch.no_grad()
def bits_of(model: Restorer, images: Tensor, damaged: Tensor) -> tuple[float, float]:
    """Mean bits of a missing sub-pixel given the damaged image, and given only the earlier sub-pixels."""
    own, raster, missing = 0.0, 0.0, ~known_pixels(damaged)
    device = model.decoder.head1.weight.device
    for part in batches(len(images)):
        x = images[part].to(device)
        own += model.bits_of_missing(x, damaged[part].to(device)).cpu().double().sum().item()
        raster += (model.bits_of_missing(x, None).cpu() * missing[part]).double().sum().item()
    count = missing.sum().item() * images.shape[1]
    return own / count, raster / count


def draw(model: Restorer, damaged: Tensor, samples: int, seed: int, raster: Tensor | None = None) -> Tensor:
    """`samples` restorations of every map: uint8 (N, samples, C, H, W). Each image has its own noise.

    raster  the originals: then s is left out, and the known pixels are all that is given
    """
    noise = uniforms_from_seed(seed, len(damaged) * samples, model.decoder.config)
    many = damaged.repeat_interleave(samples, 0)
    drawn = []
    for part in batches(len(many)):
        if raster is None:
            drawn.append(finish(model.restore(many[part], uniforms=noise[part])).cpu())
        else:
            originals = raster.repeat_interleave(samples, 0)[part]
            drawn.append(finish(sample_rows(model.decoder, uniforms=noise[part], image=originals,
                                       known=known_pixels(many[part]))).cpu())
    return torch.cat(drawn).unflatten(0, (len(damaged), samples))


def evaluate_restorer(checkpoint: str | Path, data_dir: str | Path, limit: int | None = None, seed: int = 0) -> dict:
    """Every case on the first `limit` test images; PSNR on the first `DRAWN`. Raises CheckpointError or DataError."""
    begun, model = time.perf_counter(), Restorer.from_pretrained(checkpoint, map_location=choose_device())
    _, test = load_test(checkpoint, data_dir, model, limit or SCORED)
    levels, size = model.config.levels, model.config.image_size
    few, results = test.first(DRAWN).images, {}
    for name, options in cases(size).items():
        kind = options["kind"]
        damaged = damage(test.images, levels, rng=np.random.default_rng(seed), **options)
        bits, raster = bits_of(model, test.images, damaged)
        damaged, missing = damaged[:len(few)], ~known_pixels(damaged[:len(few)])
        drawn = draw(model, damaged, SAMPLES, seed)
        scores = {"psnr_sample": drawn[:, 0], "psnr_mean": drawn.double().mean(1),
                  "psnr_baseline": repair(damaged, levels, kind)}
        if kind == "masked":
            scores["psnr_raster_mean"] = draw(model, damaged, SAMPLES, seed, few).double().mean(1)
        results[name] = {"kind": kind, "baseline": NAMES[kind], "bits_per_missing_dim": round(bits, 4),
                         "bits_per_missing_dim_raster": round(raster, 4),
                         **{key: round(min(psnr(images, few, missing, levels), NO_DIFFERENCE), 2)
                            for key, images in scores.items()}}
    return finish_results({"cases": results, "images": len(test), "images_drawn": len(few), "samples": SAMPLES,
                           "seed": seed}, model, checkpoint, begun)
