"""A mosaic on the page, in which a visitor paints cell by cell with colours taken from a picture.

Like `pixel_canvas.py` a `gr.HTML` with a <canvas> and a script. Its value is a dict made by `mosaic_value`; a stroke
changes `pixels` in it and fires the component's `input` event. The arrow keys move, Enter or Space paints, Shift with
an arrow paints on the way. What comes back from a browser may be anything: `read_mosaic` cleans it.
"""

import base64
import binascii
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from demo.kit.html_block import html_block
from demo.service.settings import UserError

SIDE = 300  # pixels on the screen, at most
COLOURS = 16  # of the palette that are the picture's
PURE = ["#ff0000", "#ffff00", "#00c800", "#00c8ff", "#0000ff", "#ff00ff"]  # and those that few pictures have
SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))
HELP = "Arrow keys move, Enter paints, Shift with an arrow key paints on the way."


def mosaic(elem_id: str, label: str, value: dict) -> gr.HTML:
    """The component, inside an open `gr.Blocks`; `label` is what a screen reader says. Listen to its `input` event."""
    template = (f'<div class="swatches" role="group" aria-label="Colours"></div><canvas tabindex="0" '
                f'data-side="{SIDE}" role="application" aria-label="{label}. {HELP}"></canvas>'
                '<output aria-live="off"></output>')
    return html_block(value, elem_id=elem_id, label=label, html_template=template, css_template=LOOK, js_on_load=SCRIPT)


def mosaic_value(cells: np.ndarray) -> dict:
    """The value of a mosaic: its cells, uint8 (s, s, 3), and their colours to paint with."""
    return {"height": len(cells), "width": len(cells), "palette": [*palette_of(cells), *PURE],
            "pixels": base64.b64encode(np.ascontiguousarray(cells, np.uint8).tobytes()).decode()}


def palette_of(picture: np.ndarray) -> list[str]:
    """The main colours of a picture, uint8 (H, W, 3), from dark to light, as "#rrggbb"."""
    reduced = Image.fromarray(picture).quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    colours = {tuple(reduced.getpalette()[3 * k:3 * k + 3]) for _, k in reduced.getcolors()}
    ordered = sorted(colours, key=lambda rgb: np.dot(rgb, (0.299, 0.587, 0.114)))
    return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in ordered]


def read_mosaic(value, size: int = 8) -> np.ndarray:
    """The cells in the value of a mosaic, whatever it is: uint8 (size, size, 3). Raises UserError."""
    text = value.get("pixels") if isinstance(value, dict) else None
    try:
        cells = base64.b64decode(text[:4 * size * size + 8], validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        cells = b""
    if len(cells) != 3 * size * size:
        raise UserError(f"The mosaic must have {size} x {size} cells.")
    return np.frombuffer(cells, np.uint8).reshape(size, size, 3).copy()
