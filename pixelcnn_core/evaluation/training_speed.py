"""How fast a recipe trains: images per second, the share of the device's matrix rate that the step reaches, memory, and
where the time goes.

The matrix rate is measured, not read from a data sheet: the best of some multiplications of large square matrices.
Floating-point operations are those of the convolutions and products of one step, counted by PyTorch; masked weights
count as well, so the share is of work done, not of work needed. Settings are timed one after another in one run.
"""

import statistics
from pathlib import Path

import torch
from accelerate import Accelerator
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.device import can_compile, fast_bf16
from pixelcnn_core.evaluation.benchmark import seconds
from pixelcnn_core.provenance import count_parameters, origin
from pixelcnn_core.training.batches import batch_of
from pixelcnn_core.training.loop import Loss
from pixelcnn_core.training.recipe import Recipe
from pixelcnn_core.training.start import make_optimisers
from pixelcnn_core.training.state import Run

SETTINGS = {  # each adds one to the one before
    "float32": {"bf16": False, "compile": False, "channels_last": False},
    "channels_last": {"bf16": False, "compile": False, "channels_last": True},
    "bfloat16": {"bf16": True, "compile": False, "channels_last": True},
    "torch.compile": {"bf16": True, "compile": True, "channels_last": True},
}
KINDS = {  # of operations, by what their name contains; the first that fits
    "convolutions and matrix products": ("conv", "gemm", "addmm", "aten::mm", "bmm", "wgrad", "dgrad", "cudnn"),
    "softmax and loss": ("softmax", "nll_loss"),
    "optimiser and running average": ("_foreach", "_fused_adam", "lerp", "addcmul", "addcdiv"),
    "gates": ("tanh", "sigmoid"),
    "copies and changes of type": ("copy", "cat", "fill", "pad", "clone", "memcpy", "memset"),
}


def training_speed(recipe: Recipe, data_dir: str | Path, steps: int = 10) -> dict:
    """Time `steps` steps of a recipe in every setting. Raises RecipeError or DataError."""
    accelerator = Accelerator()
    device = accelerator.device
    data = load_data(recipe.data, data_dir, "train", recipe.size, encoder=recipe.encoder).to(device)
    if recipe.unconditional:
        data = data.unconditional()
    flops = flops_per_step(recipe, data, accelerator)
    rates = {"float32": matrix_rate(device, torch.float32)}
    rows = []
    for name, changes in SETTINGS.items():
        if changes["bf16"] and not fast_bf16(device) or changes["compile"] and not can_compile(device):
            continue
        kind = "bfloat16" if changes["bf16"] else "float32"
        rates.setdefault(kind, matrix_rate(device, getattr(torch, kind)))
        step = training_step(recipe, data, accelerator, **changes)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        taken = statistics.median([seconds(step, device) for _ in range(steps + 2)][2:])
        rows.append({"setting": name, "images_per_second": recipe.batch / taken,
                     "flops_per_second": flops / taken, "share_of_matrix_rate": flops / taken / rates[kind]})
        if device.type == "cuda":
            rows[-1]["peak_mb"] = torch.cuda.max_memory_allocated(device) / 1e6
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        parameters = count_parameters(recipe.model_class(recipe.config(data)))
    return {"recipe": recipe.name, "parameters": parameters, "batch": recipe.batch, "steps_timed": steps,
            "flops_per_image": flops / recipe.batch, "matrix_flops_per_second": rates, "settings": rows,
            "where_the_time_goes": shares(recipe, data, accelerator), **origin(device)}


def training_step(recipe: Recipe, data: ImageData, accelerator: Accelerator, bf16: bool, compile: bool,
                  channels_last: bool):
    """A function that takes one step of the recipe on a new model."""
    memory = torch.channels_last if channels_last else torch.contiguous_format
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model, average = (recipe.model_class(recipe.config(data)).to(accelerator.device, memory_format=memory)
                          for _ in range(2))
    run = Run(model, average, make_optimisers(model, recipe))
    loss_module = Loss(model, bf16)
    loss_module = torch.compile(loss_module) if compile else loss_module

    def step() -> None:
        run.update(loss_module(*batch_of(recipe, data, run.step)), accelerator, recipe.clip, recipe.ema)

    return step


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations per second of the device in large matrix products, the best of eight."""
    size = 8192 if device.type == "cuda" else 1536
    a, b = torch.ones(2, size, size, dtype=dtype, device=device)
    return 2 * size ** 3 / min(seconds(lambda: a @ b, device) for _ in range(8))


def flops_per_step(recipe: Recipe, data: ImageData, accelerator: Accelerator) -> int:
    """Of the convolutions and products, forward and backward."""
    step = training_step(recipe, data, accelerator, bf16=False, compile=False, channels_last=False)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def shares(recipe: Recipe, data: ImageData, accelerator: Accelerator) -> dict[str, float]:
    """Which kind of operation takes which share of a step without torch.compile, which would fuse them."""
    bf16 = fast_bf16(accelerator.device)
    step = training_step(recipe, data, accelerator, bf16=bf16, compile=False, channels_last=True)
    gpu = accelerator.device.type == "cuda"
    step()
    with profile(activities=[ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * gpu) as profiler:
        for _ in range(3):
            step()
    times = dict.fromkeys([*KINDS, "the rest"], 0.0)
    for event in profiler.key_averages():
        kind = next((kind for kind, words in KINDS.items() if any(w in event.key.lower() for w in words)), "the rest")
        times[kind] += event.self_device_time_total if gpu else event.self_cpu_time_total
    total = sum(times.values())
    return {kind: round(value / total, 3) for kind, value in sorted(times.items(), key=lambda item: -item[1])}
