"""Machines whose text is not UTF-8, as Windows in the West (cp1252), tried in a bare POSIX locale (ASCII).

Every text file of the project is read and written as UTF-8, whatever the machine's own code page. Python tells of each
place where that is left to the machine (EncodingWarning); here such a warning from the project's code is an error, so
it does not matter which code page the machine has.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

START = """
import locale, sys, warnings
assert sys.flags.utf8_mode == 0 and locale.getencoding() != "utf-8"
warnings.simplefilter("ignore", EncodingWarning)  # of libraries
warnings.filterwarnings("error", category=EncodingWarning, module=r"(pixelcnn_core|demo|__main__)([.]|$)")
"""

CORE = """
from pathlib import Path
from pixelcnn_core import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.cards.card import write_card
from pixelcnn_core.cards.readme import ROOT, fill
from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe, load_recipe, recipe_names

out = Path(sys.argv[1])
recipe = Recipe("Übung 猫", "Ziffern, größer", "digits", 2, 8, 0.01, validate=8, sample=False,
                model={"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 6})
train(recipe, ".", out)
evaluate(out, ".", limit=2)
assert "Übung 猫" in write_card(out, per_class=1).read_text(encoding="utf-8")
for name in recipe_names():
    load_recipe(name)
readme = (ROOT / "README.md").read_text(encoding="utf-8")
assert fill(readme) == readme
model = GatedPixelCNN(PixelCNNConfig(image_size=4, classes=2, class_names=("Übergröße", "猫"), features=3, layers=1,
                                     head_features=3))
model.save_pretrained(out / "names")
assert GatedPixelCNN.from_pretrained(out / "names").config.class_names == ("Übergröße", "猫")
"""

PAGE = """
from demo.web.page import build_page
from demo.service.bridge import Service

build_page(Service(sys.argv[1]))
"""


def run(code: str, script: Path, *words) -> None:
    script.write_text(START + code, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    done = subprocess.run([sys.executable, "-X", "utf8=0", "-X", "warn_default_encoding", script, *words], cwd=ROOT,
                          capture_output=True, timeout=600, encoding="utf-8", errors="replace",
                          env={**environment, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT),
                               "HF_HUB_OFFLINE": "1"})
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_training_evaluation_and_cards(tmp_path):
    run(CORE, tmp_path / "run.py", tmp_path / "out")


@pytest.mark.slow
def test_the_page_is_built(tmp_path):
    run(PAGE, tmp_path / "run.py", ROOT / "demo" / "assets" / "models")


def test_every_text_file_is_opened_with_an_encoding():
    """Also where no other test comes by."""
    left = []
    for path in [ROOT / "app.py", *(path for folder in ("pixelcnn_core", "demo", "notebooks", "tests")
                                    for path in (ROOT / folder).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and is_text(node) and not any(k.arg == "encoding" for k in node.keywords):
                left.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not left


def is_text(call: ast.Call) -> bool:
    """Whether a call opens a text file, or reads a program's text."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("read_text", "write_text"):
        return len(call.args) < (1 if name == "read_text" else 2)
    if name == "open":
        return isinstance(call.func, ast.Name) and not any("b" in str(getattr(a, "value", "")) for a in call.args[1:])
    return any(k.arg in ("text", "universal_newlines") for k in call.keywords) and name in ("run", "Popen",
                                                                                           "check_output")
