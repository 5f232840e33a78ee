"""Samples as a visitor sees them: one panel per class with its name below, like figure 3 of the paper.

On the page a panel is an HTML <figure>, so that its name is real text in any theme and the panels flow on a phone;
the pixels are enlarged here by nearest neighbour and sent as PNG, so that no browser or codec blurs them.
The same panels as one PNG file are what the Download button gives.
"""

import base64
import html
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

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


def png_bytes(image: Image.Image, **text: str) -> bytes:
    """A PNG; `text` is stored in it."""
    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    for key, value in text.items():
        info.add_text(key, value)
    image.save(buffer, "PNG", compress_level=1, pnginfo=info)
    return buffer.getvalue()


def image_tag(panel: np.ndarray, alt: str) -> str:
    """RGBA (h, w, 4) as an <img> that carries its PNG."""
    source = base64.b64encode(png_bytes(Image.fromarray(panel))).decode()
    return (f'<img src="data:image/png;base64,{source}" width="{panel.shape[1]}" height="{panel.shape[0]}" '
            f'alt="{html.escape(alt)}">')


def panels_html(images: np.ndarray, labels: tuple[str, ...], rows_done: int | None = None) -> str:
    """uint8 (classes, n, H, W, C) from 0 to 255 -> the <figure> elements of the page."""
    rows = images.shape[2] if rows_done is None else rows_done
    unfinished = rows < images.shape[2]
    figures = []
    for label, samples in zip(labels, images):
        alt = f"{len(samples)} sample{'s' * (len(samples) > 1)} of class {label}"
        figures.append(f"<figure>{image_tag(enlarge(samples, rows), alt)}"
                       f"<figcaption>{html.escape(label)}</figcaption></figure>")
    return (f'<div class="panels{" unfinished" * unfinished}" data-rows="{rows}" style="--count:{len(figures)}">'
            f'{"".join(figures)}</div>')


def panels_png(images: np.ndarray, settings: Settings) -> bytes:
    """The same panels as one labelled PNG on white, five to a row, with the settings below and in its metadata."""
    panels = [enlarge(samples, images.shape[2]) for samples in images]
    height, width = panels[0].shape[:2]
    columns, margin, caption = min(5, len(panels)), 32, 44
    rows = -(-len(panels) // columns)
    big, small = ImageFont.load_default(24), ImageFont.load_default(18)
    footer = describe(settings)
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    total_width = max(columns * (width + margin) + margin, int(probe.textlength(footer, small)) + 2 * margin)
    left = (total_width - columns * (width + margin) + margin) // 2
    sheet = Image.new("RGB", (total_width, margin + rows * (height + caption + margin) + 24), "white")
    draw = ImageDraw.Draw(sheet)
    for k, (panel, label) in enumerate(zip(panels, settings.classes)):
        x, y = left + k % columns * (width + margin), margin + k // columns * (height + caption + margin)
        image = Image.fromarray(panel)
        sheet.paste(image, (x, y), image)
        draw.text((x + width / 2, y + height + 8), label, "#222222", big, "ma")
    draw.text((total_width / 2, sheet.height - 16), footer, "#777777", small, "ms")
    return png_bytes(sheet, Settings=json.dumps(settings.query()), Software="PixelCNN demo")


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


def write_figure(folder: str | Path, images: np.ndarray, settings: Settings) -> str:
    """Write the labelled PNG into a folder under a telling name; returns its path."""
    path = Path(folder) / f"pixelcnn_{settings.model}_seed-{settings.seed}.png"
    path.write_bytes(panels_png(images, settings))
    return str(path)
