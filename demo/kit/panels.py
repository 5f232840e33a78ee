"""Samples as a visitor sees them: one panel per class with its name below, like figure 3 of the paper.

On the page a panel is an HTML <figure>, so that its name is real text in any theme and the panels flow on a phone;
the pixels are enlarged here by nearest neighbour and sent as PNG, so that no browser or codec blurs them.
Files to download are made of the same panels (`downloads.py`).
"""

import base64
import html
import io

import numpy as np
from PIL import Image, PngImagePlugin

from demo.kit.model_facts import model_name
from demo.service.settings import Settings

SIDE = 160  # pixels on the screen of one enlarged image, at least
GAP = 6  # between the images of a panel
FRONT = (196, 74, 44, 255)  # the row that is drawn next


def enlarge(images: np.ndarray, rows_done: int, columns: int | None = None) -> np.ndarray:
    """One panel: uint8 (n, H, W, C) -> RGBA (h, w, 4), `columns` images side by side (default: a square of them).

    Rows still to be drawn are transparent.
    """
    count, height, width, _ = images.shape
    rgba = np.zeros((count, height, width, 4), np.uint8)
    rgba[:, :rows_done, :, :3] = images[:, :rows_done]
    rgba[:, :rows_done, :, 3] = 255
    rgba[:, rows_done:rows_done + 1] = FRONT
    scale = -(-SIDE // height)
    columns = columns or int(np.ceil(np.sqrt(count)))
    step_y, step_x = height * scale + GAP, width * scale + GAP
    panel = np.zeros((-(-count // columns) * step_y - GAP, columns * step_x - GAP, 4), np.uint8)
    for k, image in enumerate(rgba.repeat(scale, axis=1).repeat(scale, axis=2)):
        y, x = k // columns * step_y, k % columns * step_x
        panel[y:y + height * scale, x:x + width * scale] = image
    return panel


def undrawn(count: int, *shape: int) -> np.ndarray:
    """Pictures (count, H, W, C) of which nothing is drawn yet."""
    return np.zeros((count, *shape), np.uint8)


def magnified(rgba: np.ndarray, side: int = SIDE) -> np.ndarray:
    """RGBA (H, W, 4), at least `side` pixels high: every pixel a square."""
    scale = -(-side // len(rgba))
    return rgba.repeat(scale, 0).repeat(scale, 1)


def opaque(image: np.ndarray, drawn: np.ndarray | None = None) -> np.ndarray:
    """uint8 (H, W, 3) -> RGBA (H, W, 4); transparent where `drawn`, bool (H, W), is False."""
    alpha = np.full(image.shape[:2], 255) if drawn is None else 255 * drawn
    return np.dstack([image, alpha]).astype(np.uint8)


def mean_picture(images: np.ndarray) -> np.ndarray:
    """The mean of uint8 (n, H, W, C), rounded."""
    return images.mean(0, dtype=np.float64).round().astype(np.uint8)


def png_bytes(image: Image.Image, **text: str) -> bytes:
    """A PNG; `text` is stored in it."""
    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    for key, value in text.items():
        info.add_text(key, value)
    image.save(buffer, "PNG", compress_level=1, pnginfo=info)
    return buffer.getvalue()


def png_source(picture: np.ndarray) -> str:
    """uint8 (h, w, 3 or 4) as the source of an <img>."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(Image.fromarray(picture))).decode()


def jpeg_source(photo: np.ndarray) -> str:
    """uint8 (h, w, 3) as the source of an <img>: a photo is never written on the server."""
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def image_tag(panel: np.ndarray, alt: str) -> str:
    """RGBA (h, w, 4) as an <img> that carries its PNG."""
    return (f'<img src="{png_source(panel)}" width="{panel.shape[1]}" height="{panel.shape[0]}" '
            f'alt="{html.escape(alt)}">')


def figure_html(panel: np.ndarray, alt: str, caption: str, attributes: str = "") -> str:
    """RGBA (h, w, 4) with a caption of HTML below it."""
    return f"<figure{attributes}>{image_tag(panel, alt)}<figcaption>{caption}</figcaption></figure>"


def panels_html(images: np.ndarray, labels: tuple[str, ...], rows_done: int | None = None) -> str:
    """uint8 (classes, n, H, W, C) from 0 to 255 -> the <figure> elements of the page."""
    rows = images.shape[2] if rows_done is None else rows_done
    unfinished = rows < images.shape[2]
    figures = []
    for label, samples in zip(labels, images):
        alt = f"{len(samples)} sample{'s' * (len(samples) > 1)} of class {label}"
        figures.append(figure_html(enlarge(samples, rows), alt, html.escape(label)))
    return (f'<div class="panels{" unfinished" * unfinished}" data-rows="{rows}" style="--count:{len(figures)}">'
            f'{"".join(figures)}</div>')


def describe(settings: Settings) -> str:
    """The settings in one line of text."""
    parts = [model_name(settings.model), f"temperature {settings.temperature:g}"]
    if settings.guidance != 1:
        parts.append(f"guidance {settings.guidance:g}")
    if settings.min_p:
        parts.append(f"min-p {settings.min_p:g}")
    parts.append(f"seed {settings.seed}")
    if settings.same_noise:
        parts.append("same noise for every class")
    return " · ".join(parts)


def settings_line(settings: dict[str, float | int | str]) -> str:
    """Other settings in one line of text: "temperature 0.9 · min-p 0.05 · seed 7"."""
    return " · ".join(f"{name.replace('_', '-')} {f'{value:g}' if isinstance(value, float) else value}"
                      for name, value in settings.items())
