"""A 32 x 32 picture for the tabs that look at one: bundled, drawn by a model, or a visitor's own."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
import numpy as np
from gradio.events import Dependency
from PIL import Image

from demo.kit import crop
from demo.kit.carried import HINT, Carried, arrivals, arrived, departure
from demo.kit.crop import STATE_SECONDS
from demo.kit.html_block import html_block
from demo.kit.pictures import PICTURES, SIZE, bundled, shrink
from demo.kit.run_controls import QUIET, queued, waits
from demo.kit.status import error_status, refusal, refused_html, status_html
from demo.service.bridge import Progress, Service
from demo.service.settings import MAX_SEED, UserError
from demo.service.uploads import take_upload

DRAW_ONE = "Let the network draw one"
# In the browser, which alone knows whether Stop or the finished sample came first: what the drawing of one is doing.
KEPT = "kept"
DRAW_STATE = """() => {
  const all = window.drawOne ||= {}, prefix = "%s";
  let now = all[prefix];
  %s;
  all[prefix] = now;
  return [%s];
}"""


@dataclass(frozen=True)
class PictureChooser:
    """`picture` holds the chosen one, uint8 (32, 32, 3); `name` is that of a bundled picture, None for any other.

    A tab listens by `then`, not to a `change` of `picture`: Gradio fires none for a state behind events without queue.
    """

    picture: gr.State
    name: gr.Radio
    chosen: tuple[Dependency, ...]

    def then(self, *steps: dict) -> list[Dependency]:
        """Run events one after the other, each given by its arguments, whenever another picture was chosen. Returns
        them all."""
        events = []
        for event in self.chosen:
            after = event.success
            for step in steps:
                events.append(event := after(**step))
                after = event.then
        return events


def another_part(frame, whole: np.ndarray | None, size: int = SIZE):
    """The square of a photo, the parts of a `Crop`, that its frame was moved to; `gr.skip()` without a photo."""
    return gr.skip() if whole is None else shrink(Image.fromarray(whole), size, crop.read_place(frame))


def drawing(service: Service, seed: int) -> Iterator[Progress]:
    """Draw a sample of a random class of the first colour model. Raises Busy and UserError."""
    if service.colour_name is None:
        raise UserError("There is no colour model that could draw a picture.")
    classes = service.info(service.colour_name).classes
    chosen = [random.Random(seed).choice(classes)] if classes else None
    return service.stream(service.settings(service.colour_name, classes=chosen, images=1, seed=seed))


def drawn(last: Progress) -> np.ndarray:
    """What `drawing` ended with, uint8 (32, 32, 3). Raises UserError where there was no time for all of it."""
    if last.state != "done":
        raise UserError("There was no time to finish the picture: please try again.")
    return shrink(Image.fromarray(last.images[0, 0]))


def picture_chooser(prefix: str, service: Service, first: str = "cat", page: gr.Blocks | None = None) -> PictureChooser:
    """Bundled pictures, a sample, or an upload; inside an open column. Element ids begin with `prefix`.

    With a `page` the choice goes along to other tabs, and theirs comes here; `prefix` is then the tab's id and "-".
    """
    picture = gr.State(bundled(first), time_to_live=STATE_SECONDS)
    name = gr.Radio(list(PICTURES), value=first, label="Picture", elem_id=f"{prefix}picture", elem_classes="chips")
    draw = gr.Button(DRAW_ONE, size="sm", elem_id=f"{prefix}draw")
    stop = gr.Button("Stop", size="sm", visible=False, elem_id=f"{prefix}draw-stop")
    note = html_block(status_html(""), elem_id=f"{prefix}draw-status")
    photo = gr.Image(label="Or one of yours", sources=["upload", "clipboard"], type="filepath", image_mode=None,
                     format="png", height=130, elem_id=f"{prefix}photo")
    part = crop.crop_frame(f"{prefix}crop")

    def take(payload):
        """Shrink an upload; of the photo itself only a small copy is kept, and only where a part of it can be chosen.
        Of one that cannot be used it is said why, where it was dropped, and that the picture on the page is another."""
        try:
            given = take_upload(payload)
            return None, shrink(given), None, status_html(""), *crop.taken(given)
        except UserError as error:
            refused = refused_html(str(error), None, "the picture before")
            return None, gr.skip(), gr.skip(), refused, gr.skip(), gr.skip()

    def sample():
        try:
            for last in drawing(service, random.randint(0, MAX_SEED)):
                words = status_html(f"Row {last.row} of {last.rows}", last.row / last.rows)
                yield gr.skip(), words if last.state == "sampling" else gr.skip()
            yield drawn(last), gr.skip()
        except UserError as error:
            yield gr.skip(), error_status(error)
            raise refusal(error) from error

    def keep(sample, state):
        """The finished sample becomes the picture, unless Stop was pressed before it had arrived."""
        if state != KEPT or sample is None:
            raise refusal("Stopped.")
        return sample, None, status_html(""), *crop.GONE

    def named(name):
        return (bundled(name), status_html(""), *crop.GONE) if name else [gr.skip()] * 4

    # None as a name, after an upload or a sample, leaves the picture alone.
    taken = photo.input(take, photo, [photo, picture, name, note, *part.parts], preprocess=False, **QUIET)
    moved = part.frame.input(another_part, part.parts, picture, trigger_mode="always_last", **QUIET)
    draw.click(lambda: (gr.Button(interactive=False), gr.Button(visible=True)), outputs=[draw, stop], **QUIET)
    pending, state = gr.State(None, time_to_live=STATE_SECONDS), gr.Textbox(visible=False)
    draw.click(None, js=DRAW_STATE % (prefix, "now = 'drawing'", ""))
    drawing_it = draw.click(**waits(note)).then(sample, outputs=[pending, note], api_visibility="private",
                                                **queued(note))
    rested = {"fn": lambda: (gr.Button(interactive=True), gr.Button(visible=False)), "outputs": [draw, stop], **QUIET}
    drawing_it.success(**rested)
    drawing_it.failure(**rested)
    # in the queue, where a refusal is no failed request
    sampled = drawing_it.success(keep, [pending, state], [picture, name, note, *part.parts], concurrency_limit=None,
                                 **{**QUIET, "queue": True},
                                 js=DRAW_STATE % (prefix, f"if (now === 'drawing') now = '{KEPT}'", "null, now"))
    stop.click(lambda state: (gr.Button(interactive=True), gr.Button(visible=False),
                              gr.skip() if state == KEPT else status_html("Stopped.")), state, [draw, stop, note],
               cancels=drawing_it, **QUIET, js=DRAW_STATE % (prefix, "if (now === 'drawing') now = 'stopped'", "now"))
    if page is None:  # `change`, as a name may also come from the address
        chosen = name.change(named, name, [picture, note, *part.parts], **QUIET)
        return PictureChooser(picture, name, (chosen, taken, moved, sampled))
    chosen = name.input(named, name, [picture, note, *part.parts], **QUIET)
    tab_id = prefix.removesuffix("-")
    for event in (chosen, taken, moved, sampled):
        departure(page, tab_id, event, lambda name, picture: Carried(picture, name), [name, picture])
    button, carried, hint = arrivals(page, tab_id)

    def arrive(carried, hint):
        came, _ = arrived(carried, hint)
        return [gr.skip()] * 4 if came is None else (came.picture, came.name, *crop.GONE)

    came = button.click(arrive, [carried, hint], [picture, name, *part.parts], js=HINT, **QUIET)
    return PictureChooser(picture, name, (chosen, taken, moved, sampled, came))
