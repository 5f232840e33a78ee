"""The drawing code of the notebooks, so that their cells hold ideas: pictures with a text for those who cannot see
them, controls with a sentence for pages without a kernel, receptive fields."""

import base64
import io

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

MAY, SEEN, OTHER = (0.98, 0.78, 0.62), (0.2, 0.4, 0.55), (0.93, 0.93, 0.93)  # orange, blue, grey


def show(what: Figure | Image.Image, alt: str, kind: str = "png", quality: int = 85) -> None:
    """A picture below the cell, with `alt` as its text: what it shows, for readers who cannot see it.

    kind  "png", or "jpeg" for photos and noise, which PNG stores badly
    """
    buffer = io.BytesIO()
    if isinstance(what, Figure):
        options = {"pil_kwargs": {"quality": quality}} if kind == "jpeg" else {}
        what.savefig(buffer, format=kind, bbox_inches="tight", **options)  # no title or label is cut off
        plt.close(what)
    else:
        what.save(buffer, kind, **({"quality": quality, "subsampling": 0} if kind == "jpeg" else {}))
    data = base64.b64encode(buffer.getvalue()).decode()
    display({f"image/{kind}": data, "text/plain": alt}, metadata={f"image/{kind}": {"alt": alt}}, raw=True)


def png(what: Figure | Image.Image, **options) -> bytes:
    """A picture as PNG bytes, for an `ipywidgets.Image`."""
    buffer = io.BytesIO()
    if isinstance(what, Figure):
        what.savefig(buffer, format="png", **options)
        plt.close(what)
    else:
        what.save(buffer, "PNG")
    return buffer.getvalue()


def play(*controls: ipywidgets.Widget) -> None:
    """Controls and the picture that they change, one below the other."""
    bundle = ipywidgets.VBox(controls)._repr_mimebundle_()
    words = "Controls: they need a running kernel. The picture above shows some of what they can show."
    display({**bundle, "text/plain": words}, raw=True)


def blank(axes: Axes, title: str = "", size: int = 9) -> None:
    """No ticks; a small title."""
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=size)


def show_reach(seen, axes: Axes, title: str) -> None:
    """A receptive field, |gradient| (n, n) at the centre: blue what is seen, orange what is earlier and is not."""
    size = len(seen)
    picture = np.tile(np.array(OTHER), (size, size, 1))
    picture[np.arange(size * size).reshape(size, size) < (size // 2) * (size + 1)] = MAY
    picture[np.asarray(seen) > 0] = SEEN
    axes.imshow(picture)
    squares(axes, size)
    axes.add_patch(plt.Rectangle((size // 2 - 0.5,) * 2, 1, 1, fill=False, ec="tab:red", lw=2.5, zorder=3))
    blank(axes, title, 10)


def squares(axes: Axes, size: int, colour: str = "white") -> None:
    """Thin lines between the pixels of a (size, size) picture, so that they can be counted."""
    lines = np.arange(1, size) - 0.5
    axes.vlines(lines, -0.5, size - 0.5, color=colour, lw=0.6)
    axes.hlines(lines, -0.5, size - 0.5, color=colour, lw=0.6)


def one_layer() -> Figure:
    """Figure 2 of the paper: what one layer does with the two stacks."""
    figure, axes = plt.subplots(figsize=(10, 3.4))
    axes.set(xlim=(0, 10.6), ylim=(-0.2, 3.4))
    axes.set_axis_off()

    def box(x: float, y: float, words: str, colour: str = "0.93") -> None:
        axes.text(x, y, words, ha="center", va="center", fontsize=9,
                  bbox={"boxstyle": "round,pad=0.45", "fc": colour, "ec": "0.4"})

    def line(*points: tuple[float, float], arrow: bool = True) -> None:
        axes.plot(*zip(*points), color="0.25", lw=1.2, zorder=0, solid_joinstyle="miter")
        if arrow:
            axes.annotate("", points[-1], points[-2], arrowprops={"arrowstyle": "-|>", "color": "0.25"}, zorder=0)

    up, low = 2.7, 1.0
    line((0.35, up), (10.2, up))
    line((0.35, low), (10.2, low))
    line((3.75, up), (3.75, low + 0.2))  # the link
    line((8.0, low), (8.0, 0.0), (10.2, 0.0))  # skip
    line((0.75, low), (0.75, 0.35), (9.35, 0.35), (9.35, low - 0.18))  # residual
    axes.text(0.2, up, "v", fontsize=12, style="italic", ha="right", va="center")
    axes.text(0.2, low, "h", fontsize=12, style="italic", ha="right", va="center")
    axes.text(10.3, up, "v", fontsize=12, style="italic", va="center")
    axes.text(10.3, low, "h", fontsize=12, style="italic", va="center")
    axes.text(10.3, 0.0, "output", fontsize=9, va="center")
    box(2.1, up, "rows above, n × n", "#cfe0ea")
    box(2.1, low, "to the left, 1 × n", "#cfe0ea")
    box(3.75, 1.9, "link, 1 × 1", "#cfe0ea")
    for y in (up, low):
        box(5.0, y, r"$+\;V^\top\mathbf{h}$")
        box(6.6, y, r"$\tanh \odot \sigma$", "#fbdcc4")
    box(3.75, low, "+")
    box(8.6, low, "1 × 1", "#cfe0ea")
    box(9.35, low, "+")
    box(8.9, 0.0, "skip, 1 × 1", "#cfe0ea")
    axes.text(4.6, 0.42, "residual: not in the first layer", fontsize=8, color="0.3")
    return figure
