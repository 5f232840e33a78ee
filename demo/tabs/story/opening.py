"""What the story shows before its record has arrived: the first step's picture, its six colours and the name of Next.

All of it is made of the record when the server starts, and stands in the page itself.
"""

import io
import re

import numpy as np
from PIL import Image, ImageDraw

from demo.kit.page_files import keep
from demo.tabs.story.pack import unpack

ZOOM = 14  # of the first picture: as large as the canvas is on a wide screen
NOW = "#b1472a"


def opened(words: str, record: dict) -> str:
    """`steps.html` as the first step leaves it (`js/3_guess.js`), of the first pixel to guess in the record."""
    deal, picture = record["guesses"][0], record["picture"]
    row, column = deal["place"]
    image = keep(first_picture(unpack(picture["pixels"]), row * picture["size"] + column), "png")
    following = re.findall(r"<section data-step[^>]*>\s*<h2>(.*?)</h2>", words)[1]
    swatches = "".join(f'<button type="button"><i style="background:rgb({red} {green} {blue})"></i><b></b></button>'
                       for red, green, blue in deal["colours"])
    source = f"An invented face, drawn by a network. Chosen by eye among {picture['chosen_from']}."
    for before, after in (
            ('<div class="story">', '<div class="story" data-open="guess">'),
            ('data-go="guess"', 'data-go="guess" aria-current="step"'),
            ('<canvas role="img"', f'<canvas role="img" style="--first: url({image})"'),
            ('<figcaption class="source">', f'<figcaption class="source">{source}'),
            ('aria-label="Your guess">', f'aria-label="Your guess">{swatches}'),
            ('data-turn="back"', 'data-turn="back" disabled'),
            ("Next: <span>", f"Next: <span>{following}")):
        if words.count(before) != 1:
            raise ValueError(f"steps.html has not one {before}")
        words = words.replace(before, after)
    return words


def first_picture(picture: np.ndarray, drawn: int) -> bytes:
    """A PNG: uint8 (s, s, 3), its first `drawn` pixels, a frame at the next, the rest transparent."""
    size = len(picture)
    shown = (np.arange(size * size) < drawn).reshape(size, size, 1)
    pixels = np.concatenate([picture * shown, 255 * shown], 2).astype(np.uint8)  # (s, s, 4)
    sheet = Image.fromarray(pixels).resize((size * ZOOM, size * ZOOM), Image.Resampling.NEAREST)
    top, left = (ZOOM * place for place in divmod(drawn, size))
    for grow, colour, width in ((3, "white", 5), (2, NOW, 3)):
        ImageDraw.Draw(sheet).rectangle((left - grow, top - grow, left + ZOOM + grow - 1, top + ZOOM + grow - 1),
                                        outline=colour, width=width)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
