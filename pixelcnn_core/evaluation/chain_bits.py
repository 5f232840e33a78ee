"""Where the bits of a chain are: each step's factor on test images, with its condition, without, and with a wrong one.

The sum over the steps is at most what the images need (`models/chain.py`); a few per cent of it, on the smallest
pictures, settle what the scene is made of.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.device import choose_device
from pixelcnn_core.evaluation.likelihood import other_people
from pixelcnn_core.models.chain import Chain, chain_steps
from pixelcnn_core.models.checkpoint import locate
from pixelcnn_core.provenance import count_parameters, origin, trained_on, training_so_far
from pixelcnn_core.results import check_results, merge_results

IMAGES = 1000  # of the test set; 64 x 64 pixels take their time
BATCH = 25


def evaluate_chain(checkpoint: str | Path, data_dir: str | Path, limit: int | None = None) -> dict:
    """Score the first `limit` test images (1,000 without it) step by step.

    Returns the results and, where `checkpoint` is a folder, all that its results.json now holds. The recipe of the last
    step says which data set it is about. Raises CheckpointError, DataError or ResultsError.
    """
    begun, device, names = time.perf_counter(), choose_device(), chain_steps(checkpoint)
    check_results(checkpoint)
    chain = Chain.from_pretrained(checkpoint).to(device)
    recipe = trained_on(checkpoint)
    data = load_data(recipe["data"], data_dir, "test", chain.size, encoder=recipe.get("encoder", ""))
    data = data.first(limit or IMAGES)
    wrong = other_people(data) if data.embeddings is not None else other_classes(data)
    ways = {"own": data, "none": data.unconditional(), "wrong": wrong}
    bits = {way: score(chain, source, device) for way, source in ways.items()}
    steps = {}
    for name, size in zip(names, chain.sizes):
        dims = chain.config.channels * size ** 2
        means = {way: scored[size].mean().item() for way, scored in bits.items()}
        steps[str(size)] = {"bits": round(means["own"], 1), "bits_per_dim": round(means["own"] / dims, 4),
                            "bits_per_dim_unconditional": round(means["none"] / dims, 4),
                            "bits_per_dim_wrong_condition": round(means["wrong"] / dims, 4),
                            "condition_is_worth_bits": round(means["none"] - means["own"], 2),
                            "parameters": count_parameters(chain.steps[chain.sizes.index(size)]),
                            **training_speed(Path(locate(checkpoint), name))}
    total = sum(scored.mean().item() for scored in bits["own"].values())
    results = {"steps": steps, "bits_at_most": round(total, 1), "images_test": len(data),
               "bits_per_dim_at_most": round(total / (chain.config.channels * chain.size ** 2), 4),
               "data": recipe["data"]}
    return merge_results(checkpoint, results | origin(device, begun))


def training_speed(step: Path) -> dict:
    """Minutes and images per second of the training behind a step, with the runs that it started from; nothing where
    its folder is not here, as of a Hub id."""
    if not step.is_dir():
        return {}
    total = training_so_far(step)
    return {"training_minutes": round(total["seconds"] / 60, 1),
            "training_images_per_second": round(total["images"] / max(total["seconds"], 0.1), 1)}


@torch.inference_mode()
def score(chain: Chain, data: ImageData, device: torch.device) -> dict[int, torch.Tensor]:
    """Bits of every image at every step: {size: float64 (N,)} on the CPU."""
    parts = []
    for start in range(0, len(data), BATCH):
        part = slice(start, start + BATCH)
        parts.append(chain.bits(data.images[part].to(device), data.condition(part).to(device)))
    return {size: torch.cat([part[size].cpu().double() for part in parts]) for size in chain.sizes}


def other_classes(data: ImageData) -> ImageData:
    """Every image with the next class in place of its own."""
    return replace(data, labels=(data.labels + 1) % max(1, len(data.class_names)))
