"""The race as a drawing: bits per dimension over seconds of training or steps, one curve per model, up to a moment.

One SVG from the server: crisp at any size, coloured by `style.css` in light and dark, dashed so that colour is not
needed. Curves to the right of the moment are pale; the simple baselines are horizontal lines. What `race_play.js` needs
to let it run is in the drawing's data-race.
"""

import html
import json

import numpy as np

from demo.tabs.scoreboard.race_results import AXES, Race

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 78, 12, 16, 52
START = 0.1  # of the time: what lies above the curves at this moment is cut off, or the start would be all one sees


def race_svg(race: Race, moment: float, axis: str = "seconds") -> str:
    """The drawing at a moment in `axis`, seconds or steps."""
    low, high = bounds(race)
    end, column = race.end(axis), AXES[axis]

    def x(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * value / end, 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    parts = [f'<clipPath id="race-area"><rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
             f'height="{HEIGHT - TOP - BOTTOM}"/></clipPath>']
    for value in ticks(low, high):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value)}" y2="{y(value)}"/>'
                     f'<text x="{LEFT - 8}" y="{y(value) + 5}" text-anchor="end">{value:g}</text>')
    for value in ticks(0, end):
        parts.append(f'<text x="{x(value)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{value:g}</text>')
    parts.append(f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
                 f"{axis} of training</text>"
                 f'<text class="axis" transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
                 'text-anchor="middle">bits per dimension</text>')
    for baseline in race.baselines:
        if low <= baseline.bits <= high:
            at = y(baseline.bits)
            below = at < TOP + 24  # its name would touch the top
            parts.append(f'<line class="baseline" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>'
                         f'<text class="baseline" x="{WIDTH - RIGHT - 4}" y="{at + 20 if below else at - 6}" '
                         'text-anchor="end">'
                         f"{html.escape(baseline.name)}</text>")
    runners = []
    for k, runner in enumerate(race.runners):
        points = [(x(point[column]), y(point[2])) for point in runner.curve]
        before = [place for place, point in zip(points, runner.curve) if point[column] <= moment + 1e-6]
        runners.append({"name": runner.name, "error": runner.error,
                        "points": [[point[column], point[2], *place] for point, place in zip(runner.curve, points)]})
        parts.append(f'<g class="runner runner-{k}" clip-path="url(#race-area)">{polyline(points, "later")}'
                     f"{polyline(before, 'so-far')}")
        if before:
            parts.append(f'<circle cx="{before[-1][0]}" cy="{before[-1][1]}" r="5"/>')
        parts.append("</g>")
    now = x(min(moment, end))
    parts.append(f'<line class="moment" x1="{now}" x2="{now}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    standing = ", ".join(f"{runner.name} {point[2]:.2f}" for runner, point in race.standing(moment, axis)) or "none yet"
    play = html.escape(json.dumps({"axis": axis, "end": end, "left": LEFT, "width": WIDTH - LEFT - RIGHT,
                                   "runners": runners}))
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" data-race="{play}" role="img" aria-label="Bits per dimension after '
            f'{moment:.0f} {axis}: {html.escape(standing)}">{"".join(parts)}</svg>')


def polyline(points: list[tuple[float, float]], name: str) -> str:
    return f'<polyline class="{name}" points="{" ".join(f"{px},{py}" for px, py in points)}"/>'


def legend(race: Race, moment: float, axis: str = "seconds") -> str:
    """The models in the order of their standing, each with its line and its number; not yet scored ones last."""
    standing = {runner.name: point for runner, point in race.standing(moment, axis)}
    waiting = [runner.name for runner in race.runners if runner.name not in standing]
    number = {runner.name: k for k, runner in enumerate(race.runners)}
    items = []
    for name in (*standing, *waiting):
        bits = f"{standing[name][2]:.3f}" if name in standing else "–"
        items.append(f'<li class="runner runner-{number[name]}" data-runner="{number[name]}"><svg viewBox="0 0 34 '
                     f'10" aria-hidden="true">'
                     f'{polyline([(0, 5), (34, 5)], "so-far")}</svg><span>{html.escape(name)}</span><b>{bits}</b></li>')
    return f'<ol class="standing">{"".join(items)}</ol>'


def bounds(race: Race) -> tuple[float, float]:
    """The lowest and the highest bits per dimension of the drawing."""
    early = [point[2] for runner in race.runners if (point := runner.at(START * race.seconds))]
    values = [bits for runner in race.runners for t, _, bits in runner.curve if t >= START * race.seconds]
    low, high = min(values), max(values + early)
    near = [baseline.bits for baseline in race.baselines if baseline.bits < high + 0.5 * (high - low)]
    high = max([high, *near])
    margin = 0.06 * (high - low) or 0.1
    return low - margin, high + margin


def ticks(low: float, high: float) -> list[float]:
    """About five round numbers between two others."""
    rough = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(m * power) for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    first = int(np.ceil(low / step - 1e-9))
    return [round(k * step, 6) for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]
