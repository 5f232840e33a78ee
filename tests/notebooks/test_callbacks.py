"""The things to play with work: every control, moved to its ends, changes a picture in place."""

import re

import pytest

PLAY = re.compile(r"\bplay\(")  # and not display(


def test_every_control_changes_a_picture(executed):
    notebook, seen = executed
    if not any(PLAY.search(cell.source) for cell in notebook.cells):
        pytest.skip("no controls")
    assert seen["moved"], "nothing to play with"
    assert all(seen["moved"].values()), seen["moved"]
    assert seen["png"] and all(seen["png"])


def test_callbacks_are_plain_functions(executed):
    """Named change_..., so that a reader can find and call them."""
    notebook, seen = executed
    assert bool(seen["callbacks"]) == any(PLAY.search(cell.source) for cell in notebook.cells)
