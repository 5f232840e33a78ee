"""What the Inside tab draws: how much each pixel mattered; before, after and the difference of a painted pixel."""

import html

import numpy as np

from demo.kit.panels import SIDE, image_tag
from demo.service.settings import NO_CLASS
from demo.tabs.inside.service import Shown, Trace

SEEN, HERE = (51, 101, 138), (177, 71, 42)  # blue, brick


def figure(rgba: np.ndarray, alt: str, caption: str) -> str:
    """RGBA (H, W, 4), enlarged by nearest neighbour, with a caption of HTML."""
    scale = -(-2 * SIDE // len(rgba))
    large = rgba.repeat(scale, axis=0).repeat(scale, axis=1)
    return f"<figure>{image_tag(large, alt)}<figcaption>{caption}</figcaption></figure>"


def opaque(image: np.ndarray, drawn: np.ndarray | None = None) -> np.ndarray:
    """(H, W, 3) -> RGBA (H, W, 4); transparent where `drawn`, bool (H, W), is False."""
    alpha = np.full((*image.shape[:2], 1), 255) if drawn is None else 255 * drawn[..., None]
    return np.concatenate([image, alpha], 2).astype(np.uint8)


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
                  f'<b class="half">{half}</b> of {int(earlier.sum())} earlier pixels carry half of the influence. '
                  'The stronger the <span class="seen">blue</span>, the more a small change there would change what '
                  'this pixel costs the trained model (|∂ surprise / ∂ pixel|; the palest is a thousandth of the '
                  'strongest).')


HINT = ("Choose a colour above the picture and click a pixel: everything after it is drawn again, with the same random "
        "number for every sub-pixel.")


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
               + figure(difference, "Where they differ", "the difference"))
    return (f'<div data-place="{row},{column}"><div class="trio{" unfinished" * (rows < height)}">{figures}</div>'
            f'<p class="legend">{words}</p></div>')


def describe(shown: Shown, trace: Trace) -> str:
    """What is on the canvas, and its length in bits."""
    name = f"A sample that the model drew, seed {shown.seed}" if shown.sampled else "A photo"
    told = "no class" if shown.label == NO_CLASS else f"class {shown.label}"
    return (f"<b>{html.escape(name)}</b>, the model told {html.escape(told)}: {trace.surprise.mean():.2f} bits per "
            f"sub-pixel, {trace.surprise.sum() / 8:,.0f} bytes in all.")


def fidelity(shown: Shown, before: np.ndarray, progress) -> str:
    """Where the drawing without an edit is not the picture again, say so."""
    lost = int((before != shown.image).any(2).sum()) if progress.state == "done" else 0
    return (f'<p class="legend">{lost} pixels of “before” differ from the picture: it holds values that the model held '
            "for so improbable that the rounding of the sampler misses them.</p>" if lost else "")
