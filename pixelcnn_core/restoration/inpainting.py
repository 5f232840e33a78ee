"""Filling a hole, measured: a chain from coarse to fine, a single model in raster order, the restorer, and diffusion.

One hole, a square in the middle of images that no model was trained on. Two questions, which pull apart:

    PSNR of the mean of many completions: how near to the original, in the sense of squared error? A blur does well.
    class kept: does a classifier still give the picture the class that it gives the original? A blur does not.

A chain completes the coarse picture of the damaged one first: a coarse pixel is known where at least half of its fine
pixels are. So each fine pixel of the hole is drawn in view of what surrounds it on all sides.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.device import choose_device
from pixelcnn_core.evaluation.common import batches
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.classifier import Classifier
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.upscaler import halved
from pixelcnn_core.provenance import origin
from pixelcnn_core.restoration.damage import damage
from pixelcnn_core.restoration.evaluation import psnr
from pixelcnn_core.restoration.repairs import NAMES, repair
from pixelcnn_core.restoration.restorer import Restorer
from pixelcnn_core.results import merge_results
from pixelcnn_core.sampling.coarse_to_fine import Pictures, chain_uniforms, sample_chain
from pixelcnn_core.sampling.completion import log_weights, normalise
from pixelcnn_core.sampling.sample import finish, sample_rows, uniforms_from_seed
from pixelcnn_core.sampling.truncation import Truncation

FILE = "inpainting.json"
IMAGES, SAMPLES, HOLE = 100, 16, 12
MIN_P = 0.05  # of the chain: what the page draws with
PAGE = Truncation(min_p=MIN_P)
CANDIDATES = 8  # coarse completions that each finished one is chosen from
DATA = "cifar10"


def middle_hole(size: int, side: int) -> Tensor:
    """Which pixels are left around a square hole in the middle: bool (size, size). Raises ValueError if none is."""
    if not 0 < side < size:
        raise ValueError(f"the side of the hole is from 1 to {size - 1} pixels, not {side}")
    known = torch.ones(size, size, dtype=torch.bool)
    start = (size - side) // 2
    known[start:start + side, start:start + side] = False
    return known


def half_known(image: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The next smaller picture, and what of it is known: integers (B, C, 2s, 2s), bool (B, 2s, 2s) -> (B, C, s, s),
    (B, s, s). A coarse pixel is known where at least half of its four parts are: it is their mean, of all four exactly
    what the chain was trained on, of two or three an estimate of it."""
    weight = known[:, None].float()  # (B, 1, 2s, 2s)
    parts = F.avg_pool2d(weight, 2) * 4  # (B, 1, s, s), how many of four
    mean = F.avg_pool2d(image.float() * weight, 2) * 4 / parts.clamp(min=1)
    exact = halved(image.to(torch.uint8))
    return torch.where(parts == 4, exact, mean.round().to(torch.uint8)), parts[:, 0] >= 2


def inpaint(chain: Chain, image: Tensor, known: Tensor, *, seed: int = 0, candidates: int = CANDIDATES,
            truncation: Truncation = PAGE) -> Iterator[Pictures]:
    """Complete images through all sizes, without a condition; yields the pictures of all sizes so far: the smallest one
    whole, then after every row of the finer ones.

    image (B, C, S, S) integers; known bool (S, S), shared by all. Repeat an image to get several completions of it.
    The picture of half the size is completed first, in the same way. The smallest step of all has no map: it looks only
    back. So it draws `candidates` of each picture, from its whole distribution, and one is taken by the weights of
    `sampling/completion.py`: how well it explains the known pixels after the hole (sampling importance resampling).
    """
    if known.ndim == 2:
        known = known[None]  # (1, S, S)
    size, pictures = chain.size, {}
    if len(chain.steps) == 1:
        yield {size: best_of(chain, image, known[0], seed, candidates)}
        return
    smaller = Chain(chain.steps[:-1])
    for pictures in inpaint(smaller, *half_known(image, known), seed=seed, candidates=candidates,
                            truncation=truncation):
        yield pictures
    for partial in sample_chain(chain, batch=len(image), seed=seed, given=pictures[smaller.size].cpu(), image=image,
                                known=known, truncation=truncation):
        yield {**pictures, size: partial[size]}


def best_of(chain: Chain, image: Tensor, known: Tensor, seed: int, candidates: int) -> Tensor:
    """The smallest pictures completed, uint8 (B, C, s, s): of `candidates` draws for each one, chosen by weight."""
    step, size = chain.steps[0], chain.sizes[0]
    if known.all():
        return image.to(torch.uint8)
    noise = chain_uniforms(seed, len(image) * candidates, chain)[size]
    drawn = finish(sample_rows(step, batch=len(noise), uniforms=noise, image=image.repeat_interleave(candidates, 0),
                          known=known)).cpu().unflatten(0, (len(image), candidates))
    shares = torch.stack([normalise(log_weights(step, group, known)) for group in drawn])  # (B, candidates)
    luck = torch.from_numpy(np.random.default_rng((seed, 0)).random((len(image), 1)))
    chosen = (shares.cumsum(1) <= luck).sum(1).clamp(max=candidates - 1)
    return drawn[torch.arange(len(image)), chosen]


def completions(images: Tensor, samples: int, draw: Callable[[Tensor, slice], Tensor]) -> Tensor:
    """`samples` completions of every image, in batches: uint8 (N, samples, C, H, W). `draw` gets a part of the
    repeated images and which of all they are."""
    many = images.repeat_interleave(samples, 0)
    drawn = [draw(many[part], part).cpu() for part in batches(len(many))]
    return torch.cat(drawn).unflatten(0, (len(images), samples))


def scores(drawn: Tensor, originals: Tensor, missing: Tensor, judge: Classifier, seen: Tensor, levels: int) -> dict:
    """How good completions (N, K, C, H, W) are: PSNR of one and of the mean, in dB; share of the class kept by one."""
    single = drawn[:, 0].contiguous()
    found = {"psnr_sample": psnr(single, originals, missing, levels), "class_kept": judge.accuracy(single, seen)}
    if drawn.shape[1] > 1:
        mean = drawn.double().mean(1)
        found["psnr_mean"] = psnr(mean, originals, missing, levels)
        found["class_kept_mean"] = judge.accuracy(mean.round().to(torch.uint8), seen)
    return {key: round(value, 4) for key, value in found.items()}


def evaluate_inpainting(chain_folder: str | Path, data_dir: str | Path, *, classifier: str | Path,
                        single: str | Path | None = None, restorer: str | Path | None = None, images: int = IMAGES,
                        samples: int = SAMPLES, hole: int = HOLE, seed: int = 0, split: str = "validation") -> dict:
    """Complete the first images of a split by all ways, and write what came of it to inpainting.json beside the chain.

    classifier  checkpoint folder of the judge
    single, restorer  checkpoint folders of a single-scale model and of a restorer, each measured if it is given
    Raises CheckpointError, DataError, ResultsError, or ValueError for a hole that does not fit.
    """
    begun, device = time.perf_counter(), choose_device()
    chain, judge = Chain.from_pretrained(chain_folder).to(device), Classifier.from_pretrained(classifier).to(device)
    levels, size = chain.config.levels, chain.size
    originals = load_data(DATA, data_dir, split, size).first(images).images
    known = middle_hole(size, hole)
    damaged = damage(originals, levels, "masked", np.random.default_rng(seed), known=known)
    seen, count = judge.probabilities(originals).argmax(1), len(originals) * samples
    ways, seconds = {NAMES["masked"]: repair(damaged, levels, "masked")[:, None]}, {}

    def timed(name: str, draw: Callable[[Tensor, slice], Tensor]) -> None:
        started = time.perf_counter()
        ways[name] = completions(originals, samples, draw)
        seconds[name] = time.perf_counter() - started

    timed("coarse to fine", lambda x, part: finish(inpaint(chain, x, known, seed=seed + part.start))[size])
    if single is not None:
        model = GatedPixelCNN.from_pretrained(single).to(device)
        own = uniforms_from_seed(seed, count, model.config)
        timed("raster order", lambda x, part: finish(sample_rows(model, uniforms=own[part], image=x, known=known)))
    if restorer is not None:
        other = Restorer.from_pretrained(restorer).to(device)
        numbers = uniforms_from_seed(seed, count, other.decoder.config)
        maps = damaged.repeat_interleave(samples, 0)
        timed("restorer", lambda x, part: finish(other.restore(maps[part], uniforms=numbers[part])))
    missing = ~known[None, None]
    measured = {name: {**scores(drawn, originals, missing, judge, seen, levels),
                       **({"images_per_second": round(count / seconds[name], 2)} if name in seconds else {})}
                for name, drawn in ways.items()}
    return merge_results(chain_folder, {
        "ways": measured, "images": len(originals), "samples": samples, "hole": hole, "split": split, "data": DATA,
        "min_p": MIN_P, "candidates": CANDIDATES, "seed": seed, **origin(device, begun)}, FILE)
