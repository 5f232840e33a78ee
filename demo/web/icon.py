"""The icon of the page, `demo/assets/favicon.png`: the digit of the header, half drawn. `python -m demo.web.icon`."""

import json

import numpy as np
from PIL import Image

from demo.web.diagram import RECORD
from demo.web.head import ICON

PAPER, NOW = (236, 232, 222), (177, 71, 42)  # where nothing is drawn yet; the pixel that is drawn now


def icon(side: int = 64) -> Image.Image:
    """The record of the header's animation after nine sixteenths of its pixels, `side` pixels wide."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    values = np.array(record["values"])  # (H, W)
    done = values.size * 9 // 16
    grey = 255 - np.round(255 * values.ravel() / (record["levels"] - 1))  # (H * W,)
    pixels = np.repeat(grey[:, None], 3, axis=1)
    pixels[done:], pixels[done] = PAPER, NOW
    picture = Image.fromarray(pixels.reshape(*values.shape, 3).astype(np.uint8))
    return picture.resize((side, side), Image.Resampling.NEAREST)


if __name__ == "__main__":
    icon().save(ICON, optimize=True)
