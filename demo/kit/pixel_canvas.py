"""A picture of real pixels on the page, enlarged by a whole number, in which a visitor clicks or paints.

`gr.Image` blurs 32 x 32 pixels and cannot tell which one was clicked; this is a `gr.HTML` with a <canvas> and a script
(`pixel_canvas.js`). Its value is a dict made by `canvas_value`; a click or a stroke changes `outline` or `mask` in it
and fires the component's `input` event. The arrow keys move, Enter clicks or paints, Shift with an arrow paints on the
way, Delete erases. What comes back from a browser may be anything: `read_click` and `read_mask` clean it.
"""

import base64
from pathlib import Path

import gradio as gr
import numpy as np

from demo.service.settings import UserError, shorten

SIDE = 448  # pixels on the screen, at most: 14 for each of 32
SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))

HELP = {"click": "Arrow keys move, Enter chooses a pixel.",
        "paint": "Arrow keys move, Enter paints, Shift with an arrow key paints on the way, Delete erases."}
BRUSHES = """<div class="brushes"><button type="button" data-tool="brush" aria-pressed="true">Brush</button>
<button type="button" data-tool="erase" aria-pressed="false">Eraser</button>
<button type="button" data-tool="clear">Clear</button>
<label>Size <input type="range" min="1" max="9" value="3" aria-label="Size of the brush in pixels">
<span>3</span></label></div>"""


def pixel_canvas(elem_id: str, label: str, mode: str = "click", value: dict | None = None, side: int = SIDE) -> gr.HTML:
    """The component, inside an open `gr.Blocks`. `mode` is "click" or "paint"; `label` is what a screen reader says.

    `side` is its largest width on the screen; on a phone it takes the width there is. Listen to its `input` event.
    """
    if mode not in HELP:
        raise ValueError(f"mode is 'click' or 'paint', not {mode!r}")
    template = (f'{BRUSHES if mode == "paint" else ""}<canvas tabindex="0" data-side="{side}" role="application" '
                f'aria-label="{label}. {HELP[mode]}"></canvas><output aria-live="polite"></output>')
    return gr.HTML(value, elem_id=elem_id, label=label, html_template=template, css_template=LOOK, js_on_load=SCRIPT,
                   apply_default_css=False, mode=mode)


def canvas_value(image: np.ndarray, outline: tuple[int, int] | None = None, mask: np.ndarray | None = None,
                 drawn: int | None = None, readings: np.ndarray | None = None, unit: str = "") -> dict:
    """The value of a canvas: an image, uint8 (H, W, 3) or (H, W, 1) from 0 to 255.

    outline   (row, column) of the pixel in the frame
    mask      bool (H, W): pixels brushed away, shown as empty paper
    drawn     only so many pixels, in raster order, are drawn yet
    readings  a number per pixel, (H, W), which is said, with its `unit`, for the pixel under the pointer
    """
    height, width = image.shape[:2]
    pixels = np.broadcast_to(image, (height, width, 3)).astype(np.uint8)
    return {"height": height, "width": width, "pixels": base64.b64encode(pixels.tobytes()).decode(),
            "outline": None if outline is None else [int(outline[0]), int(outline[1])],
            "mask": None if mask is None else "".join("01"[bool(known)] for known in np.ravel(mask)),
            "drawn": drawn, "unit": unit,
            "readings": None if readings is None else [round(float(number), 2) for number in np.ravel(readings)]}


def read_click(value, height: int = 32, width: int = 32) -> tuple[int, int]:
    """The chosen (row, column) in the value of a canvas, whatever it is. Raises UserError."""
    place = value.get("outline") if isinstance(value, dict) else None
    if not isinstance(place, (list, tuple)) or len(place) != 2:
        raise UserError("Choose a pixel in the picture first.")
    if not all(type(k) is int and 0 <= k < side for k, side in zip(place, (height, width))):
        raise UserError(f"There is no pixel {shorten(place)} in a picture of {height} x {width}.")
    return place[0], place[1]


def read_mask(value, height: int = 32, width: int = 32) -> np.ndarray:
    """The painted pixels in the value of a canvas, whatever it is: bool (H, W), all False if none. Raises UserError."""
    text = value.get("mask") if isinstance(value, dict) else None
    if text is None:
        return np.zeros((height, width), bool)
    if not isinstance(text, str) or len(text) != height * width or set(text) - {"0", "1"}:
        raise UserError(f"The brushed mask does not fit a picture of {height} x {width} pixels.")
    return np.array([letter == "1" for letter in text]).reshape(height, width)  # (H * W,) -> (H, W)
