"""Every command that the page tells visitors to type can be typed: the command line takes it as it stands."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

import demo
from pixelcnn_core.cli.main import app

START = "python -m pixelcnn_core "


def texts(tree: ast.AST):
    """All strings in a module; what an f-string fills in is "x"."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
              if part is not node}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def commands() -> list[str]:
    found = set()
    for path in Path(demo.__file__).parent.glob("**/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):  # docstrings are for readers of the code
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
                node.body = node.body[1:] or [ast.Pass()]
        for text in texts(tree):
            found |= {" ".join(words.split()) for words in re.findall(rf"{START}([^`<]+)[`<]", text)}
    return sorted(found)


@pytest.mark.parametrize("command", commands())
def test_it_can_be_typed(command):
    verb, *arguments = shlex.split(command)
    group = typer.main.get_command(app)
    assert verb in group.commands
    if arguments != ["--help"]:
        group.commands[verb].make_context(verb, arguments)  # raises for an option that is missing or unknown


def test_some_were_found():
    assert len(commands()) >= 8 and sum(command.startswith("train ") for command in commands()) >= 5
