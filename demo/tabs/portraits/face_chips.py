"""The faces of a photo as buttons that carry their pictures; each is pressed or not.

A `gr.HTML` with a script, like `demo/kit/pixel_canvas.py`. Its value is a dict made by `chips_value`; a click, here or
on a box in the photo (anything on the page with `data-face`), changes `chosen` in it and fires `input`. What comes back
from a browser may be anything: `read_chips` cleans it.
"""

from pathlib import Path

import gradio as gr

from demo.kit.html_block import html_block
from demo.kit.panels import png_source
from demo.service.faces import MAX_FACES, FoundFace

SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))


def face_chips(elem_id: str) -> gr.HTML:
    """The component, inside an open `gr.Blocks`; it shows nothing as long as there is no choice."""
    return html_block(None, elem_id=elem_id, label="Faces", css_template=LOOK, js_on_load=SCRIPT,
                      html_template='<div class="faces" role="group" aria-label="Faces"></div>')


def chips_value(found: list[FoundFace], chosen: list[int]) -> dict:
    """`chosen` are numbers of faces, from 1."""
    several = found if len(found) > 1 else []
    return {"faces": [png_source(face.crop[::2, ::2]) for face in several], "chosen": chosen}


def read_chips(value) -> set[int]:
    """The chosen numbers: from the value of the chips, or from a list of numbers, as a script would send it."""
    chosen = value.get("chosen") if isinstance(value, dict) else value
    if not isinstance(chosen, (list, tuple)):
        return set()
    return {int(number) for number in chosen[:MAX_FACES]
            if isinstance(number, (int, str)) and str(number).isdecimal() and len(str(number)) < 4}
