"""What the tab "Coarse to fine" shows: pictures that grow, a row for each size with its bits."""

import html

import numpy as np

from demo.kit.panels import enlarge, figure_html, undrawn

# Under the smallest picture. The page has a button of its own, which this one presses (`growth.js`).
PAINT, PAINT_FIRST = (f'<button type="button" class="paint" data-paint{{}}>{words}</button>'
                      for words in ("Paint on this mosaic", "Paint on the first mosaic"))
GO_ON = '<button type="button" class="paint go-on" data-paint="on">Go on painting</button>'
SMOOTHED = "only smoothed (bicubic)"


def growth_html(pictures: dict[int, np.ndarray], sizes: tuple[int, ...], count: int, start: np.ndarray | None = None,
                beside: np.ndarray | None = None, original: np.ndarray | None = None, told: str = "",
                bits: dict[int, float] | None = None, rows: int | None = None, painting: bool = False) -> str:
    """A row for every size with `count` pictures, {size: uint8 (n, size, size, 3)}; not drawn yet is empty paper.

    start     the one small picture that all have been drawn of, (k, k, 3): alone in the first row. Beside it stands
              `beside`, what an interpolation makes of it, and `original`, where it is a shrunk photo
    told      who they are told to show
    bits      of every size of the first picture, {size: bits}, once all is drawn
    rows      so many rows of the largest pictures are drawn
    painting  the start is a mosaic that the visitor paints
    """
    given = None if start is None else len(start)
    shown = [size for size in sizes if given is None or size >= given]
    found = []
    for k, size in enumerate(shown):
        if size == given:
            what, figures = "the start", start_figures(start, beside, original)
        else:
            what = "drawn first" if size == sizes[0] else "finished" if size == sizes[-1] else "finer"
            done = rows if rows is not None and size == max(pictures, default=0) else size * (size in pictures)
            figures = [figure_html(enlarge(image[None], done), f"picture {number}, {size} x {size} pixels", "")
                       for number, image in enumerate(pictures.get(size, undrawn(count, size, size, 3)), 1)]
        button = "" if size != sizes[0] else GO_ON if painting else (
            PAINT if size == given else PAINT_FIRST).format("" if bits else " disabled")
        width = 100 - 60 * (len(shown) - 1 - k) / (len(shown) - 1)
        found.append(f'<div class="size{" start" * (size == given)}" style="--width:{width:.0f}%">'
                     f'{head_html(size, what, bits, " of all bits" * (k == 0))}'
                     f'<div class="pictures">{"".join(figures)}{button}</div></div>')
    return f'<div class="growth">{"".join(found)}</div><p class="legend">{legend(count, given, told, bits, sizes)}</p>'


def head_html(size: int, what: str, bits: dict[int, float] | None, of: str = "") -> str:
    """The name of a row, and what it costs; `of` says what the share is one of."""
    words = f"<b>{size} × {size}</b>{what}"
    if bits and size in bits:
        share = bits[size] / sum(bits.values())
        percent = f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
        words += (f'<span class="cost">{bits[size]:,.0f} bits, {percent}{of}</span>'
                  f'<i class="share" style="--share:{share:.1%}"></i>')
    return f'<p class="head">{words}</p>'


def start_figures(start: np.ndarray, beside: np.ndarray, original: np.ndarray | None) -> list[str]:
    """The start and what it is compared with, uint8 (s, s, 3) each."""
    named = {"the start": start, SMOOTHED: beside} | ({"the original": original} if original is not None else {})
    return [figure_html(enlarge(picture[None], len(picture)), name, name) for name, picture in named.items()]


def legend(count: int, given: int | None, told: str, bits: dict[int, float] | None, sizes: tuple[int, ...]) -> str:
    whose = f", told: <b>{html.escape(told)}</b>" * bool(told)
    drawn = (f"{count} new pictures{whose}." if given is None else
             f"{count} pictures of the same {given} × {given} pixels{whose}. Whatever is finer is imagined.")
    return f"{drawn} {sense_of(bits, sizes)}"


def sense_of(bits: dict[int, float] | None, sizes: tuple[int, ...]) -> str:
    """What bits are, and what those of the first and of the last size say, by their own shares of all."""
    if not bits or not {sizes[0], sizes[-1]} <= set(bits):
        return "How many bits each size takes is counted at the end."
    first, last = (bits[size] / sum(bits.values()) for size in (sizes[0], sizes[-1]))
    return (f"Bits: the size of the first picture when written down. What is where costs <b>{first:.1%}</b> of them, "
            f"the finest texture <b>{last:.0%}</b>.")
