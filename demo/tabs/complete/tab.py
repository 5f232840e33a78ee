"""Tab "Complete": brush a part of a picture away, and see what a PixelCNN puts there: in raster order, weighted by the
known pixels that raster order ignores, and with the restorer, whose map s shows it everything (equation 5)."""

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.pictures import bundled, picture_chooser
from demo.kit.pixel_canvas import canvas_value, pixel_canvas, read_mask
from demo.kit.run_controls import QUIET, idle_buttons, toolbar, wire
from demo.kit.status import status_html, unfinished_status
from demo.service.bridge import Progress, Service
from demo.service.settings import MAX_SEED, UserError, number, shorten
from demo.tabs.complete import panels
from demo.tabs.complete.service import DAMAGES, REPAIRS, CompleteService, Damage, sight
from demo.tabs.complete.stored import COMPLETIONS, StoredCompletions, read_completions, restorations

ID, TITLE = "complete", "Complete"
WAYS = ("raster order and weights", "restorer")
PICTURE, MASK, COUNT, SEED = "cat", "square in the middle", 8, 7
NOISE, FACTORS = (0.02, 0.3), (2, 4)
STRENGTHS = {"noise": 0.1, "low resolution": 4}  # at first
FRAME_SECONDS = 0.12
NO_RESTORER = ("There is no restorer yet. Train one with <code>python -m pixelcnn_core train restorer-cpu --data data "
               "--download --out demo/assets/restorer</code>.")

EXPLANATION = [
    r"""#### What raster order cannot see
A PixelCNN draws a missing pixel from $p(x_i\mid x_1,\dots,x_{i-1})$: whatever lies above and to the left. Known pixels
below the hole are simply not asked, so the completion need not fit them.""",
    r"""#### Weights make up for it
What one wants is $p(\text{missing}\mid\text{all known})\propto p(\mathbf{x})$. Draw $K$ completions and weight each by
$$w=\prod_{i\ \text{known}}p(x_i\mid x_1,\dots,x_{i-1}),$$
how well it explains the known pixels. Exact for very large $K$; with a large hole one completion takes all
the weight, which the effective sample size $1/\sum_k w_k^2$ tells.""",
    r"""#### The restorer sees everything
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
    masks = complete.masks()
    stored = {(WAYS[1], kind): read_completions(complete.folder, restorations(kind)) for kind in DAMAGES}
    stored[WAYS[0], DAMAGES[0]] = read_completions(service.folder / complete.model_name, COMPLETIONS)
    first = complete.fit(bundled(PICTURE))

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("complete-")
            status = gr.HTML(elem_id="complete-status", elem_classes="status-line", apply_default_css=False)
            with gr.Row(elem_classes="complete-inputs"):
                with gr.Column(min_width=220):
                    canvas = pixel_canvas("complete-canvas", "The picture, to brush away", "paint",
                                          canvas_value(first, mask=~masks[MASK]), side=320)
                    gr.HTML('<p class="legend"><b>Figure 1.</b> The picture. Paint over what is to be forgotten.</p>',
                            apply_default_css=False)
                    with gr.Row(elem_classes="small-buttons"):
                        shapes = [gr.Button(name, size="sm", min_width=60) for name in masks]
                seen = gr.HTML(elem_id="complete-seen", apply_default_css=False)
            result = gr.HTML(elem_id="complete-result", label="Completions", apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            way = gr.Radio(list(WAYS), value=WAYS[0], label="Way", elem_id="complete-way", elem_classes="chips")
            kind = gr.Radio(list(DAMAGES), value=DAMAGES[0], label="Damage", visible=False, elem_id="complete-kind",
                            elem_classes="chips", info="“masked” takes what you brushed away.")
            noise = gr.Slider(*NOISE, value=STRENGTHS["noise"], step=0.01, label="Noise level", visible=False,
                              elem_id="complete-noise", info="Standard deviation; 1 is from black to white.")
            factor = gr.Radio(list(FACTORS), value=STRENGTHS["low resolution"], label="Reduced by", visible=False,
                              elem_id="complete-factor", elem_classes="chips")
            count = gr.Slider(2, 16, value=COUNT, step=1, label="Completions", elem_id="complete-count")
            seed = gr.Number(SEED, label="Seed", precision=0, elem_id="complete-seed",
                             info="The same seed draws the same completions.")
            chooser = picture_chooser("complete-", service, PICTURE)
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    gr.HTML(panels.table_html(complete.results, complete.images_seen), elem_id="complete-measured",
            apply_default_css=False)
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
        if way == WAYS[0]:
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
            yield gr.skip(), status_html(html.escape(str(error))), gr.skip(), gr.skip()
            raise gr.Error(str(error), title="Not drawn", print_exception=False) from error

    runs = wire(tools, status, seed, drawn, api_name="complete", sampling={
        "fn": run, "inputs": settings, "outputs": [result, status, seed, drawn], "preprocess": False})

    def preview(*values):
        """What the model is given, for every change of picture, brush or damage; and the stored example, if it fits.
        A request that is still running for the old ones is stopped."""
        try:
            asked = read(*values)
        except UserError as error:
            return status_html(html.escape(str(error))), gr.skip(), gr.skip(), *idle_buttons()
        example = stored.get((asked.way, asked.damage.kind))
        if example and fits(example, asked):
            words = (f"<b>Stored example</b>, drawn in {example.facts['seconds']:.1f} s. Brush, and press "
                     "<b>Generate</b>, or <b>New seed</b> for others.")
            return (status_html(words), seen_html(complete, asked),
                    finished_html(complete, asked, example.images, example.facts), *idle_buttons())
        words = "Nothing drawn yet: press <b>Generate</b>."
        if asked.way == WAYS[1] and not complete.has_restorer:
            words = NO_RESTORER
        elif needs_mask(asked) and asked.known.all():
            words = "Brush a part of the picture away first."
        return status_html(words), seen_html(complete, asked), waiting_html(asked), *idle_buttons()

    def show(picture, canvas):
        """The canvas with another picture under the same brush strokes."""
        try:
            return canvas_value(complete.fit(picture), mask=read_mask(canvas, complete.size, complete.size))
        except UserError as error:
            gr.Warning(str(error))
            return gr.skip()

    def brush(known: np.ndarray):
        """A handler that brushes everything away that is not known."""
        return lambda picture: show(picture, canvas_value(first, mask=~known))

    showing = {"fn": preview, "inputs": settings, "outputs": [status, seen, result, *tools.buttons],
               "preprocess": False, "cancels": runs, **QUIET}
    chooser.then({"fn": show, "inputs": [chooser.picture, canvas], "outputs": canvas, "preprocess": False, **QUIET},
                 showing)
    canvas.input(**showing)
    for button, known in zip(shapes, masks.values()):
        button.click(brush(known), chooser.picture, canvas, **QUIET).then(**showing)
    gr.on([way.change, kind.change], controls, [way, kind], [kind, noise, factor], **QUIET).then(**showing)
    gr.on([noise.change, factor.change], **showing)
    page.load(**showing)
    address.remember(page, ID, {"way": way, "damage": kind, "noise": noise, "factor": factor, "n": count, "seed": seed,
                                "picture": chooser.name})


def fits(example: StoredCompletions, asked: Request) -> bool:
    """Whether a stored example is what a request asks for."""
    return (np.array_equal(example.original, asked.image) and example.facts.get("strength") == asked.damage.strength
            and (not needs_mask(asked) or np.array_equal(example.known, asked.known))
            and (len(example.images), example.facts["seed"]) == (asked.count, asked.seed))


def needs_mask(asked: Request) -> bool:
    return asked.way == WAYS[0] or asked.damage.kind == "masked"


def controls(way, kind) -> tuple:
    """The settings of the restorer, as far as they matter."""
    shown = way == WAYS[1]
    return (gr.Radio(visible=shown), gr.Slider(visible=shown and kind == "noise"),
            gr.Radio(visible=shown and kind == "low resolution"))


def seen_html(complete: CompleteService, asked: Request) -> str:
    if asked.way == WAYS[0]:
        return panels.seen_html(asked.image, asked.known, sight(asked.known))
    return panels.damaged_html(complete.damaged(asked.image, asked.damage), asked.known, asked.damage.kind)


def waiting_html(asked: Request) -> str:
    """Figure 3 before anything is drawn."""
    empty = np.zeros((asked.count, *asked.image.shape), np.uint8)
    return drawing_html(asked, empty, 0)


def drawing_html(asked: Request, images: np.ndarray, row: int) -> str:
    known = asked.known if needs_mask(asked) else np.zeros_like(asked.known)
    return panels.drawing_html(images, asked.image, known, row,
                               panels.RASTER if asked.way == WAYS[0] else panels.RESTORED)


def finished_html(complete: CompleteService, asked: Request, images: np.ndarray, facts: dict) -> str:
    """Figures 3 and 4 of completions (K, H, W, 3)."""
    if asked.way == WAYS[0]:
        return panels.weighted_html(images, np.array(facts["bits"]), np.array(facts["importance"]), facts["effective"])
    what, original = asked.damage, asked.image
    mean = images.astype(float).mean(0).round().astype(np.uint8)
    repaired = complete.repaired(original, what)

    def score(image: np.ndarray) -> float:
        return complete.decibels(image, original, what)

    shown = {"the original": (original, None), f"mean of {len(images)}": (mean, score(mean)),
             REPAIRS[what.kind]: (repaired, score(repaired))}
    return panels.restored_html(images, shown, [score(image) for image in images])


def facts_of(complete: CompleteService, asked: Request, images: np.ndarray, seconds: float) -> dict:
    """What is said about finished completions (K, H, W, 3), as it is stored too."""
    facts = {"seed": asked.seed, "seconds": round(seconds, 2)}
    if asked.way == WAYS[1]:
        return {**facts, "strength": asked.damage.strength}
    bits, weights, effective = complete.weigh(images, asked.known)
    return {**facts, "bits": [round(float(b), 2) for b in bits], "importance": [float(f"{w:.4g}") for w in weights],
            "effective": round(effective, 3)}


def start(complete: CompleteService, asked: Request) -> Iterator[Progress]:
    if asked.way == WAYS[0]:
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
            what = "completions" if asked.way == WAYS[0] else "restorations"
            words = status_html(f"<b>{len(images)} {what}</b> in {progress.seconds:.1f} s. Seed {asked.seed}.")
            yield finished_html(complete, asked, images, facts), words, asked.seed, None
        else:
            yield drawing_html(asked, images, progress.row), unfinished_status(progress), asked.seed, None
