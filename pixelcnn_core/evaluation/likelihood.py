"""Exact bits per dimension of a checkpoint on a data set, with and without its condition, and per class; and how often
Bayes' rule finds the class of a test image.

Runs on one process or, under `accelerate launch`, on several: every process scores its share of the images, and the
sums are the same.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.kinds import KINDS, load
from pixelcnn_core.models.base import Model
from pixelcnn_core.models.baselines import standard_error
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.provenance import count_parameters, origin, recipe_of, trained_on
from pixelcnn_core.results import check_results, merge_results

BAYES_IMAGES = 1000  # test images classified by Bayes' rule: each is scored once for every class
TRAIN_IMAGES = 2000  # training images scored by default: enough to see how far training and test lie apart


@torch.inference_mode()
def score(model: Model, data: ImageData, conditional: bool, batch: int, accelerator: Accelerator) -> Tensor:
    """Bits per dimension of every image, float64 (N,) on the CPU of all processes, with its condition or without."""
    # in the precision of the model; not in float64, which Apple's GPU does not have
    total = torch.zeros(len(data), dtype=next(model.parameters()).dtype, device=accelerator.device)
    for start in range(accelerator.process_index * batch, len(data), accelerator.num_processes * batch):
        part = slice(start, start + batch)
        condition = data.condition(part).to(accelerator.device) if conditional else None
        total[part] = model.bits_per_dim(data.images[part].to(accelerator.device), condition)
    return accelerator.reduce(total, "sum").cpu().double()  # each was scored by one process, the others hold 0


def score_classes(model: GatedPixelCNN, data: ImageData, batch: int, accelerator: Accelerator) -> Tensor:
    """Bits per dimension of every image given every class, float64 (N, classes): the least is the class that Bayes'
    rule (`bayes.py`) finds the most probable one."""
    return torch.stack([score(model, replace(data, labels=torch.full_like(data.labels, k)), True, batch, accelerator)
                        for k in range(model.config.classes)], dim=1)


def evaluate(checkpoint: str | Path, data_dir: str | Path, *, limit: int | None = None,
             train_images: int = TRAIN_IMAGES, batch: int = 50) -> dict:
    """Score the first `limit` test images (all without it) and `train_images` training images.

    Returns the results, and where `checkpoint` is a folder, all that its results.json now holds. The recipe stored in
    the checkpoint says which data set it is about. Raises CheckpointError, DataError or ResultsError.
    """
    accelerator, begun = Accelerator(), time.perf_counter()
    check_results(checkpoint)
    kind = KINDS[recipe_of(checkpoint).get("kind", "pixelcnn")]
    model = load(kind.model).from_pretrained(checkpoint)
    model = model.to(accelerator.device, memory_format=torch.channels_last)
    recipe = trained_on(checkpoint)
    config, results = model.config, {}
    for split, count in (("test", limit), ("train", min(train_images, limit or train_images))):
        data = load_data(recipe["data"], data_dir, split, config.image_size, encoder=recipe.get("encoder", ""))
        if recipe.get("unconditional"):
            data = data.unconditional()
        if config.class_names != data.class_names or config.encoder != data.encoder:
            raise DataError(f"the checkpoint knows other classes, or another encoder, than data set {recipe['data']}")
        data = data.first(count)
        with_class = score(model, data, True, batch, accelerator)
        without = score(model, data, False, batch, accelerator)
        results |= {f"bits_per_dim_{split}": round(with_class.mean().item(), 4),
                    f"bits_per_dim_{split}_unconditional": round(without.mean().item(), 4),
                    f"images_{split}": len(data)}
        if split == "test":
            if len(data) > 1:  # one image has no spread
                results["bits_per_dim_test_standard_error"] = round(standard_error(with_class), 4)
            if data.embeddings is not None:
                wrong = score(model, other_people(data), True, batch, accelerator)
                results["bits_per_dim_test_wrong_embedding"] = round(wrong.mean().item(), 4)
            results["bits_per_dim_test_per_class"] = {
                name: {"bits_per_dim": round(with_class[data.labels == k].mean().item(), 4),
                       "images": int((data.labels == k).sum())}
                for k, name in enumerate(data.class_names) if (data.labels == k).any()}
            results["images"] = len(data)
            if config.classes:
                few = data.first(BAYES_IMAGES)
                guess = score_classes(model, few, batch, accelerator).argmin(1)
                results |= {"bayes_accuracy": round((guess == few.labels).double().mean().item(), 4),
                            "bayes_images": len(few)}
    results |= {"data": recipe["data"], "recipe": recipe.get("name"), "parameters": count_parameters(model),
                **origin(accelerator.device, begun, accelerator.num_processes)}
    if accelerator.is_main_process:
        results = merge_results(checkpoint, results)
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return results


def other_people(data: ImageData) -> ImageData:
    """Every face with the embedding of somebody else: the next one in the list who is another person."""
    count, partner = len(data), []
    for k, name in enumerate(data.identities):
        partner.append(next((j % count for j in range(k + 1, k + count) if data.identities[j % count] != name), k))
    return replace(data, embeddings=data.embeddings[partner])
