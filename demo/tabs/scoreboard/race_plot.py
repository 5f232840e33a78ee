"""The race as a drawing: bits per dimension over seconds of training or steps, one curve per model, up to a moment.

One SVG from the server: crisp at any size, coloured by `style.css` in light and dark, dashed so that colour is not
needed. Curves to the right of the moment are pale; the simple baselines are horizontal lines. What `race_play.js` needs
to let it run is in the drawing's data-race.
"""

import html
import json

from demo.tabs.scoreboard.axes import Axes, polyline
from demo.tabs.scoreboard.race_results import AXES, Race, crossing
from demo.tabs.scoreboard.rung_words import in_short

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 340, 78, 12, 12, 52
START = 0.1  # of the time: what lies above the curves at this moment is cut off, or the start would be all one sees


def race_svg(race: Race, moment: float, axis: str = "seconds") -> str:
    """The drawing at a moment in `axis`, seconds or steps."""
    low, high = bounds(race)
    end, column = race.end(axis), AXES[axis]
    axes = Axes("race", WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, end, low, high)
    parts = [axes.drawn(f"{axis} of training")]
    for baseline in race.baselines:
        if low <= baseline.bits <= high:
            at = axes.y(baseline.bits)
            below = at < TOP + 24  # its name would touch the top
            parts.append(f'{axes.level(baseline.bits, "baseline")}<text class="baseline" x="{axes.edge - 4}" '
                         f'y="{at + 20 if below else at - 6}" text-anchor="end">{html.escape(baseline.name)}</text>')
    found = crossing(race, axis)
    if found and low <= found.level <= high:
        at = axes.y(found.level)
        parts.append(f'{axes.level(found.level, "goal")}<text class="goal" x="{axes.left + 8}" y="{at + 20}">'
                     "the slow rival’s end</text>")
        if found.moment is not None and found.moment <= end:
            here = axes.x(found.moment)
            parts.append(f'<line class="reached" x1="{here}" x2="{here}" y1="{at}" y2="{axes.foot}"/>'
                         f'<text class="reached" x="{here - 6}" y="{axes.foot - 6}" text-anchor="end">'
                         f"{100 * found.moment / found.whole:.0f} %</text>")
    runners = []
    for k, runner in enumerate(race.runners):
        points = [(axes.x(point[column]), axes.y(point[2])) for point in runner.curve]
        before = [place for place, point in zip(points, runner.curve) if point[column] <= moment + 1e-6]
        runners.append({"name": runner.name, "error": runner.error,
                        "points": [[point[column], point[2], *place] for point, place in zip(runner.curve, points)]})
        parts.append(f'<g class="runner runner-{k}" {axes.clip}>{polyline(points, "later")}'
                     f"{polyline(before, 'so-far')}")
        dot = f'cx="{before[-1][0]}" cy="{before[-1][1]}"' if before else 'style="display:none"'
        parts.append(f'<circle {dot} r="5"/>')
        parts.append("</g>")
    if found and found.moment is not None and found.moment <= end and low <= found.level <= high:
        parts.append(f'<circle class="reached" cx="{axes.x(found.moment)}" cy="{axes.y(found.level)}" r="7"/>')
    now = axes.x(min(moment, end))
    parts.append(f'<line class="moment" x1="{now}" x2="{now}" y1="{TOP}" y2="{axes.foot}"/>')
    parts.append(f'<text class="clock" x="{axes.edge - 8}" y="{TOP + 96}" text-anchor="end">{moment:,.0f}'
                 f"{' s' * (axis == 'seconds')}</text>")
    standing = ", ".join(f"{runner.name} {point[2]:.2f}" for runner, point in race.standing(moment, axis)) or "none yet"
    play = html.escape(json.dumps({"axis": axis, "end": end, "left": LEFT, "top": TOP + 6, "width": axes.inner,
                                  "runners": runners}))
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" data-race="{play}" role="img" aria-label="Bits per dimension after '
            f'{moment:.0f} {axis}: {html.escape(standing)}">{"".join(parts)}</svg>')


def legend(race: Race, moment: float, axis: str = "seconds") -> str:
    """The models in the order of their standing, each with its line and its number; not yet scored ones last."""
    standing = {runner.name: point for runner, point in race.standing(moment, axis)}
    waiting = [runner.name for runner in race.runners if runner.name not in standing]
    number = {runner.name: k for k, runner in enumerate(race.runners)}
    items = []
    for name in (*standing, *waiting):
        bits = f"{standing[name][2]:.3f}" if name in standing else "–"
        items.append(f'<li class="runner runner-{number[name]}" data-runner="{number[name]}">'
                     f'<svg viewBox="0 0 34 10" aria-hidden="true">{polyline([(0, 5), (34, 5)], "so-far")}</svg>'
                     f"<span>{html.escape(name)} <small>{in_short(name)}</small></span><b>{bits}</b></li>")
    low, high = bounds(race)
    lines = [f"{html.escape(baseline.name)}, {in_short(baseline.name)}" for baseline in race.baselines
             if low <= baseline.bits <= high]
    dotted = f'<p class="dotted">Dotted: {"; ".join(lines)}.</p>' if lines else ""
    return f'<ol class="standing">{"".join(items)}</ol>{dotted}'


def bounds(race: Race) -> tuple[float, float]:
    """The lowest and the highest bits per dimension of the drawing."""
    early = [point[2] for runner in race.runners if (point := runner.at(START * race.seconds))]
    values = [bits for runner in race.runners for t, _, bits in runner.curve if t >= START * race.seconds]
    low, high = min(values), max(values + early)
    near = [baseline.bits for baseline in race.baselines if baseline.bits < high + 0.5 * (high - low)]
    high = max([high, *near])
    margin = 0.06 * (high - low) or 0.1
    return low - 2 * margin, high + margin  # below the slow rival's level stand two lines of words
