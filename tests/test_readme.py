"""The README as a stranger reads it: every command is one that is understood, and does what it says."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from pixelcnn_core.cli.main import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, "" for those without one."""
    return [text for found, text in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S) if found == language]


def commands(language: str) -> list[list[str]]:
    lines = [shlex.split(line) for block in blocks(language) for line in block.splitlines()]
    return [words for words in lines if words[:3] == ["python", "-m", "pixelcnn_core"]]


@pytest.mark.parametrize("words", [*commands("sh"), *commands("")], ids=" ".join)
def test_a_printed_command_is_understood(words):
    """By the parser of the command line: a misspelt option or a value of the wrong kind raises."""
    verb = get_command(app).commands[words[3]]
    with verb.make_context(words[3], words[4:]) as context:
        assert all(Path(value).suffix in (".png", ".json") for value in (context.params.get("json_file"),) if value)


@pytest.mark.parametrize("snippet", blocks("python"), ids=lambda text: text.splitlines()[-1])
def test_a_printed_snippet_ends_in_a_picture(snippet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "README.md", "exec"), {})
    (picture,) = tmp_path.glob("*.png")
    assert len(np.unique(np.asarray(Image.open(picture)))) > 2


def own_pictures(folder: Path) -> None:
    """Two classes of photos of any size, as the README asks for them."""
    random = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 3)):
        for name, colour in (("red", (200, 40, 40)), ("blue", (40, 40, 200))):
            place = folder / split / name
            place.mkdir(parents=True)
            for k in range(count):
                pixels = np.clip(random.normal(colour, 30, (40 + k, 50, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{k}.jpg")


@pytest.mark.slow
def test_the_printed_commands_work_one_after_another(tmp_path):
    shutil.copytree(ROOT / "demo" / "assets", tmp_path / "demo" / "assets")  # as in a clone: some write results there
    own_pictures(tmp_path / "images")
    (recipe,) = blocks("json")
    (tmp_path / "my-recipe.json").write_text(json.dumps({**json.loads(recipe), "steps": 3}), encoding="utf-8")
    said = {}
    for words in commands("sh"):
        done = subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, capture_output=True, encoding="utf-8",
                              env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"})
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stderr}"
        said[words[3], words[4]] = done.stderr
    assert "new, and zero at first: what 2 classes add in every layer (blue, red)" in said["train", "my-recipe.json"]
    for name in ("grid.png", "horses.png", "digits.png", "mine.png", "benchmark.json", "runs/digits/README.md"):
        assert (tmp_path / name).exists(), name
    assert np.array_equal(*(np.asarray(Image.open(path)) for path in (ROOT / "demo/assets/pictures/cat.png",
                                                                       tmp_path / "cat-again.png")))
