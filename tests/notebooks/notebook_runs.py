"""The notebooks, run once per test session each: small, in a fresh kernel, their controls moved afterwards."""

import functools
import importlib.util
import inspect
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
spec = importlib.util.spec_from_file_location("run_notebooks", FOLDER / "run.py")
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)


def probe(names: dict) -> str:
    """Move every control among a notebook's `names` to its ends and back, press every button; what changed, as JSON.

    Its source runs in the notebook's kernel, after the last cell. Setting a value calls the callback as a hand on the
    slider does, and what the callback raises comes out here.
    """
    import inspect
    import json

    import ipywidgets

    def ends(control) -> list:
        if hasattr(control, "options"):
            values = [option[1] if isinstance(option, tuple) else option for option in control.options]
            return [values[0], values[-1]]
        return [control.min, control.max] if hasattr(control, "min") else []

    def pictures() -> list[bytes]:
        return [bytes(image.value) for image in images]

    images = [value for value in names.values() if isinstance(value, ipywidgets.Image)]
    moved = {}
    for name, control in names.items():
        before, changed = pictures(), []
        if isinstance(control, ipywidgets.Button):
            control.click()
            changed.append(pictures() != before)
        elif isinstance(control, ipywidgets.ValueWidget):
            first = control.value
            for value in ends(control):
                control.value = value
                changed.append(pictures() != before)
            control.value = first
        if changed:
            moved[name] = any(changed)
    callbacks = [name for name, value in names.items() if name.startswith("change_") and inspect.isfunction(value)]
    return json.dumps({"moved": moved, "callbacks": callbacks, "png": [data[1:4] == b"PNG" for data in pictures()]})


@functools.cache
def run_once(path: Path) -> tuple:
    """(the notebook with its outputs, what the probe saw of its widgets)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMOKE_TEST", "1")
        notebook = runner.run(path, f"{inspect.getsource(probe)}\nprint(probe(dict(globals())))")
    last = notebook.cells.pop()
    return notebook, json.loads("".join(output.text for output in last.outputs if output.get("name") == "stdout"))
