"""What a run keeps on disk: the state that it goes on from, and the checkpoint that it publishes.

A kill at any moment leaves a whole state behind, and with it the run ends as if nothing had happened.
"""

import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator, PartialState
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from pixelcnn_core.files import replacing
from pixelcnn_core.models.chain import CHAIN_FILE
from pixelcnn_core.models.checkpoint import CONFIG_FILE, WEIGHTS_FILE, locate
from pixelcnn_core.provenance import recipe_of, training_so_far
from pixelcnn_core.results import write_json
from pixelcnn_core.training.recipe import Recipe

STATE_FILE, LOCK_FILE = "training_state.safetensors", ".training.lock"
PUBLISHED = (CONFIG_FILE, WEIGHTS_FILE, "recipe.json", "training.json")
EARLIER = (*PUBLISHED, STATE_FILE, "training.csv", "training.png", "samples", "samples.png", "README.md",
           "results.json", "quality.json", "codes.json", "benchmark.json", "codec.json", "ablation.json",
           "training_speed.json", "inpainting.json", "curve.png")  # what a run, and commands after it, leave


class TrainingError(ValueError):
    """A run that cannot start or go on; the message is one sentence."""


def check_minutes(minutes: float | None) -> None:
    """Raises TrainingError for a time limit that leaves no time."""
    if minutes is not None and not minutes > 0:
        raise TrainingError(f"the minutes of training must be above 0, not {minutes:g}")


@dataclass
class Run:
    """Everything that a training state on disk restores."""

    model: nn.Module
    average: nn.Module  # the EMA weights: what is evaluated and published
    optimisers: list[torch.optim.Optimizer]
    step: int = 0
    seconds: float = 0.0  # of training, over all starts

    def save(self, path: Path) -> None:
        """Raises OSError where there is no room for it."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for which, optimiser in enumerate(self.optimisers):
            for index, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{which}.{index}.{k}": v for k, v in moments.items()}
        tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        with replacing(path) as temporary:
            save_file(tensors, temporary, {"step": str(self.step), "seconds": str(self.seconds)})

    def load(self, path: Path) -> None:
        """Raises TrainingError if the file is damaged or belongs to another recipe."""
        try:
            tensors = load_file(path)
            with safe_open(path, "pt") as file:
                numbers = file.metadata()
            self.model.load_state_dict(_part(tensors, "model."))
            self.average.load_state_dict(_part(tensors, "average."))
            for which, optimiser in enumerate(self.optimisers):
                state: dict[int, dict[str, Tensor]] = {}
                for name, tensor in _part(tensors, f"optimiser.{which}.").items():
                    index, moment = name.split(".")
                    state.setdefault(int(index), {})[moment] = tensor
                optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
            self.step, self.seconds = int(numbers["step"]), float(numbers["seconds"])
        except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise TrainingError(f"cannot resume from {path}: it is damaged or of another recipe ({reason})") from error

    def update(self, loss: Tensor, accelerator: Accelerator, clip: float, ema: float) -> None:
        """One step down the gradient of `loss`."""
        self.model.zero_grad()
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(self.model.parameters(), clip)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self.update_average(ema)

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """The running average, by torch's own function. Its `AveragedModel` has one decay for all steps, and would wrap
        the names of the weights that are saved."""
        decay = min(decay, (1 + self.step) / (10 + self.step))  # short memory at the start
        get_ema_multi_avg_fn(decay)(list(self.average.parameters()), list(self.model.parameters()), self.step)
        for average, newest in zip(self.average.buffers(), self.model.buffers()):
            average.copy_(newest)  # counters and running statistics are not averaged

    def is_sound(self) -> bool:
        """Whether the weights are numbers that half precision can hold: a state that is not must not replace one
        that is."""
        return all(bool((p.abs() <= torch.finfo(torch.float16).max).all()) for p in self.model.parameters())


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def lock(out: Path, accelerator: Accelerator | PartialState) -> AbstractContextManager:
    """Keeps other processes from training in the folder. The system drops it with the process, however that ends.

    Raises TrainingError where another process holds it.
    """
    if not accelerator.is_main_process:
        return nullcontext()
    try:
        return FileLock(out / LOCK_FILE, timeout=0).acquire()
    except Timeout as error:
        raise TrainingError(f"{out} is being trained by another process") from error


def check_folder(out: Path, recipe: Recipe, resume: bool, overwrite: bool) -> None:
    """Raises TrainingError where a run would mix with, or replace, what is in the folder and nobody said so."""
    state, weights = out / STATE_FILE, out / WEIGHTS_FILE
    if (out / CHAIN_FILE).exists():
        raise TrainingError(f"{out} holds a chain: choose the folder of one of its steps, or another --out")
    if resume and overwrite:
        raise TrainingError("--resume goes on and --overwrite begins again: choose one")
    if state.exists() and not (resume or overwrite):
        raise TrainingError(f"{out} already holds a run; continue it with --resume or choose another --out")
    if weights.exists() and not (resume or overwrite):
        raise TrainingError(f"{out} already holds a trained model: --overwrite replaces it and what was measured of "
                            "it, --resume goes on from its weights, or choose another --out")
    if resume and state.exists() and (batch := recipe_of(out).get("batch", recipe.batch)) != recipe.batch:
        raise TrainingError(f"{out} was trained with {batch} images a step, the recipe has {recipe.batch}")


def clear(out: Path) -> None:
    """Remove an earlier run and what was measured and drawn of it."""
    for path in (*(out / name for name in EARLIER), *out.glob("stored_*")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def earlier(init: str) -> dict:
    """The training behind the weights that a run starts from, and its recipe."""
    return {**training_so_far(locate(init)), "recipe": recipe_of(init).get("name")}


def publish(run: Run, recipe: Recipe, out: Path, facts: dict) -> None:
    """Write the checkpoint proper: the averaged weights as fp16, their configuration, the recipe, and how it went."""
    temporary = out / "publishing"
    run.average.save_pretrained(temporary)
    write_json(temporary / "recipe.json", recipe.to_dict())
    facts = {"steps": run.step, "images": run.step * recipe.batch, "seconds": round(run.seconds, 1), **facts}
    write_json(temporary / "training.json", facts)
    for name in PUBLISHED:
        os.replace(temporary / name, out / name)
    for left in temporary.iterdir():  # the mixin's own README; ours is written by `card`
        left.unlink()
    temporary.rmdir()
