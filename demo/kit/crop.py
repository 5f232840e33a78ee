"""Which part of a photo is used, where it is not square: a frame on a small copy of the whole, which a visitor moves.

Like `pixel_canvas.py` a `gr.HTML` with a script. The frame is the thumb of a range input that lies over the picture, so
fingers, mouse and arrow keys move it; `input` fires when it rests. Its value is a dict made by `Crop.of`, whose `at`
goes from 0, the upper or left end, to 1. What comes back from a browser may be anything: `read_place` cleans it.
"""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from demo.kit.html_block import html_block
from demo.kit.panels import jpeg_source
from demo.service.settings import number

SHORT, LONG = 128, 480  # pixels of the copy that is kept, at most: of its shorter side, and of its longer one
RATIO = 12  # of a longer photo the middle is kept
SIZE = 32  # what is cut out of it will be shrunk to
STATE_SECONDS = 1800  # how long a picture is kept for its visitor
SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))


@dataclass(frozen=True)
class Crop:
    """`frame` is what is seen, nothing where there is no choice; `photo` the copy, uint8 (H, W, 3) or None: for its
    visitor alone, and no longer than the page is open."""

    frame: gr.HTML
    photo: gr.State

    @property
    def parts(self) -> list:
        """What an event that brings another picture writes: `taken` of a photo, or `GONE`."""
        return [self.frame, self.photo]


GONE = None, None


def crop_frame(elem_id: str) -> Crop:
    """The component, inside an open `gr.Blocks`."""
    frame = html_block(None, elem_id=elem_id, label="Part of the photo", css_template=LOOK, js_on_load=SCRIPT,
                       html_template='<div class="crop" hidden><p>Part of the photo: move the frame.</p>'
                       '<div class="whole"><input type="range" min="0" max="1" step="0.02" '
                       'aria-label="Part of the photo"></div></div>')
    return Crop(frame, gr.State(None, time_to_live=STATE_SECONDS))


def taken(photo: Image.Image) -> tuple[dict | None, np.ndarray | None]:
    """For a photo of any size the values of `Crop.parts`: of one that is square to a pixel of SIZE there is no part to
    choose, and nothing is kept."""
    short, long = sorted(photo.size)
    if SIZE * (long - short) < short:
        return GONE
    longest = min(long, RATIO * short)
    left, top = ((side - min(side, longest)) // 2 for side in photo.size)
    box = (left, top, left + min(photo.width, longest), top + min(photo.height, longest))
    scale = min(1, SHORT / short, LONG / longest)
    size = tuple(max(1, round(scale * min(side, longest))) for side in photo.size)
    small = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BOX, box=box))
    return {"photo": jpeg_source(small), "width": size[0], "height": size[1], "at": 0.5}, small


def read_place(value) -> float:
    """Where the frame is, from 0 to 1, in the value of the component, whatever it is: the middle if none."""
    return number(value.get("at") if isinstance(value, dict) else None, 0, 1, 0.5)
