"""Every notebook runs from top to bottom in a fresh kernel, and what is committed is clean, ordered and small."""

import json
import re

import nbformat
import pytest
from notebook_runs import FOLDER, NOTEBOOKS, runner

from pixelcnn_core.cards.readme import notebooks_table

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_it_runs_from_top_to_bottom(executed):
    notebook, _ = executed
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in cells)
    assert not [output.text for cell in cells for output in cell.outputs if output.get("name") == "stderr"]


@each_notebook
def test_the_committed_outputs_are_clean(path):
    notebook, text = nbformat.read(path, as_version=4), path.read_text(encoding="utf-8")
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "run in one go: notebooks/run.py"
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert "error" not in kinds and not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)
    assert path.stat().st_size < 1_000_000
    for trace in ("/home/", "/root/", "/tmp/", "/work/", "C:\\\\"):
        assert trace not in text, trace


@each_notebook
def test_it_teaches(path):
    """Goals, an equation, something to play with, questions with folded answers, and what was measured."""
    cells = nbformat.read(path, as_version=4).cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert "**Goals.**" in words and "$$" in words and words.count("<details>") >= 2
    assert words.count("<details>") == words.count("</details>")
    assert "ipywidgets" in code and "continuous_update=False" in code and "assert" in code
    assert "Learnt" in cells[-1].source


@each_notebook
def test_it_leads_to_its_neighbours_and_the_index(path):
    first_line = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]
    links = re.findall(r"\]\(([^)]+)\)", first_line)
    k = NOTEBOOKS.index(path)
    neighbours = {other.name for other in NOTEBOOKS[max(0, k - 1):k + 2] if other != path}
    assert neighbours | {"../README.md#notebooks"} <= set(links)


def test_the_first_cell_finds_the_core_or_says_what_to_do(tmp_path, monkeypatch):
    """Beside the repository, in a folder that holds a clone (Colab), and with one sentence where there is neither."""
    for path in NOTEBOOKS:
        first = next(cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code").source
        finding = first.split("sys.path.insert")[0]
        for folder in (FOLDER, FOLDER.parent, FOLDER.parent.parent):
            monkeypatch.chdir(folder)
            names = {}
            exec(finding, names)
            assert (names["ROOT"] / "pixelcnn_core").is_dir(), path
        monkeypatch.chdir(tmp_path)
        with pytest.raises(AssertionError, match="clone the repository"):
            exec(finding, {})


def test_the_table_of_notebooks_takes_its_times_from_the_file(tmp_path):
    runner.write_times({NOTEBOOKS[0].stem: 65.04}, tmp_path / "times.json")
    assert json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))["seconds"] == {NOTEBOOKS[0].stem: 65.0}
    table = notebooks_table(FOLDER, tmp_path / "times.json")
    assert all(f"](notebooks/{path.name})" in table for path in NOTEBOOKS)
    times = json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))
    assert "| 65 s |" in table and times["hardware"] in table
    assert "65 s" not in notebooks_table(FOLDER, tmp_path / "missing.json")
