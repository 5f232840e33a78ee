"""Images side by side, as in the paper's figures: crisp, enlarged by nearest neighbour. Needs Pillow only."""

import numpy as np
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
    font = ImageFont.load_default(14)
    margin = 12 + int(max(font.getlength(label) for label in labels))
    sheet = Image.new("RGB", (grid.width + margin, grid.height), "white")
    sheet.paste(grid, (margin, 0))
    draw, step = ImageDraw.Draw(sheet), grid.height / len(labels)
    for k, label in enumerate(labels):
        draw.text((margin - 6, (k + 0.5) * step), label, "black", font, "rm")
    return sheet
