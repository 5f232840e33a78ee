"""Bits as colours: the surprise map of a picture, and its scale."""

import numpy as np

SCALE = 24  # bits of a pixel at the dark end: what it costs where all values are alike
COLOURS = np.array([(252, 243, 224), (240, 196, 130), (214, 122, 66), (158, 52, 44), (70, 16, 40), (16, 4, 22)])


def heat_colours(bits: np.ndarray) -> np.ndarray:
    """Bits per pixel (H, W) -> uint8 (H, W, 3): pale is expected, dark is a surprise of SCALE bits or more."""
    place = np.clip(bits / SCALE, 0, 1) * (len(COLOURS) - 1)
    return np.stack([np.interp(place, np.arange(len(COLOURS)), channel) for channel in COLOURS.T], -1).round().astype(
        np.uint8)


def scale_html() -> str:
    """The legend of the map."""
    steps = ", ".join(f"rgb({r} {g} {b})" for r, g, b in COLOURS)
    ticks = "".join(f"<span>{k}{' bits or more' * (k == SCALE)}</span>" for k in range(0, SCALE + 1, 8))
    return (f'<div class="heat-scale"><div class="heat-bar" style="background: linear-gradient(90deg, {steps})"></div>'
            f'<div class="heat-ticks">{ticks}</div></div>')
