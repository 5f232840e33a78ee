"""Run the notebooks from top to bottom in fresh kernels: `python notebooks/run.py [NAME ...]`.

The outputs are stored in the notebooks; `--check` only runs them and leaves the files alone, and so does SMOKE_TEST=1.
A run of all of them also writes `times.json`, from which `python -m pixelcnn_core.cards.readme` fills the table of
the README.

Three kinds of cells are marked by a tag:

    setup     the same in all notebooks: written here, from SETUP
    exercise  a stub for the reader, which raises NotImplementedError
    solution  the next markdown cell with this tag holds, folded, one block of Python: it runs in the stub's place

What is stored is the stub, with the outputs of a run in which the solutions stood.
"""

import argparse
import ast
import copy
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from pixelcnn_core.provenance import cpu_name, versions  # noqa: E402
from pixelcnn_core.results import write_json  # noqa: E402

# The repository's address on GitHub, "https://github.com/OWNER/NAME". Without it no notebook has a link to Colab.
REPOSITORY = ""

IN_COLAB = '''import subprocess
import sys

if "google.colab" in sys.modules:  # a machine without the repository
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", "ADDRESS"], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "constriction"], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "facenet-pytorch"], check=True)

'''

SETUP = '''import os
import sys
from pathlib import Path

places = (Path.cwd(), *Path.cwd().parents, *sorted(Path.cwd().glob("*/")))  # here, above, or in a folder beside
ROOT = next((folder for folder in places if (folder / "notebooks" / "figures.py").is_file()), None)
assert ROOT, "the files of this notebook are not here: clone the repository, and open the notebook inside the clone"
sys.path[:0] = [str(ROOT / "notebooks")]  # the drawing code of all notebooks
sys.path.append(str(ROOT))  # an installed pixelcnn_core comes first

import torch

import pixelcnn_core

cloned = Path(pixelcnn_core.__file__).is_relative_to(ROOT)
print(f"pixelcnn_core: {'the clone in ' + os.path.relpath(ROOT) if cloned else 'the installed package'}")
torch.set_num_threads(1)  # small networks: a second thread mostly waits, and on a busy machine for long
SMOKE = "SMOKE_TEST" in os.environ
if SMOKE:
    print("SMOKE_TEST: a tiny run that only tests the code. No number below means anything.")'''


def title(path: Path) -> str:
    """The heading up to its colon: "# 5 · Conditioning: ..." -> "5 · Conditioning"."""
    words = nbformat.read(path, as_version=4).cells[0].source
    return re.search(r"^# (.+)$", words, re.M)[1].split(":")[0]


def navigation(path: Path) -> str:
    """The first line of a notebook: the one before, the index, Colab where there is an address, the one after."""
    paths = sorted(HERE.glob("*.ipynb"))
    k, parts = paths.index(path), ["[all notebooks](../README.md#notebooks)"]
    if REPOSITORY:
        page = REPOSITORY.replace("https://github.com/", "https://colab.research.google.com/github/")
        parts.append(f"[open in Colab]({page}/blob/main/notebooks/{path.name})")
    if k:
        parts.insert(0, f"← [{title(paths[k - 1])}]({paths[k - 1].name})")
    if k + 1 < len(paths):
        parts.append(f"[{title(paths[k + 1])}]({paths[k + 1].name}) →")
    return " | ".join(parts)


def tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def dress(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write what is the same in all notebooks: the first line and the setup cell."""
    notebook.cells[0].source = "\n".join([navigation(path), *notebook.cells[0].source.split("\n")[1:]])
    for cell in notebook.cells:
        if tagged(cell, "setup"):
            cell.source = (IN_COLAB.replace("ADDRESS", REPOSITORY) if REPOSITORY else "") + SETUP


def solution(cell: nbformat.NotebookNode) -> str:
    """The Python of a folded solution. Raises ValueError where there is not exactly one block of it."""
    blocks = re.findall(r"```python\n(.*?)\n```", cell.source, re.S)
    if len(blocks) != 1:
        raise ValueError(f"a solution holds one block of Python, not {len(blocks)}: {cell.source[:80]!r}")
    ast.parse(blocks[0])
    return blocks[0]


def solved(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy with every stub replaced by its solution. Raises ValueError for a stub without one, or one too many."""
    result, stub = copy.deepcopy(notebook), None
    for cell in result.cells:
        if tagged(cell, "exercise"):
            if stub is not None:
                raise ValueError(f"an exercise has no solution: {stub.source[:80]!r}")
            stub = cell
        elif tagged(cell, "solution"):
            if stub is None:
                raise ValueError(f"a solution has no exercise: {cell.source[:80]!r}")
            stub.source, stub = solution(cell), None
    if stub is not None:
        raise ValueError(f"an exercise has no solution: {stub.source[:80]!r}")
    return result


def run(path: Path, probe: str = "") -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in a fresh kernel. Raises nbclient's CellExecutionError.

    probe  code to execute after the last cell in the same kernel: it becomes one more cell
    """
    notebook = nbformat.read(path, as_version=4)
    dress(notebook, path)
    if probe:
        notebook.cells.append(nbformat.v4.new_code_cell(probe))
    executed = solved(notebook)
    NotebookClient(executed, timeout=3600, kernel_name="python3", resources={"metadata": {"path": str(HERE)}},
                   store_widget_state=False).execute()
    for cell, done in zip(notebook.cells, executed.cells):
        if cell.cell_type == "code":
            cell.outputs = [output for output in done.outputs if not is_progress(output)]
            cell.execution_count = done.execution_count
    return notebook


def is_progress(output: nbformat.NotebookNode) -> bool:
    """A progress bar is for whoever waits for it, and is not stored: it alone writes over its line, and ends it."""
    return (output.output_type == "stream" and output.name == "stderr"
            and ("\r" in output.text or not output.text.strip()))


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
