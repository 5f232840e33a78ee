"""Finished images, and the two verbs that give them: `model.sample(...)` and `model.inpaint(...)`."""

from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pixelcnn_core.files import replacing
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.conditioning import Condition, Labels, as_condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.images import as_images, as_mask
from pixelcnn_core.sampling.coarse_to_fine import draw_batches
from pixelcnn_core.sampling.truncation import PAPER

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")


@dataclass(frozen=True, repr=False)
class Images:
    """A batch of finished images: uint8 (N, C, H, W) with values below `levels`, on the CPU."""

    tensor: Tensor
    levels: int = 256

    def __repr__(self) -> str:
        return f"Images({' x '.join(map(str, self.tensor.shape))}, {self.levels} levels)"

    def __len__(self) -> int:
        return len(self.tensor)

    def __getitem__(self, index) -> "Images":
        """Some of them: a number, a slice, a list or an index tensor."""
        picked = self.tensor[index]
        return Images(picked if picked.ndim == 4 else picked[None], self.levels)

    def to_pil(self, scale: int = 1) -> list["Image.Image"]:
        """One RGB picture each, every pixel enlarged to scale x scale."""
        from pixelcnn_core.figures import image_grid

        return [image_grid(image[None], 1, self.levels, scale) for image in self.tensor]

    def grid(self, columns: int | None = None, scale: int | None = None) -> "Image.Image":
        """All of them in one picture, row by row: by default at most 8 a row, and none below 64 pixels wide."""
        from pixelcnn_core.figures import image_grid

        scale = scale or max(1, 64 // self.tensor.shape[-1])
        return image_grid(self.tensor, min(columns or 8, len(self)), self.levels, scale)

    def save(self, path: str | Path, columns: int | None = None, scale: int | None = None) -> Path:
        """Write the grid to a .png, .webp or .jpg file. Raises ValueError."""
        path = Path(path)
        if path.suffix.lower() not in SUFFIXES or not path.parent.is_dir():
            raise ValueError(f"images are saved to a {', '.join(SUFFIXES)} file in a folder that is there, not {path}")
        picture = self.grid(columns, scale)
        with replacing(path) as place:
            picture.save(place)
        return path

    def _repr_png_(self) -> bytes:
        """How a notebook shows them."""
        return self.grid()._repr_png_()


def sample_images(model: GatedPixelCNN | Chain, labels: Labels | None = None, *, condition: Condition | None = None,
                  n: int | None = None, seed: int = 0, size: int | tuple[int, int] | None = None,
                  given: "Tensor | np.ndarray | Images | None" = None, batch: int = 100, **settings) -> Images:
    """See `Drawing.sample` in models/base.py. Raises ValueError."""
    check_counts(n, batch)
    h = told(model, labels, condition)
    if given is not None and isinstance(model, Chain):
        given = as_images(given, model.config.channels, model.config.levels)
    own = {} if given is None else {"given": given}
    if isinstance(model, Chain) and size is not None or not isinstance(model, Chain) and own:
        raise ValueError("size is for a single model, given for a chain")
    own |= {} if size is None else {"size": size}
    entries = together(1 if given is None else len(given), h)
    if given is not None and len(given) > 1:
        own["given"] = given.repeat_interleave(n or 1, 0)
    return drawn(model, h, entries * (n or 1), seed, batch, own, settings)


def inpaint_images(model: GatedPixelCNN | Chain, image: Tensor | np.ndarray | Images, known: Tensor | np.ndarray,
                   labels: Labels | None = None, *, condition: Condition | None = None, n: int = 1, seed: int = 0,
                   batch: int = 100, **settings) -> Images:
    """See `Drawing.inpaint` in models/base.py. Raises ValueError."""
    check_counts(n, batch)
    h = told(model, labels, condition)
    image, known = as_images(image, model.config.channels, model.config.levels), as_mask(known)
    if known.ndim == 2:
        known = known[None]
    if known.ndim != 3 or known.shape[1:] != image.shape[2:] or len(known) not in (1, len(image)):
        raise ValueError(f"the mask of known pixels has shape {tuple(known.shape)}, the images {tuple(image.shape)}")
    pictures = together(len(image), h)
    own = {"image": image.expand(pictures, -1, -1, -1).repeat_interleave(n, 0),
           "known": known.expand(pictures, -1, -1).repeat_interleave(n, 0)}
    own |= {} if isinstance(model, Chain) else {"size": tuple(image.shape[2:])}
    return drawn(model, h, pictures * n, seed, batch, own, settings)


def check_counts(n: int | None, batch: int) -> None:
    """Raises ValueError for numbers of images that are none."""
    if any(not isinstance(count, Integral) or count < 1 for count in (1 if n is None else n, batch)):
        raise ValueError(f"n and batch are whole numbers of at least 1, not {n} and {batch}")


def together(pictures: int, h: Condition) -> int:
    """How many there are, where one picture or one condition is for all of the other. Raises ValueError."""
    if not {pictures, len(h)} <= {0, 1, max(pictures, len(h))}:
        raise ValueError(f"there are {pictures} pictures, and conditions for {len(h)}")
    return max(pictures, len(h))


def told(model: GatedPixelCNN | Chain, labels: Labels | None, condition: Condition | None) -> Condition:
    """The condition, given as such or as labels. Raises ValueError where both are given."""
    if labels is not None and condition is not None:
        raise ValueError("give labels or a condition, not both")
    return as_condition(condition if labels is None else labels, model.config.class_names)


def drawn(model: GatedPixelCNN | Chain, h: Condition, count: int, seed: int, batch: int, own: dict,
          settings: dict) -> Images:
    """Images in batches; each entry of h is for count / len(h) of them. `own` is what is not told by `settings`."""
    if len(h) and len(h) != count:
        h = h[torch.arange(len(h)).repeat_interleave(count // len(h))]
    truncation = settings.pop("truncation", None)
    images = draw_batches(model, h, seed, count=count, batch=batch, **own, **settings,
                          truncation=PAPER if truncation is None else truncation)
    return Images(images, model.config.levels)

