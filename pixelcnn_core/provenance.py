"""Where a number comes from: the hardware, the versions, the commit and the earlier training behind it."""

import csv
import json
import platform
import subprocess
from pathlib import Path

import torch
from accelerate import Accelerator


def read_json(path: Path) -> dict:
    """The object in a JSON file; empty if there is none or it is unreadable."""
    try:
        stored = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n")


def count_parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown CPU"


def hardware(accelerator: Accelerator) -> str:
    """The device in words: the GPUs, or the processor and the threads used."""
    if accelerator.device.type == "cuda":
        return f"{accelerator.num_processes} x {torch.cuda.get_device_name()}"
    return f"{cpu_name()}, {accelerator.num_processes * torch.get_num_threads()} threads"


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__}


def commit() -> str | None:
    """The commit of the project's working tree; None outside git."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
    except OSError:
        return None
    return found.stdout.strip() or None


def training_so_far(folder: str | Path) -> dict:
    """Steps, images and seconds of training behind a checkpoint folder, with the runs that it started from."""
    facts = read_json(Path(folder) / "training.json")
    own, before = dict.fromkeys(("steps", "images", "seconds"), 0), facts.get("before") or {}
    if facts:
        own = {key: facts[key] for key in own}
    elif (table := Path(folder) / "training.csv").is_file():  # the curve of a run that wrote no training.json
        with table.open(newline="") as file:
            last = list(csv.DictReader(file))[-1]
        own = {"steps": int(last["step"]), "images": int(last["images"]), "seconds": float(last["seconds"])}
    return {key: own[key] + before.get(key, 0) for key in own}
