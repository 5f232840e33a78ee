"""The ladder as one picture: a row for each rung, with the paper's number and ours on one axis, and samples beside
them.

HTML and SVG from the server, laid out by `style.css`: on a phone the parts of a row stand below one another.
"""

import html

from demo.tabs.scoreboard.axes import ticks
from demo.tabs.scoreboard.ladder_results import Ladder, Rung, in_words, level_within, out_of_order
from demo.tabs.scoreboard.rung_words import IN_SHORT, MOVED, WORDS

WIDTH, HEIGHT, EDGE = 400, 46, 14  # of the drawing of one row


def scale(ladder: Ladder) -> tuple[float, float]:
    """The ends of the axis: all numbers but those of knowing nothing, which stand at its end."""
    values = [value for rung in ladder.rungs if rung.key != "uniform" for value in (rung.bits, rung.paper) if value]
    low, high = min(values, default=0.0), max(values, default=8.0)
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def position(bits: float, low: float, high: float) -> float:
    share = (bits - low) / (high - low)
    return round(EDGE + (WIDTH - 2 * EDGE) * min(max(share, 0.0), 1.0), 1)


def ladder_html(ladder: Ladder) -> str:
    """The whole picture."""
    low, high = scale(ladder)
    marks = ticks(low, high)
    labels = "".join(f'<text x="{position(value, low, high)}" y="30" text-anchor="middle">{value:g}</text>'
                     for value in marks)
    seeds = f"the mean of {ladder.seeds} runs, with their spread" if ladder.seeds > 1 else "one run"
    key = (f'<p class="ladder-key"><span class="quoted">◇ quoted from the paper: CIFAR-10 at 32×32</span> '
           f'<span class="measured-here">● measured here at {ladder.size}×{ladder.size}, {ladder.time} of one core for '
           f"each: {seeds}</span></p>")
    axis = (f'<div class="rung axis" aria-hidden="true"><span></span><svg viewBox="0 0 {WIDTH} 36">'
            f'<text x="{WIDTH / 2}" y="12" text-anchor="middle" class="name">← better · bits per dimension</text>'
            f"{labels}</svg><span></span></div>")
    return f'<div class="ladder">{key}{axis}{"".join(row(rung, low, high, marks) for rung in ladder.rungs)}</div>'


def row(rung: Rung, low: float, high: float, marks: list[float]) -> str:
    """A rung: name and sentence, the two numbers on the axis, samples."""
    lines = "".join(f'<line class="grid" x1="{at}" x2="{at}" y1="0" y2="{HEIGHT}"/>'
                    for at in (position(mark, low, high) for mark in marks))
    ours = position(rung.bits, low, high)
    span = [position(rung.bits + sign * rung.spread, low, high) for sign in (-1, 1)]
    parts = [lines]
    if rung.paper is not None:
        quoted = position(rung.paper, low, high)
        parts.append(f'<line class="between" x1="{quoted}" x2="{ours}" y1="23" y2="23"/>'
                     f'<path class="quoted" d="M{quoted - 6} 23l6 -6 6 6 -6 6z"/>')
    parts.append(f'<line class="spread" x1="{span[0]}" x2="{span[1]}" y1="23" y2="23"/>'
                 f'<circle class="measured-here" cx="{ours}" cy="23" r="6"/>')
    if rung.bits > high:  # off the axis
        parts.append(f'<path class="off" d="M{WIDTH - 5} 18l5 5 -5 5"/>')
    samples = (f'<img src="{rung.strip}" alt="Eight samples of {html.escape(rung.name)}" width="270" height="32">'
               if rung.strip else "<span></span>")
    words, short = WORDS.get(rung.key, ""), IN_SHORT.get(rung.key, "")
    paper = "" if rung.paper is None else f'<span class="quoted">paper {rung.paper:.2f}</span> '
    return (f'<div class="rung{" ours" if rung.key == "pixelcnn" else ""}">'
            f'<div class="who"><b>{html.escape(rung.name)}</b> <small>{short}</small><p>{words}</p></div>'
            f'<div class="where"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{html.escape(spoken(rung))}">{"".join(parts)}</svg>'
            f'<p>{paper}<span class="measured-here">here {number(rung)}</span></p></div>{samples}</div>')


def number(rung: Rung) -> str:
    """Ours in words: at most, the spread, and what many weights make of a bound; HTML."""
    least = "" if rung.exact else "at most "
    spread = f" ± {rung.spread:.{2 if rung.spread >= 0.005 else 3}f}" if rung.seeds > 1 and rung.curve else ""
    tighter = "" if rung.gain is None else f"{rung.bits - rung.gain:.2f}"
    many = f" <small>(a closer bound: {tighter})</small>" if tighter not in ("", f"{rung.bits:.2f}") else ""
    return f"<b>{least}{rung.bits:.2f}</b>{spread}{many}"


def spoken(rung: Rung) -> str:
    paper = "" if rung.paper is None else f"the paper {rung.paper:.2f}, "
    return f"{rung.name}: {paper}here {'' if rung.exact else 'at most '}{rung.bits:.2f} bits per dimension"


def order_html(ladder: Ladder, longer: dict[str, tuple[float, float]]) -> str:
    """Where our order is not the paper's, why, and what more minutes changed."""
    compared = [rung for rung in ladder.rungs if rung.paper is not None]
    if len(compared) < 2:
        return ""
    moved = out_of_order(ladder)
    if not moved:
        return (f'<p class="ladder-order">All {len(compared)} rungs that the paper has stand in its order here too, or '
                "level within the error.</p>")
    items = []
    for rung in moved:
        worse = [other.name for other in compared if other.paper > rung.paper
                 and other.bits < rung.bits - level_within(other, rung)]
        better = [other.name for other in compared if other.paper < rung.paper
                  and other.bits > rung.bits + level_within(other, rung)]
        facts = [f"{verb} {names(which)}" for verb, which in (("behind", worse), ("ahead of", better)) if which]
        more = one_more_run(ladder, rung, compared, longer)
        why = f": {MOVED[rung.key]}" if rung.key in MOVED else ""
        items.append(f"<li><b>{html.escape(rung.name)}</b> is {' and '.join(facts) or 'elsewhere'} here, unlike in the "
                     f"paper{why}.{more}</li>")
    return f'<div class="ladder-order"><p>Where our order is not the paper\'s:</p><ul>{"".join(items)}</ul></div>'


def one_more_run(ladder: Ladder, rung: Rung, compared: list[Rung], longer: dict[str, tuple[float, float]]) -> str:
    """What more minutes made of a rung, and of its order among those that had as many, or need none; HTML."""
    if rung.key not in longer:
        return ""
    minutes, bits = longer[rung.key]
    others = {other: longer[other.key][1] if other.key in longer else other.bits for other in compared
              if other.key not in (rung.key, "uniform")
              and (not other.curve or longer.get(other.key, (0.0,))[0] == minutes)}
    still = [f"{verb} {names(which)}" for verb, sign in (("behind", 1), ("ahead of", -1))
             if (which := [f"{other.name} ({value:.2f})" for other, value in others.items()
                           if sign * (rung.paper - other.paper) < 0 < sign * (bits - value)])]
    then = f": still {' and '.join(still)}" if still else ": then it is in the paper's order" if others else ""
    beside = ", among those that had as many" if others else ""
    return (f" One more run: {in_words(minutes)} instead of {ladder.time} brought it from {rung.bits:.2f} to "
            f"<b>{bits:.2f}</b>{then}{beside}.")


def names(which: list[str]) -> str:
    which = [html.escape(name) for name in which]
    return which[0] if len(which) == 1 else f"{', '.join(which[:-1])} and {which[-1]}"
