"""A 32 x 32 picture for the tabs that look at one: bundled, drawn by a model, or a visitor's own.

One picture and one pixel go with a visitor from tab to tab. The browser knows the name of a bundled picture and the
pixel, and keeps both in the address (`p=rocket&at=12,20`); the server keeps the picture itself for that visitor, for an
upload is never in the address. A tab that is opened asks for it only if another tab has chosen since (`arrivals`).
"""

import functools
import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
from gradio.context import Context
from gradio.events import Dependency
from PIL import Image

from demo.kit import address, crop
from demo.kit.crop import STATE_SECONDS
from demo.kit.html_block import html_block
from demo.kit.run_controls import QUIET, queued, waits
from demo.kit.status import error_status, refusal, refused_html, status_html
from demo.service.bridge import Progress, Service
from demo.service.settings import MAX_SEED, UserError
from demo.service.uploads import take_upload

FOLDER = Path(__file__).parents[1] / "assets" / "pictures"
PICTURES = {name: FOLDER / f"{name}.png" for name in ("cat", "coffee", "rocket", "galaxies", "astronaut")}
SIZE = 32
DRAW_ONE = "Let the network draw one"


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


def bundled(name: str) -> np.ndarray:
    """A bundled picture, uint8 (32, 32, 3). Raises UserError for another name."""
    if not isinstance(name, str) or name not in PICTURES:
        raise UserError(f"There is no such picture; choose one of {', '.join(PICTURES)}.")
    try:
        with Image.open(PICTURES[name]) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"The picture {name} cannot be shown: its file is damaged.") from error


def kept_for(own: Iterable[np.ndarray], size: int, answer: Callable) -> Callable:
    """A function of the bytes of a picture whose answers are kept, at most `size`, for the pictures in `own` alone: of
    what a visitor gave nothing may outlive the visit."""
    known, kept = {picture.tobytes() for picture in own}, functools.lru_cache(maxsize=size)(answer)
    return lambda pixels, *more: (kept if pixels in known else answer)(pixels, *more)


def all_bundled() -> list[np.ndarray]:
    """The bundled pictures whose files are whole."""
    found = []
    for name in PICTURES:
        try:
            found.append(bundled(name))
        except UserError:
            continue
    return found


def shrink(image: Image.Image, size: int = SIZE, at: float = 0.5) -> np.ndarray:
    """The central square of a picture, area-averaged: uint8 (size, size, 3). One of that size stays as it is. `at`
    from 0 to 1 moves the square from the left or upper end to the other."""
    side = min(image.size)
    left, top = int((image.width - side) * at), int((image.height - side) * at)
    box = (left, top, left + side, top + side)
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BOX, box=box))


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


@dataclass(frozen=True)
class Carried:
    """The picture that goes with a visitor, uint8 (H, W, 3); the name of a bundled one; of a sample that can be drawn
    again its class and seed."""

    picture: np.ndarray
    name: str | None = None
    sample: tuple[str, int] | None = None


def carried_state(page: gr.Blocks) -> gr.State:
    """What the tabs of a page share: a `Carried`, or None as long as every tab shows the picture it opens with."""
    state = getattr(page, "carried", None)
    if state is None or state._id not in page.blocks:  # a tab that could not be built took it away
        state = page.carried = gr.State(None, time_to_live=STATE_SECONDS)
    return state


# In the browser: the last choice of all tabs, counted, and which of them each tab has seen.
CARRIED = """(window.carried ||= (() => {
  const query = new URLSearchParams(location.search), tab = query.get("tab");
  const name = query.get("p") ?? query.get(`${tab}.picture`), at = query.get("at") ?? query.get(`${tab}.pixel`);
  window.pixelAt = at ? at.split(",").map(Number) : null;
  return {name, count: name || at ? 1 : 0, seen: {}};
})())"""


def departure(page: gr.Blocks, tab_id: str, event: Dependency, read, inputs: list) -> None:
    """After an event that chose another picture: it goes with the visitor. `read` makes a `Carried` of the values of
    `inputs`, or None where nothing was chosen after all; the first input is the name of a bundled picture."""
    event.success(lambda *values: read(*values) or gr.skip(), inputs, carried_state(page), **QUIET)
    told = address.write("name => ({p: name})")
    event.success(None, inputs=inputs[0], js=f"""name => {{
  const carried = {CARRIED};
  [carried.name, carried.seen["{tab_id}"]] = [name, ++carried.count];
  ({told})(name);
}}""")


def arrivals(page: gr.Blocks, tab_id: str) -> tuple[gr.Button, gr.State, gr.Textbox]:
    """For a tab, called inside it: a button that the browser presses when the tab is opened and another tab has chosen
    a picture since, or the address names one; with the shared state and a text for `arrived`."""
    button = gr.Button("", elem_id=f"{tab_id}-arrive", elem_classes="unseen")
    hint = gr.Textbox(visible=False)
    look = f"""() => {{
  const carried = {CARRIED}, shown = document.querySelector("#{tab_id}-arrive")?.closest("[role=tabpanel]");
  const hidden = !shown || getComputedStyle(shown).display === "none";
  if (hidden || (carried.seen["{tab_id}"] ?? 0) === carried.count) return;
  carried.seen["{tab_id}"] = carried.count;
  document.querySelector("#{tab_id}-arrive").click();
}}"""
    tab = Context.block
    while tab is not None and not isinstance(tab, gr.Tab):
        tab = tab.parent
    if tab is not None:
        tab.select(None, js=f"() => setTimeout({look}, 60)")
    page.load(None, js=f"() => setTimeout({look}, 60)")
    return button, carried_state(page), hint


# What the browser knows of a choice, as the second input of an event: the text of `arrived`.
HINT = f"(...all) => [all[0], JSON.stringify({{name: {CARRIED}.name, at: window.pixelAt}}), ...all.slice(2)]"


def arrived(carried, hint) -> tuple[Carried | None, tuple[int, int] | None]:
    """The picture and the pixel that came along, whatever a browser says; None for what did not."""
    try:
        told = json.loads(hint)
        name, at = told.get("name"), told.get("at")
    except (TypeError, ValueError, AttributeError):
        name = at = None
    if isinstance(name, str) and name in PICTURES:
        carried = Carried(bundled(name), name)
    pixel = tuple(at) if isinstance(at, list) and len(at) == 2 and all(type(k) is int for k in at) else None
    return carried if isinstance(carried, Carried) else None, pixel


# In the browser, which alone knows whether Stop or the finished sample came first: what the drawing of one is doing.
KEPT = "kept"
DRAW_STATE = """() => {
  const all = window.drawOne ||= {}, prefix = "%s";
  let now = all[prefix];
  %s;
  all[prefix] = now;
  return [%s];
}"""

NAMES = {"inside": "Inside", "likelihood": "Likelihood", "complete": "Complete"}
FOLLOW = """element.addEventListener("click", event => {
  const link = event.target.closest("a[data-go]");
  const tab = link && document.querySelector(`[role=tab][data-tab-id="${link.dataset.go}"]`);
  if (tab && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); tab.click(); }
});"""


def elsewhere(tab_id: str) -> gr.HTML:
    """Links to the other tabs that look at one picture: it goes along."""
    links = " · ".join(f'<a href="?tab={other}" data-go="{other}">{title}</a>' for other, title in NAMES.items()
                       if other != tab_id)
    return html_block(f'<p class="elsewhere">See this picture in {links}</p>', js_on_load=FOLLOW)


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
