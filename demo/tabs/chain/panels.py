"""What the tab "Coarse to fine" shows: the sizes of one picture side by side with their bits, and its continuations."""

import html

import numpy as np

from demo.kit.panels import enlarge, image_tag


def scales_html(pictures: dict[int, np.ndarray], sizes: tuple[int, ...], given: int | None = None,
                bits: dict[int, float] | None = None, rows: int | None = None) -> str:
    """The first of the pictures at every size, {size: uint8 (n, size, size, 3)}, those not drawn yet as empty paper; of
    the largest one only so many `rows` are drawn. The bar below a size is its share of all bits."""
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
            share = bits[size] / total
            words += (f"<br>{bits[size]:,.0f} bits<br>{share:.1%} of all"
                      f'<span class="share" style="--share:{share:.1%}"></span>')
        figures.append(f"<figure>{image_tag(panel, f'The picture in {size} x {size} pixels')}"
                       f"<figcaption>{words}</figcaption></figure>")
    return f'<div class="scales" style="--count:{len(sizes)}">{"".join(figures)}</div>'


def continuations_html(images: np.ndarray, beside: np.ndarray | None = None,
                       original: np.ndarray | None = None) -> str:
    """Finished or growing pictures, uint8 (n, s, s, 3); before them the original of a shrunk photo, and `beside`, what
    an interpolation makes of the same start."""
    found = [(original, "the original", "the original"), (beside, "bicubic interpolation", "bicubic, for comparison")]
    found += [(image, f"picture {k}", "" if beside is None else f"imagined {k}") for k, image in enumerate(images, 1)]
    figures = [f"<figure>{image_tag(enlarge(picture[None], len(picture)), alt)}"
               f"<figcaption>{html.escape(words)}</figcaption></figure>"
               for picture, alt, words in found if picture is not None]
    wide = 3 if len(figures) > 5 else len(figures)
    return f'<div class="panels continuations" style="--wide:{wide}">{"".join(figures)}</div>'
