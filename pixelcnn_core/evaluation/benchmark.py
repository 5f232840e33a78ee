"""How long sampling takes: one forward pass, the naive loop, the cached and the fixed-point sampler, in one run.

The machine may be shared and noisy: times are medians of interleaved repeats, and the ratios are what counts.
The naive loop (one forward pass per sub-pixel) is extrapolated from a stated number of its steps. The fixed-point
sampler is for a single image: it is timed once, at batch 1, and its forward passes are counted. Of a chain every step
is timed alone, and then all of it: how long until the coarse picture is there, and until the last row is.
"""

import multiprocessing
import statistics
import sys
import time
from pathlib import Path

import numba
import torch
from torch import Tensor

from pixelcnn_core.device import choose_device
from pixelcnn_core.models.chain import Chain, load_model, taken
from pixelcnn_core.models.checkpoint import locate
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.upscaler import Upscaler
from pixelcnn_core.provenance import count_parameters, cpu_name, versions
from pixelcnn_core.results import WEIGHTS, weights_hash
from pixelcnn_core.sampling.coarse_to_fine import sample_chain
from pixelcnn_core.sampling.sample import finish, naive_step, sample_rows, uniforms_from_seed


def benchmark(checkpoint: str, batches: list[int], repeats: int = 5, naive_steps: int = 4) -> dict:
    """Time a checkpoint at the given batch sizes. Returns seconds and ratios by batch size, memory and versions.

    Raises CheckpointError, and ValueError for a device in PIXELCNN_DEVICE that is not there.
    """
    device = choose_device()
    model = load_model(checkpoint).to(device)
    draw_once(model, 1)  # compile, before anything is timed
    time_model = time_chain if isinstance(model, Chain) else time_batch
    return {
        "checkpoint": str(checkpoint),
        WEIGHTS: weights_hash(Path(locate(checkpoint))),
        "parameters": sum(map(count_parameters, model.steps)) if isinstance(model, Chain) else count_parameters(model),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name(),
        "threads": torch.get_num_threads(),
        "versions": {**versions(), "numba": numba.__version__},
        "naive_steps_timed": naive_steps,
        "repeats": repeats,
        "batch": {str(batch): time_model(model, batch, repeats, naive_steps) for batch in batches},
        "peak_mb": {str(batch): peak_memory(checkpoint, batch, device) for batch in batches},
    }


def time_batch(model: GatedPixelCNN, batch: int, repeats: int, naive_steps: int,
               condition: Condition | None = None) -> dict[str, float]:
    """Median seconds for one batch: `forward_s`, `naive_s` (extrapolated), `cached_s`, and their ratios; of a single
    image also `fixed_point_s` and `fixed_point_passes`."""
    config, device = model.config, model.head1.weight.device
    condition = (condition or example_condition(model, batch)).to(device)
    uniforms = uniforms_from_seed(0, batch, config)
    x = finish(sample_rows(model, condition, uniforms=uniforms)).to(device)
    on_device = uniforms.to(device)

    def forward() -> None:
        model(x, condition)

    def naive() -> None:
        for step in range(naive_steps):
            naive_step(model, x, condition, on_device, (step % config.channels, 0, step // config.channels))

    def cached() -> None:
        finish(sample_rows(model, condition, uniforms=uniforms, method="cached"))

    times: dict[str, list[float]] = {"forward": [], "naive": [], "cached": []}
    with torch.inference_mode():
        for _ in range(repeats):
            for name, work in (("forward", forward), ("naive", naive), ("cached", cached)):
                times[name].append(seconds(work, device))
    forward_s, cached_s = statistics.median(times["forward"]), statistics.median(times["cached"])
    naive_s = statistics.median(times["naive"]) / naive_steps * config.channels * config.image_size ** 2
    found = {"forward_s": forward_s, "naive_s": naive_s, "cached_s": cached_s,
             "cached_over_forward": cached_s / forward_s, "naive_over_cached": naive_s / cached_s,
             "images_per_second": batch / cached_s}
    return found | (time_fixed_point(model, condition, uniforms) if batch == 1 else {})


def time_fixed_point(model: GatedPixelCNN, condition: Condition, uniforms: Tensor) -> dict[str, float]:
    """Seconds and forward passes of one image, (1, C, H, W) uniforms; the last pass finds nothing to change."""
    passes = 0

    def fixed_point() -> None:
        nonlocal passes
        passes = 1 + sum(1 for _ in sample_rows(model, condition, uniforms=uniforms, method="fixed point"))

    return {"fixed_point_s": seconds(fixed_point, model.head1.weight.device), "fixed_point_passes": passes}


def time_chain(chain: Chain, batch: int, repeats: int, naive_steps: int) -> dict:
    """Median seconds for one batch: `coarse_s` until the first row of the smallest picture, `cached_s` until the end;
    and `steps`, what `time_batch` says of each size."""
    coarse, whole, h = [], [], example_condition(chain.steps[0], batch)
    for _ in range(repeats):
        begun = time.perf_counter()
        rows = sample_chain(chain, h)
        next(rows)
        coarse.append(time.perf_counter() - begun)
        finish(rows)
        whole.append(time.perf_counter() - begun)
    pictures, steps = finish(sample_chain(chain, h)), {}
    for size, step in zip(chain.sizes, chain.steps):
        decoder, condition = getattr(step, "decoder", step), taken(h, step)
        if isinstance(step, Upscaler):  # what it is told is the picture that was drawn before
            with torch.no_grad():
                device = decoder.head1.weight.device
                condition = step.condition(pictures[size // 2].to(device), condition.to(device))
        steps[str(size)] = time_batch(decoder, batch, repeats, naive_steps, condition)
    naive_s, cached_s = sum(step["naive_s"] for step in steps.values()), statistics.median(whole)
    return {"coarse_s": statistics.median(coarse), "naive_s": naive_s, "cached_s": cached_s,
            "naive_over_cached": naive_s / cached_s, "images_per_second": batch / cached_s, "steps": steps}


def draw_once(model: GatedPixelCNN | Chain, batch: int) -> None:
    """One batch with the cached sampler."""
    if isinstance(model, Chain):
        finish(sample_chain(model, example_condition(model.steps[0], batch)))
    else:
        finish(sample_rows(model, example_condition(model, batch)))


def seconds(work, device: torch.device) -> float:
    """Wall-clock time of `work()`, waiting for the GPU where there is one. `torch.utils.benchmark.Timer` would run it
    three times for one measure; what is timed here takes up to minutes, and is interleaved."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def example_condition(model: GatedPixelCNN, batch: int) -> Condition:
    """A condition of the kind the model takes: the classes in turn, zeros for embeddings and maps."""
    config = model.config
    return Condition(
        label=torch.arange(batch) % config.classes if config.classes else None,
        embedding=torch.zeros(batch, config.embedding) if config.embedding else None,
        map=torch.zeros(batch, config.map_channels, config.image_size, config.image_size)
        if config.map_channels else None)


def peak_memory(checkpoint: str, batch: int, device: torch.device) -> float:
    """Peak memory in MB of loading the checkpoint and sampling one batch: of the GPU, or of a fresh process."""
    if device.type == "cuda":
        return _sample_once(checkpoint, batch, device)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_sample_once, (checkpoint, batch, device))


def _sample_once(checkpoint: str, batch: int, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    draw_once(load_model(checkpoint).to(device), batch)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:  # getrusage would report the parent's peak: Linux keeps it across fork and exec
        with open("/proc/self/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1e3
    except (OSError, StopIteration):
        return peak_elsewhere()


def peak_elsewhere() -> float:
    """Peak memory of this process in MB where there is no /proc: on macOS, in bytes there; NaN is no JSON, so 0 on
    Windows, which has no such module."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
