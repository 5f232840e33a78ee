"""Tab "Auto-encoder": a picture becomes a few numbers, two decoders make pictures of them (section 3.4, figure 6)."""

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.draw_soon import draw_soon
from demo.kit.panels import enlarge
from demo.kit.pictures import bundled, picture_chooser
from demo.kit.portrait_panels import download_link, sheet_png
from demo.kit.run_controls import QUIET, min_p_slider, sampling_sliders, toolbar, wire
from demo.kit.status import error_status, refusal, status_html, unfinished_status
from demo.service.bridge import Service
from demo.service.settings import MAX_GUIDANCE, MAX_MIN_P, MAX_SEED, MAX_TEMPERATURE, UserError, number
from demo.tabs.autoencoder.panels import codes_html, ends_html, results_html
from demo.tabs.autoencoder.path import FIRST, build_path
from demo.tabs.autoencoder.record import COUNT, MAX_EDIT, SLIDERS
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import StoredCodes, read_codes

ID, TITLE = "autoencoder", "Auto-encoder"
FRAME_SECONDS = 0.15
SHOWN_OR_DRAWN = """(...values) => document.querySelector("#autoencoder-status [data-shown]")
  ? (%s)(...values) : (%s)()"""

MISSING = """### There is no auto-encoder yet
Train a pair with a code of 10 numbers, minutes on a CPU, and start the app again. The one with squared error:
`python -m pixelcnn_core train mse-autoencoder-10 --data DATA --download --max-minutes 7
--out demo/assets/autoencoders/mse-autoencoder-10`. The PixelCNN, and what it starts from:
`python -m pixelcnn_core train mse-chain-autoencoder-10 --data DATA --max-minutes 4
--out demo/assets/autoencoders/mse-chain-autoencoder-10`, then
`python -m pixelcnn_core train chain-autoencoder-10-cpu --data DATA --max-minutes 6
--out demo/assets/autoencoders/chain-autoencoder-10`."""

LEAD = """<p class="code-lead">A picture of 3,072 values becomes {sizes} numbers, and two decoders make it a picture
again. One gives its best guess, a blur. The other draws{finer}.</p>"""

EXPLANATION = [
    r"""### A picture becomes $m$ numbers
A convolutional encoder turns a picture into a code of $m$ numbers, $\mathbf{z}$. A Conditional PixelCNN reads the code
as $\mathbf{h}$ in every gate, and as a map $\mathbf{s}=m(\mathbf{z})$ that says where (equations 4 and 5). The encoder
learns through the PixelCNN, to make the picture cheap to write down:
$$-\log_2 p(%(x)s\mid\mathbf{z}),\qquad \mathbf{z}=\mathrm{encoder}(%(x)s)$$
Section 3.4 of the paper, and its figure 6.""",
    r"""### Why one blurs and the other draws
Ten numbers cannot say everything, so many pictures share a code. Squared error,
$\lVert\mathbf{x}-\mathrm{decoder}(\mathbf{z})\rVert^2$, is smallest at the average of them all, and an average of
sharp pictures is a blur. A PixelCNN has the whole distribution and draws one of them. Average its draws, and it blurs
as well: for one code the two answers agree as far as both were trained well. A single draw is about twice as far from
the picture as the mean, because it cannot know which of them was meant.""",
    r"""### Moving along the code
Over many pictures the codes spread further in some directions than in others. The sliders move the code along the
widest ones, in standard deviations. The MSE decoder has a code of its own: for pictures whose PixelCNN code lies one
step further, it differs too, and the slider moves it by that difference, averaged over many pictures. The noise stays
the same, so what changes is the doing of the code.""",
]
NAMED = """ A slider is named after what changes most between its ends in the MSE decoder's answers, on average over the
page's own pictures; where this picture differs, its ends say so."""
THROUGH_CHAIN = r"""### From coarse to fine
The code stands for $\mathbf{x}_8$, the picture at 8 × 8 pixels, where it is settled what it shows:
$$p(\mathbf{x}_8\mid\mathbf{z})\;p(\mathbf{x}_{16}\mid\mathbf{x}_8)\;p(\mathbf{x}_{32}\mid\mathbf{x}_{16})$$
The upper steps are those of the tab *Coarse to fine*, and know nothing of the code: whatever is finer than 8 × 8 pixels
is invented."""


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    codes = CodeService(service)
    if not codes.sizes:
        gr.Markdown(MISSING)
        return
    stored = {m: read_codes(info.pixelcnn) for m, info in codes.infos.items()}
    sizes = [(f"{m} numbers", str(m)) for m in codes.sizes]
    sliders = min(SLIDERS, *(info.directions for info in codes.infos.values()))
    shown, chained = codes.info(sizes[-1][1]).shown, all(info.chain for info in codes.infos.values())

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            gr.HTML(LEAD.format(sizes=" or ".join(map(str, codes.sizes)), finer=", from coarse to fine" * chained),
                    apply_default_css=False)
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("autoencoder-")
            status = gr.HTML(elem_id="autoencoder-status", elem_classes="code-status", apply_default_css=False)
            grid = gr.HTML(elem_id="autoencoder-grid", label="Reconstructions", apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            chooser = picture_chooser("autoencoder-", service, FIRST)
            size = gr.Radio(sizes, value=sizes[-1][1], label="Code", elem_id="autoencoder-size", elem_classes="chips")
            edits, ends = [], []
            if sliders:
                gr.HTML('<p class="facts">Move the code:</p>', apply_default_css=False)
            for k, label in enumerate(slider_labels(stored[codes.info(size.value).code], sliders), 1):
                with gr.Column(elem_classes="code-slider"):
                    edits.append(gr.Slider(-MAX_EDIT, MAX_EDIT, value=0, step=0.25, label=label,
                                           elem_id=f"autoencoder-edit-{k}"))
                    ends.append(gr.HTML(elem_id=f"autoencoder-ends-{k}", apply_default_css=False))
            reset = gr.Button("The picture's own code", size="sm", visible=bool(edits))
            with gr.Accordion("How it is drawn", open=False):
                temperature, guidance, seed = sampling_sliders("autoencoder-", *shown[:2], 7)
                min_p = min_p_slider("autoencoder-", shown[2])
        with gr.Column(elem_classes="notes"):
            first, *others = EXPLANATION
            others[-1] += NAMED * any(kept and kept.names for kept in stored.values())
            first %= {"x": r"\mathbf{x}_8" if chained else r"\mathbf{x}"}
            for text in [first, *[THROUGH_CHAIN] * chained, *others]:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    drawn = gr.State()
    asked = [size, chooser.name, chooser.picture, *edits]

    def clean(size, name, picture, edits) -> "Asked":
        return Asked(codes.info(size).code, bundled(name) if name is not None else np.asarray(picture, np.uint8),
                     name or "your picture", [number(edit, -MAX_EDIT, MAX_EDIT, 0) for edit in edits])

    def show(size, name, picture, *edits):
        """The picture, its code and what the MSE decoder makes of it, also at the ends of the sliders; with draws
        where they are stored."""
        try:
            request = clean(size, name, picture, edits)
            return (*opening(codes, stored, request), *slider_ends(codes, stored, request))
        except UserError as error:
            return gr.skip(), error_status(error), *[gr.skip()] * len(edits)

    grid.value, status.value, *at_first = show(size.value, FIRST, None, *[0] * len(edits))
    for place, value in zip(ends, at_first):
        place.value = value
    showing = {"fn": show, "inputs": asked, "outputs": [grid, status, *ends], "trigger_mode": "always_last", **QUIET}

    def decode_code(size, name, picture, *settings):
        """Encode the chosen picture, and draw eight pictures for its code, moved along the principal directions.

        Returns, again after each step: original, code, the MSE decoder's answer, the mean of the draws and the draws as
        HTML with embedded PNGs, at the end with a link to them all; a progress text as HTML; the seed that was used.
        """
        *edits, temperature, guidance, seed, min_p = settings
        seed = int(number(seed, 0, MAX_SEED, 7))
        try:
            yield from draw(codes, clean(size, name, picture, edits), seed=seed, min_p=number(min_p, 0, MAX_MIN_P, 0),
                            temperature=number(temperature, 0, MAX_TEMPERATURE, 1),
                            guidance=number(guidance, 0, MAX_GUIDANCE, 1))
        except UserError as error:
            yield gr.skip(), error_status(error), gr.skip(), gr.skip()
            raise refusal(error) from error

    runs = wire(tools, status, seed, drawn, api_name="decode_code", sampling={
        "fn": decode_code, "inputs": [*asked, temperature, guidance, seed, min_p],
        "outputs": [grid, status, seed, drawn], "preprocess": False})
    # what is stored is there at once; anything else is drawn once the slider rests
    stored_or_drawn = {**runs.up_to_date, "js": SHOWN_OR_DRAWN % (runs.up_to_date["js"], draw_soon("autoencoder-"))}
    size.change(lambda m: [gr.update(label=label) for label in slider_labels(stored[codes.info(m).code], sliders)],
                size, edits, **QUIET)
    gr.on([size.change, *(edit.change for edit in edits)], **showing).then(**stored_or_drawn)
    chooser.then(showing, stored_or_drawn)
    reset.click(lambda: [0] * len(edits), outputs=edits, **QUIET)
    with gr.Accordion("Between two codes", open=False, elem_id="autoencoder-between"):
        path = build_path(codes, stored, service, size, chooser, (temperature, guidance, min_p, seed))
    gr.HTML(results_html(list(codes.infos.values())), apply_default_css=False)
    address.remember(page, ID, {"size": size, "picture": chooser.name,
                                **{f"edit{k}": edit for k, edit in enumerate(edits, 1)}, "temperature": temperature,
                                "guidance": guidance, "min_p": min_p, "seed": seed, **path})


@dataclass(frozen=True)
class Asked:
    """A clean request: the code size, the picture uint8 (H, W, 3), what to call it, and the moves along directions."""

    size: int
    picture: np.ndarray
    name: str
    edits: list[float]

    @property
    def edited(self) -> bool:
        return any(self.edits)


def slider_labels(kept: StoredCodes | None, count: int) -> list[str]:
    """What the sliders are called: by the stored names of both ends, or by a number."""
    # "bright below – above": a first word that both share is said once
    names = [f"{low} – {high.removeprefix(low.partition(' ')[0] + ' ')}" for low, high in kept.names] if kept else []
    return [(names[k].capitalize() if k < len(names) else f"Direction {k + 1}") for k in range(count)]


def slider_ends(codes: CodeService, stored: dict[int, StoredCodes | None], asked: Asked) -> list[str]:
    """For every slider what it does to this picture: the MSE decoder's answers at both ends and at 0."""
    found, names = [], dict(enumerate(kept.names)) if (kept := stored[asked.size]) else {}
    for k in range(len(asked.edits)):
        moves = [[*asked.edits[:k], edge, *asked.edits[k + 1:]] for edge in (-MAX_EDIT, 0, MAX_EDIT)]
        found.append(ends_html([codes.best_guess(asked.size, asked.picture, move) for move in moves], names.get(k)))
    return found


def bars(codes: CodeService, asked: Asked) -> tuple[np.ndarray, np.ndarray | None]:
    """The code shown, and the picture's own where the one shown was moved."""
    own = codes.bars(asked.size, asked.picture)
    return (codes.bars(asked.size, asked.picture, asked.edits), own) if asked.edited else (own, None)


def opening(codes: CodeService, stored: dict[int, StoredCodes | None], asked: Asked) -> tuple[str, str]:
    """(stage, status) before anything is drawn. Code and MSE decoder are computed: they take milliseconds."""
    guess, kept = codes.best_guess(asked.size, asked.picture, asked.edits), stored[asked.size]
    (code, own), small = bars(codes, asked), codes.small(asked.size, asked.picture)
    if kept is None or asked.edited or asked.name not in kept.pictures:
        words = "The code was moved, and the MSE decoder follows at once; the PixelCNN draws when the slider rests." \
            if asked.edited else "This is what the MSE decoder makes of it. <b>Draw</b> shows the PixelCNN."
        empty = np.zeros((COUNT, *asked.picture.shape), np.uint8)
        return codes_html(asked.picture, code, guess, empty, small=small, own=own, rows_done=0), status_html(words)
    k = kept.pictures.index(asked.name)
    settings = " · ".join(f"{key.replace('_', '-')} {value:g}" for key, value in kept.settings.items())
    words = f"<b>Stored example</b>: {html.escape(asked.name)}. {carried(codes, asked, *kept.bits[k])} " \
        f"{html.escape(settings)}"
    mean = kept.means[k], f"mean of {kept.draws} draws"
    stage = codes_html(asked.picture, code, guess, kept.images[k], small=small, mean=mean)
    return stage, status_html(words, shown=True)


def carried(codes: CodeService, asked: Asked, given: float, alone: float) -> str:
    """What the picture's own code saves, in words, by -log2 p of the picture given it and without."""
    what = "The 8 × 8 picture" if codes.info(asked.size).chain else "The picture"
    saved = f"{alone - given:,.0f} bits saved" if alone > given else "it does not help here"
    return f"{what} costs {given:,.0f} bits given its {asked.size} numbers, {alone:,.0f} without: {saved}."


def draw(codes: CodeService, asked: Asked, seed: int, **settings: float) -> Iterator[tuple]:
    """Run one request and yield (stage, status, seed, how far), at most every FRAME_SECONDS."""
    guess, (code, own) = codes.best_guess(asked.size, asked.picture, asked.edits), bars(codes, asked)
    small = codes.small(asked.size, asked.picture)
    yield gr.skip(), status_html("Loading the model…", 0), seed, None
    shown = 0.0
    for progress in codes.decodings(asked.size, asked.picture, COUNT, asked.edits, seed, **settings):
        if progress.state == "waiting":
            yield gr.skip(), status_html("Waiting: the model serves one request at a time…", 0), seed, None
            continue
        if progress.state == "sampling" and time.monotonic() - shown < FRAME_SECONDS:
            continue
        shown, images = time.monotonic(), progress.images[0]  # (COUNT, H, W, 3)
        if progress.state != "done":
            stage = codes_html(asked.picture, code, guess, images, small=small, own=own, rows_done=progress.shown_rows)
            yield stage, unfinished_status(progress), seed, None
            continue
        mean = images.astype(np.float64).mean(0).round().astype(np.uint8)
        stage = codes_html(asked.picture, code, guess, images, small=small, own=own,
                           mean=(mean, f"mean of these {COUNT} draws"))
        words = " · ".join([f"code of {asked.size}", *(f"{key.replace('_', '-')} {value:g}"
                                                       for key, value in (*settings.items(), ("seed", seed)))])
        panels = [(enlarge(np.stack([asked.picture, guess]), len(guess), columns=1), "original, MSE decoder"),
                  (enlarge(images, len(guess), columns=COUNT // 2), "PixelCNN decoder")]
        link = download_link(sheet_png(panels, words), f"code-{asked.size}_seed-{seed}.png", "Download PNG")
        said = [f"<b>{COUNT} pictures</b> in {progress.seconds:.1f} s."]
        if not asked.edited:  # a moved code is that of no picture
            said.append(carried(codes, asked, *codes.bits(asked.size, asked.picture)))
        yield stage + link, status_html(" ".join([*said, words]), shown=True), seed, None
