"""Tab "Auto-encoder": a picture becomes a few numbers, two decoders make pictures of them (section 3.4, figure 6)."""

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.panels import enlarge
from demo.kit.pictures import bundled, picture_chooser
from demo.kit.portrait_panels import download_link, sheet_png
from demo.kit.run_controls import QUIET, sampling_sliders, toolbar, wire
from demo.kit.status import status_html, unfinished_status
from demo.service.bridge import Service
from demo.service.settings import MAX_GUIDANCE, MAX_SEED, MAX_TEMPERATURE, UserError, number
from demo.tabs.autoencoder.panels import codes_html, results_html
from demo.tabs.autoencoder.path import FIRST, build_path
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import StoredCodes, read_codes

ID, TITLE = "autoencoder", "Auto-encoder"
COUNT = 8
SLIDERS, MAX_EDIT = 4, 3.0  # directions that a visitor can move along, and how many deviations
FRAME_SECONDS = 0.15

MISSING = """### There is no auto-encoder yet
Train the pair with a code of 10 numbers, about half an hour on two CPU cores, and start the app again:
`python -m pixelcnn_core train mse-autoencoder-10 --data DATA --download --max-minutes 7
--out demo/assets/autoencoders/mse-autoencoder-10`, then
`python -m pixelcnn_core train autoencoder-10-cpu --data DATA --max-minutes 26
--out demo/assets/autoencoders/autoencoder-10`."""

EXPLANATION = [
    r"""#### A picture becomes $m$ numbers
A convolutional encoder turns the 3,072 sub-pixels of a picture into a code of $m$ numbers, $\mathbf{z}$. A
Conditional PixelCNN reads the code as $\mathbf{h}$ in every gate, and as a map $\mathbf{s}=m(\mathbf{z})$ that says
where (equations 4 and 5). The encoder learns through the PixelCNN, to make
$$-\log_2 p(\mathbf{x}\mid\mathbf{z}),\qquad \mathbf{z}=\mathrm{encoder}(\mathbf{x})$$
small: section 3.4 of the paper, and its figure 6.""",
    r"""#### Moving along the code
Over many pictures the codes spread further in some directions than in others. The sliders move the code along the
widest ones, in standard deviations. The MSE decoder, which has a code of its own, is moved by what belongs to the same
change there. The noise stays the same, so what changes is the doing of the code.""",
    r"""#### Why one blurs and the other invents
Ten numbers cannot say everything, so many pictures share a code. Squared error,
$\lVert\mathbf{x}-\mathrm{decoder}(\mathbf{z})\rVert^2$, is smallest at the mean of them all, and a mean of sharp
pictures is a blur. A PixelCNN has the whole distribution and draws one of them: sharp, another at every draw. Its error
is twice that of the mean if its distribution is right, because it cannot know which picture was meant, and larger where
it is not: ours was trained for minutes. The code keeps what the picture is about; the rest is invented.""",
]


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    codes = CodeService(service)
    if not codes.sizes:
        gr.Markdown(MISSING)
        return
    stored = {m: read_codes(info.pixelcnn) for m, info in codes.infos.items()}
    sizes = [(f"{m} numbers", str(m)) for m in codes.sizes]
    sliders = min(SLIDERS, *(info.directions for info in codes.infos.values()))

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("autoencoder-")
            status = gr.HTML(elem_id="autoencoder-status", elem_classes="code-status", apply_default_css=False)
            grid = gr.HTML(elem_id="autoencoder-grid", label="Reconstructions", apply_default_css=False)
            gr.HTML(results_html(list(codes.infos.values())), apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            size = gr.Radio(sizes, value=sizes[-1][1], label="Code", elem_id="autoencoder-size", elem_classes="chips")
            chooser = picture_chooser("autoencoder-", service, FIRST)
            edits = [gr.Slider(-MAX_EDIT, MAX_EDIT, value=0, step=0.25, label=f"Code, direction {k}",
                               elem_id=f"autoencoder-edit-{k}",
                               info="In standard deviations; 0 is the picture's own code." if k == 1 else None)
                     for k in range(1, sliders + 1)]
            reset = gr.Button("The picture's own code", size="sm", visible=bool(edits))
            temperature, guidance, seed = sampling_sliders("autoencoder-", *codes.info(sizes[-1][1]).shown, 7)
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    drawn = gr.State()
    asked = [size, chooser.name, chooser.picture, *edits]

    def clean(size, name, picture, edits) -> "Asked":
        return Asked(codes.info(size).code, bundled(name) if name is not None else np.asarray(picture, np.uint8),
                     name or "your picture", [number(edit, -MAX_EDIT, MAX_EDIT, 0) for edit in edits])

    def show(size, name, picture, *edits):
        """The picture, and what the MSE decoder makes of its code; with draws where they are stored."""
        try:
            return opening(codes, stored, clean(size, name, picture, edits))
        except UserError as error:
            return gr.skip(), status_html(html.escape(str(error)))

    grid.value, status.value = show(size.value, FIRST, None, *[0] * len(edits))
    showing = {"fn": show, "inputs": asked, "outputs": [grid, status], "trigger_mode": "always_last", **QUIET}
    gr.on([size.change, *(edit.change for edit in edits)], **showing)
    chooser.then(showing)
    reset.click(lambda: [0] * len(edits), outputs=edits, **QUIET)

    def decode_code(size, name, picture, *settings):
        """Encode the chosen picture, and draw eight pictures for its code, moved along the principal directions.

        Returns, again after each step: original, the MSE decoder's answer and the draws as HTML with embedded PNGs, at
        the end with a link to them all; a progress text as HTML; and the seed that was used.
        """
        *edits, temperature, guidance, seed = settings
        seed = int(number(seed, 0, MAX_SEED, 7))
        try:
            yield from draw(codes, clean(size, name, picture, edits), seed, number(temperature, 0, MAX_TEMPERATURE, 1),
                            number(guidance, 0, MAX_GUIDANCE, 1))
        except UserError as error:
            yield gr.skip(), status_html(html.escape(str(error))), gr.skip(), gr.skip()
            raise gr.Error(str(error), title="Not sampled", print_exception=False) from error

    wire(tools, status, seed, drawn, api_name="decode_code", sampling={
        "fn": decode_code, "inputs": [*asked, temperature, guidance, seed], "outputs": [grid, status, seed, drawn],
        "preprocess": False})
    path = build_path(codes, stored, service, size, chooser, (temperature, guidance, seed))
    address.remember(page, ID, {"size": size, "picture": chooser.name,
                                **{f"edit{k}": edit for k, edit in enumerate(edits, 1)},
                                "temperature": temperature, "guidance": guidance, "seed": seed, **path})


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


def opening(codes: CodeService, stored: dict[int, StoredCodes | None], asked: Asked) -> tuple[str, str]:
    """(stage, status) before anything is drawn. The MSE decoder's answer is computed: it takes milliseconds."""
    guess, kept = codes.best_guess(asked.size, asked.picture, asked.edits), stored[asked.size]
    if kept is None or asked.edited or asked.name not in kept.pictures:
        words = "The code is moved: press <b>Generate</b> to see what the PixelCNN makes of it." if asked.edited else \
            "This is what the MSE decoder makes of it: press <b>Generate</b> for the PixelCNN."
        empty = np.zeros((COUNT, *asked.picture.shape), np.uint8)
        return codes_html(asked.picture, guess, empty, 0, asked.edited), status_html(words)
    k = kept.pictures.index(asked.name)
    settings = " · ".join(f"{key} {value:g}" for key, value in kept.settings.items())
    words = f"<b>Stored example</b>: {html.escape(asked.name)}. {carried(asked, *kept.bits[k])} {html.escape(settings)}"
    return codes_html(asked.picture, guess, kept.images[k]), status_html(words)


def carried(asked: Asked, given: float, alone: float) -> str:
    """What the code saves, in words; -log2 p of the picture itself, so it is also said of an edited code's picture."""
    saved = (alone - given) * asked.picture.size
    words = f"it carries {saved:,.0f} bits of it" if saved > 0 else "it does not help here"
    return (f"The picture costs {given:.2f} bits per dimension given its {asked.size} numbers, {alone:.2f} without: "
            f"{words}.")


def draw(codes: CodeService, asked: Asked, seed: int, temperature: float, guidance: float) -> Iterator[tuple]:
    """Run one request and yield (stage, status, seed, how far), at most every FRAME_SECONDS."""
    guess = codes.best_guess(asked.size, asked.picture, asked.edits)
    yield gr.skip(), status_html("Loading the model…", 0), seed, None
    shown = 0.0
    for progress in codes.decodings(asked.size, asked.picture, COUNT, asked.edits, seed, temperature, guidance):
        if progress.state == "waiting":
            yield gr.skip(), status_html("Waiting: the model serves one request at a time…", 0), seed, None
            continue
        if progress.state == "sampling" and time.monotonic() - shown < FRAME_SECONDS:
            continue
        shown, images = time.monotonic(), progress.images[0]  # (COUNT, H, W, 3)
        stage = codes_html(asked.picture, guess, images, progress.row, asked.edited)
        if progress.state != "done":
            yield stage, unfinished_status(progress), seed, None
            continue
        settings = f"code of {asked.size} · temperature {temperature:g} · guidance {guidance:g} · seed {seed}"
        panels = [(enlarge(np.stack([asked.picture, guess]), len(guess), columns=1), "original, MSE decoder"),
                  (enlarge(images, len(guess), columns=COUNT // 2), "PixelCNN decoder")]
        link = download_link(sheet_png(panels, settings), f"code-{asked.size}_seed-{seed}.png", "Download PNG")
        words = f"<b>{COUNT} pictures</b> in {progress.seconds:.1f} s. " + \
            carried(asked, *codes.bits(asked.size, asked.picture))
        yield stage + link, status_html(f"{words} {settings}"), seed, None
