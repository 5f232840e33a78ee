"""Tab "Auto-encoder": a picture becomes a few numbers, two decoders make pictures of them (section 3.4, figure 6)."""

import html
from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
import numpy as np
from gradio.components import Component

from demo.kit import address, press
from demo.kit.downloads import download_link, sheet_png
from demo.kit.frames import frames
from demo.kit.html_block import html_block
from demo.kit.notes import notes
from demo.kit.panels import enlarge, mean_picture, settings_line, undrawn
from demo.kit.run_controls import QUIET, sampling_sliders, toolbar, wire
from demo.kit.status import error_status, small_print, status_html, unfinished_status
from demo.service.bridge import Progress, Service
from demo.service.settings import UserError, clean_sampling, number
from demo.tabs.autoencoder.panels import codes_html, contrast_html, ends_html, results_html
from demo.tabs.autoencoder.path import build_path
from demo.tabs.autoencoder.record import COUNT, MAX_EDIT, SHOWN_EDIT, SLIDERS
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import StoredCodes, read_codes
from demo.tabs.autoencoder.subjects import subjects

ID, TITLE = "autoencoder", "Auto-encoder"
SHOWN_OR_DRAWN = """(...values) => document.querySelector("#%sstatus [data-shown]")
  ? (%s)(...values) : (%s)()"""

MISSING = """### There is no auto-encoder yet
Train a pair with a code of 10 numbers, minutes on a CPU, and start the app again. The one with squared error:
`python -m pixelcnn_core train mse-autoencoder-10 --data DATA --download --max-minutes 7
--out demo/assets/autoencoders/mse-autoencoder-10`. The PixelCNN, and what it starts from:
`python -m pixelcnn_core train mse-chain-autoencoder-10 --data DATA --max-minutes 4
--out demo/assets/autoencoders/mse-chain-autoencoder-10`, then
`python -m pixelcnn_core train chain-autoencoder-10-cpu --data DATA --max-minutes 6
--out demo/assets/autoencoders/chain-autoencoder-10`."""

LEAD = """<p class="code-lead">A picture of {values:,} values becomes {sizes} numbers, its <em>code</em>, and two
networks make a picture of them again. One gives one safe guess, a blur. The other, a PixelCNN, draws.</p>"""
LEAD_CHAIN = """<p class="code-lead">A picture is shrunk to {small} × {small} pixels, {values:,} values, and these
become {sizes} numbers, its <em>code</em>. Of a code one network makes one safe guess, a blur. The other, a PixelCNN,
draws, from coarse to fine.</p>"""
TURN = """<p class="code-turn"><b>Turn the code, and see what its numbers mean.</b> The pictures below a slider are the
safe guess at its ends.</p>"""

EXPLANATION = [
    r"""### A picture becomes a few numbers
One network, the *encoder*, squeezes a picture into a few numbers, its *code* $\mathbf{z}$. A PixelCNN, the *decoder*,
draws a picture from the code, which enters every gate: as a list that says what, and as a map that says where
(equations 4 and 5). Both learn together to make the picture cheap to write down:
$$-\log_2 p(%(x)s\mid\mathbf{z}),\qquad \mathbf{z}=\mathrm{encoder}(%(x)s)$$
Section 3.4 of the paper, and its figure 6.""",
    r"""### Why one blurs and the other draws
A few numbers cannot say everything, so many pictures share a code. One network, the *MSE decoder*, is trained to make
the mean squared error small, $\lVert\mathbf{x}-\mathrm{decoder}(\mathbf{z})\rVert^2$. It is smallest at the average of
all these pictures, and an average of sharp pictures is a blur. A PixelCNN knows which pictures are likely, and draws
one of them. Average its draws, and they blur as well: for one code the two answers agree as far as both were trained
well. A single draw is about twice as far from the picture as the mean, because it cannot know which of them was
meant.""",
    r"""### Moving along the code
The codes of many pictures differ more in some directions than in others. The sliders move the code along the ones in
which they differ most; 1 is a usual difference (a standard deviation). The MSE decoder has a code of its own: it is
moved along, by as much as it changes with the other code on average. The random numbers stay, so what changes is the
doing of the code.""",
]
NAMED = """ A slider is named after what changes most between its ends in the MSE decoder's answers, on average over the
page's own pictures, if no slider above it is; where this picture differs, its ends say so."""
THROUGH_CHAIN = r"""### From coarse to fine
The code stands for $\mathbf{x}_8$, the picture at 8 × 8 pixels, where it is settled what it shows:
$$p(\mathbf{x}_8\mid\mathbf{z})\;p(\mathbf{x}_{16}\mid\mathbf{x}_8)\;p(\mathbf{x}_{32}\mid\mathbf{x}_{16})\cdots$$
The upper steps are those of the tab *Coarse to fine*, and {hint}"""
BLIND = "know nothing of the code: whatever is finer than 8 × 8 pixels is invented."
HINTED = r"""are told only what kind of face goes with such a code on average,
$\mathbf{h}=A\,\mathbf{z}+\mathbf{b}$: eyes, mouth and skin are invented."""


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`: a bench for each subject that has auto-encoders."""
    every = [CodeService(service, subject=subject) for subject in subjects(service)]
    every = [codes for codes in every if codes.sizes]
    if not every:
        gr.Markdown(MISSING)
        return
    names, remembered = [codes.subject.title for codes in every], {}
    lead = html_block(lead_html(every[0]))
    chosen = gr.Radio(names, value=names[0], label="What is coded", elem_id="autoencoder-of", elem_classes="chips",
                      visible=len(every) > 1)
    benches = []
    for codes in every:
        with gr.Column(visible=codes is every[0]) as bench:
            remembered |= build_bench(codes)
        benches.append(bench)

    def choose(name: str) -> list:
        return [lead_html(every[names.index(name)]), *(gr.Column(visible=name == one) for one in names)]

    chosen.change(choose, chosen, [lead, *benches], **QUIET)
    address.remember(page, ID, {**({"of": chosen} if len(every) > 1 else {}), **remembered})


def build_bench(codes: CodeService) -> dict[str, Component]:
    """What codes the pictures of one subject. Returns what the address should remember."""
    subject = codes.subject
    prefix = f"{ID}-{subject.prefix}"
    stored = {m: read_codes(info.pixelcnn) for m, info in codes.infos.items()}
    sizes = [(f"{m} numbers", str(m)) for m in codes.sizes]
    sliders = min(SLIDERS, *(info.directions for info in codes.infos.values()))
    # the largest code of which draws are stored: there they resemble the picture most
    opens = max((m for m in codes.sizes if stored[m]), default=codes.sizes[-1])
    shown, chained = codes.info(opens).shown, is_chained(codes)

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar(prefix)
            status = html_block(elem_id=f"{prefix}status", elem_classes="code-status")
            grid = html_block(elem_id=f"{prefix}grid", label="Reconstructions")
        with gr.Column(elem_classes="margin"):
            chooser = subject.choose(prefix, subject.first)
            size = gr.Radio(sizes, value=str(opens), label="Code", elem_id=f"{prefix}size", elem_classes="chips")
            edits, ends = [], []
            if sliders:
                html_block(TURN)
            reset = gr.Button("", size="sm", visible=False, elem_id=f"{prefix}reset", elem_classes="code-reset")
            for k, label in enumerate(slider_labels(stored[opens], sliders), 1):
                with gr.Column(elem_classes="code-slider"):
                    edits.append(gr.Slider(-SHOWN_EDIT, SHOWN_EDIT, value=0, step=0.25, label=label,
                                           elem_id=f"{prefix}edit-{k}"))
                    ends.append(html_block(elem_id=f"{prefix}ends-{k}"))
            temperature, guidance, seed, min_p = sampling_sliders(prefix, *shown, 7)
        first, *others = EXPLANATION
        others[-1] += NAMED * any(kept and kept.names for kept in stored.values())
        first %= {"x": r"\mathbf{x}_8" if chained else r"\mathbf{x}"}
        hint = HINTED if any(info.told is not None for info in codes.infos.values()) else BLIND
        notes([first, *[THROUGH_CHAIN.replace("{hint}", hint)] * chained, *others])
    drawn = gr.State()
    asked = [size, chooser.name, chooser.picture, *edits]

    def clean(size, name, picture, edits) -> "Asked":
        return Asked(codes.info(size).code, *subject.picture(name, picture),
                     [number(edit, -MAX_EDIT, MAX_EDIT, 0) for edit in edits])

    def show(size, name, picture, *edits):
        """The picture, its code and what the MSE decoder makes of it, also at the ends of the sliders; with draws
        where they are stored."""
        try:
            request = clean(size, name, picture, edits)
            moved = gr.Button(moved_by(stored[request.size], request), visible=request.edited)
            return (*opening(codes, stored, request), moved, *slider_ends(codes, stored, request))
        except UserError as error:
            return gr.skip(), error_status(error), *[gr.skip()] * (1 + len(edits))

    grid.value, status.value, _, *at_first = show(size.value, subject.first, None, *[0] * len(edits))
    for place, value in zip(ends, at_first):
        place.value = value
    showing = {"fn": show, "inputs": asked, "outputs": [grid, status, reset, *ends], "trigger_mode": "always_last",
               **QUIET}

    def decode_code(size, name, picture, *settings):
        """Encode the chosen picture, and draw eight pictures for its code, moved along the principal directions.

        Returns, again after each step: original, code, the MSE decoder's answer, the mean of the draws and the draws as
        HTML with embedded PNGs, at the end with a link to them all; a progress text as HTML; the seed that was used.
        """
        *edits, temperature, guidance, seed, min_p = settings
        wanted = clean(size, name, picture, edits)
        yield from draw(codes, stored, wanted, **clean_sampling(temperature, guidance, min_p, seed))

    runs = wire(tools, status, seed, drawn, api_name=f"decode_code{subject.api}", sampling={
        "fn": decode_code, "inputs": [*asked, temperature, guidance, seed, min_p],
        "outputs": [grid, status, seed, drawn], "preprocess": False})
    # what is stored is there at once; anything else is drawn once the slider rests
    stored_or_drawn = {**runs.up_to_date, "js": SHOWN_OR_DRAWN % (
        prefix, runs.up_to_date["js"], press.draw(prefix, at_rest=True)["js"])}
    size.change(lambda m: [gr.update(label=label) for label in slider_labels(stored[codes.info(m).code], sliders)],
                size, edits, **QUIET)
    gr.on([size.change, *(edit.change for edit in edits)], **showing).then(**stored_or_drawn)
    own_code = f"{[0] * len(edits)}"
    if edits:  # another picture begins with its own code; one that an address brings may be moved, and a refused photo
        # leaves the name of the old one
        chooser.name.input(None, outputs=edits, js=f"() => {own_code}")
        for event in chooser.chosen[1:]:
            event.success(None, inputs=[chooser.name, *edits], outputs=edits,
                          js=f"(name, ...moved) => name ? moved : {own_code}")
        reset.click(None, outputs=edits, js=f"() => {own_code}")
    chooser.then(showing, stored_or_drawn)
    with gr.Accordion("Between two codes", open=False, elem_id=f"{prefix}between") as between:
        path = build_path(prefix, codes, stored, size, chooser, (temperature, guidance, min_p, seed))
    between.expand(**press.draw(f"{prefix}path-", at_rest=True))  # nobody opens it to see empty paper
    html_block(results_html(list(codes.infos.values()), subject.data))
    return {f"{subject.prefix}{key}": component for key, component in {
        "size": size, "picture": chooser.name, **{f"edit{k}": edit for k, edit in enumerate(edits, 1)},
        "temperature": temperature, "guidance": guidance, "min_p": min_p, "seed": seed, **path}.items()}


def lead_html(codes: CodeService) -> str:
    """What the codes of this subject stand for, in a sentence or three."""
    small = min(size_of_code(codes, m) for m in codes.sizes)
    lead = LEAD_CHAIN if is_chained(codes) else LEAD
    return lead.format(small=small, values=3 * small ** 2, sizes=" or ".join(map(str, reversed(codes.sizes))))


def is_chained(codes: CodeService) -> bool:
    """Whether every code of this subject is drawn through a chain."""
    return all(info.chain for info in codes.infos.values())


def size_of_code(codes: CodeService, m: int) -> int:
    """Height and width of the pictures that the code of `m` numbers stands for."""
    chain = codes.info(m).chain
    return codes.service.info(chain).sizes[0] if chain else codes.subject.size


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
        moves = [[*asked.edits[:k], edge, *asked.edits[k + 1:]] for edge in (-SHOWN_EDIT, 0, SHOWN_EDIT)]
        found.append(ends_html([codes.best_guess(asked.size, asked.picture, move) for move in moves], SHOWN_EDIT,
                               names.get(k)))
    return found


def moved_by(kept: StoredCodes | None, asked: Asked) -> str:
    """By how much a code was moved along which sliders, as the words of the button that moves it back."""
    moves = [f"{label} {edit:+g}" for label, edit in zip(slider_labels(kept, len(asked.edits)), asked.edits) if edit]
    return f"Code moved by {', '.join(moves)} – reset"


def bars(codes: CodeService, asked: Asked) -> tuple[np.ndarray, np.ndarray | None]:
    """The code shown, and the picture's own where the one shown was moved."""
    own = codes.bars(asked.size, asked.picture)
    return (codes.bars(asked.size, asked.picture, asked.edits), own) if asked.edited else (own, None)


def parts(codes: CodeService, stored: dict[int, StoredCodes | None], asked: Asked) -> tuple[np.ndarray, dict]:
    """The code shown, and what else of the stage is the same before, while and after it is drawn."""
    code, own = bars(codes, asked)
    return code, {"small": codes.small(asked.size, asked.picture), "own": own, "contrast": contrast(stored, asked),
                  "told": codes.info(asked.size).told is not None}


def opening(codes: CodeService, stored: dict[int, StoredCodes | None], asked: Asked) -> tuple[str, str]:
    """(stage, status) before anything is drawn. Code and MSE decoder are computed: they take milliseconds."""
    guess, kept = codes.best_guess(asked.size, asked.picture, asked.edits), kept_of(stored, asked)
    code, shown = parts(codes, stored, asked)
    if kept is None:
        words = "The code was moved, and the safe guess follows at once; the PixelCNN draws when the slider rests." \
            if asked.edited else "This is the one safe guess. <b>Redraw</b> shows what the PixelCNN draws."
        empty = undrawn(COUNT, *asked.picture.shape)
        return codes_html(asked.picture, code, guess, empty, rows_done=0, **shown), status_html(words)
    k = kept.pictures.index(asked.name)
    words = f"<b>Stored example</b>: {html.escape(asked.name)}. {small_print(settings_line(kept.settings))}"
    stage = codes_html(asked.picture, code, guess, kept.images[k], mean=mean_of(kept, asked, kept.images[k], {}),
                       bits=carried(codes, asked, *kept.bits[k]), **shown)
    return stage, status_html(words, shown=True)


def kept_of(stored: dict[int, StoredCodes | None], asked: Asked) -> StoredCodes | None:
    """Where draws of this picture and of its own code are kept; None where they are not."""
    kept = stored[asked.size]
    return kept if kept and not asked.edited and asked.name in kept.pictures else None


def mean_of(kept: StoredCodes | None, asked: Asked, images: np.ndarray, settings: dict[str, float]
            ) -> tuple[np.ndarray, str]:
    """The mean of many draws (H, W, 3) where it is kept, so that it stays when others are drawn; else, and with other
    settings, that of these (n, H, W, 3). With what to call it."""
    if kept and settings.items() <= kept.settings.items():
        return kept.means[kept.pictures.index(asked.name)], f"mean of {kept.draws} draws"
    return mean_picture(images), f"mean of these {len(images)} draws"


def contrast(stored: dict[int, StoredCodes | None], asked: Asked) -> str:
    """What the same picture becomes by the other code, where that is kept and this one is the picture's own."""
    for size, kept in stored.items():
        if kept and size != asked.size and not asked.edited and asked.name in kept.pictures:
            return contrast_html(size, kept.images[kept.pictures.index(asked.name)], fewer=size < asked.size)
    return ""


def carried(codes: CodeService, asked: Asked, given: float, alone: float) -> str:
    """What the picture's own code saves, in words, by -log2 p of the picture given it and without."""
    what = "The 8 × 8 picture" if codes.info(asked.size).chain else "The picture"
    saved = f"{alone - given:,.0f} bits saved" if alone > given else "they do not help here"
    return (f"{what} takes {given:,.0f} bits to write down, given its {asked.size} numbers, and {alone:,.0f} without "
            f"them: {saved}.")


def draw(codes: CodeService, stored: dict[int, StoredCodes | None], asked: Asked, seed: int, **settings: float
         ) -> Iterator[tuple]:
    """Run one request and yield (stage, status, seed, how far)."""
    guess, (code, shown) = codes.best_guess(asked.size, asked.picture, asked.edits), parts(codes, stored, asked)

    def show(progress: Progress) -> tuple:
        images = progress.images[0]  # (COUNT, H, W, 3)
        if progress.state != "done":
            stage = codes_html(asked.picture, code, guess, images, rows_done=progress.shown_rows, **shown)
            return stage, unfinished_status(progress), seed, None
        # a moved code is that of no picture
        bits = "" if asked.edited else carried(codes, asked, *codes.bits(asked.size, asked.picture))
        stage = codes_html(asked.picture, code, guess, images, bits=bits,
                           mean=mean_of(kept_of(stored, asked), asked, images, settings), **shown)
        words = settings_line({"code of": asked.size, **settings, "seed": seed})
        panels = [(enlarge(np.stack([asked.picture, guess]), len(guess), columns=1), "original, MSE decoder"),
                  (enlarge(images, len(guess), columns=COUNT // 2), "PixelCNN decoder")]
        link = download_link(sheet_png(panels, words), f"code-{asked.size}_seed-{seed}.png", "Download PNG")
        said = f"<b>{COUNT} pictures</b> in {progress.seconds:.1f} s. {small_print(words)}"
        return stage + link, status_html(said, shown=True), seed, None

    yield from frames(codes.decodings(asked.size, asked.picture, COUNT, asked.edits, seed, **settings), show,
                      lambda words: (gr.skip(), words, seed, None))
