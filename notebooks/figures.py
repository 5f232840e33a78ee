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
    axes.add_patch(plt.Rectangle((size // 2 - 0.5,) * 2, 1, 1, fill=False, ec="tab:red", lw=2.5))
    blank(axes, title, 10)
