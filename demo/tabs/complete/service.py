"""Completions and restorations for the page: raster order and its weights, the restorer, a chain from coarse to fine.

Images are uint8 (H, W, 3) here, at the size of the model; `known` is bool (H, W), False where a pixel was brushed away.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from demo.kit.pictures import shrink
from demo.service.bridge import Progress, Service
from demo.service.drawing import to_array, to_tensor
from demo.service.settings import UserError
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.provenance import training_so_far
from pixelcnn_core.restoration.damage import KINDS, damage, known_pixels, preset_masks, visible
from pixelcnn_core.restoration.evaluation import psnr
from pixelcnn_core.restoration.inpainting import FILE, inpaint
from pixelcnn_core.restoration.repairs import NAMES, repair
from pixelcnn_core.restoration.restorer import Restorer
from pixelcnn_core.results import read_results
from pixelcnn_core.sampling.coarse_to_fine import preview
from pixelcnn_core.sampling.completion import complete, effective_sample_size, log_weights, normalise, raster_sight

DAMAGES = KINDS
REPAIRS = {**NAMES, "masked": "smooth filling"}  # what one does without a model, in words that nobody mistakes


@dataclass(frozen=True)
class Damage:
    """What is done to a picture before it is restored. `strength` is the noise level, or the factor of the size."""

    kind: str
    known: np.ndarray
    strength: float | None = None


class CompleteService:
    """Completing with the first colour model of a `Service`, and restoring with the restorer, in its turns.

    folder  of the restorer's checkpoint; default: the folder "restorer" beside that of the models
    """

    def __init__(self, service: Service, folder: Path | str | None = None):
        self.service, self.model_name = service, service.colour_name
        self.folder = Path(folder or service.folder.parent / "restorer")
        self.results = read_results(self.folder)
        self.images_seen = training_so_far(self.folder)["images"]

    @property
    def chain_name(self) -> str | None:
        """The chain of colour pictures of this size that needs no face."""
        infos = (self.service.info(name) for name in self.service.names)
        return next((info.name for info in infos if info.is_chain and (info.image_size, info.channels, info.levels)
                     == (self.size, 3, 256)), None)

    @property
    def measured(self) -> dict:
        """What the command `inpainting` wrote beside the chain; empty if nothing."""
        return read_results(self.service.folder / self.chain_name, FILE) if self.chain_name else {}

    @property
    def size(self) -> int:
        return self.service.info(self.model_name).image_size

    @property
    def has_restorer(self) -> bool:
        return (self.folder / "config.json").is_file()

    @functools.cached_property
    def restorer(self) -> Restorer:
        """Raises UserError."""
        if not self.has_restorer:
            raise UserError("There is no restorer yet: train one with `python -m pixelcnn_core train restorer-cpu "
                            "--data data --download --out demo/assets/restorer`.")
        try:
            model = Restorer.from_pretrained(str(self.folder)).to(self.service.device)
        except CheckpointError as error:
            raise UserError("The restorer cannot be loaded: its files are damaged.") from error
        if (model.config.image_size, model.config.channels) != (self.size, 3):
            raise UserError(f"The restorer is for pictures of {model.config.image_size} × {model.config.image_size}, "
                            f"the page shows {self.size} × {self.size}.")
        return model

    def fit(self, picture) -> np.ndarray:
        """A chosen picture at the size of the model. Raises UserError for anything that is none."""
        if not isinstance(picture, np.ndarray) or picture.ndim != 3:
            raise UserError("Choose a picture first.")
        return shrink(Image.fromarray(picture), self.size)

    def masks(self) -> dict[str, np.ndarray]:
        """The masks that the page offers: name -> which pixels are left."""
        below = np.arange(self.size) >= self.size * 5 // 8  # the rows
        return {"a scratch": scratch(self.size), "lower third": ~below[:, None].repeat(self.size, 1),
                **{name: known.numpy() for name, known in preset_masks(self.size).items()}}

    def complete(self, image: np.ndarray, known: np.ndarray, count: int, seed: int) -> Iterator[Progress]:
        """`count` completions in raster order: `images` (1, count, H, W, 3). Raises Busy and UserError."""
        if known.all():
            raise UserError("Nothing is missing: brush a part of the picture away first.")

        def begin(model: GatedPixelCNN):
            return complete(model, to_tensor(image)[0], torch.from_numpy(known), count, seed=seed)

        return self.service.serve(self.model_name, begin, 1)

    def fill(self, image: np.ndarray, known: np.ndarray, count: int, seed: int) -> Iterator[Progress]:
        """`count` completions by the chain: `images` (1, count, s, s, 3), which grow. Raises Busy and UserError."""
        if known.all():
            raise UserError("Nothing is missing: brush a part of the picture away first.")
        if self.chain_name is None:
            raise UserError("There is no chain for pictures of this size.")

        def begin(chain: Chain) -> Iterator[torch.Tensor]:
            row = size = 0
            for pictures in inpaint(chain, to_tensor(image).repeat(count, 1, 1, 1), torch.from_numpy(known), seed=seed):
                row, size = (row + 1, size) if max(pictures) == size else (0, max(pictures))
                yield preview(pictures, row)

        steps = 1 + sum(self.service.info(self.chain_name).sizes[1:])  # the smallest picture at once, then row by row
        return self.service.serve(self.chain_name, begin, 1, steps)

    def weigh(self, images: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """How well completions (K, H, W, 3) explain the known pixels after the hole: the bits these cost, (K,); the
        weights, (K,), which sum to 1; and the effective sample size."""
        log_w = log_weights(self.service.model(self.model_name), to_tensor(images), torch.from_numpy(known))
        weights = normalise(log_w)
        return -log_w.numpy() / np.log(2), weights.numpy(), effective_sample_size(weights)

    def damaged(self, image: np.ndarray, what: Damage) -> np.ndarray:
        """The damaged picture to look at, uint8 (H, W, 3); missing pixels are mid-grey."""
        return to_array(visible(self._map(image, what), 256))

    def repaired(self, image: np.ndarray, what: Damage) -> np.ndarray:
        """The repair without a model, uint8 (H, W, 3)."""
        return to_array(repair(self._map(image, what), 256, what.kind))

    def restore(self, image: np.ndarray, what: Damage, count: int, seed: int) -> Iterator[Progress]:
        """`count` restorations: `images` (1, count, H, W, 3). Raises Busy and UserError."""
        if what.kind == "masked" and what.known.all():
            raise UserError("Nothing is missing: brush a part of the picture away first.")
        damaged = self._map(image, what).to(self.service.device).repeat(count, 1, 1, 1)  # (count, 7, H, W)
        return self.service.serve(lambda: self.restorer.decoder, lambda _: self.restorer.restore(damaged, seed=seed), 1)

    def decibels(self, image: np.ndarray, original: np.ndarray, what: Damage) -> float:
        """PSNR of the sub-pixels that were missing; image and original (H, W, 3)."""
        missing = ~known_pixels(self._map(original, what))
        return psnr(to_tensor(image), to_tensor(original), missing, 256)

    def _map(self, image: np.ndarray, what: Damage) -> torch.Tensor:
        return damage(to_tensor(image), 256, what.kind, np.random.default_rng(0),
                      known=torch.from_numpy(what.known), strength=what.strength)


def scratch(size: int) -> np.ndarray:
    """A line across the picture is missing: bool (size, size), which pixels are left."""
    rows, columns = np.mgrid[:size, :size]
    return np.abs(rows - size * 0.3 - columns * 0.35) > size / 32


def sight(known: np.ndarray) -> np.ndarray:
    """Which part of the missing pixels may see each known pixel in raster order: (H, W) from 0 to 1."""
    return raster_sight(torch.from_numpy(known)).numpy()
