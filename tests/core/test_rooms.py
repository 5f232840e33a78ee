"""The house: who may import whom. The tables of the README say so, and every file keeps to them."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from pixelcnn_core.kinds import KINDS, kind_named, load
from pixelcnn_core.models.base import Model

ROOT = Path(__file__).parents[2]
CORE, APP = ROOT / "pixelcnn_core", ROOT / "demo"
MAP = (ROOT / "README.md").read_text(encoding="utf-8")
WALKS = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
BACK = {"models/base.py": "sampling", "data/loaders.py": "faces"}  # the two arrows that go back, as the map says


def table(of: str) -> dict[str, set[str]]:
    """What each room may import: the first and the last column of the table whose head begins with `of`."""
    rows = MAP.split(f"| {of} |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[set(re.findall(r"`(\w+)`", cell)) for cell in (row.split("|")[1], row.split("|")[-2])] for row in rows]
    return {room: others for rooms, others in cells for room in rooms}


ROOMS, FLOORS = table("room of the core"), table("room of the app")
FILES = {room for room in ROOMS if (CORE / f"{room}.py").is_file()}
WINGS = {"faces", "autoencoder", "restoration", "codec"}


def imports(path: Path, package: str = "pixelcnn_core") -> set[str]:
    """The modules that a file imports from this package when it runs, `room.file`; what only type checkers read does
    not count."""
    found, tree = set(), ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            for name in [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]:
                place = ROOT / name.replace(".", "/")
                if place.with_suffix(".py").is_file():
                    found.add(name.removeprefix(f"{package}."))
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix(f"{package}.") for alias in node.names
                      if alias.name.startswith(f"{package}.")}
    return found


def name_of(path: Path) -> str:
    return path.relative_to(CORE).with_suffix("").as_posix().replace("/", ".")


@pytest.mark.parametrize("path", [path for path in sorted(CORE.rglob("*.py")) if path.parent != CORE or
                                  path.stem in FILES], ids=lambda path: str(path.relative_to(CORE)))
def test_arrows_go_one_way(path):
    name = path.relative_to(CORE)
    room = name.parts[0].removesuffix(".py")
    may = ROOMS[room] | {room} | FILES | {BACK.get(name.as_posix(), room)}
    assert {module.split(".")[0] for module in imports(path)} <= may, f"{name} may import {sorted(may)}"


def test_every_arrow_is_used():
    """What a room may import and does not is an arrow too many in the table."""
    used = {room: set() for room in ROOMS}
    for path in CORE.rglob("*.py"):
        name = path.relative_to(CORE)
        if (room := name.parts[0].removesuffix(".py")) in ROOMS:
            used[room] |= {module.split(".")[0] for module in imports(path)} - {BACK.get(name.as_posix())}
    assert {room: others - used[room] for room, others in ROOMS.items() if others - used[room]} == {}


def test_no_files_import_each_other_in_a_circle():
    """Nor do imports inside functions, which hide one; only the arrows that go back as the page says are left out."""
    graph = {name_of(path): {module for module in imports(path)
                             if module.split(".")[0] != BACK.get(path.relative_to(CORE).as_posix())}
             for path in CORE.rglob("*.py") if path.parent != CORE or path.stem in FILES}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, with the circle
    assert set(graph) <= set(order)


def test_no_wing_knows_another_one_and_the_table_has_no_circle():
    assert all(not ROOMS[wing] & WINGS for wing in WINGS)
    assert all(not ROOMS[room] & (WINGS | {"cli"}) for room in set(ROOMS) - WINGS - {"cli"})
    list(TopologicalSorter(ROOMS).static_order())


def test_every_room_is_on_the_page_and_says_what_it_is_for():
    assert {path.parent.name for path in CORE.glob("*/__init__.py")} == set(ROOMS) - FILES
    assert {path.stem for path in CORE.glob("*.py")} == FILES | {"__init__", "__main__"}
    assert {path.parent.name for path in APP.glob("*/__init__.py")} == set(FLOORS)
    for path in CORE.glob("*/__init__.py"):
        assert path.read_text(encoding="utf-8").startswith('"""'), path


def test_the_walks_name_files_and_names_that_are_there():
    """As `file.py: name` or `file.py: Class.name`, from the root, or from the core."""
    walks = re.findall(r"`([\w/]+\.py)(?:: ([\w.]+))?`", " ".join(WALKS.split("\n## ", 1)[1].split()))
    assert len(walks) > 30
    for file, name in walks:
        place = next((root / file for root in (ROOT, CORE, CORE / "sampling", CORE / "sampling" / "cached")
                      if (root / file).is_file()), None)
        assert place, file
        for part in name.split(".") if name else ():
            assert re.search(rf"\b(def|class) {part}\b", place.read_text(encoding="utf-8")), f"{file}: {name}"


def test_every_place_in_the_table_of_kinds_is_there():
    """`kinds.py` names classes and functions by their place, of whatever room."""
    for kind in KINDS.values():
        model = load(kind.model)
        assert kind_named(model.__name__) is kind
        assert all(callable(load(place)) for place in (kind.preview, kind.evaluation, kind.card, kind.told, kind.start)
                   if place)
        if kind.recipe:
            assert issubclass(model, Model)


@pytest.mark.parametrize("path", sorted(APP.rglob("*/*.py")), ids=lambda path: str(path.relative_to(APP)))
def test_the_app_stands_on_floors(path):
    floor, *rest = path.relative_to(APP).parts
    for module in imports(path, "demo"):
        other, *inner = module.split(".")
        assert other in FLOORS[floor] | {floor}, f"{path} imports demo.{other}"
        if floor == other == "tabs":
            assert inner[0] == rest[0], f"{path} imports another tab, {inner[0]}"
