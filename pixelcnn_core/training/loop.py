"""Training: maximise the likelihood, by Adam, with a running average of the weights (EMA), on Hugging Face Accelerate.

What a step does is a function of (recipe, step): the images, their flips and damage, the dropped conditions and the
dropout all come from generators seeded by the step. So a run that was killed and resumed goes on as if nothing had
happened, and two processes take the same steps as one. The learning rate follows progress = max(step / steps,
minutes / max_minutes): a run cut short by --max-minutes still ends with its cosine decay.
"""

import math
import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from pixelcnn_core.autoencoder.model import load_start
from pixelcnn_core.data.image_data import load_data
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import load_trunk, trunk_parameters
from pixelcnn_core.provenance import commit, hardware, training_so_far, versions
from pixelcnn_core.results import read_json, write_json
from pixelcnn_core.training.batches import batch_of
from pixelcnn_core.training.log import TrainingLog
from pixelcnn_core.training.muon import Muon, hidden_matrices
from pixelcnn_core.training.recipe import MODELS, Recipe

STATE_FILE = "training_state.safetensors"


class TrainingError(ValueError):
    """A run that cannot start or go on; the message is one sentence."""


class Loss(nn.Module):
    """The mean of a model's `losses` as a module, so that Accelerate (and DistributedDataParallel) can wrap it."""

    def __init__(self, model: nn.Module, bf16: bool = False):
        super().__init__()
        self.model, self.bf16 = model, bf16

    def forward(self, images: Tensor, condition: Condition, kept: Tensor) -> Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bf16):
            return self.model.losses(images, condition, kept).mean()


@dataclass
class Run:
    """Everything that a training state on disk restores."""

    model: nn.Module
    average: nn.Module  # the EMA weights: what is evaluated and published
    optimisers: list[torch.optim.Optimizer]
    step: int = 0
    seconds: float = 0.0  # of training, over all starts

    def save(self, path: Path) -> None:
        """Write the state under another name first: a kill at any moment leaves a whole file behind."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for which, optimiser in enumerate(self.optimisers):
            for index, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{which}.{index}.{k}": v for k, v in moments.items()}
        tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        temporary = path.with_suffix(".tmp")
        save_file(tensors, temporary, {"step": str(self.step), "seconds": str(self.seconds)})
        os.replace(temporary, path)

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
        decay = min(decay, (1 + self.step) / (10 + self.step))  # short memory at the start
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def fast_bf16() -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware: most GPUs, and CPUs with AVX512_BF16 or AMX."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}  # from torch 2.11 on
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def can_compile() -> bool:
    """Whether torch.compile has what it needs: a GPU, or on a CPU a C++ compiler and the headers of Python."""
    headers = Path(sysconfig.get_paths()["include"], "Python.h")
    return torch.cuda.is_available() or shutil.which(os.environ.get("CXX", "g++")) is not None and headers.exists()


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine to zero at progress = 1, or no change."""
    warm_up = min(1.0, (step + 1) / recipe.warm_up) if recipe.warm_up else 1.0
    decay = 0.5 + 0.5 * math.cos(math.pi * min(progress, 1.0)) if recipe.cosine else 1.0
    return recipe.learning_rate * warm_up * decay


def train(recipe: Recipe, data_dir: str | Path, out: str | Path, *, resume: bool = False, init: str | None = None,
          max_minutes: float | None = None, checkpoint_minutes: float = 2.0, download: bool = False,
          race_clock: Callable[[], float] | None = None) -> Path:
    """Train a recipe and write a checkpoint folder `out`. Raises RecipeError, DataError or TrainingError.

    resume       go on from the state in `out`, if there is one
    init         start from the weights of another checkpoint (fp16 weights are enough), with a fresh schedule
    max_minutes  stop after so much training time, with the learning rate decayed by then
    race_clock   seconds by this clock instead of the wall's, and none for saving and scoring the model
    """
    out = Path(out)
    # With skip connections nothing reads the last layer's residual output, so its weights get no gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    accelerator = Accelerator(kwargs_handlers=[unused])
    processes, process = accelerator.num_processes, accelerator.process_index
    if recipe.batch % processes:
        raise TrainingError(f"a batch of {recipe.batch} cannot be shared by {processes} processes")
    state_file = out / STATE_FILE
    if state_file.exists() and not resume:
        raise TrainingError(f"{out} already holds a run; continue it with --resume or choose another --out")
    if resume and not state_file.exists() and (out / "model.safetensors").exists():
        init = init or str(out)  # only the published weights are left: a fresh schedule from them
    out.mkdir(parents=True, exist_ok=True)

    with accelerator.main_process_first():
        data = load_data(recipe.data, data_dir, "train", recipe.size, download, recipe.encoder).to(accelerator.device)
    held_out = load_data(recipe.data, data_dir, "validation", recipe.size, encoder=recipe.encoder)
    if recipe.unconditional:
        data, held_out = data.unconditional(), held_out.unconditional()
    config = recipe.config(data)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = MODELS[recipe.kind](config)
    if init:
        start = type(model).from_pretrained(init)
        if start.config != config:
            raise TrainingError(f"{init} is a model of another shape than recipe {recipe.name}")
        model.load_state_dict(start.state_dict())
    else:
        if recipe.trunk:
            load_trunk(getattr(model, "decoder", model), recipe.trunk)
        if recipe.start:
            load_start(model, recipe.start)
    if recipe.frozen:
        for parameter in trunk_parameters(getattr(model, "decoder", model)):
            parameter.requires_grad_(False)
    model = model.to(accelerator.device, memory_format=torch.channels_last)
    average = type(model)(config).to(accelerator.device, memory_format=torch.channels_last).eval()
    average.load_state_dict(model.state_dict())
    run = Run(model, average, make_optimisers(model, recipe))
    if resume and state_file.exists():
        run.load(state_file)
    loss_module = Loss(model, recipe.bf16 and fast_bf16())
    compiled = recipe.compile and can_compile()
    loss_module = accelerator.prepare(torch.compile(loss_module) if compiled else loss_module)

    log = TrainingLog(out, run.step, average.loss_name) if accelerator.is_main_process else None
    facts = {"max_minutes": max_minutes, "before": earlier(init) if init else None,
             "trunk": earlier(recipe.trunk) if recipe.trunk and not init else None,
             "hardware": hardware(accelerator.device, accelerator.num_processes), "commit": commit(),
             "versions": versions()}
    shape = torch.random.fork_rng(devices=[accelerator.device] if accelerator.device.type == "cuda" else [])
    per_epoch = max(1, len(data) // recipe.batch)
    budget = max_minutes * 60 if max_minutes else math.inf
    clock = race_clock or time.monotonic
    bar = tqdm(total=recipe.steps, initial=run.step, desc=recipe.name, unit="step", disable=not log,
               mininterval=0.5 if sys.stderr.isatty() else 30)
    model.train()
    with shape:
        if compiled:  # by the first pass: minutes that are not training
            accelerator.backward(loss_module(*batch_of(recipe, data, run.step, process, processes)))
        last_save, before, begun = clock(), run.seconds, clock()
        while run.step < recipe.steps and run.seconds < budget:
            rate = learning_rate(recipe, run.step, max(run.step / recipe.steps, run.seconds / budget))
            for optimiser in run.optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = rate * group["share"]
            images, condition, kept = batch_of(recipe, data, run.step, process, processes)
            torch.manual_seed(hash((recipe.seed, run.step, process)) % 2 ** 63)  # dropout, inside fork_rng
            loss = loss_module(images, condition, kept)
            run.update(loss, accelerator, recipe.clip, recipe.ema)
            run.seconds = _same_on_all(accelerator, before + clock() - begun)
            mean_loss = accelerator.reduce(loss.detach(), "mean")
            bar.update()
            finished = run.step >= recipe.steps or run.seconds >= budget
            if log and (value := log.step(run, mean_loss, recipe.batch, rate, finished)):
                bar.set_postfix_str(f"{average.loss_name} {value:.4g}")
            if log and (finished or clock() - last_save > checkpoint_minutes * 60):
                paused = clock()
                run.save(state_file)
                publish(run, recipe, out, facts)
                log.validate(run, held_out, recipe.validate)
                last_save = clock()
                begun += last_save - paused if race_clock else 0
            if log and recipe.sample and (finished or run.step % per_epoch == 0):
                log.sample_grid(run, held_out, run.step // per_epoch)
    bar.close()
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return out


def make_optimisers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Adam for all weights, or Muon for the matrices inside the layers and Adam for the rest.

    `share` is what a group gets of the learning rate. For an encoder that was trained before it is small: Adam's steps
    are of one size however small the gradient, and what a new decoder asks of the code is noise at first.
    """
    matrices = hidden_matrices(getattr(model, "decoder", model)) if recipe.muon else {}
    rest = {id(p) for p in model.parameters()} - {id(p) for group in matrices.values() for p in group}
    terms = {id(p) for name, p in model.named_parameters() if "vector_terms." in name} if recipe.h_rate != 1 else set()
    brought = {id(p) for name, p in model.named_parameters() if recipe.start and not name.startswith("decoder.")}
    groups = [{"params": [p for p in model.parameters() if id(p) in members], "share": share}
              for members, share in ((rest - brought - terms, 1.0), (brought, recipe.start_rate),
                                     (terms - brought, recipe.h_rate)) if members]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, rate, betas=(0.9, 0.99), weight_decay=decay)]
    if matrices:
        optimisers.append(Muon([{"params": group, "rows": rows, "share": recipe.muon}
                                for rows, group in matrices.items()], rate, weight_decay=decay))
    return optimisers


def _same_on_all(accelerator: Accelerator, seconds: float) -> float:
    """The main process's clock, so that all processes stop at the same step."""
    if accelerator.num_processes == 1:
        return seconds
    clock = torch.tensor([seconds], dtype=torch.float64, device=accelerator.device)
    torch.distributed.broadcast(clock, 0)
    return float(clock)


def earlier(init: str) -> dict:
    """The training behind the weights that a run starts from, and its recipe."""
    return {**training_so_far(init), "recipe": read_json(Path(init) / "recipe.json").get("name")}


def publish(run: Run, recipe: Recipe, out: Path, facts: dict) -> None:
    """Write the checkpoint proper: the averaged weights as fp16, their configuration, the recipe, and how it went."""
    temporary = out / "publishing"
    run.average.save_pretrained(temporary)
    write_json(temporary / "recipe.json", recipe.to_dict())
    facts = {"steps": run.step, "images": run.step * recipe.batch, "seconds": round(run.seconds, 1), **facts}
    write_json(temporary / "training.json", facts)
    for name in ("config.json", "model.safetensors", "recipe.json", "training.json"):
        os.replace(temporary / name, out / name)
    for left in temporary.iterdir():  # the mixin's own README; ours is written by `card`
        left.unlink()
    temporary.rmdir()
