"""What a knob does, before one turns it: the same picture at five temperatures, and at five guidances, as buttons.

A `gr.HTML` with a script, like `demo/kit/pixel_canvas.py`. Its value is a dict made by `strip_value`; a click writes
`chosen` into it and fires `input`. The pictures lie beside the model: `stored_knobs.png` has a row for each knob,
`stored_knobs.json` the settings that drew them.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from demo.kit.html_block import html_block
from demo.kit.page_files import keep
from demo.kit.panels import png_bytes
from demo.kit.stored import UNREADABLE, read_atlas, read_facts, read_stored, write_atlas, write_facts
from demo.service.bridge import ModelInfo, Service
from demo.service.settings import Settings
from demo.tabs.classes.panels import as_shown

SCRIPT, LOOK = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".js", ".css"))
KNOBS = {"temperature": (0.6, 0.8, 1.0, 1.2, 1.5), "guidance": (1.0, 1.5, 2.0, 3.5, 5.0)}
SAID = {"temperature": "more and more daring", "guidance": "told more and more firmly"}
NAME = "stored_knobs"


def turned(stored: Settings) -> Iterator[Settings]:
    """The settings of the pictures: one class of the stored samples, knob after knob, value after value."""
    one = replace(stored, classes=stored.classes[len(stored.classes) // 2:][:1], images=1)
    for knob, values in KNOBS.items():
        yield from (replace(one, **{knob: value}) for value in values)


def draw_knobs(service: Service, name: str) -> None:
    """Draw the pictures, and keep them beside the model; nothing where no samples are stored, or no classes known."""
    stored = read_stored(service.folder / name, service.info(name))
    if stored is None or not service.info(name).classes:
        return
    asked = list(turned(stored.settings))
    # (knobs * values, H, W, C)
    drawn = np.stack([list(service.stream(settings))[-1].images[0, 0] for settings in asked])
    folder = service.folder / name
    write_atlas(folder / f"{NAME}.png", drawn.reshape(len(KNOBS), -1, *drawn.shape[1:]))
    write_facts(folder, f"{NAME}.json", settings=asdict(asked[0]), knobs=KNOBS)


def read_knobs(folder: Path, info: ModelInfo) -> dict[str, dict]:
    """The values of the strips of a model, by the name of the knob; empty ones where nothing, or nothing of these
    weights, is stored."""
    try:
        facts = read_facts(folder, f"{NAME}.json")
        label, knobs = str(facts["settings"]["classes"][0]), {name: facts["knobs"][name] for name in KNOBS}
        rows = read_atlas(folder / f"{NAME}.png", len(KNOBS), len(KNOBS["guidance"]), info.image_size, info.channels)
        return {name: strip_value(as_shown(row, info), knobs[name], name, label) for name, row in zip(knobs, rows)}
    except UNREADABLE:
        return {name: strip_value(np.zeros((0, 1, 1, 3), np.uint8), [], name, "") for name in KNOBS}


def knob_strip(elem_id: str, value: dict) -> gr.HTML:
    """The component, inside an open `gr.Blocks`; it shows nothing where nothing is stored."""
    return html_block(value, elem_id=elem_id, css_template=LOOK, js_on_load=SCRIPT,
                      html_template='<p class="knob-said"></p><div class="knobs" role="group"></div>')


def strip_value(images: np.ndarray, values: list[float], knob: str, label: str) -> dict:
    """Pictures (n, H, W, C) of one class, and the n values of the knob that drew them."""
    return {"pictures": [keep(png_bytes(Image.fromarray(image if image.shape[2] == 3 else image[:, :, 0])))
                         for image in images],
            "values": list(values), "knob": knob, "said": f"The same {label}, {SAID[knob]} ({knob}). Press one.",
            "chosen": None}
