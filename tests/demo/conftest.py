"""Tiny checkpoints with random weights, a service that can be slowed down, the page on a local port, a browser."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from gradio_client import Client
from helpers import (
    Visit,
    free_port,
    save_race,
    save_tiny,
    save_tiny_codes,
    save_tiny_portraits,
    save_tiny_restorer,
    wait_until,
)
from raw_calls import Page

from app import LAUNCH
from demo.make_assets import draw_codes, draw_completions, draw_portraits, draw_race, draw_samples
from demo.service.bridge import Service
from demo.service.faces import FaceService
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.classes.knobs import draw_knobs
from demo.tabs.complete.service import CompleteService
from demo.tabs.inside.service import InsideService
from demo.tabs.inside.stored import draw_inside
from demo.web.page import build_page

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers
def pytest_collection_modifyitems(items) -> None:
    """On a loaded machine a browser can miss a moment: its tests have a second chance, and the report counts them."""
    for item in items:
        if {"visit", "kept"} & set(item.fixturenames):
            item.add_marker(pytest.mark.flaky(reruns=1))
            item.add_marker(pytest.mark.browser)


class PacedService(Service):
    """The real service; a test may give every row a length in seconds."""

    row_seconds = 0.0

    def serve(self, name, start, groups, steps=None):
        def paced(model):
            rows = start(model)
            try:
                for images in rows:
                    self.pause()
                    yield images
            finally:
                rows.close()

        return super().serve(name, paced, groups, steps)

    def pause(self) -> None:
        """The length of a row; a test that makes it shorter ends it too."""
        begun = time.monotonic()
        while (left := begun + self.row_seconds - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A folder with a colour model and a portrait model, which have stored samples, and a grey one, which has none."""
    folder = tmp_path_factory.mktemp("assets") / "models"
    save_race(folder.parent / "race" / "digits")
    save_tiny(folder / "photos")
    save_tiny(folder / "digits", image_size=8, channels=1, levels=17, classes=10, class_names=tuple("0123456789"))
    save_tiny_portraits(folder / "people")
    save_tiny_restorer(folder.parent / "restorer")
    draw_samples(Service(folder), "photos")
    draw_knobs(Service(folder), "photos")
    draw_race(Service(folder), "digits", "3")
    draw_portraits(FaceService(Service(folder)))
    draw_completions(CompleteService(Service(folder)))
    draw_inside(InsideService(Service(folder)))
    return folder


@pytest.fixture(scope="session")
def autoencoders(tmp_path_factory, models) -> Path:
    """Two code sizes, of which the larger one, which the page opens with, has a stored example."""
    folder = tmp_path_factory.mktemp("autoencoders")
    save_tiny_codes(folder, 4, 6)
    draw_codes(CodeService(Service(models), folder), 6)
    return folder


@pytest.fixture(scope="session")
def shared_service(models) -> PacedService:
    return PacedService(models, budget=60, patience=5)


@pytest.fixture
def service(shared_service):
    """The service, at full speed and free when the test starts."""
    shared_service.row_seconds, shared_service.budget, shared_service.patience = 0.0, 60, 5
    assert wait_until(lambda: not shared_service.busy, 5), "an earlier test left the model busy"
    return shared_service


@pytest.fixture(scope="session")
def running(shared_service, autoencoders):
    """The page, served on a local port."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PIXELCNN_AUTOENCODERS", str(autoencoders))
        blocks = build_page(shared_service)
    blocks.launch(server_name="127.0.0.1", server_port=free_port(), quiet=True, **LAUNCH)
    yield blocks
    blocks.close(verbose=False)


@pytest.fixture(scope="session")
def url(running) -> str:
    """The address of the running page."""
    return running.local_url


@pytest.fixture(scope="session")
def page(url) -> Page:
    """Its events, to be called by plain HTTP."""
    return Page(url)


@pytest.fixture
def app(tmp_path, models, autoencoders):
    """`python app.py` on the tiny models, with its own folder for temporary files; started by a call."""
    started = []

    def start(**more) -> tuple[subprocess.Popen, str]:
        port = free_port()
        environment = {**os.environ, "CI": "1", "GRADIO_SERVER_PORT": str(port), "PIXELCNN_MODELS": str(models),
                       "PIXELCNN_AUTOENCODERS": str(autoencoders), "GRADIO_TEMP_DIR": str(tmp_path / "temporary"),
                       **more}
        log = open(tmp_path / "log.txt", "w", encoding="utf-8")
        started.append(subprocess.Popen([sys.executable, "app.py"], cwd=Path(__file__).parents[2], env=environment,
                                        stdout=log, stderr=log))
        return started[-1], f"http://127.0.0.1:{port}/"

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def client(url):
    """An API session; what the tests of a file ask in it does not depend on what was asked before."""
    return Client(url, verbose=False)


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; the tests that need one say how to get it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    with playwright.sync_playwright() as tools:
        names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the lightest first
        installed = next(filter(None, map(shutil.which, names)), None)
        if not installed and not Path(tools.chromium.executable_path).exists():
            pytest.skip("needs Chromium: apt-get install chromium-headless-shell, or playwright install chromium")
        browser = tools.chromium.launch(executable_path=installed, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def visiting(chromium, url):
    """Opens pages; afterwards none of them may have complained, or have asked another machine for anything."""
    visits = []

    def start(**options) -> Visit:
        visits.append(Visit(chromium, url, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()
    here = urlsplit(url).netloc
    for one in visits:
        assert one.hosts <= {here, ""}, "the page asked another machine"  # "" is data: and blob:
        assert not one.complaints


@pytest.fixture
def visit(chromium, url, service):
    """Opens pages of a test's own."""
    yield from visiting(chromium, url)


@pytest.fixture(scope="module")
def kept_pages(chromium, url):
    """Opens pages of a file's own, and what keeps them: by the function that opens them."""
    visits = visiting(chromium, url)
    yield next(visits), {}
    next(visits, None)


@pytest.fixture
def kept(kept_pages, service, request):
    """Opens a page that several tests of a file look at, each of which leaves it as it found it; a second chance is one
    with a page of its own. What opens it takes the visit and returns the page."""
    start, pages = kept_pages

    def once(open_it, **options):
        if open_it not in pages or getattr(request.node, "execution_count", 1) > 1:
            pages[open_it] = open_it(start(**options))
        return pages[open_it]

    return once


@pytest.fixture
def busy(visit, service):
    """The model serves somebody else, until the test is over."""
    service.row_seconds = 0.2
    other = visit()
    other.open().click("#generate")
    other.wait_for_status("Row 1", 60)
    service.row_seconds = 3.0
    yield other.page
    service.row_seconds = 0
    assert wait_until(lambda: not service.busy, 20)
