"""Coarse to fine: a picture as a chain of Conditional PixelCNNs.

    p(x8 | h) p(x16 | x8, h) p(x32 | x16, h) ...      each picture is the mean of every 2 x 2 pixels of the next one

A raster-order model has to carry what the picture shows through thousands of steps. In a chain the first step settles
it on 8 x 8 pixels, and each next one sees the whole smaller picture while it draws. Since a smaller picture is a
function of the larger one, the product of the factors is p(x, its smaller pictures) and so a lower bound of p(x):
`bits` are "at most" figures, and do not stand beside those of a single model without that word.

A chain is a folder with `chain.json`, which names one checkpoint folder per step, the smallest first; a step may be
another chain's. It may name a `coarsest_min_p`, too: see `Chain`. Each step is trained and loaded alone.

References: multi-scale PixelRNN (van den Oord et al., 2016, arXiv 1601.06759); parallel multiscale PixelCNN (Reed et
al., 2017, arXiv 1703.03664); subscale pixel networks (Menick and Kalchbrenner, 2018, arXiv 1812.01608); conditioning
augmentation (Ho et al., 2022, arXiv 2106.15282).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pixelcnn_core.files import replacing
from pixelcnn_core.kinds import kind_named, load
from pixelcnn_core.models.base import Drawing
from pixelcnn_core.models.checkpoint import CONFIG_FILE, WEIGHTS_FILE, CheckpointError, find_file, model_type
from pixelcnn_core.models.conditioning import Condition, ConditionLike, as_condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.images import as_images
from pixelcnn_core.models.upscaler import Upscaler, halved

if TYPE_CHECKING:
    import numpy as np

    from pixelcnn_core.sampling.images import Images

CHAIN_FILE = "chain.json"


class Chain(Drawing):
    """Steps of doubling size: a `GatedPixelCNN`, then `Upscaler`s. `sample` and `inpaint` draw its largest pictures.

    coarsest_min_p  the strongest min-p of the first step where one truncation is asked for (`by_step`), chosen on
                    validation data: it settles what is in the picture, and may need more freedom than the finer ones
    Raises ValueError for steps that do not fit.
    """

    def __init__(self, steps: Sequence[GatedPixelCNN | Upscaler], coarsest_min_p: float = 0.0):
        if not steps or not isinstance(steps[0], GatedPixelCNN):
            raise ValueError("a chain begins with a GatedPixelCNN")
        for previous, step in zip(steps, steps[1:]):
            a, b = previous.config, step.config
            if not isinstance(step, Upscaler) or b.image_size != 2 * a.image_size:
                raise ValueError(f"after the step of {a.image_size} pixels comes an Upscaler to {2 * a.image_size}")
            if (a.channels, a.levels) != (b.channels, b.levels):
                raise ValueError("all steps of a chain have the same channels and levels")
        for step in steps[1:]:
            for name in ("classes", "embedding"):
                if getattr(step.config, name) not in (0, getattr(steps[0].config, name)):
                    raise ValueError(f"the step of {step.config.image_size} pixels has other {name} than the first one")
        self.steps, self.coarsest_min_p = list(steps), coarsest_min_p

    @classmethod
    def from_pretrained(cls, folder: str | Path, size: int | None = None, *,
                        map_location: str | torch.device = "cpu", **options) -> "Chain":
        """The chain in a folder or on the Hub, up to the step of `size` pixels. Raises CheckpointError.

        map_location, options: as in `GatedPixelCNN.from_pretrained`
        """
        told = read_chain(folder, **options)
        names = told["steps"]
        kinds = [GatedPixelCNN] + [Upscaler] * (len(names) - 1)
        try:
            steps = []
            for kind, name in zip(kinds, names):
                files = [find_file(folder, f"{name}/{file}", **options) for file in (CONFIG_FILE, WEIGHTS_FILE)]
                steps.append(kind.from_pretrained(files[0].parent, map_location=map_location))
                if steps[-1].config.image_size == size:
                    break
            return cls(steps, told.get("coarsest_min_p", 0.0))
        except CheckpointError:
            raise
        except ValueError as error:
            raise CheckpointError(f"{folder} is not a chain: {error}") from error

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the chain: `chain.json`, and a checkpoint folder for each step, called by its size. Raises
        CheckpointError."""
        for size, step in zip(self.sizes, self.steps):
            step.save_pretrained(Path(folder, str(size)))
        told = {"steps": [str(size) for size in self.sizes], "coarsest_min_p": self.coarsest_min_p}
        try:
            with replacing(Path(folder, CHAIN_FILE)) as path:
                path.write_text(json.dumps(told) + "\n", encoding="utf-8")
        except OSError as error:
            raise CheckpointError(str(error)) from error

    @property
    def config(self):
        """The first step's configuration: classes, embedding, encoder, channels, levels."""
        return self.steps[0].config

    @property
    def sizes(self) -> list[int]:
        """Height and width at every step, the smallest first."""
        return [step.config.image_size for step in self.steps]

    @property
    def size(self) -> int:
        """Height and width of the largest pictures."""
        return self.sizes[-1]

    def to(self, *args, **kwargs) -> "Chain":
        """Move every step, as `torch.nn.Module.to` does; returns the chain itself."""
        for step in self.steps:
            step.to(*args, **kwargs)
        return self

    def pyramid(self, images: "Tensor | np.ndarray | Images") -> dict[int, Tensor]:
        """The pictures of all sizes of images (B, C, H, W) of the largest: {size: uint8 (B, C, size, size)}.

        Raises ValueError for what are no images of that size.
        """
        config = self.config
        images = as_images(images, config.channels, config.levels)
        if images.shape[1:] != (config.channels, self.size, self.size):
            raise ValueError(f"the chain is for images of shape {(config.channels, self.size, self.size)}, "
                             f"not {tuple(images.shape[1:])}")
        pictures = {self.size: images}
        for size in reversed(self.sizes[:-1]):
            pictures[size] = halved(pictures[2 * size])
        return {size: pictures[size] for size in self.sizes}

    @torch.no_grad()
    def bits(self, images: "Tensor | np.ndarray | Images", condition: ConditionLike = None) -> dict[int, Tensor]:
        """-log2 of every step's factor, {size: (B,)} bits of whole pictures. Their sum is at most what x needs."""
        found, condition = {}, as_condition(condition, self.config.class_names)
        for step, (size, picture) in zip(self.steps, self.pyramid(images).items()):
            bits_per_dim = step.bits_per_dim(picture, taken(condition, step))
            found[size] = bits_per_dim * picture[0].numel()
        return found


def is_chain(checkpoint: str | Path, **options) -> bool:
    """Whether a checkpoint folder, or a repository on the Hub, holds a chain."""
    try:
        return find_file(checkpoint, CHAIN_FILE, **options).is_file()
    except CheckpointError:
        return False


def load_model(folder: str | Path, *, map_location: str | torch.device = "cpu", **options) -> GatedPixelCNN | Chain:
    """The chain or the single model in a checkpoint folder or on the Hub; bundled ones, as
    "demo/assets/models/cifar10", are found from anywhere. Raises CheckpointError.

    map_location  the device it goes to, as "cuda"
    options       for the Hub: revision, token, cache_dir, force_download, local_files_only
    """
    kind = Chain if is_chain(folder, **options) else class_of(folder, **options)
    return kind.from_pretrained(folder, map_location=map_location, **options)


def class_of(folder: str | Path, **options) -> type[GatedPixelCNN]:
    """The class of the single model in a checkpoint: a Gated PixelCNN, or one of the paper's rivals that is drawn from
    as it is. What else there may be, its loader says."""
    row = kind_named(model_type(folder, **options))
    kind = load(row.model) if row else GatedPixelCNN
    return kind if issubclass(kind, GatedPixelCNN) else GatedPixelCNN


def taken(condition: Condition | None, step: GatedPixelCNN | Upscaler) -> Condition:
    """The part of `h` that a step is conditioned on: a step that it shares with another chain may take none."""
    condition, config = condition or Condition(), step.config
    return Condition(label=condition.label if config.classes else None,
                     embedding=condition.embedding if config.embedding else None)


def chain_steps(folder: str | Path, **options) -> list[str]:
    """The folders named in a chain.json, relative to it. Raises CheckpointError."""
    return read_chain(folder, **options)["steps"]


def read_chain(folder: str | Path, **options) -> dict:
    """What a chain.json says: the folders of its "steps", and "coarsest_min_p" if it is there. Raises
    CheckpointError."""
    path = find_file(folder, CHAIN_FILE, **options)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        names, coarsest = told["steps"], told.get("coarsest_min_p", 0.0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} does not name the steps of a chain ({type(error).__name__})") from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise CheckpointError(f"{path} does not name the steps of a chain")
    if type(coarsest) not in (int, float) or not 0 <= coarsest <= 1:
        raise CheckpointError(f"{path}: coarsest_min_p is a number from 0 to 1, not {coarsest!r:.40}")
    return told
