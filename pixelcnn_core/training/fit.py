"""Training on what one has in memory, or on a DataLoader: the short way beside recipes.

    model = GatedPixelCNN(PixelCNNConfig(image_size=28, channels=1, levels=256, classes=10))
    bits = fit(model, images, labels, steps=500)      # uint8 (N, 1, 28, 28), integers (N,)

It maximises the likelihood (section 2, equation 1) by Adam under a cosine. Whoever wants to resume, to use several
GPUs, Muon, a running average of the weights or a model card writes a recipe: `loop.py`.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

from pixelcnn_core.models.base import Model
from pixelcnn_core.models.conditioning import Condition, ConditionLike, as_condition
from pixelcnn_core.models.images import as_images


def fit(model: Model, images: Tensor | np.ndarray | Iterable, conditions: ConditionLike = None, *, steps: int = 1000,
        batch: int = 64, learning_rate: float = 1e-3, condition_dropout: float = 0.1, clip: float = 1.0, seed: int = 0,
        progress: bool = True) -> list[float]:
    """Train a model where it is, and leave it in evaluation mode. Returns the loss of every step, bits per dimension.

    images       integers (N, C, H, W) in [0, levels), a tensor or an array; or a DataLoader that gives batches of such
                 images, alone or as (images, labels), (images, embeddings) or (images, {"label": ..., "map": ...})
    conditions   with a tensor: of all images, a `Condition` or labels
    condition_dropout  share of the images that are trained without: then the model knows p(x) too, and can be guided
    clip         largest norm of the gradient
    seed         the same seed gives the same order, dropped conditions and dropout; the global seed stays as it is
    Raises ValueError for images or conditions that do not fit, or where the loss is no number any more.
    """
    if steps < 1 or batch < 1 or not learning_rate > 0 or not 0 <= condition_dropout < 1:
        raise ValueError(f"steps and batch are at least 1, learning_rate is above 0 and condition_dropout in [0, 1), "
                         f"not {steps}, {batch}, {learning_rate} and {condition_dropout}")
    device, losses = next(model.parameters()).device, []
    random = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), learning_rate, betas=(0.9, 0.99), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 + 0.5 * math.cos(math.pi * step / steps))
    batches = tensor_batches(model, images, conditions, batch, random) if isinstance(images, (Tensor, np.ndarray)) \
        else loader_batches(model, images, conditions)
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):  # dropout takes its numbers from the global generator
        torch.manual_seed(seed)
        bar = tqdm(islice(batches, steps), total=steps, disable=not progress, unit="step")
        for x, condition in bar:
            model.train()
            kept = torch.rand(len(x), generator=random) >= condition_dropout
            loss = model.losses(x.to(device), condition.to(device), kept.to(device)).mean()
            if not math.isfinite(value := loss.item()):
                raise ValueError(f"training diverged: the loss of step {len(losses) + 1} is {value}; a smaller "
                                 "learning rate may help")
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimiser.step()
            schedule.step()
            losses.append(value)
            bar.set_postfix_str(f"{value:.3f}")
    model.eval()
    return losses


def tensor_batches(model: Model, images: Tensor | np.ndarray, conditions, batch: int,
                   random: torch.Generator) -> Iterator[tuple[Tensor, Condition]]:
    """Endless epochs of random permutations."""
    images = as_images(images, model.config.channels, model.config.levels)
    condition = as_condition(conditions, getattr(model.config, "class_names", ()))
    condition = condition.expand(len(images))
    loader = DataLoader(TensorDataset(torch.arange(len(images))), min(batch, len(images)), shuffle=True, drop_last=True,
                        generator=random)
    while True:
        for index, in loader:
            yield images[index], condition[index]


def loader_batches(model: Model, loader: Iterable, conditions) -> Iterator[tuple[Tensor, Condition]]:
    """The batches of a DataLoader, over and over. Raises ValueError for what is no batch."""
    if conditions is not None:
        raise ValueError("a DataLoader gives the conditions beside its images: leave `conditions` out")
    while True:
        empty = True
        for given in loader:
            x, about = (given[0], given[1] if len(given) > 1 else None) if isinstance(given, (list, tuple)) \
                else (given, None)
            if isinstance(about, dict):
                condition = Condition(**about)
            elif isinstance(about, Tensor) and about.ndim == 2 and not getattr(model.config, "classes", 0):
                condition = Condition(embedding=about)
            else:
                condition = as_condition(about, getattr(model.config, "class_names", ()))
            empty = False
            yield as_images(x, model.config.channels, model.config.levels), condition
        if empty:
            raise ValueError("the DataLoader gives no batch: it holds fewer images than one")
