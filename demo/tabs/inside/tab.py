"""Tab "Inside": a picture pixel by pixel: its distributions, what each sees, and what a painted pixel causes."""

import json

import gradio as gr
import numpy as np
from gradio.events import Dependency

from demo.kit import address, crop
from demo.kit.carried import CARRIED, HINT, Carried, arrivals, arrived, departure
from demo.kit.crop import STATE_SECONDS
from demo.kit.notes import NO_COLOUR_MODEL, notes
from demo.kit.picture_chooser import another_part
from demo.kit.pictures import PICTURES, bundled, shrink
from demo.kit.pixel_canvas import canvas_value, read_click, read_paint, within
from demo.kit.run_controls import (
    MODEL_QUEUE,
    QUIET,
    idle_buttons,
    queued,
    rests,
    running_buttons,
    waits,
    wire,
)
from demo.kit.status import error_status, refusal, refused_html, status_html, unfinished_status
from demo.service.bridge import Service
from demo.service.settings import MAX_SEED, NO_CLASS, UserError, number
from demo.service.uploads import take_upload
from demo.tabs.inside.colours import read_colour
from demo.tabs.inside.figures import fields_value, passes_value
from demo.tabs.inside.layout import SAMPLE, lay_out
from demo.tabs.inside.panels import (
    compared_html,
    comparison_html,
    describe,
    fidelity,
    influence_html,
    nothing_painted_html,
    picture_value,
)
from demo.tabs.inside.service import InsideService, Settled, Shown, Trace
from demo.tabs.inside.stored import PICTURE, opening, read_inside
from demo.tabs.inside.trace_panel import trace_value
from demo.tabs.inside.words import DRAWING, EXPLANATION, REDRAWING

ID, TITLE = "inside", "Inside"
NUMBERS = ("value", "p", "surprise", "entropy", "rank")


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    inside = InsideService(service)
    if inside.model_name is None:
        gr.Markdown(NO_COLOUR_MODEL)
        return
    size = inside.size
    stored = read_inside(service.folder / inside.model_name)
    shown0, place0 = opening(inside, stored)

    def settled(shown: Shown) -> dict:
        """How the picture on the page settles, where that is stored."""
        return passes_value(shown, stored.settled if stored and stored.shows(shown) else None)

    def on_canvas(shown: Shown, place, trace: Trace | None = None) -> dict:
        return picture_value(shown, place, trace, stored is not None and stored.shows(shown))

    parts = lay_out(ID, inside, shown0, place0, stored.picture if stored else PICTURE, stored is not None,
                    settled(shown0))
    canvas, undo, tools, status, panel = parts.canvas, parts.undo, parts.tools, parts.status, parts.panel
    comparison, picture, label, seed, refused = (parts.comparison, parts.picture, parts.label, parts.seed,
                                                 parts.refused)
    upload, part, fields, influence, passes = parts.upload, parts.part, parts.fields, parts.influence, parts.passes
    notes(EXPLANATION, fold="How it works")
    shown = gr.State(shown0, time_to_live=STATE_SECONDS)
    place, drawn = gr.State(place0), gr.State()
    own = gr.State(None, time_to_live=STATE_SECONDS)  # a picture that is neither bundled nor drawn here
    colour = gr.Textbox(visible=False, label="New colour of the pixel")

    def looked_at(seen: Shown, place) -> tuple:
        """Everything that shows a picture: canvas, distributions, fields, status, state, Undo. Raises UserError."""
        trace = inside.look(seen.image, seen.label)
        told = "" if seen.label == NO_CLASS else seen.label
        return (on_canvas(seen, place, trace),
                trace_value(seen.image, trace, place, told, seen.sampled, seen.painted),
                fields_value(seen.image, place),
                status_html(describe(seen, trace), shown=True), seen,
                gr.Button(interactive=bool(seen.painted.any())))

    def skipped(words: str) -> tuple:
        return gr.skip(), gr.skip(), gr.skip(), words, gr.skip(), gr.skip()

    looks = [canvas, panel, fields, status, shown, undo]

    def look(picture, label, seed, own, place, hint=None):
        """Draw or fetch the picture, and ask the model for all its distributions. No `picture`, and none of one's
        `own`: the stored example. `hint`: what the address says."""
        seed, place = int(number(seed, 0, MAX_SEED, 7)), within(place, size, place0)
        place = within(arrived(None, hint)[1], size, place)
        try:
            inside.condition(label)
            if picture != SAMPLE:
                image = own if picture is None and own is not None else inside.fit(bundled(picture or PICTURE))
                shown = Shown.new(image, label, seed, False)
                if picture is None and own is None and stored and (label, seed) == (shown0.label, shown0.seed):
                    shown = shown0
                yield *looked_at(shown, place), compared_html(shown), place
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
            yield (canvas_value(image, drawn=progress.row * size, caption=DRAWING), gr.skip(), gr.skip(),
                   unfinished_status(progress), gr.skip(), gr.skip(), nothing_painted_html())
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
    waiting_for_passes = waits(status, "All pixels at once…", tools.stop, buttons)
    asked = {"fn": influenced, "inputs": [shown, place], "outputs": influence, "api_visibility": "private",
             **MODEL_QUEUE}
    unsettled = {"fn": settled, "inputs": shown, "outputs": passes, **QUIET}  # its passes are of another picture

    def looks_after(event: Dependency) -> Dependency:
        """Look at the picture that an event chose, and say that this is over."""
        looked = event.then(**looking)
        looked.then(**rests(tools.stop, buttons))
        looked.then(**unsettled)
        looked.then(**asked)
        return looked

    button, carried, hint = arrivals(page, ID)
    own_classes = OWN_CLASS % json.dumps([[*inside.labels], SAMPLE, NO_CLASS])
    panel.load(None, label, label, js=OPENS_TOLD.replace("OWN_CLASS", own_classes))
    opened = panel.load(**{**looking, "inputs": [*looking["inputs"], hint]},
                        js=OPENS.replace("TOLD", OPENS_TOLD).replace("OWN_CLASS", own_classes))
    opened.then(**unsettled)
    opened.then(**asked)
    # a changed seed marks the sample as out of date; a class is told at once
    picture.input(None, [picture, label], label, js=own_classes)
    looked = looks_after(gr.on([picture.input, label.input], trigger_mode="always_last", **waiting))
    looked.then(**runs.up_to_date)
    for event in runs:
        event.then(**unsettled)
        event.then(**asked)

    def own_class(picture, label) -> str:
        """What the network is told of another picture: the class that bears its name, otherwise none; a sample is drawn
        of the class that was told."""
        return label if picture == SAMPLE else picture if picture in inside.labels else NO_CLASS

    def take(payload, label):
        """Shrink an upload; the file itself is not kept."""
        try:
            given = take_upload(payload)
            return shrink(given, size), None, own_class(None, label), "", *crop.taken(given), *waiting["fn"]()
        except UserError as error:
            refused = refused_html(str(error), None, "the picture before")
            return *[gr.skip()] * 3, refused, *[gr.skip()] * 6

    def look_at_it(refused, *values):
        """The picture that was given; nothing changes where it was refused."""
        if refused:
            yield *skipped(gr.skip()), gr.skip(), gr.skip()
        else:
            yield from look(*values)

    upload.upload(**told)
    taken = upload.upload(take, [upload, label], [own, picture, label, refused, *part.parts, *waiting["outputs"]],
                          preprocess=False, **QUIET).then(
        **{**looking, "fn": look_at_it, "inputs": [refused, *looking["inputs"]]})
    taken.then(**rests(tools.stop, buttons))
    taken.then(**unsettled)
    taken.then(**asked)
    picture.input(lambda: "", outputs=refused, **QUIET)
    gr.on([picture.input, upload.upload], fn=None, js=INTO_VIEW)
    picture.change(lambda picture: crop.GONE if picture else [gr.skip()] * 2, picture, part.parts, **QUIET)
    moved = looks_after(part.frame.input(lambda *parts: another_part(*parts, size), part.parts, own,
                                         trigger_mode="always_last", **QUIET).then(**waiting))

    def leaves(picture, shown):
        """What goes with the visitor to other tabs."""
        return Carried(shown.image, picture if picture in PICTURES and not shown.painted.any() else None)

    def arrive(carried, hint, place, picture, label, own):
        """Another tab, or the address, names a picture and a pixel."""
        came, at = arrived(carried, hint)
        at = within(at, size, place)
        if came is None:
            return at, picture, label, own, gr.skip(), gr.skip()
        return (at, came.name, own_class(came.name, label), own if came.name else inside.fit(came.picture),
                *crop.GONE)

    came = looks_after(button.click(arrive, [carried, hint, place, picture, label, own],
                                    [place, picture, label, own, *part.parts], js=HINT, **QUIET).then(**waiting))

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
                    yield *looked_at(shown.after(after, place), place), compared
                else:
                    ready = max(progress.row * size, place[0] * size + place[1] + 1)
                    yield (canvas_value(after, place, drawn=ready, caption=REDRAWING), gr.skip(), gr.skip(),
                           unfinished_status(progress), gr.skip(), gr.skip(), compared)
        except UserError as error:
            yield *skipped(error_status(error)), gr.skip()
            raise refusal(error) from error

    canvas.submit(**told)
    first = canvas.submit(painted, canvas, [place, colour, *tools.buttons, status], preprocess=False, **QUIET)
    edited = first.then(edit, [shown, place, colour], [*looks, comparison], api_name="inside_edit",
                        **queued(status))
    for ended in (edited.success, edited.failure):
        ended(idle_buttons, outputs=tools.buttons, **QUIET)
    edited.then(**unsettled)

    def settle(shown):
        """Draw the picture on the page all at once, pass after pass, and count the passes."""
        try:
            for found in inside.settle(shown):
                if isinstance(found, Settled):
                    yield passes_value(shown, found), status_html(f"All pixels at once: {found.passes} passes.")
                elif found.state == "out of time":
                    yield settled(shown), error_status(f"Out of time after {found.row} passes.")
                elif found.state == "sampling":
                    yield gr.skip(), status_html(f"All pixels at once: pass {found.row}", found.row / found.rows)
        except UserError as error:
            yield settled(shown), error_status(error)

    settling = passes.input(**waiting_for_passes).then(settle, shown, [passes, status], api_visibility="private",
                                                       **queued(status))
    settling.then(**rests(tools.stop, buttons))
    tools.stop.click(lambda shown, place: (on_canvas(shown, place), compared_html(shown), settled(shown)),
                     [shown, place], [canvas, comparison, passes],
                     cancels=[edited, looked, taken, moved, came, settling], **QUIET).then(
        **runs.up_to_date)
    undone = undo.click(lambda shown, place: (*looked_at(shown.unpainted(), place), nothing_painted_html()),
                        [shown, place], [*looks, comparison], api_visibility="private", **MODEL_QUEUE)
    undone.then(**unsettled)
    undone.then(**asked)

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


# Whoever chooses a picture, further down, wants to see it.
INTO_VIEW = "() => document.querySelector('#inside-canvas').scrollIntoView({block: 'nearest'})"

# In the browser, so that the look that follows already tells it: `own_class`.
OWN_CLASS = """(picture, label) => {
  const [classes, sample, none] = %s;
  return picture === sample ? label : classes.includes(picture) ? picture : none;
}"""

OPENS_TOLD = f"""label => {{
  const query = new URLSearchParams(location.search), named = query.get("p") ?? query.get("{ID}.picture");
  return query.get("{ID}.class") ?? ({json.dumps([*PICTURES])}.includes(named) ? (OWN_CLASS)(named, label) : label);
}}"""

# The first look is at what the address names: sooner than the server can have put it into the controls.
OPENS = f"""(picture, label, seed, own, place, hint) => {{
  const carried = {CARRIED}, query = new URLSearchParams(location.search), named = query.get("p");
  carried.seen["{ID}"] = carried.count;
  const told = ["picture", "class", "seed"].some(key => query.has("{ID}." + key)) ? picture : null;  // or the example
  return [{json.dumps([*PICTURES])}.includes(named) ? named : query.get("{ID}.picture") ?? told,
          (TOLD)(label), Number(query.get("{ID}.seed") ?? seed) || 0, own, place,
          JSON.stringify({{at: window.pixelAt}})];
}}"""
