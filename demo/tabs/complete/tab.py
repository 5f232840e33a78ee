"""Tab "Complete": brush a part of a picture away, and see what a PixelCNN puts there: a chain from coarse to fine; one
model in raster order, weighted by the known pixels that raster order ignores; the restorer, whose map s shows it
everything (equation 5)."""

from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit import address, press
from demo.kit.carried import elsewhere
from demo.kit.html_block import html_block
from demo.kit.notes import NO_COLOUR_MODEL, notes
from demo.kit.picture_chooser import picture_chooser
from demo.kit.pictures import bundled
from demo.kit.pixel_canvas import PACK_MASK, canvas_value, pixel_canvas, read_mask, unpack_mask
from demo.kit.run_controls import QUIET, idle_buttons, toolbar, wire
from demo.kit.status import error_status, small_print, status_html
from demo.service.bridge import Service
from demo.service.settings import MAX_SEED, UserError, number, shorten
from demo.tabs.complete import panels
from demo.tabs.complete.drawing import (
    CHAIN,
    COMPARE,
    EACH,
    RASTER,
    RESTORER,
    ROWS,
    WAYS,
    Request,
    compare,
    draw,
    drawing_html,
    drawing_panels,
    finished_html,
    needs_mask,
    seen_html,
    split,
    undrawn_images,
)
from demo.tabs.complete.service import DAMAGES, CompleteService, Damage
from demo.tabs.complete.stored import COMPLETIONS, FILLED, StoredCompletions, read_completions, restorations

ID, TITLE = "complete", "Complete"
PEEK = (Path(__file__).parent / "peek.js").read_text(encoding="utf-8")
LABELS = {CHAIN: "Coarse to fine (chain)", RASTER: "Look only back (PixelCNN)",
          RESTORER: "See everything, trained briefly (restorer)", COMPARE: "Compare the three ways"}
# what the tab opens with was chosen by eye, among a few pictures, holes and seeds
PICTURE, MASK, COUNT, SEED = "cat", "a scratch", 8, 2
LEAD = """<p class="complete-lead">Brush something away, and the network fills it in: a scratch nearly as it was, a
larger hole each time differently.</p>"""
NOISE, FACTORS = (0.02, 0.3), (2, 4)
STRENGTHS = {"noise": 0.1, "low resolution": 4}  # at first
NOTHING_MISSING = "Brush a part of the picture away first."
NO_RESTORER = ("There is no restorer yet. Train one with <code>python -m pixelcnn_core train restorer-cpu --data data "
               "--download --out demo/assets/restorer</code>.")

EXPLANATION = [
    r"""### Coarse to fine knows what is below
A chain first completes the picture of 8 × 8 pixels, then that of 16, then that of 32, each in sight of the one before
(the map $\mathbf{s}$ of equation 5). A coarse pixel is known where at least half of its fine pixels are; so what lies
around the hole is known, coarsely, before its first fine pixel is drawn. The 64 coarse pixels are drawn row by row,
eight times, and one of these eight is taken by its weight.""",
    r"""### What raster order cannot see
*Raster order* is row by row from the top left. In this order a missing pixel is drawn from
$p(x_i\mid x_1,\dots,x_{i-1})$: it sees whatever lies above it and to its left. Known pixels below the hole are simply
not asked, so the completion need not fit them.""",
    r"""### Weights make up for it
What one wants is $p(\text{missing}\mid\text{all known})\propto p(\mathbf{x})$. Draw $K$ completions and weight each by
$$w=\prod_{i\ \text{known}}p(x_i\mid x_1,\dots,x_{i-1}),$$
how likely it makes the known pixels. This is exact if $K$ is very large. With a large hole one completion takes nearly
all the weight; how many count, the *effective sample size*, is $1/\sum_k w_k^2$.""",
    r"""### The restorer sees everything
A Conditional PixelCNN with a map $\mathbf{s}=m(\text{damaged picture})$ inside every gate (equation 5):
$$\tanh(W_f\ast\mathbf{x}+V_f\ast\mathbf{s})\odot\sigma(W_g\ast\mathbf{x}+V_g\ast\mathbf{s})$$
$m$ is a small network that is trained with it and may look everywhere, so $\mathbf{s}$ brings what raster order hides.
One and the same network fills holes, removes noise, adds colour and detail.""",
]


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    complete = CompleteService(service)
    if complete.model_name is None:
        gr.Markdown(NO_COLOUR_MODEL)
        return
    masks, ways = complete.masks(), [way for way in WAYS if way != CHAIN or complete.chain_name]
    stored = {(RESTORER, kind): read_completions(complete.folder, restorations(kind)) for kind in DAMAGES}
    for way, name, file in ((RASTER, complete.model_name, COMPLETIONS), (CHAIN, complete.chain_name, FILLED)):
        stored[way, DAMAGES[0]] = name and read_completions(service.folder / name, file)
    compared = [way for way in ways if way != RESTORER or complete.has_restorer]
    first = complete.fit(bundled(PICTURE))

    with gr.Row(elem_classes="bench complete-bench"):
        with gr.Column(elem_classes="stage"):
            html_block(LEAD)
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("complete-")
            status = html_block(elem_id="complete-status", elem_classes="status-line")
            with gr.Row(elem_classes="complete-inputs"):
                with gr.Column(min_width=220, elem_classes="complete-brush"):
                    canvas = pixel_canvas("complete-canvas", "The picture, to brush away", "brush",
                                          canvas_value(first, mask=~masks[MASK]), side=384)
                    html_block("<p></p>", elem_id="complete-hole")
                    with gr.Row(elem_classes="small-buttons complete-shapes") as shape_row:
                        shapes = [gr.Button(name, size="sm", min_width=60) for name in masks]
                result = html_block(elem_id="complete-result", label="Completions", js_on_load=PEEK)
            with gr.Accordion("What can a missing pixel look at?", open=False, elem_id="complete-look"):
                seen = html_block(elem_id="complete-seen")
        with gr.Row(elem_classes="margin complete-settings"):
            with gr.Column(min_width=220):
                way = gr.Radio([(LABELS[way], way) for way in (*ways, COMPARE)], value=ways[0],
                               label="How it fills the hole", elem_id="complete-way", elem_classes="chips")
                kind = gr.Radio(list(DAMAGES), value=DAMAGES[0], label="Damage", visible=False, elem_id="complete-kind",
                                elem_classes="chips", info="“masked” takes what you brushed away.")
                noise = gr.Slider(*NOISE, value=STRENGTHS["noise"], step=0.01, label="Noise level", visible=False,
                                  elem_id="complete-noise", info="Standard deviation; 1 is from black to white.")
                factor = gr.Radio(list(FACTORS), value=STRENGTHS["low resolution"], label="Reduced by", visible=False,
                                  elem_id="complete-factor", elem_classes="chips")
            with gr.Column(min_width=220):
                chooser = picture_chooser(f"{ID}-", service, PICTURE, page)
            with gr.Column(min_width=220):
                count = gr.Slider(2, 16, value=COUNT, step=1, label="Completions", elem_id="complete-count",
                                  info=f"The comparison shows at most {EACH} of each way.")
                seed = gr.Number(SEED, label="Seed", precision=0, elem_id="complete-seed",
                                 info="The same seed draws the same completions.")
                elsewhere(ID)
        notes(EXPLANATION)
    html_block(panels.measured_html(complete.results, complete.images_seen, complete.measured),
               elem_id="complete-measured")
    drawn = gr.State()
    settings = [chooser.picture, canvas, way, kind, noise, factor, count, seed]

    def read(picture, canvas, way, kind, noise, factor, count, seed) -> Request:
        """Values of any type -> a request. Raises UserError."""
        image = complete.fit(picture)
        known = ~read_mask(canvas, complete.size, complete.size)
        if way not in LABELS:
            raise UserError(f"There is no way {shorten(way)}; choose one of {', '.join(LABELS)}.")
        if kind not in DAMAGES:
            raise UserError(f"There is no damage {shorten(kind)}; choose one of {', '.join(DAMAGES)}.")
        if way != RESTORER:
            kind = DAMAGES[0]
        strength = {"noise": round(number(noise, *NOISE, 0.1), 3),
                    "low resolution": FACTORS[int(number(factor, *FACTORS, 4) >= 4)]}.get(kind)
        return Request(image, known, way, Damage(kind, known, strength), int(number(count, 2, 16, COUNT)),
                       int(number(seed, 0, MAX_SEED, SEED)))

    def run(*values):
        """Complete or restore the chosen picture; every row is sent as soon as it is drawn.

        `canvas` is a dict whose "mask" has a 1 for every pixel that was brushed away, row by row. Returns, again after
        each step: the pictures as HTML with embedded PNGs; a progress text as HTML; and the seed that was used.
        """
        asked = read(*values)
        yield from compare(complete, asked, compared) if asked.way == COMPARE else draw(complete, asked)

    runs = wire(tools, status, seed, drawn, api_name="complete", sampling={
        "fn": run, "inputs": settings, "outputs": [result, status, seed, drawn], "preprocess": False})

    def opening(*values):
        """What the model is given, for every change of picture, brush or damage; and the stored example, if it fits.
        `data-shown` in the status: nothing is to draw."""
        try:
            asked = read(*values)
        except UserError as error:
            return error_status(error), gr.skip(), gr.skip()
        if asked.way == COMPARE:
            examples = [(one, stored[one.way, DAMAGES[0]]) for one in split(asked, compared)]
            if all(example and fits(example, replace(asked, way=one.way)) for one, example in examples):
                rows = {one.way: panels.finished(example.images[:one.count]) for one, example in examples}
                seconds = sum(example.facts["seconds"] for _, example in examples)
                return (stored_status(seconds), seen_html(complete, asked),
                        panels.at_rest(panels.compared_html(rows, ROWS)))
        example = stored.get((asked.way, asked.damage.kind))
        if example and fits(example, asked):
            return (stored_status(example.facts["seconds"]), seen_html(complete, asked),
                    panels.at_rest(finished_html(complete, asked, example.images, example.facts)))
        idle = ""
        if asked.way == RESTORER and not complete.has_restorer:
            idle = NO_RESTORER
        elif needs_mask(asked) and asked.known.all():
            idle = NOTHING_MISSING
        words = status_html(idle or "Not drawn yet: it begins when you let go, or by <b>Redraw</b>.", shown=bool(idle))
        if asked.way == COMPARE:
            rows = {one.way: drawing_panels(one, undrawn_images(one), 0) for one in split(asked, compared)}
            return words, seen_html(complete, asked), panels.at_rest(panels.compared_html(rows, ROWS), blank=True)
        blank = drawing_html(asked, undrawn_images(asked), 0)
        return words, seen_html(complete, asked), panels.at_rest(blank, blank=True)

    def preview(*values):
        """The same; a request that is still running for the old values is stopped. Where there is nothing to draw, it
        cannot be asked for."""
        words, *rest = opening(*values)
        buttons = idle_buttons() if NOTHING_MISSING not in words else [gr.Button(interactive=False)] * 3
        return words, *rest, *buttons

    # The page opens with it, before it asks the server.
    status.value, seen.value, result.value = opening(*(one.value for one in settings))

    def show(*values):
        """The canvas with another picture, or other damage, under the same brush strokes."""
        try:
            asked = read(*values)
        except UserError as error:
            gr.Warning(str(error), title="Nothing was brushed away")
            return gr.skip(), gr.skip()
        brush = needs_mask(asked)
        image = asked.image if brush else complete.damaged(asked.image, asked.damage)
        return canvas_value(image, mask=~asked.known, brush=brush), gr.Row(visible=brush)

    def brush(known: np.ndarray):
        """A handler that brushes everything away that is not known."""
        def away(picture):
            try:
                return canvas_value(complete.fit(picture), mask=~known)
            except UserError as error:
                gr.Warning(str(error), title="Nothing was brushed away")
                return gr.skip()
        return away

    showing = {"fn": preview, "inputs": settings, "outputs": [status, seen, result, *tools.buttons],
               "preprocess": False, "cancels": runs, **QUIET}
    picturing = {"fn": show, "inputs": settings, "outputs": [canvas, shape_row], "preprocess": False, **QUIET}
    answering = press.draw("complete-", at_rest=True)  # a change that leaves nothing on the page to look at
    noting = {"fn": None, "inputs": canvas, "js": address.write(f"canvas => ({{'{ID}.mask': ({PACK_MASK})(canvas)}})")}
    chooser.then(picturing, showing, runs.up_to_date, answering)
    canvas.input(**showing, trigger_mode="always_last").then(**runs.up_to_date).then(**answering)
    canvas.input(**noting)
    for button, known in zip(shapes, masks.values()):
        button.click(brush(known), chooser.picture, canvas, **QUIET).then(**noting).then(**showing).then(
            **runs.up_to_date).then(**answering)
    gr.on([way.change, kind.change], controls, [way, kind], [kind, noise, factor], **QUIET).then(**picturing).then(
        **showing).then(**runs.up_to_date).then(**answering)
    gr.on([noise.change, factor.change], **picturing).then(**showing).then(**runs.up_to_date).then(**answering)

    def open_mask(picture, request: gr.Request):
        """The brushed mask that the address names."""
        mask = unpack_mask(request.query_params.get(f"{ID}.mask"), complete.size, complete.size)
        return gr.skip() if mask is None else canvas_value(complete.fit(picture), mask=mask)

    page.load(open_mask, chooser.picture, canvas, **QUIET).then(**showing)
    address.remember(page, ID, {"way": way, "damage": kind, "noise": noise, "factor": factor, "n": count, "seed": seed})


def stored_status(seconds: float) -> str:
    return status_html("<b>Stored example.</b> Brush over the picture: what you brush away is drawn anew when you let "
                       f"go. {small_print(f'drawn in {seconds:.1f} s · chosen by eye')}", shown=True)


def fits(example: StoredCompletions, asked: Request) -> bool:
    """Whether a stored example is what a request asks for."""
    return (np.array_equal(example.original, asked.image) and example.facts.get("strength") == asked.damage.strength
            and (not needs_mask(asked) or np.array_equal(example.known, asked.known))
            and (len(example.images), example.facts["seed"]) == (asked.count, asked.seed))


def controls(way, kind) -> tuple:
    """The settings of the restorer, as far as they matter."""
    shown = way == RESTORER
    return (gr.Radio(visible=shown), gr.Slider(visible=shown and kind == "noise"),
            gr.Radio(visible=shown and kind == "low resolution"))
