"""Tiny checkpoints, waiting with a limit, and an open page in a browser."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import torch

from pixelcnn_core import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.face_encoder import FaceEncoder
from pixelcnn_core.restorer import Restorer, RestorerConfig

CLASSES = ("cat", "dog", "ship")
ENCODER = Path(__file__).parents[2] / "demo" / "assets" / "face_encoder"


def save_tiny(folder: Path, **changes) -> None:
    """A checkpoint of a few thousand random weights."""
    config = {"image_size": 16, "channels": 3, "levels": 256, "features": 6, "layers": 2, "head_features": 12,
              "first_kernel_size": 3, "classes": 3, "class_names": CLASSES}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        GatedPixelCNN(PixelCNNConfig(**{**config, **changes})).save_pretrained(folder)


def save_tiny_portraits(folder: Path) -> None:
    """A portrait model of random weights that belongs to the bundled encoder."""
    encoder = FaceEncoder.from_pretrained(str(ENCODER))
    save_tiny(folder, image_size=32, classes=0, class_names=(), embedding=encoder.config.embedding,
              encoder=encoder.fingerprint)


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
    (folder / "results.json").write_text(json.dumps({"cases": {"grey": case}, "images": 300, "images_drawn": 50,
                                                     "samples": 8}))


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

    def __init__(self, browser, url, **context):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.page, self.url = self.context.new_page(), url
        self.complaints, self.hosts = [], set()
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def open(self, query: str = ""):
        self.page.goto(self.url + query)
        self.page.wait_for_selector("#grid figure img", state="attached")
        self.page.wait_for_selector(".notes p", state="attached")
        self.page.wait_for_function("window.addressRead")  # everything is in its place
        return self.page

    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).query).items()}

    def status(self) -> str:
        return self.page.inner_text("#status")

    def sources(self) -> list[str]:
        return self.page.eval_on_selector_all("#grid img", "images => images.map(image => image.src)")

    def labels(self) -> list[str]:
        return self.page.locator("#grid figcaption").all_inner_texts()

    def wait_for_status(self, text: str, seconds: float = 10) -> None:
        self.page.wait_for_function("text => document.querySelector('#status').innerText.includes(text)", arg=text,
                                    timeout=1000 * seconds)
