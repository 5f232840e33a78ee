"""Tab "Inside": a picture pixel by pixel: its distributions, what each sees, and what a painted pixel causes."""

import json

import gradio as gr
import numpy as np
from gradio.events import Dependency

from demo.kit import address, crop
from demo.kit.heat_map import heat_colours, scale_html
from demo.kit.pictures import (
    CARRIED,
    HINT,
    PICTURES,
    STATE_SECONDS,
    Carried,
    another_part,
    arrivals,
    arrived,
    bundled,
    departure,
    elsewhere,
    shrink,
)
from demo.kit.pixel_canvas import canvas_value, pixel_canvas, read_click, read_paint
from demo.kit.run_controls import (
    MODEL_QUEUE,
    QUIET,
    idle_buttons,
    queued,
    rests,
    running_buttons,
    toolbar,
    waits,
    wire,
)
from demo.kit.status import error_status, refusal, refused_html, status_html, unfinished_status
from demo.service.bridge import Service
from demo.service.settings import MAX_SEED, NO_CLASS, UserError, number
from demo.service.uploads import take_upload
from demo.tabs.inside.colours import read_colour
from demo.tabs.inside.figures import fields_panel, fields_value, passes_panel
from demo.tabs.inside.panels import comparison_html, describe, fidelity, influence_html, nothing_painted_html
from demo.tabs.inside.service import InsideService, Shown
from demo.tabs.inside.stored import StoredInside, read_inside
from demo.tabs.inside.trace_panel import trace_panel, trace_value
from demo.tabs.inside.words import CAUSED, EXPLANATION, OPENING, PASSES

ID, TITLE = "inside", "Inside"
FIRST, SAMPLE = "cat", "a sample"
NUMBERS = ("value", "p", "surprise", "entropy", "rank")


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    inside = InsideService(service)
    if inside.model_name is None:
        gr.Markdown("### There is no colour model yet\nTrain one: `python -m pixelcnn_core train cifar10-cpu "
                    "--data data --download --out demo/assets/models/cifar10`.")
        return
    labels, size = inside.labels, inside.size
    stored = read_inside(service.folder / inside.model_name)
    shown0, place0 = opening(inside, stored)
    comparison0 = (comparison_html(stored.before, stored.after, stored.place, size) if stored
                   else nothing_painted_html())

    with gr.Column(elem_classes="stage inside-stage"):
        with gr.Row(elem_classes="toolbar"):
            tools = toolbar("inside-")
        status = gr.HTML(status_html(OPENING, shown=True), elem_id="inside-status", apply_default_css=False)
        with gr.Row(elem_classes="inside-top"):
            with gr.Column(min_width=200):
                canvas = pixel_canvas("inside-canvas", "The picture", "paint", canvas_value(shown0.image, place0),
                                      layers=("colour", "surprise", "mask"), kernel=inside.kernel)
                gr.HTML(scale_html(), elem_id="inside-scale", apply_default_css=False)
                undo = gr.Button("Undo the paint", size="sm", interactive=False, elem_id="inside-undo")
            with gr.Column(min_width=200):
                panel = trace_panel("inside-trace", "inside-canvas")
                comparison = gr.HTML(comparison0, elem_id="inside-comparison", apply_default_css=False)
        with gr.Row(elem_classes="inside-choice"):
            picture = gr.Radio([SAMPLE, *PICTURES], value=SAMPLE if stored else FIRST, label="Picture",
                               elem_id="inside-picture", elem_classes="chips")
            upload = gr.UploadButton("One of yours", file_types=["image"], size="sm", elem_id="inside-upload")
            label = gr.Dropdown(list(labels), value=shown0.label, label="Class it is told", elem_id="inside-class")
            seed = gr.Number(shown0.seed, label="Seed", precision=0, elem_id="inside-seed")
            refused = gr.HTML("", elem_id="inside-refused", apply_default_css=False)
            part = crop.crop_frame("inside-crop")
            elsewhere(ID)
        with gr.Row(elem_classes="inside-below"):
            with gr.Column(min_width=200, elem_classes="inside-fields"):
                gr.HTML("<h3>What can this prediction see?</h3><p class='legend'>From the framed pixel. "
                        '<span class="seen">Blue</span> is seen, <span class="blind">orange</span> is earlier and not '
                        "seen: the blind spot. The rest comes later.</p>", apply_default_css=False)
                fields = fields_panel("inside-fields", "inside-canvas", fields_value(shown0.image, place0))
            with gr.Column(min_width=200, elem_classes="inside-influence"):
                gr.HTML("<h3>What does it look at?</h3>", apply_default_css=False)
                influence = gr.HTML(elem_id="inside-influence", apply_default_css=False)
        if stored:
            with gr.Column(elem_classes="inside-passes"):
                gr.HTML(PASSES.format(passes=stored.passes, steps=stored.before.size), apply_default_css=False)
                passes_panel("inside-passes", stored)
    with gr.Column(elem_classes="notes"):
        for text in EXPLANATION:
            gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                {"left": "$", "right": "$", "display": False}])
    shown = gr.State(shown0, time_to_live=STATE_SECONDS)
    place, drawn = gr.State(place0), gr.State()
    own = gr.State(None, time_to_live=STATE_SECONDS)  # a picture that is neither bundled nor drawn here
    colour = gr.Textbox(visible=False, label="New colour of the pixel")

    def looked_at(seen: Shown, place, words: str = "") -> tuple:
        """Everything that shows a picture: canvas, distributions, fields, status, state, Undo. Raises UserError."""
        trace = inside.look(seen.image, seen.label)
        bits = trace.surprise.sum(2)  # (H, W)
        told = "" if seen.label == NO_CLASS else seen.label
        return (canvas_value(seen.image, place, readings=bits, unit="bits", layers={"surprise": heat_colours(bits)}),
                trace_value(seen.image, trace, place, told, seen.sampled, seen.painted),
                fields_value(seen.image, place),
                status_html(words or describe(seen, trace), shown=True), seen,
                gr.Button(interactive=bool(seen.painted.any())))

    def skipped(words: str) -> tuple:
        return gr.skip(), gr.skip(), gr.skip(), words, gr.skip(), gr.skip()

    looks = [canvas, panel, fields, status, shown, undo]

    def look(picture, label, seed, own, place, hint=None):
        """Draw or fetch the picture, and ask the model for all its distributions. `hint`: what the address says."""
        seed, place = int(number(seed, 0, MAX_SEED, 7)), within(place, size, place0)
        place = within(arrived(None, hint)[1], size, place)
        try:
            inside.condition(label)
            if picture != SAMPLE:
                image = own if picture is None and own is not None else inside.fit(bundled(picture or FIRST))
                yield *looked_at(Shown.new(image, label, seed, False), place), nothing_painted_html(), place
                return
            if stored and (label, seed) == (stored.label, stored.seed):
                yield *looked_at(Shown.new(stored.before, label, seed, True), place), comparison0, place
                return
            for values in draw(label, seed, place):
                yield *values, place
        except UserError as error:
            yield *skipped(error_status(error)), gr.skip(), gr.skip()

    def draw(label, seed, place):
        """Draw a sample of a class, and look into it."""
        seed, image, place = int(number(seed, 0, MAX_SEED, 7)), None, within(place, size, place0)
        for progress in inside.draw(label, seed):
            if progress.state == "waiting":
                continue
            image = progress.images[0, 0]
            yield (canvas_value(image, drawn=progress.row * size), gr.skip(), gr.skip(), unfinished_status(progress),
                   gr.skip(), gr.skip(), nothing_painted_html())
        if progress.state == "done":  # a half-drawn image is no picture to look into; the status says why
            yield *looked_at(Shown.new(image, label, seed, True), place), nothing_painted_html()

    def run(label, seed, place):
        """Draw a sample of a class by its seed, row by row; then everything that can be said of its pixels."""
        try:
            for values in draw(label, seed, place):
                yield *values, SAMPLE
        except UserError as error:
            yield *skipped(error_status(error)), gr.skip(), gr.skip()

    def influenced(shown, place):
        """How much each earlier pixel mattered to the trained model."""
        try:
            found = inside.influence(shown.image, shown.label, place)
        except UserError as error:
            return error_status(error)
        return influence_html(shown.image, found, np.arange(size * size).reshape(size, size) <
                              place[0] * size + place[1], place)

    runs = wire(tools, status, seed, drawn, api_name="inside_sample", controls=[label, seed], sampling={
        "fn": run, "inputs": [label, seed, place], "outputs": [*looks, comparison, picture]})
    looking = {"fn": look, "inputs": [picture, label, seed, own, place], "outputs": [*looks, comparison, place],
               "api_visibility": "private", **queued(status)}
    told = {"fn": None, "js": f"() => window.runs.waits('{ID}-status')"}
    buttons = [tools.generate, tools.seed]
    waiting = waits(status, "Looking…", tools.stop, buttons)
    asked = {"fn": influenced, "inputs": [shown, place], "outputs": influence, "api_visibility": "private",
             **MODEL_QUEUE}

    def looks_after(event: Dependency) -> Dependency:
        """Look at the picture that an event chose, and say that this is over."""
        looked = event.then(**looking)
        looked.then(**rests(tools.stop, buttons))
        looked.then(**asked)
        return looked

    button, carried, hint = arrivals(page, ID)
    panel.load(**{**looking, "inputs": [*looking["inputs"], hint]}, js=OPENS).then(**asked)
    # a changed seed marks the sample as out of date; a class is told at once
    looked = looks_after(gr.on([picture.input, label.input], trigger_mode="always_last", **waiting))
    looked.then(**runs.up_to_date)
    for event in runs:
        event.then(**asked)

    def take(payload):
        """Shrink an upload; the file itself is not kept."""
        try:
            given = take_upload(payload)
            return shrink(given, size), None, "", *crop.taken(given), *waiting["fn"]()
        except UserError as error:
            refused = refused_html(str(error), None, "the picture before")
            return gr.skip(), gr.skip(), refused, *[gr.skip()] * 6

    def look_at_it(refused, *values):
        """The picture that was given; nothing changes where it was refused."""
        if refused:
            yield *skipped(gr.skip()), gr.skip(), gr.skip()
        else:
            yield from look(*values)

    upload.upload(**told)
    taken = upload.upload(take, upload, [own, picture, refused, *part.parts, *waiting["outputs"]], preprocess=False,
                          **QUIET).then(**{**looking, "fn": look_at_it, "inputs": [refused, *looking["inputs"]]})
    taken.then(**rests(tools.stop, buttons))
    taken.then(**asked)
    picture.input(lambda: "", outputs=refused, **QUIET)
    picture.change(lambda picture: crop.GONE if picture else [gr.skip()] * 2, picture, part.parts, **QUIET)
    moved = looks_after(part.frame.input(lambda *parts: another_part(*parts, size), part.parts, own,
                                         trigger_mode="always_last", **QUIET).then(**waiting))

    def leaves(picture, shown):
        """What goes with the visitor to other tabs."""
        return Carried(shown.image, picture if picture in PICTURES and not shown.painted.any() else None)

    def arrive(carried, hint, place, picture, own):
        """Another tab, or the address, names a picture and a pixel."""
        came, at = arrived(carried, hint)
        at = within(at, size, place)
        if came is None:
            return at, picture, own, gr.skip(), gr.skip()
        return at, came.name, own if came.name else inside.fit(came.picture), *crop.GONE

    came = looks_after(button.click(arrive, [carried, hint, place, picture, own], [place, picture, own, *part.parts],
                                    js=HINT, **QUIET).then(**waiting))

    def choose(canvas):
        """A pixel was clicked."""
        try:
            return read_click(canvas, size, size)
        except UserError as error:
            gr.Warning(str(error), title="No pixel was chosen")
            return gr.skip()

    canvas.input(choose, canvas, place, preprocess=False, **QUIET).then(**asked)
    canvas.input(None, inputs=canvas, js=address.write("canvas => ({at: canvas.outline.join(',')})"))

    def painted(canvas):
        """Which pixel was painted, and its colour."""
        try:
            return *read_paint(canvas, size, size), *running_buttons()
        except UserError as error:
            return gr.skip(), gr.skip(), *idle_buttons(), error_status(error)

    def edit(shown, place, colour):
        """Paint the chosen pixel of the picture on the page, and draw everything after it again with the same noise.

        Returns, after every row, the picture as it is drawn; and before, after and the difference as HTML, with the
        count of changed pixels.
        """
        try:
            new = read_colour(colour)
            for progress in inside.edit(shown, place, new):
                if progress.state == "waiting":
                    continue
                before, after = progress.images[:, 0]
                compared = comparison_html(before, after, place, progress.row) + fidelity(shown, before, progress)
                if progress.state == "done":
                    yield *looked_at(shown.after(after, place), place, CAUSED), compared
                else:
                    ready = max(progress.row * size, place[0] * size + place[1] + 1)
                    yield (canvas_value(after, place, drawn=ready), gr.skip(), gr.skip(), unfinished_status(progress),
                           gr.skip(), gr.skip(), compared)
        except UserError as error:
            yield *skipped(error_status(error)), gr.skip()
            raise refusal(error) from error

    canvas.submit(**told)
    first = canvas.submit(painted, canvas, [place, colour, *tools.buttons, status], preprocess=False, **QUIET)
    edited = first.then(edit, [shown, place, colour], [*looks, comparison], api_name="inside_edit",
                        **queued(status))
    for ended in (edited.success, edited.failure):
        ended(idle_buttons, outputs=tools.buttons, **QUIET)
    tools.stop.click(lambda shown, place: (canvas_value(shown.image, place), nothing_painted_html()), [shown, place],
                     [canvas, comparison], cancels=[edited, looked, taken, moved, came], **QUIET).then(
        **runs.up_to_date)
    undo.click(lambda shown, place: (*looked_at(Shown.new(shown.original, shown.label, shown.seed, shown.sampled),
                                                place), nothing_painted_html()),
               [shown, place], [*looks, comparison], api_visibility="private", **MODEL_QUEUE).then(**asked)

    for event in (looked, taken, moved, *runs, edited):
        departure(page, ID, event, leaves, [picture, shown])

    def pixel(picture: str, label: str, row: float, column: float) -> dict:
        """The three distributions of a pixel of a bundled picture, in short: value, p, surprise, entropy and rank."""
        try:
            image = inside.fit(bundled(picture))
            at = read_click({"outline": [int(number(row, 0, size - 1, 0)), int(number(column, 0, size - 1, 0))]}, size,
                            size)
            trace = inside.look(image, label)
        except UserError as error:
            raise refusal(error) from error
        values = (image, 2 ** -trace.surprise, trace.surprise, trace.entropy, trace.rank)
        return {name: array[at].tolist() for name, array in zip(NUMBERS, values)}

    gr.api(pixel, api_name="inside_pixel", concurrency_id="model", concurrency_limit=1)
    address.remember(page, ID, {"picture": picture, "class": label, "seed": seed})


# The first look is at what the address names: sooner than the server can have put it into the controls.
OPENS = f"""(picture, label, seed, own, place, hint) => {{
  const carried = {CARRIED}, query = new URLSearchParams(location.search), named = query.get("p");
  carried.seen["{ID}"] = carried.count;
  return [{json.dumps([*PICTURES])}.includes(named) ? named : query.get("{ID}.picture") ?? picture,
          query.get("{ID}.class") ?? label, Number(query.get("{ID}.seed") ?? seed) || 0, own, place,
          JSON.stringify({{at: window.pixelAt}})];
}}"""


def opening(inside: InsideService, stored: StoredInside | None) -> tuple[Shown, tuple[int, int]]:
    """The picture that the tab opens with, and its framed pixel: the stored sample, or else a photo."""
    if stored:
        return Shown.new(stored.before, stored.label, stored.seed, True), stored.place
    label = FIRST if FIRST in inside.labels else inside.labels[0]
    return (Shown.new(inside.fit(bundled(FIRST)), label, 7, False), (inside.size * 5 // 8, inside.size // 3))


def within(place, size: int, otherwise: tuple[int, int]) -> tuple[int, int]:
    """A (row, column) of the picture, whatever a browser says."""
    fits = isinstance(place, (list, tuple)) and len(place) == 2 and all(type(k) is int and 0 <= k < size for k in place)
    return tuple(place) if fits else otherwise
