"""Every notebook runs from top to bottom in a fresh kernel, and what is committed is clean, ordered and small."""

import ast
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest
from notebook_runs import FOLDER, NOTEBOOKS, runner

from pixelcnn_core.cards.readme import notebooks_table
from pixelcnn_core.results import read_json

ASSETS = FOLDER.parent / "demo" / "assets"

PLAY = re.compile(r"\bplay\(")  # and not display(

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_it_runs_from_top_to_bottom(executed):
    notebook, _ = executed
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in cells)
    assert not [output.text for cell in cells for output in cell.outputs if output.get("name") == "stderr"
                and not output.text.startswith("the cached sampler is compiled")]  # said once on every new machine


def test_every_control_changes_a_picture(executed):
    """Moved to its ends, in place."""
    notebook, seen = executed
    controls = any(PLAY.search(cell.source) for cell in notebook.cells)
    assert not controls or seen["moved"] and seen["png"], "nothing to play with"
    assert all(seen["moved"].values()) and all(seen["png"]), seen["moved"]


def test_callbacks_are_plain_functions(executed):
    """Named change_..., so that a reader can find and call them."""
    notebook, seen = executed
    assert bool(seen["callbacks"]) == any(PLAY.search(cell.source) for cell in notebook.cells)


@each_notebook
def test_the_committed_outputs_are_clean(path):
    notebook, text = nbformat.read(path, as_version=4), path.read_text(encoding="utf-8")
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "run in one go: notebooks/run.py"
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert "error" not in kinds and not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)
    assert path.stat().st_size < 1_000_000
    for trace in ("/home/", "/root/", "/tmp/", "C:\\\\", f"{FOLDER.parents[1]}/"):
        assert trace not in text, trace
    said = [cell.source for cell in notebook.cells] + [
        str(words) for cell in cells for output in cell.outputs
        for words in (output.get("text", ""), *map(output.get("data", {}).get, ("text/plain", "text/html")))]
    assert not re.search(r"(?<![\w.:/<*)\]-])/[a-z]+/[\w.-]+", "\n".join(said)), "a path of one machine"


@each_notebook
def test_it_teaches(path):
    """Goals, what to know before, words to search for, a question before an answer, and what was measured."""
    cells = nbformat.read(path, as_version=4).cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for part in ("**Goals.**", "**Before you start.**", "**Words to search for.**", "**Predict", "$$"):
        assert part in words, part
    assert words.count("<details>") == words.count("</details>") >= 4
    assert any("assert" in cell.source for cell in cells if cell.cell_type == "code")
    assert "Learnt" in cells[-1].source
    assert not re.search(r"\b(minutes?|seconds?) on (two|one) CPU", words), "times are in times.json alone"


@each_notebook
def test_no_cell_is_long(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert max(cell.source.count("\n") + 1 for cell in cells) <= 40


@each_notebook
def test_every_picture_has_a_text(path):
    """For readers who cannot see it, and for programs."""
    outputs = [output for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
               for output in cell.outputs]
    pictures = [output for output in outputs if {"image/png", "image/jpeg"} & set(output.get("data", {}))]
    assert pictures
    for output in pictures:
        alts = [details.get("alt", "") for details in output.metadata.values()]
        assert alts and all(len(alt.split()) > 3 for alt in alts), output.metadata


@each_notebook
def test_a_picture_stands_before_every_control(path):
    """On a page without a kernel a control is a sentence: the lesson is in a picture of the same section before it, and
    in the picture's caption."""
    seen, controls, cells = False, 0, nbformat.read(path, as_version=4).cells
    for before, cell in zip([None, *cells], cells):
        if cell.cell_type == "markdown" and re.search(r"^##", cell.source, re.M):
            seen = False
        for output in cell.get("outputs", []):
            if {"image/png", "image/jpeg"} & set(output.get("data", {})):
                seen = True
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                controls += 1
                assert seen, cell.source[:200]
                assert output.data["text/plain"].startswith("Controls: they need a running kernel")
                assert before.cell_type == "markdown" and re.search(r"^\*Above\b", before.source), "no caption"
    assert controls or path == NOTEBOOKS[0], "nothing to play with"


@each_notebook
def test_what_is_the_same_in_all_is_written_by_the_runner(path):
    """The first line leads to the neighbours and the index; the setup cell is the runner's."""
    notebook = nbformat.read(path, as_version=4)
    before = [cell.source for cell in notebook.cells]
    runner.dress(notebook, path)
    assert [cell.source for cell in notebook.cells] == before, "run notebooks/run.py"
    assert sum(runner.tagged(cell, "setup") for cell in notebook.cells) == 1
    links = re.findall(r"\]\(([^)]+)\)", before[0].splitlines()[0])
    k = NOTEBOOKS.index(path)
    neighbours = {other.name for other in NOTEBOOKS[max(0, k - 1):k + 2] if other != path}
    assert neighbours | {"../README.md#notebooks"} == set(links)


@each_notebook
def test_no_function_hides_an_import(path):
    """A function called like an imported one would take its place in all later cells."""
    trees = [ast.parse(cell.source) for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    imported = {alias.asname or alias.name for tree in trees for node in ast.walk(tree)
                if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    defined = {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert not imported & defined


def stored_text(number: int) -> str:
    """All that the cells of a notebook print, as it is committed."""
    return "".join(output.text for cell in nbformat.read(NOTEBOOKS[number], as_version=4).cells
                   for output in cell.get("outputs", []) if output.get("name") == "stdout")


def test_figures_of_result_files_are_those_of_the_files():
    """Whoever measures a model again runs the notebooks that print its numbers again."""
    models, autoencoders = ASSETS / "models", ASSETS / "autoencoders"
    cifar10, chain, portraits = (read_json(models / name / "results.json")
                                 for name in ("cifar10", "cifar10-chain", "portraits-chain"))
    identity, codec = portraits["identity"], read_json(models / "cifar10" / "codec.json")
    expected = {6: [f"at most {portraits['bits_per_dim_at_most']:.3f} bits per dimension",
                    f"closest to its own source: {identity['rank1']:.1%} of the portraits"],
                7: [f"{read_json(autoencoders / f'chain-autoencoder-{m}' / 'results.json')['bits_in_the_code']:.0f} of "
                    f"the" for m in (10, 100)],
                8: [f"CIFAR-10: {cifar10['bits_per_dim_test_unconditional']:.2f} on average",
                    f"PixelCNN {codec['bytes_per_image']['pixelcnn']:.0f} (its pixels"],
                9: [f"at most {chain['bits_per_dim_at_most']:.2f} bits per dimension"]}
    for name in ("cifar10", "cifar10-chain"):
        judged = read_json(models / name / "quality.json")
        expected[9].append(f"published, {name}: {judged['accuracy']:.1%} of {judged['images']:,} draws")
    for number, sentences in expected.items():
        for words in sentences:
            assert words in stored_text(number), f"run notebooks/run.py 0{number}: {words}"


@each_notebook
def test_every_link_to_a_file_leads_somewhere(path):
    cells = nbformat.read(path, as_version=4).cells
    for cell in (cell for cell in cells if cell.cell_type == "markdown"):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", cell.source):
            assert target.startswith("https://") or (FOLDER / target).exists(), target


def test_colab_is_offered_only_where_the_address_is_known(monkeypatch):
    path = NOTEBOOKS[1]
    assert not runner.REPOSITORY and "Colab" not in runner.navigation(path)
    monkeypatch.setattr(runner, "REPOSITORY", "https://github.com/someone/pixelcnn")
    page = f"https://colab.research.google.com/github/someone/pixelcnn/blob/main/notebooks/{path.name}"
    assert page in runner.navigation(path)
    notebook = nbformat.read(path, as_version=4)
    runner.dress(notebook, path)
    setup = next(cell for cell in notebook.cells if runner.tagged(cell, "setup"))
    assert '"https://github.com/someone/pixelcnn"' in setup.source
    compile(setup.source, "setup", "exec")


def test_the_setup_finds_the_files_or_says_what_to_do(tmp_path, monkeypatch):
    """Beside the repository, in a folder that holds a clone (Colab), and with one sentence where there is neither."""
    finding = runner.SETUP.split("sys.path[:0]")[0]
    for folder in (FOLDER, FOLDER.parent, FOLDER.parent.parent):
        monkeypatch.chdir(folder)
        names = {}
        exec(finding, names)
        assert (names["ROOT"] / "pixelcnn_core").is_dir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match="clone the repository"):
        exec(finding, {})


@pytest.mark.parametrize("installed", [True, False])
def test_an_installed_package_comes_first_and_is_named(tmp_path, installed):
    if installed:
        package = tmp_path / "pixelcnn_core"
        package.mkdir()
        (package / "__init__.py").touch()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", runner.SETUP], cwd=FOLDER, env=environment, capture_output=True,
                          encoding="utf-8", timeout=600)
    assert done.returncode == 0, done.stderr
    assert ("the installed package" if installed else "the clone in ..") in done.stdout


def test_the_table_of_notebooks_takes_its_times_from_the_file(tmp_path):
    runner.write_times({NOTEBOOKS[0].stem: 65.04}, tmp_path / "times.json")
    assert json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))["seconds"] == {NOTEBOOKS[0].stem: 65.0}
    table = notebooks_table(FOLDER, tmp_path / "times.json")
    assert all(f"](notebooks/{path.name})" in table for path in NOTEBOOKS)
    times = json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))
    assert "| 65 s |" in table and times["hardware"] in table
    assert "65 s" not in notebooks_table(FOLDER, tmp_path / "missing.json")
