"""The animated picture in the header: one real image being sampled, with the real probabilities of every step.

`python -m demo.make_assets` records how the bundled digits model drew one digit: the value of each pixel and the
probabilities it was drawn from. It becomes one SVG, animated by the browser itself (SMIL): no script, no video.
Visitors who ask their system for less motion get the half-finished image, standing still.
"""

import json
from pathlib import Path

import numpy as np

RECORD = Path(__file__).parents[1] / "assets" / "diagram.json"
STEP, PAUSE = 0.16, 4.0  # seconds per pixel; seconds for which the finished image stays
CELL, LEFT, TOP = 21, 64, 20
BAR, BARS_LEFT, BARS_HEIGHT = 7, 292, 120


def diagram_html(path: Path = RECORD) -> str:
    """The <figure> for the header; empty if nothing was recorded, or if the record is damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        drawings = svg(record, moving=True) + svg(record, moving=False)
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""
    return f"""<figure class="diagram">
{drawings}
<figcaption>The small model drawing a “{record["label"]}”: what is known so far, the probabilities of the
{record["levels"]} grey levels of the <span class="now">next pixel</span>, and the level that was drawn.</figcaption>
</figure>"""


def svg(record: dict, moving: bool) -> str:
    """The drawing; `record` has `values` (H, W) and `probabilities` (H * W, levels) of one image."""
    values, odds = np.array(record["values"]), np.array(record["probabilities"])  # (H, W), (H * W, levels)
    size, levels, steps = len(values), record["levels"], values.size
    total = steps * STEP + PAUSE
    still = steps * 9 // 16
    pattern = "todo-moving" if moving else "todo-still"
    side = size * CELL
    parts = [f'<pattern id="{pattern}" width="8" height="8" patternUnits="userSpaceOnUse" '
             f'patternTransform="rotate(45)"><rect class="todo" width="4" height="8"/></pattern>'
             f'<rect class="paper" fill="url(#{pattern})" x="{LEFT}" y="{TOP}" width="{side}" height="{side}"/>']
    for k, value in enumerate(values.ravel()):
        x, y = LEFT + k % size * CELL, TOP + k // size * CELL
        shade = 255 - round(255 * int(value) / (levels - 1))
        appears = (f'<animate attributeName="opacity" values="0;1" keyTimes="0;{(k + 1) * STEP / total:.4f}" '
                   f'dur="{total}s" calcMode="discrete" repeatCount="indefinite"/>') if moving else ""
        if moving or k < still:
            parts.append(f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="rgb({shade},{shade},{shade})">'
                         f'{appears}</rect>')
    xs, ys = LEFT + np.arange(steps) % size * CELL, TOP + np.arange(steps) // size * CELL
    parts.append(f'<rect class="cursor" x="{xs[still]}" y="{ys[still]}" width="{CELL}" height="{CELL}">'
                 + (track("x", xs, total) + track("y", ys, total) if moving else "") + "</rect>")
    heights = odds / np.maximum(odds.max(axis=1, keepdims=True), 0.5) * BARS_HEIGHT  # (H * W, levels)
    base = TOP + side - 24
    for level in range(levels):
        tall, x = heights[:, level].round(1), BARS_LEFT + level * (BAR + 2)
        parts.append(f'<rect class="odds" x="{x}" y="{base - tall[still]}" width="{BAR}" height="{tall[still]}">'
                     + (track("height", tall, total) + track("y", base - tall, total) if moving else "") + "</rect>")
        shade = 255 - round(255 * level / (levels - 1))
        parts.append(f'<rect class="level" x="{x}" y="{base + 4}" width="{BAR}" height="8" '
                     f'fill="rgb({shade},{shade},{shade})"/>')
    picked = BARS_LEFT + values.ravel() * (BAR + 2) + BAR / 2 - 4
    parts.append(f'<path class="pick" d="M0 7 L4 0 L8 7 Z" transform="translate({picked[still]} {base + 15})">'
                 + (track("transform", [f"{x} {base + 15}" for x in picked], total) if moving else "") + "</path>")
    width, height = BARS_LEFT + levels * (BAR + 2) + 8, TOP + side + 8
    middle = TOP + side / 2
    label = f'h = {record["label"]}'
    return f"""<svg class="{'moving' if moving else 'still'}" viewBox="0 0 {width} {height}" role="img"
 aria-label="An image of {size} by {size} pixels is drawn pixel by pixel, each from its own probabilities">
<text x="0" y="{middle + 4}">{label}</text><path class="arrow" d="M40 {middle} h18 m-5 -4 l5 4 l-5 4"/>
<path class="arrow" d="M{LEFT + side + 8} {middle} h36 m-5 -4 l5 4 l-5 4"/>
<text x="{BARS_LEFT}" y="{TOP + 8}">p(xᵢ | x₁ … xᵢ₋₁, h)</text>
{"".join(parts)}</svg>"""


def track(attribute: str, values, total: float) -> str:
    """One attribute that takes a value per pixel and keeps the last one until the drawing starts again."""
    times = ";".join(f"{k * STEP / total:.4f}" for k in range(len(values)))
    kind = 'animateTransform attributeName="transform" type="translate"' if attribute == "transform" \
        else f'animate attributeName="{attribute}"'
    steps = ";".join(str(value).removesuffix(".0") for value in values)
    return f'<{kind} values="{steps}" keyTimes="{times}" dur="{total}s" calcMode="discrete" repeatCount="indefinite"/>'
