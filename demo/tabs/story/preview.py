"""What a chat shows beside a link to the page, 1200 x 630, and the page's icon: the story's picture, half drawn."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pixelcnn_core.figures import DEJAVU

PAPER, INK, GREY, NOW, HATCH = "#fcfbf8", "#23211d", "#625d53", "#b1472a", "#d9d3c5"
WORDS = "A network\nthat draws\none pixel\nat a time"
COLOURS = ("#b3302a", "#3f7d3a", "#33658a")  # of the bars for red, green, blue
FONTS = ("LiberationSerif-Regular.ttf", str(DEJAVU.with_name("DejaVuSerif.ttf")))  # the second comes with matplotlib


def font(size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(FONTS[0], size)
    except OSError:  # this computer has none
        return ImageFont.truetype(FONTS[1], size)


def half_drawn(picture: np.ndarray, zoom: int, drawn: int) -> Image.Image:
    """A picture (s, s, 3), enlarged, of which `drawn` pixels are there; the next one is in a frame."""
    size = len(picture)
    sheet = Image.fromarray(picture).resize((size * zoom, size * zoom), Image.Resampling.NEAREST)
    hatch, pen = Image.new("RGB", sheet.size, PAPER), ImageDraw.Draw(sheet)
    lines = ImageDraw.Draw(hatch)
    for x in range(-sheet.height, sheet.width, 12):
        lines.line((x, sheet.height, x + sheet.height, 0), fill=HATCH, width=2)
    for place in range(drawn, size * size):
        box = (place % size * zoom, place // size * zoom)
        tile = (*box, box[0] + zoom, box[1] + zoom)
        sheet.paste(hatch.crop(tile), box)
    row, column = divmod(drawn, size)
    corner = (column * zoom, row * zoom)
    for grow, colour, width in ((7, "#ffffff", 9), (5, NOW, 5)):
        pen.rectangle((corner[0] - grow, corner[1] - grow, corner[0] + zoom + grow - 1, corner[1] + zoom + grow - 1),
                      outline=colour, width=width)
    return sheet


def draw_preview(picture: np.ndarray, odds: np.ndarray, path: Path, drawn: int) -> None:
    """Write the preview of a picture (32, 32, 3) with its first `drawn` pixels, as a PNG of 1200 x 630; below the words
    the next pixel's distributions, of `odds` (32, 32, 3, 256)."""
    sheet = Image.new("RGB", (1200, 630), PAPER)
    side = len(picture)
    zoom = 544 // side
    margin = (630 - zoom * side) // 2
    image = half_drawn(picture, zoom, drawn)
    sheet.paste(image, (margin, margin))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((margin - 1, margin - 1, margin + image.width, margin + image.height), outline=GREY)
    left = margin + image.width + 52
    pen.multiline_text((left, 42), WORDS, font=font(88), fill=INK, spacing=8)
    for number, (own, ink) in enumerate(zip(odds[divmod(drawn, side)], COLOURS)):
        bars(pen, own, (left + 168 * number, 470, 152, 117), ink)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)


def bars(pen: ImageDraw.ImageDraw, odds: np.ndarray, box: tuple[int, int, int, int], ink: str) -> None:
    """A distribution over 256 levels in a box (left, top, width, height): one bar for each pixel of its width."""
    left, top, width, height = box
    pooled = [part.max() for part in np.array_split(odds, width)]
    pen.line((left, top + height, left + width, top + height), fill=GREY, width=2)
    for x, tall in enumerate(pooled):
        rise = round(tall / max(pooled) * height)
        if rise:
            pen.line((left + x, top + height - rise, left + x, top + height - 1), fill=ink)


def draw_favicon(picture: np.ndarray, path: Path, cells: int = 8) -> None:
    """Write the icon, 64 x 64: the picture as a mosaic, half drawn, the next cell in red."""
    side = len(picture) // cells * cells
    mosaic = picture[:side, :side].reshape(cells, side // cells, cells, side // cells, 3).mean((1, 3))  # (8, 8, 3)
    mosaic = np.concatenate([mosaic, np.full((cells, cells, 1), 255)], 2).round().astype(np.uint8)  # (8, 8, 4)
    drawn = cells * cells * 5 // 8
    for place in range(drawn, cells * cells):
        shade = (177, 71, 42, 255) if place == drawn else (210, 204, 190, 255) if (place + place // cells) % 2 \
            else (236, 232, 222, 255)
        mosaic[divmod(place, cells)] = shade
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mosaic).resize((64, 64), Image.Resampling.NEAREST).save(path, optimize=True)
