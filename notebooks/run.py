"""Run the notebooks from top to bottom in fresh kernels: `python notebooks/run.py [NAME ...]`.

The outputs are stored in the notebooks; `--check` only runs them and leaves the files alone.
"""

import argparse
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in a fresh kernel. Raises nbclient's CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(HERE)}},
                   store_widget_state=False).execute()
    for cell in notebook.cells:  # times of day are noise in every commit
        cell.metadata.pop("execution", None)
    return notebook


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="the beginning of file names (default: all)")
    parser.add_argument("--check", action="store_true", help="do not write the outputs")
    options = parser.parse_args()
    for path in sorted(HERE.glob("*.ipynb")):
        if options.names and not path.name.startswith(tuple(options.names)):
            continue
        started = time.perf_counter()
        notebook = run(path)
        if not options.check:
            nbformat.write(notebook, path)
        print(f"{path.name}: {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
