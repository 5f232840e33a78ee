"""Training: maximise the likelihood, by Adam, with a running average of the weights (EMA), on Hugging Face Accelerate.

What a step does is a function of (recipe, step): the images, their flips and damage, the dropped conditions and the
dropout all come from generators seeded by the step. So a run that was killed and resumed goes on as if nothing had
happened, and two processes take the same steps as one. The learning rate follows progress = max(step / steps,
minutes / max_minutes): a run cut short by --max-minutes still ends with its cosine decay.
"""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn
from tqdm import tqdm

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.device import can_compile, fast_bf16
from pixelcnn_core.models.checkpoint import WEIGHTS_FILE
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.provenance import origin
from pixelcnn_core.results import read_json
from pixelcnn_core.training.batches import batch_of
from pixelcnn_core.training.log import EVERY, TrainingLog
from pixelcnn_core.training.recipe import Recipe
from pixelcnn_core.training.start import start
from pixelcnn_core.training.state import (
    STATE_FILE,
    Run,
    TrainingError,
    check_folder,
    check_minutes,
    clear,
    earlier,
    lock,
    publish,
)
from pixelcnn_core.training.stop import StopSignals, TrainingStopped


class Loss(nn.Module):
    """The mean of a model's `losses` as a module, so that Accelerate (and DistributedDataParallel) can wrap it."""

    def __init__(self, model: nn.Module, bf16: bool = False):
        super().__init__()
        self.model, self.bf16 = model, bf16

    def forward(self, images: Tensor, condition: Condition, kept: Tensor) -> Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bf16):
            return self.model.losses(images, condition, kept).mean()


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine to zero at progress = 1, or no change."""
    warm_up = min(1.0, (step + 1) / recipe.warm_up) if recipe.warm_up else 1.0
    decay = 0.5 + 0.5 * math.cos(math.pi * min(progress, 1.0)) if recipe.cosine else 1.0
    return recipe.learning_rate * warm_up * decay


def train(recipe: Recipe, data_dir: str | Path, out: str | Path, *, resume: bool = False, overwrite: bool = False,
          init: str | None = None, max_minutes: float | None = None, checkpoint_minutes: float = 2.0,
          download: bool = False, race_clock: Callable[[], float] | None = None,
          go_on: str = "go on with --resume") -> Path:
    """Train a recipe and write a checkpoint folder `out`.

    resume       go on from the state in `out`, if there is one
    overwrite    replace the run or the model in `out`, and what was measured of it
    init         start from the weights of another checkpoint (fp16 weights are enough), with a fresh schedule
    max_minutes  stop after so much training time, with the learning rate decayed by then
    race_clock   seconds by this clock instead of the wall's, and none for saving and scoring the model
    go_on        what a run that was stopped tells its user to do
    Raises RecipeError, DataError or TrainingError, the last also where the loss is no number any more; TrainingStopped
    after Ctrl-C or SIGTERM, when all is saved; OSError where `out` cannot be written.
    """
    out = Path(out)
    check_minutes(max_minutes)
    # With skip connections nothing reads the last layer's residual output, so its weights get no gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    accelerator = Accelerator(kwargs_handlers=[unused])
    if recipe.batch % accelerator.num_processes:
        raise TrainingError(f"a batch of {recipe.batch} cannot be shared by {accelerator.num_processes} processes")
    out.mkdir(parents=True, exist_ok=True)
    with lock(out, accelerator):
        check_folder(out, recipe, resume, overwrite)
        if resume and not (out / STATE_FILE).exists() and (out / WEIGHTS_FILE).exists():
            init = init or str(out)  # only the published weights are left: a fresh schedule from them
        with accelerator.main_process_first():
            data = load_data(recipe.data, data_dir, "train", recipe.size, download, recipe.encoder)
        held_out = load_data(recipe.data, data_dir, "validation", recipe.size, encoder=recipe.encoder)
        if recipe.unconditional:
            data, held_out = data.unconditional(), held_out.unconditional()
        run = start(recipe, recipe.config(data), init, accelerator.device)
        facts = {"max_minutes": max_minutes, "before": earlier(init) if init else None,
                 "trunk": earlier(recipe.trunk) if recipe.trunk and not init else None,
                 **origin(accelerator.device, processes=accelerator.num_processes)}
        if overwrite and accelerator.is_main_process:
            clear(out)
        if resume and (out / STATE_FILE).exists():
            run.load(out / STATE_FILE)
            begun = read_json(out / "training.json")  # a run that goes on still began where it began
            facts |= {key: begun.get(key) for key in ("before", "trunk")}
        take_steps(run, recipe, data.to(accelerator.device), held_out, out, accelerator, facts, checkpoint_minutes,
                   race_clock, go_on)
    accelerator.end_training()
    return out


def take_steps(run: Run, recipe: Recipe, data: ImageData, held_out: ImageData, out: Path, accelerator: Accelerator,
               facts: dict, checkpoint_minutes: float, race_clock: Callable[[], float] | None,
               go_on: str) -> None:
    """Train until the recipe's steps or its minutes are over, or somebody asks to stop; what is left in `out` is whole
    at every moment. Raises TrainingError and TrainingStopped."""
    bf16, compiled = what_the_device_has(recipe, accelerator)
    loss_module = Loss(run.model, bf16)
    loss_module = accelerator.prepare(torch.compile(loss_module) if compiled else loss_module)
    log = TrainingLog(out, run.step, run.average.loss_name) if accelerator.is_main_process else None
    processes, process = accelerator.num_processes, accelerator.process_index
    cuda = [accelerator.device] if accelerator.device.type == "cuda" else []
    per_epoch = max(1, len(data) // recipe.batch)
    budget = facts["max_minutes"] * 60 if facts["max_minutes"] else math.inf
    facts = {**facts, "bf16": bf16, "compile": compiled}
    clock, loss_before = race_clock or time.monotonic, torch.zeros(())
    bar = tqdm(total=recipe.steps, initial=run.step, desc=recipe.name, unit="step", disable=not log,
               mininterval=0.5 if sys.stderr.isatty() else 30)
    run.model.train()
    with bar, StopSignals() as stop, torch.random.fork_rng(devices=cuda):
        if compiled:  # by the first pass: minutes that are not training
            accelerator.backward(loss_module(*batch_of(recipe, data, run.step, process, processes)))
        last_save, before, begun, asked = clock(), run.seconds, clock(), 0
        while run.step < recipe.steps and run.seconds < budget and not asked:
            rate = learning_rate(recipe, run.step, max(run.step / recipe.steps, run.seconds / budget))
            for optimiser in run.optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = rate * group["share"]
            images, condition, kept = batch_of(recipe, data, run.step, process, processes)
            torch.manual_seed(hash((recipe.seed, run.step, process)) % 2 ** 63)  # dropout, inside fork_rng
            loss = loss_module(images, condition, kept)
            run.update(loss, accelerator, recipe.clip, recipe.ema)
            run.seconds, asked = same_on_all(accelerator, before + clock() - begun, stop.signal)
            loss = accelerator.reduce(loss.detach(), "mean")
            bar.update()
            finished = run.step >= recipe.steps or run.seconds >= budget
            save = finished or asked or clock() - last_save > checkpoint_minutes * 60
            # a GPU is still at this step: its loss is waited for where it is written, and looked at one step later
            now = save or run.step % EVERY == 0
            expect_finite(loss if now else loss_before, run.step if now else run.step - 1, out)
            loss_before = loss
            if log and (value := log.step(run, loss, recipe.batch, rate, finished or bool(asked))):
                bar.set_postfix_str(f"{run.average.loss_name} {value:.4g}")
            if log and save:
                paused = clock()
                if not run.is_sound():
                    raise diverged(f"after step {run.step} the weights are beyond half precision", out)
                run.save(out / STATE_FILE)
                publish(run, recipe, out, facts)
                log.validate(run, held_out, recipe.validate)
                last_save = clock()
                begun += last_save - paused if race_clock else 0
            if log and recipe.sample and (finished or run.step % per_epoch == 0):
                log.sample_grid(run, held_out, run.step // per_epoch)
    accelerator.wait_for_everyone()
    if asked and not finished:
        raise TrainingStopped(f"stopped after step {run.step:,} of {recipe.steps:,}, and saved in {out}: {go_on}",
                              asked)


def what_the_device_has(recipe: Recipe, accelerator: Accelerator) -> tuple[bool, bool]:
    """Whether the run uses bfloat16 and torch.compile: where the recipe asks for them and the device has them. What is
    asked for and not had is said in one line."""
    bf16, compiled = (asked and had(accelerator.device)
                      for asked, had in ((recipe.bf16, fast_bf16), (recipe.compile, can_compile)))
    missing = [name for name, asked, used in (("bfloat16", recipe.bf16, bf16),
                                              ("torch.compile", recipe.compile, compiled)) if asked and not used]
    if missing and accelerator.is_main_process:
        print(f"{recipe.name}: trained without {' and '.join(missing)}, which {accelerator.device} does not have here",
              file=sys.stderr)
    return bf16, compiled


def expect_finite(loss: Tensor, step: int, out: Path) -> None:
    """Raises TrainingError where the loss of a step, (), is no number: no later one will be."""
    if not math.isfinite(value := loss.item()):
        raise diverged(f"at step {step} the loss is {value}", out)


def diverged(what: str, out: Path) -> TrainingError:
    kept = f"the state in {out} is that of an earlier step" if (out / STATE_FILE).exists() else "nothing was saved"
    return TrainingError(f"training diverged: {what}; {kept}; a smaller learning rate may help")


def same_on_all(accelerator: Accelerator, seconds: float, asked: int) -> tuple[float, int]:
    """The main process's clock, and the signal that asked it to stop, so that all processes end at the same step."""
    if accelerator.num_processes == 1:
        return seconds, asked
    told = torch.tensor([seconds, asked], dtype=torch.float64, device=accelerator.device)
    torch.distributed.broadcast(told, 0)
    return float(told[0]), int(told[1])
