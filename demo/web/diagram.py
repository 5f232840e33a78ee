"""The small picture in the header: one real digit being drawn, pixel after pixel, as the bundled model drew it.

`python -m demo.make_assets` records the values. It is one SVG, animated by the browser itself (SMIL): no script, no
video. It is also the button that pauses it, and visitors who ask their system for less motion get the half-finished
digit, standing still.
"""

import json
from pathlib import Path

import numpy as np

RECORD = Path(__file__).parents[1] / "assets" / "diagram.json"
STEP, PAUSE = 0.16, 4.0  # seconds per pixel; seconds for which the finished image stays
CELL = 21


def digit_html() -> str:
    """The button with the drawing; empty if nothing was recorded, or if the record is damaged."""
    try:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        drawings = svg(record, moving=True) + svg(record, moving=False)
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""
    return f'<button type="button" id="digit" aria-pressed="false" aria-label="Pause the small animation">{drawings}' \
           "</button>"


def svg(record: dict, moving: bool) -> str:
    """The drawing; `record` has the `values` (H, W) of one image, in [0, `levels`)."""
    values = np.array(record["values"])  # (H, W)
    size, steps = len(values), values.size
    total, still, side = steps * STEP + PAUSE, steps * 9 // 16, size * CELL
    parts = [f'<rect class="paper" width="{side}" height="{side}"/>']
    for k, value in enumerate(values.ravel()[:None if moving else still]):
        shade = 255 - round(255 * int(value) / (record["levels"] - 1))
        appears = (f'<animate attributeName="opacity" values="0;1" keyTimes="0;{(k + 1) * STEP / total:.4f}" '
                   f'dur="{total}s" calcMode="discrete" repeatCount="indefinite"/>') if moving else ""
        parts.append(f'<rect x="{k % size * CELL}" y="{k // size * CELL}" width="{CELL}" height="{CELL}" '
                     f'fill="rgb({shade},{shade},{shade})">{appears}</rect>')
    xs, ys = np.arange(steps) % size * CELL, np.arange(steps) // size * CELL
    parts.append(f'<rect class="cursor" x="{xs[still]}" y="{ys[still]}" width="{CELL}" height="{CELL}">'
                 + (track("x", xs, total) + track("y", ys, total) if moving else "") + "</rect>")
    return (f'<svg class="{"moving" if moving else "still"}" viewBox="0 0 {side} {side}" aria-hidden="true">'
            f'{"".join(parts)}</svg>')


def track(attribute: str, values, total: float) -> str:
    """One attribute that takes a value per pixel and keeps the last one until the drawing starts again."""
    times = ";".join(f"{k * STEP / total:.4f}" for k in range(len(values)))
    return (f'<animate attributeName="{attribute}" values="{";".join(map(str, values))}" keyTimes="{times}" '
            f'dur="{total}s" calcMode="discrete" repeatCount="indefinite"/>')
