"""Bits per dimension against minutes of training, one curve for each rung of the ladder: an SVG from the server.

The curves that the text speaks of have colours, the others are grey, with their names at their ends; one that is
pointed at or reached with the keyboard stands out as well (`style.css`), and a tap or Enter pins it (`folds.js`).
"""

import html

from demo.tabs.scoreboard.axes import Axes, polyline
from demo.tabs.scoreboard.ladder_results import Ladder, Rung

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 430, 62, 186, 12, 50
LINE = 25  # of a label
COLOURED = ("ride", "plain", "diagonal-bilstm", "chain")  # beside the paper's own
SHORT = {"gaussian": "Gaussian", "chain": "Chain"}  # where the full name finds no room


def shown(ladder: Ladder) -> list[Rung]:
    """The rungs that were trained, and the Gaussian, which needs no training."""
    return [rung for rung in ladder.rungs if rung.curve or rung.key == "gaussian"]


def curves_svg(ladder: Ladder) -> str:
    """Every trained rung's curve, its name at the right end; the Gaussian as a line. Empty without curves."""
    rungs = shown(ladder)
    if not any(rung.curve for rung in rungs):
        return ""
    end = max(rung.curve[-1][0] for rung in rungs if rung.curve)
    values = [bits for rung in rungs for t, bits in rung.curve or [(end, rung.bits)] if t >= 0.25 * end]
    margin = 0.05 * (max(values) - min(values)) or 0.1
    axes = Axes("curves", WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, end, min(values) - margin, max(values) + margin)
    last = {rung.key: rung.curve[-1][1] if rung.curve else rung.bits for rung in rungs}
    ordered = sorted(rungs, key=lambda rung: axes.y(last[rung.key]))  # from the top
    places = dict(zip((rung.key for rung in ordered), spaced([axes.y(last[rung.key]) for rung in ordered])))
    groups = [curve(axes, rung, last[rung.key], places[rung.key]) for rung in ordered if rung.key != "pixelcnn"]
    groups += [curve(axes, rung, last[rung.key], places[rung.key]) for rung in ordered if rung.key == "pixelcnn"]
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="Bits per dimension against minutes of '
            f'training">{axes.drawn("minutes of training")}{"".join(groups)}</svg>')


def curve(axes: Axes, rung: Rung, bits: float, place: float) -> str:
    """A rung's line and its name at the height `place`, one group that can have the focus."""
    points = [(axes.x(t), axes.y(value)) for t, value in rung.curve]
    points = points or [(axes.left, axes.y(bits)), (axes.edge, axes.y(bits))]
    end = min(max(axes.y(bits), TOP), axes.foot)
    words = f"{rung.name}: {bits:.2f}" + (f" after {rung.curve[-1][0]:.2g} min" if rung.curve else ", a formula")
    kinds = "curve" + f" {rung.key}" * (rung.key in COLOURED) + " ours" * (rung.key == "pixelcnn")
    kinds += " formula" * (not rung.curve)
    return (f'<g class="{kinds}" tabindex="0" role="button" aria-pressed="false" aria-label="{html.escape(words)}">'
            f'<title>{html.escape(words)}</title><g {axes.clip}>{polyline(points, "reach")}{polyline(points, "line")}'
            f'</g><polyline class="lead" points="{axes.edge},{end} {axes.edge + 12},{place}"/>'
            f'<rect class="reach" x="{axes.edge}" y="{place - LINE / 2}" width="{RIGHT}" height="{LINE}"/>'
            f'<text x="{axes.edge + 16}" y="{place + 5}">{html.escape(SHORT.get(rung.key, rung.name))}</text></g>')


def spaced(places: list[float]) -> list[float]:
    """Sorted heights of labels, moved apart so that each has a line of its own, inside the drawing."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + LINE) if moved else max(place, TOP + 6))
    over = moved[-1] - (HEIGHT - 8) if moved else 0
    for k in range(len(moved) - 1, -1, -1):
        limit = HEIGHT - 8 if k == len(moved) - 1 else moved[k + 1] - LINE
        if over <= 0:
            break
        moved[k] = min(moved[k], limit)
    return [round(place, 1) for place in moved]
