"""Every notebook has something for the reader to write: a stub, a check, and a folded solution that runs in its
place."""

import ast

import nbformat
import pytest
from notebook_runs import NOTEBOOKS, runner

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def stubs_and_solutions(path) -> list[tuple[str, str]]:
    notebook = nbformat.read(path, as_version=4)
    solved = runner.solved(notebook)
    return [(cell.source, done.source) for cell, done in zip(notebook.cells, solved.cells)
            if runner.tagged(cell, "exercise")]


def defined(source: str) -> dict[str, list[str]]:
    """{function: its arguments} of a cell, methods as Class.method."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        methods = [(f"{node.name}.", inner) for inner in node.body] if isinstance(node, ast.ClassDef) else [("", node)]
        for prefix, function in methods:
            if isinstance(function, ast.FunctionDef):
                found[prefix + function.name] = [argument.arg for argument in function.args.args]
    return found


@each_notebook
def test_there_are_two_exercises_with_solutions(path):
    assert len(stubs_and_solutions(path)) >= 2


@each_notebook
def test_a_stub_raises_and_its_solution_has_the_same_names(path):
    for stub, solution in stubs_and_solutions(path):
        assert "raise NotImplementedError" in stub and '"""' in stub, stub
        assert "NotImplementedError" not in solution
        names, done = defined(stub), defined(solution)
        assert names and names == {name: done.get(name) for name in names}, f"{names} and {done}"


@each_notebook
def test_what_is_stored_is_the_stub_with_the_outputs_of_the_solution(path):
    cells = nbformat.read(path, as_version=4).cells
    for k, cell in enumerate(cells):
        if runner.tagged(cell, "exercise"):
            assert not cell.outputs
            words = "".join(output.get("text", "") for output in cells[k + 1].outputs)
            assert words.strip() and "Not written yet" not in words, "the check speaks, with the solution in place"


def test_an_exercise_without_solution_and_one_too_many_are_told():
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    stub = code("def f():\n    raise NotImplementedError", metadata={"tags": ["exercise"]})
    answer = text("```python\ndef f():\n    return 1\n```", metadata={"tags": ["solution"]})
    notebook = nbformat.v4.new_notebook(cells=[stub, answer])
    assert runner.solved(notebook).cells[0].source == "def f():\n    return 1"
    assert "NotImplementedError" in notebook.cells[0].source, "the notebook itself stays as it is"
    for cells in ([stub], [answer], [stub, stub, answer]):
        with pytest.raises(ValueError, match="no solution|no exercise"):
            runner.solved(nbformat.v4.new_notebook(cells=cells))
    with pytest.raises(ValueError, match="one block"):
        runner.solution(text("nothing"))


def test_a_stub_that_is_not_written_is_one_sentence(capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(NOTEBOOKS[0].parent))
    from exercises import attempt

    with attempt():
        raise NotImplementedError
    assert capsys.readouterr().out.startswith("Not written yet")
    with pytest.raises(AssertionError), attempt():
        raise AssertionError("wrong")
