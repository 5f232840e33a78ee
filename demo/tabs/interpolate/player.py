"""A path between two conditions as a film: one large picture that morphs, the strip of all pictures as its timeline.

A `gr.HTML` with a script, like `demo/kit/pixel_canvas.py`. Its value is a dict made by `player_value`; the browser
plays it, compares neighbouring steps pixel by pixel, and draws where on the path the step lies. Nothing comes back.
"""

from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit.html_block import html_block
from demo.kit.panels import png_source

SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))

TEMPLATE = """<div class="film">
<div class="large"><canvas width="320" height="320" role="img"></canvas>
<div class="controls"><button type="button" class="play" aria-label="Play">▶</button>
<input type="range" class="scrub" min="1" max="7" step="1" value="1" aria-label="Step of the path">
<output aria-live="off"></output></div>
<label class="flash"><input type="checkbox" checked> flash the pixels that change</label></div>
<div class="beside"><svg class="circle" role="img"></svg>
<p class="fan small-print">Each dot: one mix of the two. Dashed: the other path.</p><p class="where"></p>
<p class="change"></p><details class="small-print"><summary>In numbers</summary><p class="exact"></p></details></div>
<div class="timeline"></div></div>"""


def player(elem_id: str, value: dict) -> gr.HTML:
    """The component, inside an open `gr.Blocks`."""
    return html_block(value, elem_id=elem_id, label="Path", html_template=TEMPLATE, css_template=LOOK,
                      js_on_load=SCRIPT)


def player_value(images: np.ndarray, names: tuple[str, str], route: str, angle: float, ends: list[np.ndarray],
                 rows_done: int | None = None, done: bool = True) -> dict:
    """The value of a player: pictures uint8 (columns, rows, H, W, C), a column per step, a row per noise.

    names      of what lies at both ends
    route      "linear" or "spherical"; `angle` between the two vectors, in degrees
    ends       the crops uint8 (h, w, 3) of the two people, or none
    rows_done  so many rows of each picture are drawn yet (default: all); `done`: nothing more comes
    """
    columns, rows, height, width = images.shape[:4]
    shown = height if rows_done is None else rows_done
    pixels = np.broadcast_to(images, (*images.shape[:4], 3))
    covered = np.arange(height)[:, None, None] < shown
    alpha = np.broadcast_to(covered * np.uint8(255), (*images.shape[:4], 1))
    atlas = np.concatenate([pixels, alpha], -1) if shown < height else pixels  # (columns, rows, H, W, 3 or 4)
    atlas = atlas.transpose(1, 2, 0, 3, 4).reshape(rows * height, columns * width, -1)
    return {"atlas": png_source(np.ascontiguousarray(atlas)), "columns": columns, "rows": rows, "size": height,
            "names": list(names), "route": route, "angle": round(angle, 1), "ends": [png_source(crop) for crop in ends],
            "done": done}
