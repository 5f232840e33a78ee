"""Tiny checkpoints, waiting with a limit, and an open page in a browser."""

import base64
import io
import json
import re
import socket
import time
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import torch
from PIL import Image

from demo.tabs.inside.reach import DEPTH, reach
from pixelcnn_core import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.autoencoder.evaluation import codes_of, principal_directions
from pixelcnn_core.autoencoder.model import AutoEncoder, AutoEncoderConfig, CodeConfig, MSEAutoEncoder
from pixelcnn_core.faces.face_network import NAME, FaceNetwork
from pixelcnn_core.models.chain import CHAIN_FILE
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig
from pixelcnn_core.restoration.restorer import Restorer, RestorerConfig
from pixelcnn_core.results import merge_results

CLASSES = ("cat", "dog", "ship")
ENCODER = Path(__file__).parents[2] / "demo" / "assets" / "face_network"


def save_tiny(folder: Path, **changes) -> None:
    """A checkpoint of a few thousand random weights."""
    config = {"image_size": 16, "channels": 3, "levels": 256, "features": 6, "layers": 2, "head_features": 12,
              "first_kernel_size": 3, "classes": 3, "class_names": CLASSES}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        GatedPixelCNN(PixelCNNConfig(**{**config, **changes})).save_pretrained(folder)


def save_tiny_portraits(folder: Path) -> None:
    """A portrait model of random weights that belongs to the bundled face network."""
    encoder = FaceNetwork.from_pretrained(ENCODER)
    save_tiny(folder, image_size=32, classes=0, class_names=(), embedding=encoder.config.embedding,
              encoder=encoder.fingerprint)


def save_tiny_chain(folder: Path) -> None:
    """A chain of random weights for portraits of 16 x 16, that belongs to the bundled face network."""
    told = {"embedding": 128, "encoder": NAME}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        decoder = {"features": 6, "layers": 2, "head_features": 12, "first_kernel_size": 3}
        GatedPixelCNN(PixelCNNConfig(image_size=8, position=2, **decoder, **told)).save_pretrained(folder / "8")
        config = UpscalerConfig(image_size=16, features=6, map_channels=6, decoder=decoder, **told)
        Upscaler(config).save_pretrained(folder / "16")
    (folder / CHAIN_FILE).write_text(json.dumps({"steps": ["8", "16"]}), encoding="utf-8")


def save_tiny_codes(folder: Path, *sizes: int) -> None:
    """Pairs of auto-encoders of random weights, with the directions of their codes and made-up results."""
    shape, noise = {"features": 4}, torch.randint(0, 256, (40, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    decoder = {"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 12}
    for m in sizes:
        with torch.random.fork_rng():
            torch.manual_seed(m)
            models = (AutoEncoder(AutoEncoderConfig(code=m, **shape, map_channels=3, decoder=decoder)),
                      MSEAutoEncoder(CodeConfig(code=m, **shape)))
        for model, kind in zip(models, ("autoencoder", "mse-autoencoder")):
            for parameter in model.encoder.out.parameters():
                parameter.data *= 20  # so that the code matters
            model.save_pretrained(folder / f"{kind}-{m}")
        found = principal_directions(*(codes_of(model, noise.byte()) for model in models))
        merge_results(folder / f"autoencoder-{m}", found, "codes.json")
        results = {"bits_in_the_code": 1234.0 + m, "images": 10000, "images_reconstructed": 1000, "mse": 0.0456,
                   "mse_of_mse_autoencoder": 0.0234, "class_kept_mse": 0.31, "class_kept_pixelcnn": 0.42,
                   "class_accuracy_real": 0.83, "sharpness_mse": 0.0012, "sharpness_pixelcnn": 0.0123,
                   "sharpness_original": 0.0111,
                   "shown": {"temperature": 0.9, "guidance": 2.5, "mse": 0.0345, "class_kept": 0.47, "sharpness": 0.01}}
        merge_results(folder / f"autoencoder-{m}", results)


def save_tiny_restorer(folder: Path) -> None:
    """A restorer of random weights for pictures of 16 x 16, as the colour model draws them; with made-up results."""
    decoder = {"features": 6, "layers": 2, "head_features": 12, "first_kernel_size": 3}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = Restorer(RestorerConfig(image_size=16, features=6, dilations=(1, 2), map_channels=4, decoder=decoder))
        torch.nn.init.normal_(model.map_network.out.weight)  # it starts from zero
    model.save_pretrained(folder)
    case = {"kind": "grey", "baseline": "grey copied", "psnr_sample": 11.1, "psnr_mean": 22.2, "psnr_baseline": 33.3,
            "bits_per_missing_dim": 1.25, "bits_per_missing_dim_raster": 3.75}
    merge_results(folder, {"cases": {"grey": case}, "images": 300, "images_drawn": 50, "samples": 8})


def save_race(folder: Path) -> None:
    """A race.json of four models; the Gated PixelCNN is overtaken after 20 of 40 seconds, and overtakes again."""
    curves = {"PixelCNN": (3.0, 2.5, 2.3, 2.25), "Row LSTM": (3.6, 2.9, 2.4, 2.2),
              "Diagonal BiLSTM": (3.8, 2.4, 2.25, 2.15), "Gated PixelCNN": (2.9, 2.45, 2.2, 2.1)}
    models = {name.lower(): {
        "name": name, "parameters": 50_000 + k, "steps": 400, "seconds": 40.0, "images_per_second": 100.0 * (4 - k),
        "bits_per_dim_test": bits[-1], "bits_per_dim_test_standard_error": 0.01,
        "curve": [{"seconds": 10.0 * (n + 1), "steps": 100 * (n + 1), "bits_per_dim": value}
                  for n, value in enumerate(bits)]} for k, (name, bits) in enumerate(curves.items())}
    baselines = {"uniform": {"name": "Uniform", "bits_per_dim_test": 4.0875, "bits_per_dim_test_standard_error": 0.0},
                 "gaussian": {"name": "Multivariate Gaussian", "bits_per_dim_test": 2.9,
                              "bits_per_dim_test_standard_error": 0.02}}
    folder.mkdir(parents=True)
    (folder / "race.json").write_text(json.dumps({
        "data": "digits", "image_size": 8, "channels": 1, "levels": 17, "images_test": 297, "batch": 32,
        "hardware": "a <quick> machine", "models": models, "baselines": baselines}), encoding="utf-8")


def seen_from(kind: str, layers: int, size: int, place: tuple[int, int]) -> np.ndarray:
    """What a network of so many layers sees from a place: bool (size, size)."""
    row, column = DEPTH - 1 - place[0], DEPTH - 1 - place[1]
    needed = reach()[kind][row:row + size, column:column + size]
    return (needed > 0) & (needed <= layers)


def unpack(packed: dict) -> np.ndarray:
    """What `demo/tabs/story/pack.py` made, as an array again, uint8 or uint16."""
    change = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8)
    stride = packed["stride"]
    filled = np.append(change, np.zeros(-len(change) % stride, np.uint8)).reshape(-1, stride)
    flat = np.cumsum(filled, 0, dtype=np.uint8).ravel()[:len(change)]
    if packed["bytes"] == 2:
        low, high = flat.reshape(2, -1).astype(np.uint16)
        flat = low | high << 8
    return flat.reshape(packed["shape"])


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_until(condition, seconds: float) -> bool:
    """Whether the condition became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


class Visit:
    """One open page, with everything it asked for and complained about."""

    def __init__(self, browser, url, **options):
        # what moves by itself costs a browser without a GPU half of its time; tests of it ask for "no-preference"
        options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        # not one context for all: the pages of one share six connections, and each page keeps two open
        self.context = browser.new_context(**options)
        self.page, self.url = self.context.new_page(), url
        self.page.set_default_timeout(120_000)  # a page of nine tabs on a busy machine
        self.complaints, self.hosts = [], set()
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def open(self, query: str = "?tab=classes"):
        self.page.goto(self.url + query)
        self.page.wait_for_selector("#tabs [role=tabpanel] .block", state="attached")
        if self.page.evaluate("document.documentElement.dataset.tab") == "classes":
            self.page.wait_for_selector("#grid figure img", state="attached")
            self.page.wait_for_selector(".notes p", state="attached")
        self.page.wait_for_function("window.addressRead")  # everything is in its place
        return self.page

    def open_tab(self, title: str) -> None:
        """Press the tab in the bar; About is reached from the footer."""
        if title == "About":
            self.page.get_by_role("link", name="About this page").click()
        else:
            self.page.get_by_role("tab", name=title, exact=True).click()
        self.page.wait_for_selector(f"[role=tab][aria-selected=true]:text-is('{title}')")

    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).query).items()}

    def status(self) -> str:
        return self.page.inner_text("#status")

    def sources(self) -> list[str]:
        """The files of all pictures in the grid, wherever they come from, as text."""
        return self.page.evaluate("""() => Promise.all([...document.querySelectorAll("#grid img")].map(async image => {
          const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
          return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
        }))""")

    def labels(self) -> list[str]:
        return self.page.locator("#grid figcaption").all_inner_texts()

    def wait_for_status(self, text: str, seconds: float = 10) -> None:
        self.page.wait_for_function("text => document.querySelector('#status').innerText.includes(text)", arg=text,
                                    timeout=1000 * seconds)


def images_of(html: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
            for data in re.findall(r'<img src="data:image/png;base64,(.*?)"', html)]
