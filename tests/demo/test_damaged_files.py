"""A damaged file beside a model costs what it belongs to, which says so; the page starts in any case."""

import json
import shutil
from pathlib import Path

import pytest

from demo.kit import pictures
from demo.kit.stored import FACTS, read_portraits, read_stored
from demo.service.bridge import MODELS, Service
from demo.tabs.autoencoder.stored import read_codes
from demo.tabs.complete.stored import COMPLETIONS, read_completions
from demo.tabs.scoreboard.panels import STORED_RACE, read_race
from demo.web.page import DAMAGED, TABS, build_page

DEEP = b"[" * 100_000
WRONG = {"seconds": "x", "images": [], "batch": {"1": {"naive_s": "slow"}}, "threads": None, "weights": 3, "steps": {}}


@pytest.fixture
def copy(models, tmp_path) -> Path:
    """The assets of the tiny models, to be damaged."""
    shutil.copytree(models.parent, tmp_path / "assets")
    return tmp_path / "assets" / "models"


def texts(page) -> str:
    return "\n".join(str(getattr(block, "value", "")) for block in page.blocks.values())


def tabs_lost(page) -> int:
    return texts(page).count(DAMAGED.splitlines()[0])


def test_an_undamaged_page_loses_nothing(copy):
    assert tabs_lost(build_page(Service(copy))) == 0


@pytest.mark.parametrize("name, content", [
    ("benchmark.json", json.dumps(WRONG).encode()), ("quality.json", b"{"), ("results.json", DEEP),
    ("stored_samples.png", b"\x89PNG\r\n\x1a\n"),
    *(pytest.param(*other, marks=pytest.mark.slow) for other in (
        ("benchmark.json", DEEP), ("training.json", json.dumps(WRONG).encode()), ("codec.json", b"[]"),
        ("stored_samples.json", DEEP)))])
def test_a_damaged_file_beside_a_model(copy, name, content):
    (copy / "photos" / name).write_bytes(content)
    service = Service(copy)
    page = build_page(service)
    assert tabs_lost(page) <= 1
    assert tabs_lost(page) or "photos" in service.names or "Left out" in texts(page) and "photos" in texts(page)
    page.get_config_file()  # what is left fits together


@pytest.mark.parametrize("name, content", [
    ("README.md", b"\xff\xfe\xfa"), ("training.json", b'{"steps": 1, "images": 1, "seconds": 1%s}' % (b"0" * 400)),
    ("chain.json", DEEP), ("chain.json", b'{"steps": ["\\u0000"]}')])
def test_a_model_whose_files_cannot_be_read_is_left_out(copy, name, content):
    (copy / "photos" / name).write_bytes(content)
    service = Service(copy)
    assert "photos" not in service.infos and service.left_out == ["photos"] and service.names


def test_a_damaged_picture_costs_the_tabs_that_open_with_it(copy, monkeypatch, tmp_path):
    (tmp_path / "rocket.png").write_bytes(b"no picture")
    monkeypatch.setitem(pictures.PICTURES, "galaxies", tmp_path / "rocket.png")
    page = build_page(Service(copy))
    assert tabs_lost(page) == 0, "nothing opens with galaxies"
    monkeypatch.setitem(pictures.PICTURES, "cat", tmp_path / "rocket.png")
    page = build_page(Service(copy))
    assert 1 <= tabs_lost(page) <= 3
    config = page.get_config_file()
    numbers = {component["id"] for component in config["components"]}
    for event in config["dependencies"]:
        assert set(event["inputs"]) | set(event["outputs"]) <= numbers


def test_pictures_of_other_weights_are_not_shown(tmp_path):
    for source, name, read in (
            (MODELS / "cifar10", FACTS, lambda folder: read_stored(folder, Service().info("cifar10"))),
            (MODELS / "cifar10", f"{COMPLETIONS}.json", lambda folder: read_completions(folder, COMPLETIONS)),
            (MODELS / "digits", STORED_RACE, read_race),
            (MODELS / "portraits-chain", "stored_portraits.json", read_portraits),
            (MODELS.parent / "autoencoders" / "chain-autoencoder-10", "stored_codes.json", read_codes)):
        folder = tmp_path / name / source.name
        shutil.copytree(source, folder)
        assert read(folder) is not None, name
        facts = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**facts, "weights": "0123456789abcdef"}), encoding="utf-8")
        assert read(folder) is None, name


@pytest.mark.slow
def test_every_file_in_every_way(copy):
    """Each file of the tiny assets, damaged in one of several ways; the page is built each time."""
    ways = (b"", b"{", DEEP, b"null", json.dumps(WRONG).encode(), b"\0" * 64)
    files = sorted(path for path in copy.parent.rglob("*") if path.is_file())
    for number, path in enumerate(files):
        whole = path.read_bytes()
        path.write_bytes(ways[number % len(ways)])
        page = build_page(Service(copy))
        assert tabs_lost(page) < len(TABS) - 1 or "No trained model" in texts(page), path
        path.write_bytes(whole)
    assert len(files) >= 20
