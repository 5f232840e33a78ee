"""What the tab "Coarse to fine" shows: the sizes of one picture side by side with their bits, and its continuations."""

import html

import numpy as np

from demo.kit.panels import enlarge, image_tag


def scales_html(pictures: dict[int, np.ndarray], sizes: tuple[int, ...], given: int | None = None,
                bits: dict[int, float] | None = None, rows: int | None = None) -> str:
    """The first of the pictures at every size, {size: uint8 (n, size, size, 3)}, those not drawn yet as empty paper; of
    the largest one only so many `rows` are drawn."""
    figures = []
    total = sum(bits.values()) if bits else 0
    for size in sizes:
        empty = np.zeros((1, size, size, 3), np.uint8)
        drawn = pictures.get(size)
        done = rows if rows is not None and size == max(pictures, default=0) else size
        panel = enlarge(empty, 0) if drawn is None else enlarge(drawn[:1], done)
        words = f"<b>{size} × {size}</b>"
        if size == given:
            words += "<br>given"
        elif bits and size in bits:
            words += f"<br>{bits[size]:,.0f} bits<br>{bits[size] / total:.1%} of all"
        figures.append(f"<figure>{image_tag(panel, f'The picture in {size} x {size} pixels')}"
                       f"<figcaption>{words}</figcaption></figure>")
    return f'<div class="scales" style="--count:{len(sizes)}">{"".join(figures)}</div>'


def continuations_html(images: np.ndarray, beside: np.ndarray | None = None) -> str:
    """Finished or growing pictures, uint8 (n, s, s, 3); `beside` is what an interpolation makes of the same start."""
    figures = [f'<figure>{image_tag(enlarge(image[None], len(image)), f"picture {k}")}</figure>'
               for k, image in enumerate(images, 1)]
    if beside is not None:
        figures.append(f'<figure>{image_tag(enlarge(beside[None], len(beside)), "bicubic interpolation")}'
                       f"<figcaption>{html.escape('bicubic, for comparison')}</figcaption></figure>")
    return f'<div class="panels continuations">{"".join(figures)}</div>'
