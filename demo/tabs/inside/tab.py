"""Tab "Inside": a picture pixel by pixel: its distributions, what each of them sees, and what an edit changes."""

import html
import random
import re
from dataclasses import dataclass

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.pictures import PICTURES, STATE_SECONDS, bundled
from demo.kit.pixel_canvas import canvas_value, pixel_canvas, read_click
from demo.kit.run_controls import MODEL_QUEUE, QUIET
from demo.kit.status import status_html, unfinished_status
from demo.service.bridge import Service
from demo.service.settings import MAX_SEED, NO_CLASS, UserError, number
from demo.service.uploads import take_upload
from demo.tabs.inside.panels import comparison_html, field_html, influence_html
from demo.tabs.inside.service import InsideService, Trace
from demo.tabs.inside.trace_panel import trace_panel, trace_value
from pixelcnn_core.evaluation.receptive_field import KINDS

ID, TITLE = "inside", "Inside"
FIRST, SAMPLE = "cat", "a sample"
TRAINED = "this model"
FIELDS = {"Plain PixelCNN": "plain", "Gated PixelCNN": "gated", "This model, trained": TRAINED}
DEPTH = 32  # layers of 3 x 3 that reach across 32 pixels: what is then missing is no matter of depth
NUMBERS = ("value", "p", "surprise", "entropy", "rank")

EXPLANATION = [
    r"""#### Three questions per pixel
The network never says a colour. It gives 256 probabilities for red; once red is drawn, 256 for green; then for blue:
$$p(x_{R}\mid\mathbf{x}_{<})\;p(x_{G}\mid x_{R},\mathbf{x}_{<})\;p(x_{B}\mid x_{R},x_{G},\mathbf{x}_{<})$$
Section 2.1 of the paper. *Surprise* is $-\log_2 p$ of the value that came, *entropy* the surprise one expects. A *rank*
of 1 is the likeliest value. The sum of all surprises is the length of the picture in bits.""",
    r"""#### The blind spot
A stack of masked 3 × 3 convolutions goes one step to the side for each row it climbs: a wedge up to the right stays
unseen at any depth (figure 1). The Gated PixelCNN has two stacks, one for all rows above and one for the row itself
(figure 2): nothing is missing. Here it is asked of two networks with random weights, by gradient: what has
$\partial\,\mathrm{logits}/\partial x_j=0$ cannot matter.""",
    r"""#### Cause and effect
Every value is the inverse of its cumulative distribution at one random number $u_i$:
$x_i=F^{-1}(u_i\mid\mathbf{x}_{<i})$. With $\mathbf{u}$ fixed each pixel is a function of its past, so one changed
pixel shows all it causes. A sample has the $\mathbf{u}$ of its seed. A photo was drawn by no noise: for it we take a
$\mathbf{u}$ that *would have* drawn it, $F(x_i-1)\le u_i<F(x_i)$, so that “before” is the photo itself.""",
]


@dataclass(frozen=True)
class Shown:
    """The picture on the canvas, (H, W, 3), what the model was told, and whether the noise of `seed` drew it."""

    image: np.ndarray
    label: str
    seed: int
    sampled: bool


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    inside = InsideService(service)
    if inside.model_name is None:
        gr.Markdown("### There is no colour model yet\nTrain one: `python -m pixelcnn_core train cifar10-cpu "
                    "--data data --download --out demo/assets/models/cifar10`.")
        return
    labels, size = inside.labels, inside.size
    label0 = FIRST if FIRST in labels else labels[0]
    shown0, place0 = Shown(inside.fit(bundled(FIRST)), label0, 7, False), (size * 5 // 8, size // 3)

    with gr.Row(elem_classes="inside-choice"):
        picture = gr.Radio([*PICTURES, SAMPLE], value=FIRST, label="Picture", elem_id="inside-picture",
                           elem_classes="chips")
        upload = gr.UploadButton("One of yours", file_types=["image"], size="sm", elem_id="inside-upload")
        label = gr.Dropdown(list(labels), value=label0, label="Class it is told", elem_id="inside-class")
        seed = gr.Number(7, label="Seed", precision=0, elem_id="inside-seed")
        new_seed = gr.Button("New sample", size="sm", elem_id="inside-new")
    status = gr.HTML(status_html("Click a pixel, or press <b>Play</b>."), elem_id="inside-status",
                     apply_default_css=False)
    with gr.Row(elem_classes="inside-top"):
        canvas = pixel_canvas("inside-canvas", "The picture", value=canvas_value(shown0.image, place0))
        panel = trace_panel("inside-trace", "inside-canvas")
    with gr.Row(elem_classes="inside-below"):
        with gr.Column(elem_classes="inside-field"):
            gr.HTML("<h4>What can this prediction see?</h4>", apply_default_css=False)
            kind = gr.Radio(list(FIELDS.items()), value="plain", label="Network", elem_id="inside-kind",
                            elem_classes="chips")
            layers = gr.Slider(1, DEPTH, value=DEPTH, step=1, label="Depth of the first two, in layers of 3 × 3",
                               elem_id="inside-layers")
            field = gr.HTML(draw_field(inside, shown0, place0, "plain", DEPTH), elem_id="inside-seen",
                            apply_default_css=False)
        with gr.Column(elem_classes="inside-edit"):
            gr.HTML("<h4>What does this pixel cause?</h4>", apply_default_css=False)
            colour = gr.ColorPicker(opposite(shown0.image[place0]), label="New colour of the chosen pixel",
                                    elem_id="inside-colour")
            resample = gr.Button("Draw the rest again, with the same noise", variant="primary", elem_id="inside-edit")
            comparison = gr.HTML(comparison_html(shown0.image, shown0.image, place0, 0), elem_id="inside-comparison",
                                 apply_default_css=False)
    with gr.Column(elem_classes="notes"):
        for text in EXPLANATION:
            gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                {"left": "$", "right": "$", "display": False}])
    shown = gr.State(shown0, time_to_live=STATE_SECONDS)
    place = gr.State(place0)
    own = gr.State(None, time_to_live=STATE_SECONDS)  # a visitor's picture

    def look(picture, label, seed, own, place):
        """Draw or fetch the picture, and ask the model for all its distributions."""
        seed = int(number(seed, 0, MAX_SEED, 7))
        try:
            if picture == SAMPLE:
                image = None
                for progress in inside.draw(label, seed):
                    if progress.state == "waiting":
                        continue
                    image = progress.images[0, 0]
                    yield canvas_value(image, drawn=progress.row * size), gr.skip(), unfinished_status(progress), \
                        gr.skip()
                if progress.state != "done":
                    return  # a half-drawn image is no picture to look into; the line above the canvas says why
            else:
                image = own if picture is None and own is not None else inside.fit(bundled(picture or FIRST))
            seen = Shown(image, label, seed, picture == SAMPLE)
            trace = inside.look(image, label)
            bits = trace.surprise.sum(2)  # (H, W)
            yield (canvas_value(image, place, readings=bits, unit="bits"),
                   trace_value(image, trace, place, "" if label == NO_CLASS else label),
                   status_html(describe(seen, picture, trace)), seen)
        except UserError as error:
            yield gr.skip(), gr.skip(), status_html(html.escape(str(error))), gr.skip()

    looking = {"fn": look, "inputs": [picture, label, seed, own, place], "outputs": [canvas, panel, status, shown],
               "api_visibility": "private", **MODEL_QUEUE}
    asked = {"fn": lambda *values: ask(inside, *values), "inputs": [shown, place, kind, layers], "outputs": field,
             "api_visibility": "private", **MODEL_QUEUE}
    blank = {"fn": lambda shown, place: comparison_html(shown.image, shown.image, place, 0), "inputs": [shown, place],
             "outputs": comparison, **QUIET}
    gr.on([panel.load, picture.change, label.change, seed.change], trigger_mode="always_last",
          **looking).then(**blank).then(**asked)
    gr.on([kind.change, layers.change], trigger_mode="always_last", **asked)

    def take(payload):
        """Shrink an upload; the file itself is not kept."""
        try:
            return inside.fit(np.asarray(take_upload(payload))), None
        except UserError as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip()

    upload.upload(take, upload, [own, picture], preprocess=False, **QUIET).success(
        **looking).then(**blank).then(**asked)
    new_seed.click(lambda: (SAMPLE, random.randint(0, MAX_SEED)), outputs=[picture, seed], **QUIET)

    def choose(canvas, shown):
        """A pixel was clicked."""
        try:
            at = read_click(canvas, size, size)
        except UserError as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip()
        return at, opposite(shown.image[at])

    canvas.input(choose, [canvas, shown], [place, colour], preprocess=False, **QUIET).then(**asked)
    canvas.input(None, inputs=canvas, js=address.write(f"canvas => ({{'{ID}.pixel': canvas.outline.join(',')}})"))

    def edit(shown, place, colour):
        """Change the chosen pixel of the picture on the page, and draw everything after it again with the same noise.

        Returns, after every row: before, after and the difference as HTML, with the count of changed pixels.
        """
        try:
            new = read_colour(colour)
            for progress in inside.edit(shown.image, shown.label, shown.seed, place, new, shown.sampled):
                if progress.state != "waiting":
                    before, after = progress.images[:, 0]
                    yield comparison_html(before, after, place, progress.row) + fidelity(shown, before, progress)
        except UserError as error:
            raise gr.Error(str(error), title="Not drawn", print_exception=False) from error

    resample.click(edit, [shown, place, colour], comparison, api_name="inside_edit", **MODEL_QUEUE)

    def pixel(picture: str, label: str, row: float, column: float) -> dict:
        """The three distributions of a pixel of a bundled picture, in short: value, p, surprise, entropy and rank."""
        try:
            image = inside.fit(bundled(picture))
            at = read_click({"outline": [int(number(row, 0, size - 1, 0)), int(number(column, 0, size - 1, 0))]}, size,
                            size)
            trace = inside.look(image, label)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error
        values = (image, 2 ** -trace.surprise, trace.surprise, trace.entropy, trace.rank)
        return {name: array[at].tolist() for name, array in zip(NUMBERS, values)}

    gr.api(pixel, api_name="inside_pixel", concurrency_id="model", concurrency_limit=1)
    address.remember(page, ID, {"picture": picture, "class": label, "seed": seed, "network": kind, "layers": layers})

    def open_pixel(shown, request: gr.Request):
        """The pixel that the address names."""
        found = re.fullmatch(r"(\d{1,3}),(\d{1,3})", request.query_params.get(f"{ID}.pixel", ""))
        at = tuple(map(int, found.groups())) if found else place0
        if max(at) >= size or at == place0:
            return gr.skip(), gr.skip(), gr.skip()
        return at, canvas_value(shown.image, at), opposite(shown.image[at])

    page.load(open_pixel, shown, [place, canvas, colour], **QUIET)


def describe(shown: Shown, picture: str | None, trace: Trace) -> str:
    """What is on the canvas, and its length in bits."""
    name = f"A sample, seed {shown.seed}" if shown.sampled else f"Picture “{picture}”" if picture else "Your picture"
    told = "no class" if shown.label == NO_CLASS else f"class {shown.label}"
    return (f"<b>{html.escape(name)}</b>, the model told {html.escape(told)}: {trace.surprise.mean():.2f} bits per "
            f"sub-pixel, {trace.surprise.sum() / 8:,.0f} bytes in all; with all values equally likely "
            f"{trace.surprise.size:,}. Click a pixel, or press <b>Play</b>.")


def fidelity(shown: Shown, before: np.ndarray, progress) -> str:
    """Where the drawing without an edit is not the picture again, say so."""
    lost = int((before != shown.image).any(2).sum()) if progress.state == "done" else 0
    return (f'<p class="legend">{lost} pixels of “before” differ from the picture: it holds values that the model held '
            "for so improbable that the rounding of the sampler misses them.</p>" if lost else "")


def ask(inside: InsideService, shown: Shown, place, kind, layers) -> str:
    try:
        return draw_field(inside, shown, place, kind, layers)
    except UserError as error:
        return status_html(html.escape(str(error)))


def draw_field(inside: InsideService, shown: Shown, place: tuple[int, int], kind, layers) -> str:
    """The receptive field of the chosen network at a pixel. Raises UserError."""
    if kind == TRAINED:
        _, earlier = inside.field("gated", 1, place)
        return influence_html(shown.image, inside.influence(shown.image, shown.label, place), earlier, place)
    kind, layers = kind if kind in KINDS else "plain", int(number(layers, 1, DEPTH, DEPTH))
    seen, earlier = inside.field(kind, layers, place)
    name = next(title for title, value in FIELDS.items() if value == kind)
    return field_html(shown.image, seen, earlier, place, name, layers)


def opposite(rgb: np.ndarray) -> str:
    """The colour that differs most from a pixel's, as the colour picker writes it."""
    return "#" + "".join(f"{0 if value > 127 else 255:02x}" for value in rgb)


def read_colour(value) -> tuple[int, int, int]:
    """The colour of a picker, "#rrggbb" or "rgb(a)(r, g, b …)", whatever it is. Raises UserError."""
    text = value[:60].strip() if isinstance(value, str) else ""
    if found := re.fullmatch(r"#([0-9a-fA-F]{6})", text):
        return tuple(bytes.fromhex(found[1]))
    if found := re.fullmatch(r"rgba?\(\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*(?:,[^)]*)?\)", text):
        return tuple(round(number(part, 0, 255, 0)) for part in found.groups())
    raise UserError("Choose a colour first.")
