"""Two figures that play in the browser: what networks see, layer by layer; what is settled, pass by pass.

Each is a `gr.HTML` with a script. Both are whole on the first paint, and ask nothing of the server.
"""

import base64
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit.html_block import html_block
from demo.kit.pixel_canvas import packed
from demo.tabs.inside.reach import DEPTH, reach
from demo.tabs.inside.service import Settled, Shown
from demo.tabs.inside.words import PASSES, PASSES_UNKNOWN

HERE = Path(__file__).parent
LOOK, DRAW_FIELDS, DRAW_PASSES = ((HERE / name).read_text(encoding="utf-8")
                                  for name in ("figures.css", "fields.js", "passes.js"))
STEPS = """<div class="steps"><button type="button">Play</button>
<input type="range" min="{low}" max="{high}" value="{high}" aria-label="{label}"><output aria-live="off"></output>
</div>"""


def panel(kind: str, title: str) -> str:
    return (f'<figure data-kind="{kind}"><canvas role="img"></canvas><figcaption><b>{title}</b><br><span></span>'
            "</figcaption></figure>")


def fields_panel(elem_id: str, canvas_id: str, value: dict) -> gr.HTML:
    """Plain and gated side by side, over the picture of a canvas and from the pixel that is framed there."""
    template = (STEPS.format(low=1, high=DEPTH, label="Layers of 3 × 3") + '<div class="pair">'
                + panel("plain", "Plain PixelCNN: one masked stack")
                + panel("gated", "Gated PixelCNN: two stacks") + "</div>")
    maps = {kind: base64.b64encode(needed.tobytes()).decode() for kind, needed in reach().items()}
    return html_block(value, elem_id=elem_id, html_template=template, css_template=LOOK, js_on_load=DRAW_FIELDS,
                      source=f"#{canvas_id}", reach=maps)


def fields_value(image: np.ndarray, place: tuple[int, int]) -> dict:
    """A picture (H, W, 3) and the pixel that asks."""
    return {"height": image.shape[0], "width": image.shape[1], "pixels": packed(image), "place": list(place)}


def passes_panel(elem_id: str, value: dict) -> gr.HTML:
    """A picture in raster order beside fixed-point iteration, after the same number of network evaluations. Its `input`
    event: Play was pressed, and it is not known yet how this picture settles."""
    template = ('<p class="legend told"></p>' + STEPS.format(low=0, high=1, label="Evaluations of the network")
                + '<div class="pair">' + panel("sequential", "One after another")
                + panel("fixed-point", "All at once, corrected") + "</div>")
    return html_block(value, elem_id=elem_id, html_template=template, css_template=LOOK, js_on_load=DRAW_PASSES)


def passes_value(shown: Shown, found: Settled | None) -> dict:
    """The picture on the page, and how it settled; None where nobody asked yet."""
    height, width = shown.image.shape[:2]
    value = {"height": height, "width": width, "pixels": packed(shown.image), "settled": "", "passes": 0,
             "told": PASSES_UNKNOWN.format(steps=shown.image.size)}
    if found is None:
        return value
    return value | {"pixels": packed(found.image), "passes": found.passes,
                    "settled": base64.b64encode(found.settled.astype("<u2").tobytes()).decode(),
                    "told": PASSES.format(passes=found.passes, steps=shown.image.size)}
