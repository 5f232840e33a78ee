"""What a model in training draws: one sheet per kind of model."""

import copy

import torch
from PIL import Image
from torch import Tensor, nn

from pixelcnn_core.autoencoder.model import CodeModel
from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.figures import image_grid, labelled_grid
from pixelcnn_core.models.classifier import Classifier
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.plain import PlainPixelCNN
from pixelcnn_core.models.upscaler import Upscaler, halved
from pixelcnn_core.restoration.damage import random_damage, visible
from pixelcnn_core.restoration.restorer import Restorer
from pixelcnn_core.sampling.sample import finish, sample

COLUMNS = 8


def sample_sheet(model: nn.Module, data: ImageData) -> Image.Image | None:
    """A row of samples for each of the first ten classes, or without classes a square of them; for embeddings a row for
    each of the first eight images, itself on the left.

    From an auto-encoder a row of held-out images above their reconstructions; from a restorer their damaged selves
    between them, from an upscaler their smaller ones; None from a classifier.
    """
    if isinstance(model, Classifier):
        return None
    if next(model.parameters()).device.type == "mps":  # no float64 there: images are drawn on the CPU
        model = copy.deepcopy(model).cpu()
    config, originals = model.config, data.images[:COLUMNS]
    if isinstance(model, CodeModel):
        return rows(config.levels, originals, model.reconstruct(originals))
    if isinstance(model, Restorer):
        damaged = random_damage(originals, config.levels, (0,), range(len(originals)))
        return rows(config.levels, originals, visible(damaged, config.levels), finish(model.restore(damaged)))
    if isinstance(model, Upscaler):
        smaller = halved(originals)
        condition = model.condition(smaller, data.condition(slice(COLUMNS)))
        enlarged = smaller.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return rows(config.levels, originals, enlarged, finish(sample(model.decoder, condition)))
    if data.embeddings is not None:
        condition = Condition(embedding=data.embeddings[:8].repeat_interleave(COLUMNS, 0))
        drawn = finish(sample(model, condition)).cpu().unflatten(0, (-1, COLUMNS))
        sheet = torch.cat([data.images[:len(drawn), None], drawn], 1)  # (8, 1 + COLUMNS, C, H, W)
        return image_grid(sheet.flatten(0, 1), 1 + COLUMNS, config.levels)
    names = config.class_names[:10]
    if not names:
        method = "naive" if isinstance(model, PlainPixelCNN) else "cached"
        return image_grid(finish(sample(model, batch=64, method=method)), 8, config.levels)
    labels = torch.arange(len(names)).repeat_interleave(COLUMNS)
    return labelled_grid(finish(sample(model, Condition(label=labels))), names, config.levels)


def rows(levels: int, *images: Tensor) -> Image.Image:
    """Images (N, C, H, W), one kind below the other."""
    return image_grid(torch.cat([part.cpu() for part in images]), len(images[0]), levels)
