"""What the Inside tab draws: the picture with its layers; how much each pixel mattered; what a painted pixel caused."""

import html

import numpy as np

from demo.kit.heat_map import heat_colours
from demo.kit.panels import SIDE, figure_html, magnified, opaque
from demo.kit.pixel_canvas import canvas_value
from demo.service.settings import NO_CLASS
from demo.tabs.inside.service import MIN_P, Shown, Trace
from demo.tabs.inside.words import EXAMPLE, PHOTO, SAMPLE, YOURS

SEEN, HERE = (51, 101, 138), (177, 71, 42)  # blue, brick


def figure(rgba: np.ndarray, alt: str, caption: str) -> str:
    """RGBA (H, W, 4), enlarged, with a caption of HTML."""
    return figure_html(magnified(rgba, 2 * SIDE), alt, caption)


def tint(image: np.ndarray, where: np.ndarray, colour: tuple[int, int, int], share) -> np.ndarray:
    """A picture (H, W, 3) with a colour laid over some of its pixels; `share` is a number or (H, W)."""
    share = np.broadcast_to(share, where.shape)[..., None] * where[..., None]
    return (image * (1 - share) + np.array(colour) * share).round().astype(np.uint8)


def influence_html(image: np.ndarray, influence: np.ndarray, earlier: np.ndarray, place: tuple[int, int]) -> str:
    """How much each earlier pixel mattered to the trained model, on a logarithmic scale over a factor of 1000."""
    found = np.where(earlier, influence, 0)
    peak = max(found.max(), 1e-30)
    strength = np.clip(1 + np.log10(np.maximum(found, 1e-30) / peak) / 3, 0, 1)
    painted = tint(image // 3 + 120, earlier & (found > 0), SEEN, strength)
    painted[place] = HERE
    total = found.sum()
    largest = np.sort(found.ravel())[::-1].cumsum()
    half = int(np.searchsorted(largest, total / 2)) + 1 if total else 0
    return figure(opaque(painted), f"Influence on row {place[0]}, column {place[1]}",
                  f'<b class="half">{half}</b> of {int(earlier.sum())} earlier pixels have half of the influence. The '
                  'stronger the <span class="seen">blue</span>, the more a small change there would change how likely '
                  "the network finds the framed pixel. The palest blue counts a thousandth of the strongest.")


def lit(shown: Shown) -> np.ndarray:
    """The picture, (H, W, 3), in full colour where paint changed it, dark and nearly grey where it did not."""
    image = shown.image.astype(float)
    dark = 0.5 * (0.3 * image + 0.7 * image.mean(2, keepdims=True))  # (H, W, 3)
    changed = (shown.image != shown.original).any(2, keepdims=True)  # (H, W, 1)
    return np.where(changed, image, dark).round().astype(np.uint8)


def caption(shown: Shown, example: bool) -> str:
    """What the picture is, and what to do with it."""
    count = int(shown.painted.sum())
    if count:
        return EXAMPLE if example else YOURS.format(what="one pixel" if count == 1 else f"{count} pixels")
    return SAMPLE if shown.sampled else PHOTO


def picture_value(shown: Shown, place: tuple[int, int], trace: Trace | None = None, example: bool = False) -> dict:
    """The value of the canvas: the picture, `place` in the frame; what changed, where anything is painted; the bits of
    every pixel, where there is a `trace`."""
    layers = {"changes": lit(shown)} if shown.painted.any() else {}
    bits = None if trace is None else trace.surprise.sum(2)  # (H, W)
    if trace is not None:
        layers["surprise"] = heat_colours(bits)
    return canvas_value(shown.image, place, readings=bits, unit="bits", layers=layers, layer="changes",
                        caption=caption(shown, example))


HINT = ("Choose a colour below the picture and click a pixel: everything after it is drawn again, with the same random "
        "numbers.")


DIFFERENCE = ('the difference <span class="differs" role="img" aria-label="from pale, 1 shade of 256, to dark, 255">'
              '1 <i></i> 255</span>')


def nothing_painted_html() -> str:
    """Before anything was painted."""
    return f'<p class="legend">{HINT}</p>'


def comparison_html(before: np.ndarray, after: np.ndarray, place: tuple[int, int], rows: int) -> str:
    """Two drawings with the same noise, (H, W, 3), of which `rows` rows are finished, and where they differ."""
    height, width = before.shape[:2]
    drawn = np.arange(height)[:, None].repeat(width, 1) < rows  # (H, W)
    change = np.abs(before.astype(int) - after).max(2) * drawn  # (H, W)
    changed = change > 0
    difference = np.zeros((height, width, 4), np.uint8)
    difference[changed] = (*HERE, 255)
    difference[..., 3] = np.where(changed, 76 + 0.7 * change, 0)
    row, column = place
    later = int(changed.sum()) - int(changed[place])
    early = int((changed & (np.arange(height * width).reshape(height, width) < row * width + column)).sum())
    rest = height * width - row * width - column - 1
    words = (f'One painted pixel (row {row}, column {column}) changes <b class="changed">{later}</b> of the {rest} '
             f'later pixels and <b class="early">{early}</b> of the {row * width + column} earlier ones. Both are '
             "drawn with the same random numbers: what differs is caused by that pixel."
             if rows == height else "Drawing both, with the same random numbers …")
    figures = (figure(opaque(before, drawn), "Before the paint", "before")
               + figure(opaque(after, drawn), f"After painting row {row}, column {column}", "after")
               + figure(difference, "Where they differ", DIFFERENCE))
    return (f'<div data-place="{row},{column}"><h3>What that pixel changed</h3>'
            f'<div class="trio{" unfinished" * (rows < height)}">{figures}</div>'
            f'<p class="legend">{words}</p></div>')


def compared_html(shown: Shown) -> str:
    """What one painted pixel of a picture caused; otherwise how to paint one."""
    if shown.painted.sum() != 1:
        return nothing_painted_html()
    row, column = np.argwhere(shown.painted)[0].tolist()
    return comparison_html(shown.original, shown.image, (row, column), len(shown.image))


def describe(shown: Shown, trace: Trace | None = None) -> str:
    """What is on the canvas, what the model was told, and the length in bits, where there is a `trace`."""
    name = f"A sample that the network drew, seed {shown.seed}, min-p {MIN_P}" if shown.sampled else "A photo"
    if count := int(shown.painted.sum()):
        name += ", " + ("one pixel" if count == 1 else f"{count} pixels") + " painted"
    told = "no class" if shown.label == NO_CLASS else f"class {shown.label}"
    words = f"<b>{html.escape(name)}</b>; the network was told {html.escape(told)}."
    return words if trace is None else (
        f"{words} By its odds the picture takes {trace.surprise.sum() / 8:,.0f} bytes: {trace.surprise.mean():.2f} "
        "bits for each of the three colours of a pixel.")


def fidelity(shown: Shown, before: np.ndarray, progress) -> str:
    """Where the drawing without an edit is not the picture again, say so."""
    lost = int((before != shown.image).any(2).sum()) if progress.state == "done" else 0
    return (f'<p class="legend">{lost} pixels of “before” differ from the picture: it has values so unlikely to the '
            "model that rounding loses them.</p>" if lost else "")
