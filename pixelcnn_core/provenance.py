"""Where a number comes from: the hardware, the versions, the commit and the earlier training behind it."""

import csv
import platform
import subprocess
import time
from pathlib import Path

import torch

from pixelcnn_core.models.chain import chain_steps, is_chain
from pixelcnn_core.models.checkpoint import CheckpointError, find_file
from pixelcnn_core.results import ResultsError, read_json


def count_parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown CPU"


def hardware(device: torch.device, processes: int = 1) -> str:
    """The device in words: the GPUs, or the processor and the threads used."""
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}"
    if device.type != "cpu":
        return f"{processes} x {device.type} of {cpu_name()}"
    return f"{cpu_name()}, {processes * torch.get_num_threads()} threads"


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__}


def commit() -> str | None:
    """The commit of the project's working tree; None outside git."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True,
                               encoding="utf-8")
    except OSError:
        return None
    return found.stdout.strip() or None


def recipe_of(checkpoint: str | Path) -> dict:
    """The recipe.json of a checkpoint, in a folder or on the Hub; of a chain that of its last step; empty where it has
    none. Raises ResultsError."""
    step = f"{chain_steps(checkpoint)[-1]}/" if is_chain(checkpoint) else ""
    try:
        return read_json(find_file(checkpoint, f"{step}recipe.json"))
    except CheckpointError:
        return {}


def trained_on(checkpoint: str | Path) -> dict:
    """The recipe of a checkpoint, which names its data set as "data". Raises CheckpointError where none does, and
    ResultsError."""
    recipe = recipe_of(checkpoint)
    if "data" not in recipe:
        raise CheckpointError(f"{checkpoint} has no recipe.json that names the data set it was trained on")
    return recipe


def origin(device: torch.device, begun: float | None = None, processes: int = 1) -> dict:
    """Where numbers come from, as result files say it; with `begun`, by `time.perf_counter`, the seconds since then."""
    seconds = {} if begun is None else {"seconds": round(time.perf_counter() - begun, 1)}
    return {"hardware": hardware(device, processes), **seconds, "commit": commit(), "versions": versions()}


def training_so_far(folder: str | Path) -> dict:
    """Steps, images and seconds of training behind a checkpoint folder, with the runs that it started from.

    Raises ResultsError where the files that say so are damaged.
    """
    facts, table = read_json(Path(folder) / "training.json"), Path(folder) / "training.csv"
    own, before = dict.fromkeys(("steps", "images", "seconds"), 0), facts.get("before") or {}
    try:
        if facts:
            own = {key: facts[key] for key in own}
        elif table.is_file():  # the curve of a run that wrote no training.json
            with table.open(newline="", encoding="utf-8") as file:
                last = list(csv.DictReader(file))[-1]
            own = {"steps": int(last["step"]), "images": int(last["images"]), "seconds": float(last["seconds"])}
        return {key: own[key] + before.get(key, 0) for key in own}
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ResultsError(f"{folder} does not say in {'training.json' if facts else table.name} how long it was "
                           "trained: the file is damaged") from error
