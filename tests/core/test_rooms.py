"""The house: who may import whom. Arrows go one way, and a wing never imports another wing."""

import ast
from pathlib import Path

import pytest

from pixelcnn_core.kinds import KINDS, kind_named, load
from pixelcnn_core.training.recipe import MODELS

CORE = Path(__file__).parents[2] / "pixelcnn_core"
SPINE = ["models", "data", "sampling", "training", "evaluation", "cards"]  # each may import those before it
FREE = {"files", "figures", "device", "results", "provenance", "kinds"}  # single files that serve them all
WINGS = {"faces", "autoencoder", "restoration", "codec"}  # each may import the spine
REGISTRIES = {  # the places where the spine names its wings, or a room a later one
    "data/loaders.py": {"faces"},
    "training/samples.py": {"restoration"},
    "training/start.py": {"autoencoder"},
    "models/base.py": {"sampling"},
    "training/batches.py": {"restoration"},
    "results.py": {"models"}, "provenance.py": {"models"},
    "data/image_data.py": {"models"},
}


def imports(path: Path) -> set[str]:
    """The rooms that a file imports from when it runs; what only type checkers read does not count."""
    found, tree = set(), ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pixelcnn_core"):
            names = node.module.split(".")[1:] or [alias.name for alias in node.names]
            found.add(names[0])
    return found


def allowed(room: str) -> set[str]:
    if room in SPINE:
        return set(SPINE[:SPINE.index(room) + 1]) | FREE
    if room in WINGS:
        return {*SPINE, *FREE, room}
    if room in FREE:
        return FREE
    return {*SPINE, *FREE, *WINGS, "cli", "Condition", "GatedPixelCNN"}  # cli, and the package itself


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE)))
def test_arrows_go_one_way(path):
    name = path.relative_to(CORE)
    room = name.parts[0].removesuffix(".py")
    may = allowed(room) | REGISTRIES.get(name.as_posix(), set())
    assert imports(path) <= may, f"{name} may import {sorted(may)}"


def test_every_place_in_the_table_of_kinds_is_there():
    """`kinds.py` names classes and functions by their place, of whatever room."""
    for name, kind in KINDS.items():
        model = load(kind.model)
        assert kind_named(model.__name__) is kind
        assert all(callable(load(place)) for place in (kind.preview, kind.evaluation, kind.card) if place)
        if kind.recipe:
            assert MODELS[name] is model and {"losses", "config_class", "loss_name"} <= set(dir(model))


def test_every_room_is_known_and_says_what_it_is_for():
    rooms = {path.parent.name for path in CORE.glob("*/__init__.py")}
    assert rooms == {*SPINE, *WINGS, "cli"}
    for path in CORE.glob("*/__init__.py"):
        assert path.read_text(encoding="utf-8").startswith('"""'), path


APP = CORE.parent / "demo"
FLOORS = ["service", "kit", "tabs", "web"]  # each may import those before it


def app_imports(path: Path) -> set[tuple[str, ...]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = (node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {tuple(module.split(".")[1:]) for module in modules if module and module.startswith("demo.")}


@pytest.mark.parametrize("path", sorted(APP.rglob("*/*.py")), ids=lambda path: str(path.relative_to(APP)))
def test_the_app_stands_on_floors(path):
    floor, *rest = path.relative_to(APP).parts
    for other, *inner in app_imports(path):
        assert FLOORS.index(other) <= FLOORS.index(floor), f"{path} imports demo.{other}"
        if floor == other == "tabs":
            assert inner[0] == rest[0], f"{path} imports another tab, {inner[0]}"
