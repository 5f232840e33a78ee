"""Run the notebooks from top to bottom in fresh kernels: `python notebooks/run.py [NAME ...]`.

The outputs are stored in the notebooks; `--check` only runs them and leaves the files alone, and so does SMOKE_TEST=1.
A run of all of them also writes `times.json`, from which `python -m pixelcnn_core.cards.readme` fills the table of
the README.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from pixelcnn_core.provenance import cpu_name, versions  # noqa: E402
from pixelcnn_core.results import write_json  # noqa: E402


def run(path: Path, probe: str = "") -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in a fresh kernel. Raises nbclient's CellExecutionError.

    probe  code to execute after the last cell in the same kernel: it becomes one more cell
    """
    notebook = nbformat.read(path, as_version=4)
    if probe:
        notebook.cells.append(nbformat.v4.new_code_cell(probe))
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(HERE)}},
                   store_widget_state=False).execute()
    for cell in notebook.cells:  # times of day are noise in every commit
        cell.metadata.pop("execution", None)
    return notebook


def write_times(seconds: dict[str, float], path: Path = HERE / "times.json") -> None:
    """How long each notebook took, and on what."""
    write_json(path, {"seconds": {name: round(value, 1) for name, value in seconds.items()},
                      "hardware": f"{cpu_name()}, {os.cpu_count()} cores", "versions": versions()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="the beginning of file names (default: all)")
    parser.add_argument("--check", action="store_true", help="do not write anything")
    options = parser.parse_args()
    keep = not options.check and "SMOKE_TEST" not in os.environ
    seconds = {}
    for path in sorted(HERE.glob("*.ipynb")):
        if options.names and not path.name.startswith(tuple(options.names)):
            continue
        started = time.perf_counter()
        notebook = run(path)
        seconds[path.stem] = time.perf_counter() - started
        if keep:
            nbformat.write(notebook, path)
        print(f"{path.name}: {seconds[path.stem]:.0f} s", flush=True)
    if keep and not options.names:
        write_times(seconds)


if __name__ == "__main__":
    main()
