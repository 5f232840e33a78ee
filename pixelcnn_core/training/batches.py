"""What one step of training sees: images, their conditions, and which of these are kept.

A function of (recipe, step) alone: flips, damage, noise and dropped conditions come from generators seeded by the step.

References: Ho et al., 2022, arXiv 2106.15282 (conditioning augmentation); Ho and Salimans, 2022, arXiv 2207.12598
(dropped conditions).
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn_core.data.image_data import ImageData, batch_indices
from pixelcnn_core.kinds import KINDS, load
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.upscaler import halved
from pixelcnn_core.training.recipe import Recipe


def batch_of(recipe: Recipe, data: ImageData, step: int, process: int = 0,
             processes: int = 1) -> tuple[Tensor, Condition, Tensor]:
    """This process's images of one step, their conditions, and which of these are kept, (B,) bool; together the
    processes have the whole batch."""
    share = slice(process * recipe.batch // processes, (process + 1) * recipe.batch // processes)
    index = batch_indices(len(data), recipe.batch, step, recipe.seed)[share].to(data.images.device)
    random = np.random.default_rng((recipe.seed, step, 1)).random((2, recipe.batch))[:, share]
    images = data.images[index]
    if recipe.flips:
        mirrored = torch.from_numpy(random[0] < 0.5).to(images.device)
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    if recipe.shifts:
        images = shifted(images, recipe.shifts, np.random.default_rng((recipe.seed, step, 5)), recipe.batch, share)
    kept = torch.from_numpy(random[1] >= recipe.condition_dropout).to(images.device)
    condition = data.condition(index)
    if condition.embedding is not None:
        condition = Condition(embedding=vectors(recipe, data, step, share, index))
    if told := KINDS[recipe.kind].told:
        condition = load(told)(recipe, images, condition, data.levels, step, share)
    return images, condition, kept


def shifted(images: Tensor, most: int, random: np.random.Generator, batch: int, share: slice) -> Tensor:
    """Every image (B, C, H, W) moved by its own whole number of pixels, up to `most` down and across."""
    size = images.shape[-1]
    padded = F.pad(images.float(), [most] * 4, mode="reflect").to(images.dtype)  # (B, C, H + 2 most, W + 2 most)
    corners = random.integers(0, 2 * most + 1, (batch, 2))[share].tolist()
    return torch.stack([image[:, y:y + size, x:x + size] for image, (y, x) in zip(padded, corners)])


def vectors(recipe: Recipe, data: ImageData, step: int, share: slice, index: Tensor) -> Tensor:
    """Embeddings (B, D) of faces, each with a probability that of another photo of the person, with noise added: what
    two photos of one person have in common is what the model should read from the vector."""
    random = np.random.default_rng((recipe.seed, step, 3))
    change, choice = random.random((2, recipe.batch))[:, share]
    if recipe.other_photos and data.partners is not None:
        column = torch.from_numpy((choice * data.partners.shape[1]).astype(int)).to(index.device)
        change = torch.from_numpy(change < recipe.other_photos).to(index.device)
        index = torch.where(change, data.partners[index, column], index)
    found = data.embeddings[index]
    if recipe.embedding_noise:
        noise = random.standard_normal((recipe.batch, found.shape[1]), np.float32)[share]
        found = found + recipe.embedding_noise * torch.from_numpy(noise).to(found)
    return found


def smaller_picture(recipe: Recipe, images: Tensor, condition: Condition, levels: int, step: int,
                    share: slice) -> Condition:
    """What an upscaler is told besides h: the picture of half the size, as a map, half of the time noisy."""
    return Condition(condition.label, condition.embedding, noisy(halved(images), recipe, step, share, levels))


def noisy(smaller: Tensor, recipe: Recipe, step: int, share: slice, levels: int) -> Tensor:
    """Conditioning augmentation (Ho et al., 2022): half of the smaller pictures get Gaussian noise, so that a step
    forgives what the one before it drew wrong. uint8 -> float (B, C, H, W)."""
    if not recipe.smaller_noise:
        return smaller.float()
    random = np.random.default_rng((recipe.seed, step, 4))
    sizes = random.random((2, recipe.batch))[:, share]
    noise = random.standard_normal((recipe.batch, *smaller.shape[1:]), np.float32)[share]
    deviation = torch.from_numpy(np.where(sizes[0] < 0.5, sizes[1] * recipe.smaller_noise * (levels - 1), 0)).float()
    noise = torch.from_numpy(noise) * deviation[:, None, None, None]  # (B, C, H, W)
    return (smaller + noise.to(smaller.device)).clamp(0, levels - 1)
