"""The one place that reads, merges and writes what was measured: results.json and its like, beside the weights.

* A file that is there and cannot be read is an error, never an empty result: the next write would lose what it holds.
* What is measured later is merged into what is there, so that `evaluate` and `identity` keep each other's numbers.
* Results belong to weights, by their SHA-256 under "weights". Beside other weights they are stale: they are not shown,
  and the next measurement replaces them.
* A file is written under another name first: a kill at any moment leaves a whole one behind.
"""

import hashlib
import json
from pathlib import Path

from huggingface_hub.constants import SAFETENSORS_INDEX_FILE

from pixelcnn_core.files import replacing, writable
from pixelcnn_core.models.chain import CHAIN_FILE, chain_steps
from pixelcnn_core.models.checkpoint import WEIGHTS_FILE, file_hash, one_line

RESULTS_FILE = "results.json"
WEIGHTS = "weights"  # the key under which a file of results names its weights


class ResultsError(ValueError):
    """A file of results that cannot be read or written; the message is one sentence."""


def read_json(path: Path) -> dict:
    """The object in a JSON file; empty if there is no such file. Raises ResultsError where it is damaged."""
    try:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is damaged, or cannot be read: {one_line(error)}") from error
    if not isinstance(stored, dict):
        raise ResultsError(f"{path} is damaged: it holds no table of results")
    return stored


def write_json(path: Path, values: dict) -> None:
    """Replace a JSON file at once. Raises ResultsError where it cannot be written, or a number is not finite."""
    try:
        text = json.dumps(values, indent=2, allow_nan=False) + "\n"
        with replacing(Path(path)) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except ValueError as error:
        raise ResultsError(f"{path} could not be written: {error}") from error
    except OSError as error:  # its sentence names the path
        raise ResultsError(str(error)) from error


def read_results(folder: str | Path, name: str = RESULTS_FILE) -> dict:
    """What was measured of the weights in a checkpoint folder; empty where nothing was, or of other weights.

    Raises ResultsError where the file is damaged.
    """
    folder = Path(folder)
    results = read_json(folder / name)
    return results if results and results.get(WEIGHTS) == weights_hash(folder) else {}


def check_results(checkpoint: str | Path, name: str = RESULTS_FILE) -> None:
    """Raises ResultsError where what is measured could not be merged into a checkpoint folder: before the work, not
    after it. Of a Hub id, which is no folder, nothing is written."""
    read_results(checkpoint, name)
    if (folder := Path(checkpoint)).is_dir() and not writable(folder):
        raise ResultsError(f"{folder / name} could not be written: the folder cannot be written to")


def read_measured(folder: str | Path, name: str) -> dict:
    """A file of numbers that a command wrote with --json beside the weights; empty where it names other weights. Files
    of earlier versions name none, and are taken. Raises ResultsError where it is damaged."""
    measured = read_json(Path(folder) / name)
    return measured if measured.get(WEIGHTS) in (None, weights_hash(Path(folder))) else {}


def weights_hash(folder: Path) -> str | None:
    """The SHA-256 of a checkpoint's weights; of a chain, or of weights in several files, that of its steps' or files'
    hashes; None where weights are missing. Raises ResultsError where the index of several files is damaged."""
    def hashed(path: Path) -> str | None:
        return file_hash(path) if path.is_file() else None

    if (folder / CHAIN_FILE).is_file():
        hashes = [weights_hash(folder / name) for name in chain_steps(folder)]
    elif index := read_json(folder / SAFETENSORS_INDEX_FILE):
        hashes = [hashed(folder / name) for name in sorted(set(index.get("weight_map", {}).values()))]
    else:
        return hashed(folder / WEIGHTS_FILE)
    return None if None in hashes else hashlib.sha256("".join(hashes).encode()).hexdigest()


def merge_results(checkpoint: str | Path, measured: dict, name: str = RESULTS_FILE) -> dict:
    """Add what was measured to the results of the weights in a checkpoint folder, and return all that it now holds;
    for a Hub id, which is no folder, only what was measured. Raises ResultsError."""
    folder = Path(checkpoint)
    if not folder.is_dir():
        return measured
    merged = {**read_results(folder, name), **measured, WEIGHTS: weights_hash(folder)}
    write_json(folder / name, merged)
    return merged
