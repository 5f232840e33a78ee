"""A picture of real pixels on the page, enlarged by a whole number, in which a visitor clicks, brushes or paints.

`gr.Image` blurs 32 x 32 pixels and cannot tell which one was clicked; this is a `gr.HTML` with a <canvas> and a script
(`pixel_canvas.js`). Its value is a dict made by `canvas_value`. Three modes:

    click  a click or Enter chooses a pixel: `outline` changes, the component's `input` event fires
    brush  a stroke takes pixels away: `mask` changes, `input` fires
    paint  as click; with a colour in the hand, the clicked pixel takes it: `paint` changes, `submit` fires

The arrow keys move, Enter clicks or paints, Shift with an arrow brushes on the way, Delete erases. What comes back from
a browser may be anything: `read_click`, `read_mask` and `read_paint` clean it.
"""

import base64
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit.html_block import html_block
from demo.service.settings import UserError, shorten

SIDE = 448  # pixels on the screen, at most: 14 for each of 32
SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))

HELP = {"click": "Arrow keys move, Enter chooses a pixel.",
        "brush": "Arrow keys move, Enter brushes, Shift with an arrow key brushes on the way, Delete erases.",
        "paint": "Arrow keys move, Enter chooses a pixel, or paints it if a colour is chosen."}
BRUSHES = """<div class="brushes tools"><button type="button" data-tool="brush" aria-pressed="true">Brush</button>
<button type="button" data-tool="erase" aria-pressed="false">Eraser</button>
<button type="button" data-tool="clear">Clear</button>
<label>Size <input type="range" min="1" max="9" value="3" aria-label="Size of the brush in pixels">
<span>3</span></label></div>"""
PAINTS = {"red": "#e6261f", "orange": "#f7a325", "green": "#2fa84f", "cyan": "#00c8e6", "blue": "#2457d6",
          "pink": "#ef5fa7", "white": "#ffffff", "black": "#000000"}


def paint_tools() -> str:
    """Look, or one colour of a few, or any."""
    swatches = "".join(f'<button type="button" class="swatch" data-colour="{colour}" aria-pressed="false" '
                       f'aria-label="Paint {name}" title="Paint {name}" style="--c:{colour}"></button>'
                       for name, colour in PAINTS.items())
    return ('<div class="paints tools" role="group" aria-label="Look or paint"><button type="button" '
            f'data-colour="" aria-pressed="true">Look</button><span>paint</span>{swatches}'
            '<label class="swatch any" title="Any colour">'
            '<input type="color" value="#ffd800" aria-label="Paint any colour"></label></div>')


def layer_tools(layers: tuple[str, ...]) -> str:
    buttons = "".join(f'<button type="button" data-layer="{name if k else ""}" aria-pressed="{str(not k).lower()}">'
                      f"{name.capitalize()}</button>" for k, name in enumerate(layers))
    return f'<div class="layers tools" role="group" aria-label="What the pixels show">{buttons}</div>'


def pixel_canvas(elem_id: str, label: str, mode: str = "click", value: dict | None = None, side: int = SIDE, *,
                 layers: tuple[str, ...] = (), kernel: int = 0, linked: str = "") -> gr.HTML:
    """The component, inside an open `gr.Blocks`; `label` is what a screen reader says.

    mode    "click", "brush" or "paint"
    side    its largest width on the screen; on a phone it takes the width there is
    layers  names of what can be seen, the first is the picture itself; others are looked up in the value, and cannot
            be chosen where it lacks them, except
            "mask": there the masked convolution of `kernel` x `kernel` pixels sits on the pixel under the pointer
    linked  element id of another canvas: the pixel under the pointer is framed, and said, in both
    """
    if mode not in HELP:
        raise ValueError(f"mode is one of {', '.join(map(repr, HELP))}, not {mode!r}")
    tools = {"brush": BRUSHES, "paint": paint_tools()}.get(mode, "") + (layer_tools(layers) if layers else "")
    # In the template, as Gradio loses further properties of a component that is updated before its tab was opened.
    sheet = (f'<p class="caption" hidden></p><canvas tabindex="0" data-side="{side}" data-mode="{mode}" '
             f'data-kernel="{kernel}" data-linked="{linked}" role="application" '
             f'aria-label="{label}. {HELP[mode]}"></canvas><output aria-live="off"></output>')
    template = sheet + tools if mode == "paint" else tools + sheet  # who brushes begins with the brush
    return html_block(value, elem_id=elem_id, label=label, html_template=template, css_template=LOOK, js_on_load=SCRIPT)


def canvas_value(image: np.ndarray, outline: tuple[int, int] | None = None, mask: np.ndarray | None = None,
                 drawn: int | None = None, readings: np.ndarray | None = None, unit: str = "", *,
                 layers: dict[str, np.ndarray] | None = None, layer: str = "", brush: bool = True,
                 caption: str = "") -> dict:
    """The value of a canvas: an image, uint8 (H, W, 3) or (H, W, 1) from 0 to 255.

    outline   (row, column) of the pixel in the frame
    mask      bool (H, W): pixels brushed away, shown as empty paper
    drawn     only so many pixels, in raster order, are drawn yet
    readings  a number per pixel, (H, W), which is said, with its `unit`, for the pixel under the pointer
    layers    other pictures of the same size that can be looked at instead; what is said stays that of the image
    layer     the one that is shown at first
    brush     whether brushing has a meaning at the moment
    caption   what the picture is, in words above it; on a phone below it
    """
    height, width = image.shape[:2]
    return {"height": height, "width": width, "pixels": packed(image),
            "outline": None if outline is None else [int(outline[0]), int(outline[1])],
            "mask": None if mask is None else "".join("01"[bool(known)] for known in np.ravel(mask)),
            "drawn": drawn, "unit": unit, "layer": layer, "brush": brush, "paint": None, "caption": caption,
            "layers": {name: packed(other) for name, other in (layers or {}).items()},
            "readings": None if readings is None else [round(float(number), 2) for number in np.ravel(readings)]}


def packed(image: np.ndarray) -> str:
    """uint8 (H, W, 3) or (H, W, 1) as base64."""
    pixels = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.uint8)
    return base64.b64encode(pixels.tobytes()).decode()


def read_place(place, height: int, width: int) -> tuple[int, int]:
    """A (row, column), whatever it is. Raises UserError."""
    if not isinstance(place, (list, tuple)) or len(place) != 2:
        raise UserError("Choose a pixel in the picture first.")
    if not all(type(k) is int and 0 <= k < side for k, side in zip(place, (height, width))):
        raise UserError(f"There is no pixel {shorten(place)} in a picture of {height} x {width}.")
    return place[0], place[1]


def read_click(value, height: int = 32, width: int = 32) -> tuple[int, int]:
    """The chosen (row, column) in the value of a canvas, whatever it is. Raises UserError."""
    return read_place(value.get("outline") if isinstance(value, dict) else None, height, width)


def within(place, size: int, otherwise: tuple[int, int]) -> tuple[int, int]:
    """A (row, column) of the picture, whatever a browser says."""
    fits = isinstance(place, (list, tuple)) and len(place) == 2 and all(type(k) is int and 0 <= k < size for k in place)
    return tuple(place) if fits else otherwise


def read_paint(value, height: int = 32, width: int = 32) -> tuple[tuple[int, int], str]:
    """The painted pixel and its colour, as it was sent, in the value of a canvas. Raises UserError."""
    paint = value.get("paint") if isinstance(value, dict) else None
    if not isinstance(paint, dict):
        raise UserError("Choose a colour, and click a pixel.")
    return read_place(paint.get("place"), height, width), paint.get("colour")


def read_mask(value, height: int = 32, width: int = 32) -> np.ndarray:
    """The painted pixels in the value of a canvas, whatever it is: bool (H, W), all False if none. Raises UserError."""
    text = value.get("mask") if isinstance(value, dict) else None
    if text is None:
        return np.zeros((height, width), bool)
    if not isinstance(text, str) or len(text) != height * width or set(text) - {"0", "1"}:
        raise UserError(f"The brushed mask does not fit a picture of {height} x {width} pixels.")
    return np.array([letter == "1" for letter in text]).reshape(height, width)  # (H * W,) -> (H, W)


# JavaScript: the mask of a canvas's value, eight pixels to a byte, as base64url; null where nothing is brushed away.
PACK_MASK = """canvas => {
  const mask = canvas?.mask || "";
  if (!mask.includes("1")) return null;
  const bytes = mask.match(/.{1,8}/g).map(bits => parseInt(bits.padEnd(8, "0"), 2));
  return btoa(String.fromCharCode(...bytes)).replace(/[+]/g, "-").replace(/[/]/g, "_").replace(/=+$/, "");
}"""


def unpack_mask(text, height: int, width: int) -> np.ndarray | None:
    """A mask of `PACK_MASK` from an address: bool (H, W); None for anything else."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (TypeError, ValueError):
        return None
    if len(raw) != -(-height * width // 8):
        return None
    return np.unpackbits(np.frombuffer(raw, np.uint8))[:height * width].astype(bool).reshape(height, width)
