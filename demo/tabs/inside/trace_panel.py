"""The three distributions of a pixel, and a player for the drawing of a picture, beside its `pixel_canvas`.

A `gr.HTML` with a script (`trace_panel.js`). The whole trace is sent once, 256 bar heights and a few numbers for each
sub-pixel, so that playing, scrubbing and clicking ask nothing of the server.
"""

import base64
import zlib
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit.html_block import html_block
from demo.tabs.inside.service import MIN_P, Trace

SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))
SPEEDS = {"slow": 8, "medium": 60, "fast": 400}  # pixels per second

PLAYER = """<div class="player" role="group" aria-label="Watch the picture being drawn"><b>Watch it being drawn</b>
<button type="button" data-do="play">Play</button>
<button type="button" data-do="pixel">One pixel</button>
<button type="button" data-do="row">One row</button>
<label>Speed <select>{speeds}</select></label>
<input type="range" min="0" max="0" value="0" aria-label="Pixels drawn so far">
<output aria-live="off"></output></div>"""
TITLE = "<h3>What did the network expect here?</h3>"
ODDS = """<section><p></p><div><canvas height="72"></canvas></div>
<figure><div class="built"></div><figcaption></figcaption></figure></section>"""
NUMBERS = """<details><summary>The numbers</summary><div class="wide"><table><thead><tr><th></th><th>p</th><th>rank</th>
<th>surprise, bits</th><th>entropy, bits</th></tr></thead><tbody></tbody></table></div><p class="words"><i>p</i> is the
chance of the value, <i>rank</i> 1 the likeliest one; <i>surprise</i> and <i>entropy</i> are explained below. A bar is
as high as its probability; the axis ends at 5, 10, 20, 50 or 100 %, whatever holds the tallest, and says so. While the
picture plays it only grows. The square at the right is the colour of the pixel as it is drawn: red,
then green with it, then blue. What plays is the finished picture, covered up: the bars are what the model says of the
framed pixel when it sees the pixels before it, and none after it. A sample was thrown without the
shades below {min_p:.0%} of the likeliest (<i>min-p</i>).</p>
</details>"""


def trace_panel(elem_id: str, canvas_id: str) -> gr.HTML:
    """The component, inside an open `gr.Blocks`. Its `load` event: it is on the screen for the first time."""
    speeds = "".join(f'<option value="{rate}"{" selected" * (name == "medium")}>{name}</option>'
                     for name, rate in SPEEDS.items())
    template = TITLE + 3 * ODDS + PLAYER.format(speeds=speeds) + NUMBERS.format(min_p=MIN_P)
    return html_block(None, elem_id=elem_id, html_template=template, css_template=LOOK, js_on_load=SCRIPT,
                      source=f"#{canvas_id}")


def trace_value(image: np.ndarray, trace: Trace, place: tuple[int, int], told: str = "", sampled: bool = True,
                painted: np.ndarray | None = None) -> dict:
    """The value of the panel: an image (H, W, 3) and its `Trace`, shown at `place`; `told` is its class,
    `sampled` whether the model drew it, `painted` (H, W) where somebody did.

    One compressed block: heights uint8 (H, W, 3, 256), each distribution scaled to its peak; then for each sub-pixel
    five float32: the value, its surprise, the entropy, its rank, the probability of the peak.
    """
    peak = trace.odds.max(3, keepdims=True)  # (H, W, 3, 1)
    heights = np.round(255 * trace.odds / peak).astype(np.uint8)
    numbers = np.stack([image, trace.surprise, trace.entropy, trace.rank, peak[..., 0]], 3).astype("<f4")
    block = zlib.compress(heights.tobytes() + numbers.tobytes())
    return {"height": image.shape[0], "width": image.shape[1], "place": list(place), "told": told,
            "verb": "was drawn" if sampled else "is in the photo",
            "painted": [] if painted is None else np.flatnonzero(painted).tolist(),
            "block": base64.b64encode(block).decode()}
