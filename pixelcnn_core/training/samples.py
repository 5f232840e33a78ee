"""What a model in training draws: a sheet for each kind of model, named in `kinds.py`."""

import copy

import torch
from PIL import Image
from torch import Tensor, nn

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.figures import image_grid, labelled_grid
from pixelcnn_core.kinds import kind_named, load
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.upscaler import halved
from pixelcnn_core.sampling.sample import finish, sample_rows

COLUMNS = 8


def sample_sheet(model: nn.Module, data: ImageData) -> Image.Image | None:
    """What the kind of the model draws; None from one that draws nothing, as a classifier."""
    kind = kind_named(type(model).__name__)
    if kind is None or not kind.preview:
        return None
    if next(model.parameters()).device.type == "mps":  # no float64 there: images are drawn on the CPU
        model = copy.deepcopy(model).cpu()
    return load(kind.preview)(model, data)


def samples(model: nn.Module, data: ImageData) -> Image.Image:
    """A row of samples for each of the first ten classes, or without classes a square of them; for embeddings a row for
    each of the first eight images, itself on the left."""
    config = model.config
    if data.embeddings is not None:
        condition = Condition(embedding=data.embeddings[:8].repeat_interleave(COLUMNS, 0))
        drawn = finish(sample_rows(model, condition)).cpu().unflatten(0, (-1, COLUMNS))
        sheet = torch.cat([data.images[:len(drawn), None], drawn], 1)  # (8, 1 + COLUMNS, C, H, W)
        return image_grid(sheet.flatten(0, 1), 1 + COLUMNS, config.levels)
    names = config.class_names[:10]
    if not names:
        return image_grid(finish(sample_rows(model, batch=64)), 8, config.levels)
    labels = torch.arange(len(names)).repeat_interleave(COLUMNS)
    return labelled_grid(finish(sample_rows(model, Condition(label=labels))), names, config.levels)


def reconstructions(model: nn.Module, data: ImageData) -> Image.Image:
    """Of an auto-encoder: a row of held-out images above their reconstructions."""
    originals = data.images[:COLUMNS]
    return rows(model.config.levels, originals, model.reconstruct(originals))


def enlargements(model: nn.Module, data: ImageData) -> Image.Image:
    """Of an upscaler: held-out images, what it is given of them, and what it draws from that (super-resolution)."""
    originals = data.images[:COLUMNS]
    smaller = halved(originals)
    condition = model.condition(smaller, data.condition(slice(COLUMNS)))
    enlarged = smaller.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return rows(model.config.levels, originals, enlarged, finish(sample_rows(model.decoder, condition)))


def rows(levels: int, *images: Tensor) -> Image.Image:
    """Images (N, C, H, W), one kind below the other."""
    return image_grid(torch.cat([part.cpu() for part in images]), len(images[0]), levels)
