"""Bits per dimension against minutes of training, one curve for each rung of the ladder: an SVG from the server."""

import html

from demo.tabs.scoreboard.ladder_results import Ladder
from demo.tabs.scoreboard.race_plot import polyline, ticks

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 430, 62, 186, 12, 50
LINE = 25  # of a label
SHORT = {"gaussian": "Gaussian", "chain": "Chain"}  # where the full name finds no room
FAMILIES = {"dequantised": "density", "bound": "bound", "exact": "pixels", "steps": "pixels"}


def curves_svg(ladder: Ladder) -> str:
    """Every trained rung's curve, its name at the right end; the Gaussian as a line. Empty without curves."""
    rungs = [rung for rung in ladder.rungs if rung.curve]
    if not rungs:
        return ""
    end = max(rung.curve[-1][0] for rung in rungs)
    values = [bits for rung in rungs for t, bits in rung.curve if t >= 0.25 * end]
    gaussian = ladder.rung("gaussian")
    values += [gaussian.bits] if gaussian else []
    margin = 0.05 * (max(values) - min(values)) or 0.1
    low, high = min(values) - margin, max(values) + margin

    def x(minutes: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * minutes / end, 1)

    def y(bits: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - bits) / (high - low), 1)

    parts = [f'<clipPath id="curves-area"><rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
             f'height="{HEIGHT - TOP - BOTTOM}"/></clipPath>']
    for value in ticks(low, high):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value)}" y2="{y(value)}"/>'
                     f'<text x="{LEFT - 8}" y="{y(value) + 5}" text-anchor="end">{value:g}</text>')
    for value in ticks(0, end):
        parts.append(f'<text x="{x(value)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{value:g}</text>')
    parts.append(f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">minutes '
                 f'of '
                 f'training</text><text class="axis" transform="translate(15 {(TOP + HEIGHT - BOTTOM) / 2}) '
                 f'rotate(-90)" '
                 'text-anchor="middle">bits per dimension</text>')
    if gaussian:
        parts.append(f'<line class="baseline" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(gaussian.bits)}" '
                     f'y2="{y(gaussian.bits)}"/>')
    ends = [(y(rung.curve[-1][1]), SHORT.get(rung.key, rung.name), FAMILIES[rung.kind], rung.key) for rung in rungs]
    ends += [(y(gaussian.bits), SHORT["gaussian"], "baseline-label", "gaussian")] if gaussian else []
    for rung in rungs:
        points = [(x(t), y(bits)) for t, bits in rung.curve]
        ours = " ours" if rung.key == "pixelcnn" else ""
        parts.append(f'<g class="curve {FAMILIES[rung.kind]}{ours}" clip-path="url(#curves-area)">'
                     f'<title>{html.escape(rung.name)}</title>{polyline(points, "line")}</g>')
    for (at, name, family, key), label in zip(sorted(ends), spaced([entry[0] for entry in sorted(ends)])):
        ours = " ours" if key == "pixelcnn" else ""
        inside = min(max(at, TOP), HEIGHT - BOTTOM)
        parts.append(f'<g class="curve {family}{ours}"><polyline class="lead" points="{WIDTH - RIGHT},{inside} '
                     f'{WIDTH - RIGHT + 12},{label}"/><text x="{WIDTH - RIGHT + 16}" '
                     f'y="{label + 5}">{html.escape(name)}'
                     "</text></g>")
    words = ", ".join(f"{rung.name} {rung.curve[-1][1]:.2f}" for rung in sorted(rungs, key=lambda r: r.curve[-1][1]))
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Bits per dimension against minutes of '
            f'training; at '
            f'the end: {html.escape(words)}">{"".join(parts)}</svg>')


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
