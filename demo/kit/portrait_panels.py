"""What tabs that draw from photos share: pictures inside the page, files to download.

Nothing here is ever written on the server: pictures of faces travel inside the page.
"""

import base64
import html
import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.kit.panels import enlarge, png_bytes

GIF_MILLISECONDS = 140


def jpeg_source(picture: np.ndarray) -> str:
    """uint8 (h, w, 3) as the source of an <img>. A photo is never written on the server."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def png_source(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


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
