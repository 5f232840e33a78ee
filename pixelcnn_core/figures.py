"""Images side by side, as in the paper's figures: crisp, enlarged by nearest neighbour; words in any script that a font
on the machine has."""

import functools
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor


def to_pixels(images: Tensor, levels: int) -> np.ndarray:
    """Integers (N, C, H, W) below `levels` -> uint8 RGB (N, H, W, 3); 17 grey levels or 2 are spread over 0 ... 255."""
    pixels = np.round(images.cpu().numpy() * (255 / (levels - 1))).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.broadcast_to(pixels, (*pixels.shape[:3], 3))


def image_grid(images: Tensor, columns: int, levels: int = 256, scale: int = 2, gap: int = 2) -> Image.Image:
    """A grid of images (N, C, H, W), filled row by row; every pixel becomes scale x scale pixels."""
    pixels = to_pixels(images, levels).repeat(scale, 1).repeat(scale, 2)
    count, height, width, _ = pixels.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for k, image in enumerate(pixels):
        y, x = k // columns * (height + gap), k % columns * (width + gap)
        sheet[y:y + height, x:x + width] = image
    return Image.fromarray(sheet)


def labelled_grid(images: Tensor, labels: tuple[str, ...], levels: int = 256, scale: int = 2) -> Image.Image:
    """One row per label, its name on the left: images (rows * n, C, H, W), n for each label in turn. Figure 3."""
    grid = image_grid(images, len(images) // len(labels), levels, scale)
    words = [readable(label) for label in labels]
    margin = 12 + int(max(font.getlength(word) for word, font in words))
    sheet = Image.new("RGB", (grid.width + margin, grid.height), "white")
    sheet.paste(grid, (margin, 0))
    draw, step = ImageDraw.Draw(sheet), grid.height / len(labels)
    for k, (word, font) in enumerate(words):
        draw.text((margin - 6, (k + 0.5) * step), word, "black", font, "rm")
    return sheet


DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"  # comes with matplotlib
FONT_SIZE = 14


def readable(text: str, size: int = FONT_SIZE) -> tuple[str, ImageFont.FreeTypeFont]:
    """The text and a font, `size` pixels high, that has all of its characters: DejaVu, else one of the machine's, else
    DejaVu with their codes instead of boxes, as \\u732b."""
    text = " ".join(text.split())
    if not set(map(ord, text)) <= characters(str(DEJAVU)):
        for path in system_fonts():
            if set(map(ord, text)) <= characters(path):
                return text, font(path, size)
        text = "".join(c if ord(c) in characters(str(DEJAVU)) else c.encode("ascii", "backslashreplace").decode()
                       for c in text)
    return text, font(str(DEJAVU), size)


@functools.lru_cache
def font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


@functools.lru_cache(maxsize=512)
def characters(path: str) -> frozenset[int]:
    """The code points that a font file has glyphs for; none where it cannot be read."""
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@functools.lru_cache(maxsize=1)
def system_fonts() -> list[str]:
    """Without the fonts called Last Resort, which have a box for every character there is; one comes with matplotlib.
    """
    from matplotlib import font_manager  # makes a list of all fonts at its first import on a machine: seconds

    return sorted({entry.fname for entry in font_manager.fontManager.ttflist
                   if not Path(entry.fname).name.lower().startswith("lastresort")})
