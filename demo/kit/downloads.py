"""Files to download: labelled sheets of pictures, films, and links that hold a file themselves, for what is made from
photos is never written on the server."""

import base64
import html
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from demo.kit.panels import describe, enlarge, png_bytes
from demo.service.settings import Settings
from pixelcnn_core.figures import readable

GIF_MILLISECONDS = 140


def download_link(data: bytes, name: str, words: str, skipped: bool = False) -> str:
    """A link that holds the file itself; `skipped` by the Tab key, where many would stand in its way."""
    kind = {"png": "image/png", "gif": "image/gif", "pxcn": "application/octet-stream"}[name.rsplit(".", 1)[1]]
    source = base64.b64encode(data).decode()
    key = ' tabindex="-1"' * skipped
    return f'<a class="download"{key} download="{html.escape(name)}" href="data:{kind};base64,{source}">{words}</a>'


def sheet_png(panels: list[tuple[np.ndarray, str]], footer: str, columns: int | None = None,
              settings: str | None = None) -> bytes:
    """Panels uint8 (h, w, 4), each with a caption, so many side by side (default: all), on white; the footer below. In
    the metadata stand the `settings`, by default the footer."""
    margin, caption, columns = 24, 34, columns or len(panels)
    words, small = readable(footer, 14)
    rows = [panels[k:k + columns] for k in range(0, len(panels), columns)]
    step = max(panel.shape[0] for panel, _ in panels) + caption + margin
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    widths = [sum(panel.shape[1] + margin for panel, _ in row) + margin for row in rows]
    sheet = Image.new("RGB", (max(*widths, int(probe.textlength(words, small)) + 2 * margin),
                              margin + len(rows) * step + 16), "white")
    draw = ImageDraw.Draw(sheet)
    for top, row in zip(range(margin, sheet.height, step), rows):
        x = margin
        for panel, label in row:
            image = Image.fromarray(panel)
            sheet.paste(image, (x, top), image)
            text, font = readable(label, 18)
            draw.text((x + panel.shape[1] / 2, top + panel.shape[0] + 6), text, "#222222", font, "ma")
            x += panel.shape[1] + margin
    draw.text((sheet.width / 2, sheet.height - 12), words, "#777777", small, "ms")
    return png_bytes(sheet, Settings=settings or footer, Software="PixelCNN demo")


def write_figure(folder: str | Path, images: np.ndarray, settings: Settings) -> str:
    """Write samples uint8 (classes, n, H, W, C) as one such sheet into a folder under a telling name; returns its
    path."""
    path = Path(folder) / f"pixelcnn_{settings.model}_seed-{settings.seed}.png"
    panels = [(enlarge(samples, images.shape[2]), label) for samples, label in zip(images, settings.classes)]
    path.write_bytes(sheet_png(panels, describe(settings), 5, json.dumps(settings.query())))
    return str(path)


def strip_gif(images: np.ndarray) -> bytes:
    """uint8 (columns, rows, H, W, C): one frame per column, there and back, the noises side by side."""
    frames = []
    for column in [*images, *images[-2:0:-1]]:
        panel = Image.fromarray(enlarge(column, column.shape[1], columns=len(column))[..., :3])
        frames.append(panel.quantize(256, dither=Image.Dither.NONE))
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=GIF_MILLISECONDS, loop=0)
    return buffer.getvalue()
