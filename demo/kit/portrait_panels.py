"""Portraits as a visitor sees them: the source at the left, new portraits at the right, as in figure 4; and the strips
of figure 5, one column per step between two conditions."""

import base64
import html
import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.kit.panels import enlarge, image_tag, png_bytes

GIF_MILLISECONDS = 140


def source_html(crops: list[np.ndarray], caption: str) -> str:
    """The crops uint8 (64, 64, 3) that make up the source, in one figure."""
    if not crops:
        return '<figure class="source empty"><div></div><figcaption>your photo</figcaption></figure>'
    panel = enlarge(np.stack(crops), crops[0].shape[0])
    return f'<figure class="source">{image_tag(panel, caption)}<figcaption>{html.escape(caption)}</figcaption></figure>'


def portraits_html(crops: list[np.ndarray], caption: str, images: np.ndarray, rows_done: int | None = None,
                   notes: list[str] | None = None) -> str:
    """Source beside new portraits, uint8 (n, H, W, 3); `notes` are the words below each."""
    rows = images.shape[1] if rows_done is None else rows_done
    notes = notes or [" "] * len(images)
    figures = "".join(f"<figure>{image_tag(enlarge(image[None], rows), f'new portrait {k}')}"
                      f"<figcaption>{html.escape(note)}</figcaption></figure>"
                      for k, (image, note) in enumerate(zip(images, notes), 1))
    unfinished = " unfinished" * (rows < images.shape[1])
    return (f'<div class="portraits">{source_html(crops, caption)}'
            f'<div class="panels nine{unfinished}" data-rows="{rows}">{figures}</div></div>')


def strip_html(images: np.ndarray, labels: list[str], ends: list[tuple[np.ndarray, str]], rows_done: int | None = None
               ) -> str:
    """uint8 (columns, rows, H, W, C) -> one figure per column, its noises below each other.

    `ends` are the crops uint8 (h, w, 3) that stand before and behind the columns, with their names; or none.
    """
    rows = images.shape[2] if rows_done is None else rows_done

    def figure(panel: np.ndarray, label: str, kind: str = "") -> str:
        return f'<figure{kind}>{image_tag(panel, label)}<figcaption>{html.escape(label)}</figcaption></figure>'

    figures = [figure(enlarge(column, rows, columns=1), label) for column, label in zip(images, labels)]
    if ends:
        first, last = (figure(enlarge(crop[None], len(crop)), name, ' class="end"') for crop, name in ends)
        figures = [first, *figures, last]
    unfinished = " unfinished" * (rows < images.shape[2])
    return (f'<div class="strip{unfinished}" data-rows="{rows}" style="--count:{len(figures)}">{"".join(figures)}'
            "</div>")


def one_column_html(images: np.ndarray, label: str) -> str:
    """One step of a strip, uint8 (rows, H, W, C), large and side by side."""
    panel = enlarge(images, images.shape[1], columns=len(images))
    return f'<figure class="scrubbed">{image_tag(panel, label)}<figcaption>{html.escape(label)}</figcaption></figure>'


def download_link(data: bytes, name: str, words: str) -> str:
    """A link that holds the file itself: pictures made from faces are never written on the server."""
    kind = {"png": "image/png", "gif": "image/gif", "pxcn": "application/octet-stream"}[name.rsplit(".", 1)[1]]
    source = base64.b64encode(data).decode()
    return f'<a class="download" download="{html.escape(name)}" href="data:{kind};base64,{source}">{words}</a>'


def sheet_png(columns: list[tuple[np.ndarray, str]], footer: str) -> bytes:
    """Panels uint8 (h, w, 4), each with a caption, side by side on white; the footer below and in the metadata."""
    margin, caption = 24, 34
    font, small = ImageFont.load_default(20), ImageFont.load_default(16)
    width = max(sum(panel.shape[1] + margin for panel, _ in columns) + margin,
                int(ImageDraw.Draw(Image.new("L", (1, 1))).textlength(footer, small)) + 2 * margin)
    tallest = max(panel.shape[0] for panel, _ in columns)
    sheet = Image.new("RGB", (width, margin + tallest + caption + margin + 16), "white")
    draw, x = ImageDraw.Draw(sheet), margin
    for panel, label in columns:
        image = Image.fromarray(panel)
        sheet.paste(image, (x, margin), image)
        draw.text((x + panel.shape[1] / 2, margin + panel.shape[0] + 6), label, "#222222", font, "ma")
        x += panel.shape[1] + margin
    draw.text((width / 2, sheet.height - 12), footer, "#777777", small, "ms")
    return png_bytes(sheet, Settings=footer, Software="PixelCNN demo")


def strip_gif(images: np.ndarray) -> bytes:
    """uint8 (columns, rows, H, W, C): one frame per column, there and back, the noises side by side."""
    frames = []
    for column in [*images, *images[-2:0:-1]]:
        panel = enlarge(column, column.shape[1], columns=len(column))[..., :3]
        small = Image.fromarray(panel)
        frames.append(small.quantize(256, dither=Image.Dither.NONE))
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=GIF_MILLISECONDS, loop=0)
    return buffer.getvalue()
