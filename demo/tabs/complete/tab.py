"""Tab "Complete": brush a part of a picture away, and see what a PixelCNN puts there: a chain from coarse to fine; one
model in raster order, weighted by the known pixels that raster order ignores; the restorer, whose map s shows it
everything (equation 5)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.pictures import bundled, elsewhere, picture_chooser
from demo.kit.pixel_canvas import PACK_MASK, canvas_value, pixel_canvas, read_mask, unpack_mask
from demo.kit.run_controls import QUIET, idle_buttons, toolbar, wire
from demo.kit.status import error_status, refusal, status_html, unfinished_status
from demo.service.bridge import Progress, Service
from demo.service.settings import MAX_SEED, UserError, number, shorten
from demo.tabs.complete import panels
from demo.tabs.complete.service import DAMAGES, REPAIRS, CompleteService, Damage, sight
from demo.tabs.complete.stored import COMPLETIONS, FILLED, StoredCompletions, read_completions, restorations

ID, TITLE = "complete", "Complete"
PEEK = (Path(__file__).parent / "peek.js").read_text(encoding="utf-8")
WAYS = ("coarse to fine", "raster order and weights", "restorer")
CHAIN, RASTER, RESTORER = WAYS
LABELS = {CHAIN: "Coarse to fine (chain)", RASTER: "Look only back (PixelCNN)",
          RESTORER: "Look at everything (restorer)"}
PICTURE, MASK, COUNT, SEED = "rocket", "every second pixel", 8, 7
NOISE, FACTORS = (0.02, 0.3), (2, 4)
STRENGTHS = {"noise": 0.1, "low resolution": 4}  # at first
FRAME_SECONDS = 0.12
NO_RESTORER = ("There is no restorer yet. Train one with <code>python -m pixelcnn_core train restorer-cpu --data data "
               "--download --out demo/assets/restorer</code>.")
# A change that leaves nothing on the page to look at is answered by drawing, half a second after the last of them.
AUTO = """() => {
  clearTimeout(window.completeTimer);
  window.completeTimer = setTimeout(() => {
    const button = document.querySelector("#complete-generate");
    if (!button.getClientRects().length) return;
    if (!document.querySelector("#complete-status [data-shown]") && !button.disabled) button.click();
  }, 500);
}"""

EXPLANATION = [
    r"""### Coarse to fine knows what is below
A chain first completes the picture of 8 × 8, then of 16, then of 32, each given the one before as the map $\mathbf{s}$
of equation 5. A coarse pixel is known where at least half of its fine pixels are; so what surrounds the hole on all
sides is known, coarsely, before its first fine pixel is drawn. The 64 coarse pixels are drawn in raster order, eight
times, and one of these is taken by weight.""",
    r"""### What raster order cannot see
A PixelCNN draws a missing pixel from $p(x_i\mid x_1,\dots,x_{i-1})$: whatever lies above and to the left. Known pixels
below the hole are simply not asked, so the completion need not fit them.""",
    r"""### Weights make up for it
What one wants is $p(\text{missing}\mid\text{all known})\propto p(\mathbf{x})$. Draw $K$ completions and weight each by
$$w=\prod_{i\ \text{known}}p(x_i\mid x_1,\dots,x_{i-1}),$$
how well it explains the known pixels. Exact for very large $K$; with a large hole one completion takes all
the weight, which the effective sample size $1/\sum_k w_k^2$ tells.""",
    r"""### The restorer sees everything
A Conditional PixelCNN with a map $\mathbf{s}=m(\text{damaged picture})$ inside every gate (equation 5):
$$\tanh(W_f\ast\mathbf{x}+V_f\ast\mathbf{s})\odot\sigma(W_g\ast\mathbf{x}+V_g\ast\mathbf{s})$$
$V\ast\mathbf{s}$ is a $1\times1$ convolution without a mask, and $m$ a small convolutional network trained with it, so
$\mathbf{s}$ brings what raster order hides. One checkpoint fills holes, removes noise, adds colour and detail.""",
]


@dataclass(frozen=True)
class Request:
    """One request, cleaned: picture (H, W, 3), what is known of it (H, W), and what to do."""

    image: np.ndarray
    known: np.ndarray
    way: str
    damage: Damage
    count: int
    seed: int


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    complete = CompleteService(service)
    if complete.model_name is None:
        gr.Markdown("### There is no colour model yet\nTrain one: `python -m pixelcnn_core train cifar10-cpu "
                    "--data data --download --out demo/assets/models/cifar10`.")
        return
    masks, ways = complete.masks(), [way for way in WAYS if way != CHAIN or complete.chain_name]
    stored = {(RESTORER, kind): read_completions(complete.folder, restorations(kind)) for kind in DAMAGES}
    for way, name, file in ((RASTER, complete.model_name, COMPLETIONS), (CHAIN, complete.chain_name, FILLED)):
        stored[way, DAMAGES[0]] = name and read_completions(service.folder / name, file)
    first = complete.fit(bundled(PICTURE))

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("complete-")
            status = gr.HTML(elem_id="complete-status", elem_classes="status-line", apply_default_css=False)
            with gr.Row(elem_classes="complete-inputs"):
                with gr.Column(min_width=220):
                    canvas = pixel_canvas("complete-canvas", "The picture, to brush away", "brush",
                                          canvas_value(first, mask=~masks[MASK]), side=320)
                    with gr.Row(elem_classes="small-buttons complete-shapes") as shape_row:
                        shapes = [gr.Button(name, size="sm", min_width=60) for name in masks]
                result = gr.HTML(elem_id="complete-result", label="Completions", js_on_load=PEEK,
                                 apply_default_css=False)
            with gr.Accordion("What can a missing pixel look at?", open=False, elem_id="complete-look"):
                seen = gr.HTML(elem_id="complete-seen", apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            way = gr.Radio([(LABELS[way], way) for way in ways], value=ways[0], label="How it fills the hole",
                           elem_id="complete-way", elem_classes="chips")
            kind = gr.Radio(list(DAMAGES), value=DAMAGES[0], label="Damage", visible=False, elem_id="complete-kind",
                            elem_classes="chips", info="“masked” takes what you brushed away.")
            noise = gr.Slider(*NOISE, value=STRENGTHS["noise"], step=0.01, label="Noise level", visible=False,
                              elem_id="complete-noise", info="Standard deviation; 1 is from black to white.")
            factor = gr.Radio(list(FACTORS), value=STRENGTHS["low resolution"], label="Reduced by", visible=False,
                              elem_id="complete-factor", elem_classes="chips")
            chooser = picture_chooser(f"{ID}-", service, PICTURE, page)
            count = gr.Slider(2, 16, value=COUNT, step=1, label="Completions", elem_id="complete-count")
            seed = gr.Number(SEED, label="Seed", precision=0, elem_id="complete-seed",
                             info="The same seed draws the same completions.")
            elsewhere(ID)
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    gr.HTML(panels.measured_html(complete.results, complete.images_seen, complete.measured),
            elem_id="complete-measured", apply_default_css=False)
    drawn = gr.State()
    settings = [chooser.picture, canvas, way, kind, noise, factor, count, seed]

    def read(picture, canvas, way, kind, noise, factor, count, seed) -> Request:
        """Values of any type -> a request. Raises UserError."""
        image = complete.fit(picture)
        known = ~read_mask(canvas, complete.size, complete.size)
        if way not in WAYS:
            raise UserError(f"There is no way {shorten(way)}; choose one of {', '.join(WAYS)}.")
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
        try:
            yield from draw(complete, read(*values))
        except UserError as error:
            yield gr.skip(), error_status(error), gr.skip(), gr.skip()
            raise refusal(error) from error

    runs = wire(tools, status, seed, drawn, api_name="complete", sampling={
        "fn": run, "inputs": settings, "outputs": [result, status, seed, drawn], "preprocess": False})

    def opening(*values):
        """What the model is given, for every change of picture, brush or damage; and the stored example, if it fits.
        `data-shown` in the status: nothing is to draw."""
        try:
            asked = read(*values)
        except UserError as error:
            return error_status(error), gr.skip(), gr.skip()
        example = stored.get((asked.way, asked.damage.kind))
        if example and fits(example, asked):
            words = (f"<b>Stored example</b>, drawn in {example.facts['seconds']:.1f} s. Brush something else away, or "
                     "press <b>Draw another</b>.")
            return (status_html(words, shown=True), seen_html(complete, asked),
                    finished_html(complete, asked, example.images, example.facts))
        idle = ""
        if asked.way == RESTORER and not complete.has_restorer:
            idle = NO_RESTORER
        elif needs_mask(asked) and asked.known.all():
            idle = "Brush a part of the picture away first."
        words = status_html(idle or "Nothing is drawn yet: press <b>Draw</b>.", shown=bool(idle))
        return words, seen_html(complete, asked), waiting_html(asked)

    def preview(*values):
        """The same; a request that is still running for the old values is stopped."""
        return *opening(*values), *idle_buttons()

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
    answering = {"fn": None, "js": AUTO}
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


def fits(example: StoredCompletions, asked: Request) -> bool:
    """Whether a stored example is what a request asks for."""
    return (np.array_equal(example.original, asked.image) and example.facts.get("strength") == asked.damage.strength
            and (not needs_mask(asked) or np.array_equal(example.known, asked.known))
            and (len(example.images), example.facts["seed"]) == (asked.count, asked.seed))


def needs_mask(asked: Request) -> bool:
    return asked.way != RESTORER or asked.damage.kind == "masked"


def controls(way, kind) -> tuple:
    """The settings of the restorer, as far as they matter."""
    shown = way == RESTORER
    return (gr.Radio(visible=shown), gr.Slider(visible=shown and kind == "noise"),
            gr.Radio(visible=shown and kind == "low resolution"))


def seen_html(complete: CompleteService, asked: Request) -> str:
    if asked.way == RASTER:
        return panels.seen_html(asked.image, asked.known, sight(asked.known))
    sizes = complete.service.info(complete.chain_name).sizes if asked.way == CHAIN else ()
    return panels.everything_html(int((~asked.known).sum()), sizes)


WORDS = {CHAIN: panels.CHAINED, RASTER: panels.RASTER, RESTORER: panels.RESTORED}


def waiting_html(asked: Request) -> str:
    """The grid before anything is drawn."""
    return drawing_html(asked, np.zeros((asked.count, *asked.image.shape), np.uint8), 0)


def drawing_html(asked: Request, images: np.ndarray, row: int) -> str:
    known = asked.known if needs_mask(asked) else np.zeros_like(asked.known)
    if asked.way == CHAIN and row:
        return panels.growing_html(images, asked.image, known, WORDS[CHAIN])
    return panels.drawing_html(images, asked.image, known, row, WORDS[asked.way])


def finished_html(complete: CompleteService, asked: Request, images: np.ndarray, facts: dict) -> str:
    """The grid of completions (K, H, W, 3)."""
    if asked.way == RASTER:
        return panels.weighted_html(images, np.array(facts["bits"]), np.array(facts["importance"]), facts["effective"])
    what, original = asked.damage, asked.image
    mean = images.astype(float).mean(0).round().astype(np.uint8)
    repaired = complete.repaired(original, what)

    def score(image: np.ndarray) -> float:
        return complete.decibels(image, original, what)

    shown = {"the original": (original, None), f"mean of {len(images)}": (mean, score(mean)),
             REPAIRS[what.kind]: (repaired, score(repaired))}
    return panels.restored_html(images, shown, [score(image) for image in images], WORDS[asked.way])


def facts_of(complete: CompleteService, asked: Request, images: np.ndarray, seconds: float) -> dict:
    """What is said about finished completions (K, H, W, 3), as it is stored too."""
    facts = {"seed": asked.seed, "seconds": round(seconds, 2)}
    if asked.way == RESTORER:
        return {**facts, "strength": asked.damage.strength}
    if asked.way == CHAIN:
        return facts
    bits, weights, effective = complete.weigh(images, asked.known)
    return {**facts, "bits": [round(float(b), 2) for b in bits], "importance": [float(f"{w:.4g}") for w in weights],
            "effective": round(effective, 3)}


def start(complete: CompleteService, asked: Request) -> Iterator[Progress]:
    if asked.way == CHAIN:
        return complete.fill(asked.image, asked.known, asked.count, asked.seed)
    if asked.way == RASTER:
        return complete.complete(asked.image, asked.known, asked.count, asked.seed)
    return complete.restore(asked.image, asked.damage, asked.count, asked.seed)


def draw(complete: CompleteService, asked: Request) -> Iterator[tuple]:
    """Run one request and yield (pictures, status, seed, how far), at most every FRAME_SECONDS."""
    yield waiting_html(asked), status_html("Loading the model…", 0), asked.seed, None
    shown = 0.0
    for progress in start(complete, asked):
        if progress.state == "waiting":
            yield gr.skip(), status_html("Waiting: the model serves one request at a time…", 0), asked.seed, None
            continue
        if progress.state == "sampling" and time.monotonic() - shown < FRAME_SECONDS:
            continue
        shown, images = time.monotonic(), progress.images[0]  # (K, H, W, 3)
        if progress.state == "done":
            facts = facts_of(complete, asked, images, progress.seconds)
            what = "restorations" if asked.way == RESTORER else "completions"
            words = status_html(f"<b>{len(images)} {what}</b> in {progress.seconds:.1f} s. Seed {asked.seed}.")
            yield finished_html(complete, asked, images, facts), words, asked.seed, None
        else:
            yield drawing_html(asked, images, progress.row), unfinished_status(progress), asked.seed, None
