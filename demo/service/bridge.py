"""The only bridge between the page and `pixelcnn_core`: tabs call this, and hold no torch.

It finds and loads checkpoints, cleans requests, and streams samples within the rules of a shared machine: one request
at a time (the model uses all cores, two at once would both be slow), a bounded wait for the turn, a wall-clock budget,
and everything is given back when the generator is closed: by the Stop button, a closed tab or a lost connection.
"""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from demo.service.drawing import arranged, draw_rows, noise_of, rows_of
from demo.service.process import trimmer
from demo.service.settings import NO_CLASS, Settings, UserError, clean_settings, number, shorten
from pixelcnn_core.device import choose_device
from pixelcnn_core.models.chain import CHAIN_FILE, Chain, chain_steps, load_model
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.upscaler import Upscaler
from pixelcnn_core.provenance import recipe_of, training_so_far
from pixelcnn_core.results import read_results
from pixelcnn_core.sampling.truncation import Truncation

MODELS = Path(__file__).parents[1] / "assets" / "models"
log = logging.getLogger(__name__)


class Busy(UserError):
    """Another request kept the model for longer than one may be asked to wait."""


@dataclass(frozen=True)
class ModelInfo:
    """What the page says about a checkpoint, read without loading it: its config.json, its results.json, the recipe's
    own words, the minutes of training, earlier runs included (None if not recorded), and its model card in Markdown.
    `sizes` are those of a chain's steps; a single model has one."""

    name: str
    classes: tuple[str, ...]
    sizes: tuple[int, ...]
    channels: int
    levels: int
    embedding: int
    parameters: int
    results: dict
    about: str
    minutes: float | None
    card: str

    @property
    def image_size(self) -> int:
        return self.sizes[-1]

    @property
    def is_chain(self) -> bool:
        return len(self.sizes) > 1

    @property
    def rows(self) -> int:
        """How many rows are drawn, of all sizes together."""
        return sum(self.sizes)


@dataclass(frozen=True)
class Progress:
    """A moment of a request. `images` are (groups, per group, H, W, C) uint8 from 0 to 255, of which `row` of `rows`
    rows are drawn; those of a chain are whole and grow, its rows are those of all sizes, and `row_of_size` counts those
    of the size that is drawn. `seconds` counts from the start of the work. The last one is "done" or "out of time"."""

    state: Literal["waiting", "sampling", "done", "out of time"]
    images: np.ndarray | None = None
    row: int = 0
    rows: int = 0
    seconds: float = 0.0
    row_of_size: int = 0

    @property
    def place(self) -> str:
        """Where the drawing is: "row 7 of 32", in a chain "16 × 16: row 7 of 16"."""
        size = self.rows if self.images is None else self.images.shape[2]
        if size == self.rows:
            return f"row {self.row} of {self.rows}"
        return f"{size} × {size}: row {self.row_of_size} of {size}"

    @property
    def shown_rows(self) -> int:
        """How many rows of `images` there are to see."""
        height = self.images.shape[2]
        return self.row if self.rows == height else height

    @property
    def images_per_second(self) -> float:
        count = 0 if self.images is None else self.images.shape[0] * self.images.shape[1]
        return count * self.row / max(self.rows, 1) / max(self.seconds, 1e-9)


class Service:
    """The checkpoints below `folder`, one subfolder each, and one turn at a time to sample from them.

    budget    seconds of work for one request
    patience  seconds for which a request may wait for its turn
    """

    def __init__(self, folder: Path | str | None = None, budget: float | None = None, patience: float = 60.0):
        self.folder = Path(folder or os.environ.get("PIXELCNN_MODELS") or MODELS).expanduser()
        self.budget = budget or budget_seconds(os.environ.get("PIXELCNN_BUDGET_SECONDS"))
        self.patience = patience
        self.device = choose_device()
        if not self.folder.is_dir():
            log.error("There is no folder %s: the page opens without models.", self.folder)
        self.infos = {info.name: info for info in map(read_info, sorted(
            {path.parent for pattern in ("*/config.json", f"*/{CHAIN_FILE}") for path in self.folder.glob(pattern)}))
            if info}
        self.left_out = sorted({path.parent.name for path in self.folder.glob("*/*.json")} - set(self.infos))
        self._models: dict[str, GatedPixelCNN | Chain] = {}
        self._loading = threading.Lock()
        self._turn = threading.Lock()
        self._trimmer = trimmer()

    @property
    def names(self) -> list[str]:
        """Names of the checkpoints that know classes, or nothing at all: chains first, then colour models."""
        return self._sorted(name for name, info in self.infos.items() if not info.embedding)

    @property
    def single_names(self) -> list[str]:
        """The same without chains: they have exact likelihoods, and one raster order."""
        return [name for name in self.names if not self.infos[name].is_chain]

    @property
    def colour_name(self) -> str | None:
        """The first single model of colour pictures: the one that the tabs ask which look at one picture."""
        return next((name for name in self.single_names
                     if (self.infos[name].channels, self.infos[name].levels) == (3, 256)), None)

    @property
    def portrait_names(self) -> list[str]:
        """Names of the checkpoints that are conditioned on a face."""
        return self._sorted(name for name, info in self.infos.items() if info.embedding)

    @property
    def chain_names(self) -> list[str]:
        """Names of the chains, those of portraits first."""
        return [name for name in (*self.portrait_names, *self.names) if self.infos[name].is_chain]

    def _sorted(self, names: Iterable[str]) -> list[str]:
        def order(name: str) -> tuple:
            return not self.infos[name].is_chain, -self.infos[name].channels, name

        return sorted(names, key=order)

    @property
    def busy(self) -> bool:
        return self._turn.locked()

    def info(self, name) -> ModelInfo:
        """Raises UserError for a name that is not listed; so no name ever becomes a path."""
        if not self.infos:
            raise UserError(f"No trained model was found in {self.folder.name}/: train one with "
                            "`python -m pixelcnn_core train digits --data data --out demo/assets/models/digits`.")
        if not isinstance(name, str) or name not in self.infos:
            raise UserError(f"There is no model {shorten(name)}; choose one of {', '.join(self.names)}.")
        return self.infos[name]

    def settings(self, model=None, **values) -> Settings:
        """Values of any type -> `Settings` that `stream` accepts; see `clean_settings`. Raises UserError."""
        info = self.info(self.names[0] if model is None and self.names else model)
        return clean_settings(info.name, info.classes, **values)

    def model(self, name: str) -> GatedPixelCNN | Chain:
        """The loaded checkpoint, a chain or a single model; loaded once, whoever asks first. Raises UserError."""
        info = self.info(name)
        with self._loading:
            if info.name not in self._models:
                try:
                    loaded = load_model(self.folder / info.name)
                except CheckpointError as error:
                    log.error("%s", error)
                    raise UserError(f"The model {info.name} cannot be loaded: its files are damaged.") from error
                self._models[info.name] = loaded.to(self.device)
            return self._models[info.name]

    def stream(self, settings: Settings) -> Iterator[Progress]:
        """Sample the classes, row by row. Close the generator to stop. Raises Busy and UserError."""
        return self.serve(settings.model, lambda model: self.rows(model, settings), len(settings.classes))

    def serve(self, name: str | Callable[[], GatedPixelCNN], start: Callable[[GatedPixelCNN], Iterator[torch.Tensor]],
              groups: int, steps: int | None = None) -> Iterator[Progress]:
        """Wait for the turn, then run `start(model)`, a sampling generator of `groups` equal groups of images.

        `name` is that of a checkpoint, or a function that gives the model, called once the turn has come: the decoder
        of an auto-encoder is no checkpoint of its own. `steps` is how often the generator yields: once per row unless
        given. Close the generator to stop. Raises Busy and UserError.
        """
        asked = time.monotonic()
        while not self._turn.acquire(timeout=0.25):
            if time.monotonic() - asked > self.patience:
                raise Busy("The model is busy with other requests: please try again in a moment.")
            yield Progress("waiting", seconds=time.monotonic() - asked)
        rows = None
        try:
            model = name() if callable(name) else self.model(name)
            rows = start(model)
            started, row, height = time.monotonic(), 0, steps or rows_of(model)
            size = of_size = 0
            for row, drawn in enumerate(rows, 1):
                of_size, size = (of_size + 1, size) if drawn.shape[-1] == size else (1, drawn.shape[-1])
                images = to_arrays(drawn, groups, model.config.levels)
                seconds = time.monotonic() - started
                late = row < height and seconds > self.budget
                yield Progress("done" if row == height else "out of time" if late else "sampling",
                               images, row, height, seconds, of_size)
                if late:
                    break
        finally:
            try:
                if rows is not None:
                    rows.close()
            finally:
                self._release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The turn for short work that has no rows to show. Raises Busy."""
        if not self._turn.acquire(timeout=self.patience):
            raise Busy("The model is busy with other requests: please try again in a moment.")
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        self._turn.release()
        self._trimmer.soon()

    def _slots(self, settings: Settings) -> list[int]:
        """The chosen classes as numbers; "no class" is one more than the last."""
        return [(*self.info(settings.model).classes, NO_CLASS).index(name) for name in settings.classes]

    def condition(self, settings: Settings) -> Condition:
        """What the images of a request are conditioned on: one label per image, class after class."""
        classes = len(self.info(settings.model).classes)
        if not classes:
            return Condition()
        label = torch.tensor([slot if slot < classes else -1 for slot in self._slots(settings)])
        return Condition(label=label.repeat_interleave(settings.images))  # (chosen * n,)

    def rows(self, model: GatedPixelCNN | Chain, settings: Settings) -> Iterator[torch.Tensor]:
        """Image k of a class gets the same noise whichever other classes, and however many images, are chosen."""
        slots, classes = self._slots(settings), len(self.info(settings.model).classes)
        if settings.same_noise:
            noise = arranged(noise_of(model, settings.seed, settings.images),
                             lambda numbers: numbers.repeat(len(slots), 1, 1, 1))  # (chosen * n, C, H, W)
        else:
            def own(numbers: torch.Tensor) -> torch.Tensor:
                numbers = numbers.unflatten(0, (settings.images, -1))[:, slots]  # (n, chosen, C, H, W)
                return numbers.transpose(0, 1).flatten(0, 1)  # (chosen * n, C, H, W)

            noise = arranged(noise_of(model, settings.seed, settings.images * (classes + 1)), own)
        return draw_rows(model, self.condition(settings), noise, temperature=settings.temperature,
                         guidance=settings.guidance if classes else 1.0, truncation=Truncation(min_p=settings.min_p))


def budget_seconds(text: str | None, otherwise: float = 120.0) -> float:
    """What PIXELCNN_BUDGET_SECONDS says; where that is no time to work in, a line in the log and the usual time."""
    if not text:
        return otherwise
    if (seconds := number(text, 0, math.inf, 0)) > 0:
        return seconds
    log.error("PIXELCNN_BUDGET_SECONDS is a number of seconds above 0, not %s: it stays at %.0f.", shorten(text),
              otherwise)
    return otherwise


def to_arrays(images: torch.Tensor, groups: int, levels: int) -> np.ndarray:
    """uint8 (groups * n, C, H, W) in [0, levels) -> uint8 (groups, n, H, W, C) from 0 to 255."""
    bright = images.cpu().numpy().astype(np.float32) * (255 / (levels - 1))
    bright = bright.round().astype(np.uint8).transpose(0, 2, 3, 1)  # (groups * n, H, W, C)
    return bright.reshape(groups, -1, *bright.shape[1:])


def about(recipe: dict, sizes: list[int]) -> str:
    """A recipe's own words; of a chain what it is."""
    if len(sizes) == 1:
        return str(recipe.get("about", ""))
    return f"Coarse to fine, on {', '.join(f'{size} × {size}' for size in sizes)} pixels, each step a PixelCNN."


def read_info(folder: Path) -> ModelInfo | None:
    """What a checkpoint folder says about itself; None, and a line in the log, where it cannot be read."""
    try:
        steps = [folder / step for step in chain_steps(folder)] if (folder / CHAIN_FILE).is_file() else [folder]
        kinds = [GatedPixelCNN] + [Upscaler] * (len(steps) - 1)
        inspected = [kind.inspect(step) for kind, step in zip(kinds, steps)]
        config, parameters = inspected[0][0], sum(count for _, count in inspected)
        results, recipe = read_results(folder), recipe_of(folder)
        minutes = sum(training_so_far(step)["seconds"] for step in steps) / 60
        card = (folder / "README.md").read_text(encoding="utf-8") if (folder / "README.md").is_file() else ""
    except Exception as error:  # whatever a file can hold
        log.error("%s is left out: %s: %s", folder, type(error).__name__, error)
        return None
    return ModelInfo(folder.name, config.class_names or tuple(map(str, range(config.classes))),
                     tuple(step.image_size for step, _ in inspected), config.channels, config.levels,
                     config.embedding, parameters, results,
                     about(recipe, [step.image_size for step, _ in inspected]), minutes or None, card)
