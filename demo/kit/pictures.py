"""A 32 x 32 picture for the tabs that look at one: bundled, drawn by a model, or a visitor's own."""

import random
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
from gradio.events import Dependency
from PIL import Image

from demo.kit.run_controls import MODEL_QUEUE, QUIET
from demo.service.bridge import Service
from demo.service.settings import MAX_SEED, UserError
from demo.service.uploads import take_upload

FOLDER = Path(__file__).parents[1] / "assets" / "pictures"
PICTURES = {name: FOLDER / f"{name}.png" for name in ("cat", "coffee", "rocket", "galaxies", "astronaut")}
SIZE = 32
STATE_SECONDS = 1800  # how long a chosen picture is kept for its visitor


@dataclass(frozen=True)
class PictureChooser:
    """`picture` holds the chosen one, uint8 (32, 32, 3); `name` is that of a bundled picture, None for any other.

    A tab listens by `then`, not to a `change` of `picture`: Gradio fires none for a state behind events without queue.
    """

    picture: gr.State
    name: gr.Radio
    chosen: tuple[Dependency, ...]

    def then(self, *steps: dict) -> None:
        """Run events one after the other, each given by its arguments, whenever another picture was chosen."""
        for event in self.chosen:
            for step in steps:
                event = event.then(**step)


def bundled(name: str) -> np.ndarray:
    """A bundled picture, uint8 (32, 32, 3). Raises UserError for another name."""
    if not isinstance(name, str) or name not in PICTURES:
        raise UserError(f"There is no such picture; choose one of {', '.join(PICTURES)}.")
    try:
        with Image.open(PICTURES[name]) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"The picture {name} cannot be shown: its file is damaged.") from error


def shrink(image: Image.Image, size: int = SIZE) -> np.ndarray:
    """The central square of a picture, area-averaged: uint8 (size, size, 3). One of that size stays as it is."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BOX, box=box))


def drawn(service: Service, seed: int) -> np.ndarray:
    """A sample of a random class of the first colour model, uint8 (32, 32, 3). Raises Busy and UserError."""
    name = next((n for n in service.single_names if service.info(n).channels == 3), None)
    if name is None:
        raise UserError("There is no colour model that could draw a picture.")
    classes = service.info(name).classes
    chosen = [random.Random(seed).choice(classes)] if classes else None
    *_, last = service.stream(service.settings(name, classes=chosen, images=1, seed=seed))
    if last.state != "done":
        raise UserError("There was no time to finish the picture: please try again.")
    return shrink(Image.fromarray(last.images[0, 0]))


def picture_chooser(prefix: str, service: Service, first: str = "cat") -> PictureChooser:
    """Bundled pictures, a sample, or an upload; inside an open column. Element ids begin with `prefix`."""
    picture = gr.State(bundled(first), time_to_live=STATE_SECONDS)
    name = gr.Radio(list(PICTURES), value=first, label="Picture", elem_id=f"{prefix}picture", elem_classes="chips")
    draw = gr.Button("One drawn by the model", size="sm", elem_id=f"{prefix}draw")
    photo = gr.Image(label="Or one of yours, cut square", sources=["upload", "clipboard"],
                     type="filepath", image_mode=None, format="png", height=130, elem_id=f"{prefix}photo")

    def take(payload):
        """Shrink an upload; the photo itself is not kept."""
        try:
            return None, shrink(take_upload(payload)), None
        except UserError as error:
            gr.Warning(str(error))
            return None, gr.skip(), gr.skip()

    def sample():
        try:
            return drawn(service, random.randint(0, MAX_SEED)), None
        except UserError as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip()

    # `change`, as a name may also come from the address; None, after an upload or a sample, leaves the picture alone.
    chosen = (name.change(lambda name: bundled(name) if name else gr.skip(), name, picture, **QUIET),
              photo.input(take, photo, [photo, picture, name], preprocess=False, **QUIET),
              draw.click(sample, outputs=[picture, name], api_visibility="private", **MODEL_QUEUE))
    return PictureChooser(picture, name, chosen)
