"""What is installed: the wheel holds all of the core and the trained models, and nothing called `demo`."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_room_is_a_package_of_the_wheel():
    rooms = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "pixelcnn_core").rglob("__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == rooms | {"pixelcnn_core.assets"}


def test_the_two_lists_of_dependencies_are_one():
    """`pip install -r requirements.txt` is for the clone, pyproject.toml for the package: the same versions."""
    lines = re.findall(r"^[a-z].*$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    extras = PROJECT["project"]["optional-dependencies"]
    assert sorted(lines) == sorted([*PROJECT["project"]["dependencies"], *(line for part in extras.values()
                                                                           for line in part)])


def test_the_reference_is_made_from_the_docstrings():
    from pixelcnn_core.cards.api import PAGE, api_page

    assert PAGE.read_text(encoding="utf-8") == api_page(), "renew it: python -m pixelcnn_core.cards.api"


def test_the_citation_names_the_paper_and_this_version():
    import pixelcnn_core

    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "arxiv.org/abs/1606.05328" in text and f"version: {pixelcnn_core.__version__}\n" in text
    assert f"## {pixelcnn_core.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_wheel_works_anywhere(tmp_path):
    """Built from what git tracks, unpacked elsewhere, called from elsewhere."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8")
    if listed.returncode:
        pytest.skip("needs git and a git checkout: clone the repository")
    source = tmp_path / "source"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", str(source), "--no-deps", "--no-build-isolation", "-w",
                    str(tmp_path)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    installed = {path.name for path in (tmp_path / "site").iterdir()}
    assert {name for name in installed if not name.endswith(".dist-info")} == {"pixelcnn_core"}
    (entry,) = (tmp_path / "site").glob("*.dist-info/entry_points.txt")
    assert "pixelcnn = pixelcnn_core.cli.main:main" in entry.read_text(encoding="utf-8")
    code = ("import pixelcnn_core, sys\nassert pixelcnn_core.__file__.startswith(sys.argv[1])\n"
            "from pixelcnn_core import load_model\nfrom pixelcnn_core.faces.face_network import FaceNetwork\n"
            "from pixelcnn_core.training.recipe import load_recipe\n"
            "from pixelcnn_core.faces.tables import held_out_people\n"
            "assert load_recipe('digits').steps and held_out_people()\n"
            "load_model('demo/assets/models/cifar10'), load_model('portraits-chain')\n"
            "load_model('digits').sample('7', n=2).save('sevens.png')\n")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "site")], cwd=tmp_path, check=True,
                   env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "", "HF_HUB_OFFLINE": "1", "HOME": str(tmp_path)})
    assert (tmp_path / "sevens.png").exists()
