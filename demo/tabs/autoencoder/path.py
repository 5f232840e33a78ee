"""Folded below the tab "Auto-encoder": from the code of one picture to that of another, by both decoders."""

from collections.abc import Iterator

import gradio as gr
import numpy as np
from gradio.components import Component

from demo.kit.downloads import download_link, sheet_png
from demo.kit.frames import frames
from demo.kit.html_block import html_block
from demo.kit.notes import FORMULAS
from demo.kit.panels import enlarge, settings_line
from demo.kit.picture_chooser import PictureChooser
from demo.kit.run_controls import QUIET, toolbar, wire
from demo.kit.status import error_status, small_print, status_html, unfinished_status
from demo.service.bridge import Progress
from demo.service.settings import UserError, clean_sampling, number
from demo.tabs.autoencoder.panels import code_strip_html
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import StoredCodes

COLUMNS, ROWS = 6, 3
MAX_COLUMNS, MAX_ROWS = 9, 4
FRAME_SECONDS = 0.2  # up to 36 pictures, each enlarged

EXPLANATION = r"""Every column is one code, $(1-t)\,\mathbf{z}_0+t\,\mathbf{z}_1$, on the straight way from one
picture's to the other's. The MSE decoder fades: its answers lie between the two blurs. The PixelCNN draws a picture for
each code; with the same noise in every column, only the code differs along a row, as in figure 5 of the paper."""


def build_path(prefix: str, codes: CodeService, stored: dict[int, StoredCodes | None], size: gr.Radio,
               start: PictureChooser, sampling: tuple[Component, ...]) -> dict[str, Component]:
    """The components and events; size, first picture, temperature, guidance, min-p and seed are those above.

    Returns what the address should remember.
    """
    subject = codes.subject
    temperature, guidance, min_p, seed = sampling
    with gr.Row(elem_classes="bench code-path"):
        with gr.Column(elem_classes="stage"):
            gr.Markdown(EXPLANATION, latex_delimiters=FORMULAS, elem_classes="code-path-words")
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar(f"{prefix}path-")
            status = html_block(elem_id=f"{prefix}path-status", elem_classes="code-status")
            strip = html_block(elem_id=f"{prefix}path-grid", label="Path")
        with gr.Column(elem_classes="margin"):
            html_block('<p class="facts">From the picture above, to this one:</p>')
            end = subject.choose(f"{prefix}to-", subject.to)
            columns = gr.Slider(3, MAX_COLUMNS, value=COLUMNS, step=1, label="Steps", elem_id=f"{prefix}steps")
            rows = gr.Slider(1, MAX_ROWS, value=ROWS, step=1, label="Rows of noise")
            same_noise = gr.Checkbox(True, label="Same noise in every column", elem_id=f"{prefix}same-noise")
    drawn = gr.State()
    pictures = [start.name, start.picture, end.name, end.picture]

    def ends(values) -> list[tuple[np.ndarray, str]]:
        """Two pictures uint8 (H, W, 3) and what to call them, from their choosers' values."""
        found = [subject.picture(*values[:2]), subject.picture(*values[2:])]
        return [(picture, called if name else f"{words} yours")
                for words, name, (picture, called) in zip(("from", "to"), values[::2], found)]

    def show(size, columns, rows, *values):
        """What the MSE decoder makes of the way; with draws where they are stored."""
        try:
            found, m = ends(values), codes.info(size).code
            kept, columns = stored[m], int(number(columns, 3, MAX_COLUMNS, COLUMNS))
            rows = int(number(rows, 1, MAX_ROWS, ROWS))
            if kept and kept.ends == tuple(name for _, name in found) and kept.path.shape[:2] == (columns, rows):
                images, done = kept.path, None
                words = "<b>Stored example</b>. Press <b>Redraw</b> to watch it appear."
            else:
                images, done = np.zeros((columns, rows, *found[0][0].shape), np.uint8), 0
                words = "This is the way of the safe guess: press <b>Redraw</b> for the PixelCNN's."
            guesses = codes.best_guesses(m, found[0][0], found[1][0], columns)
            strip = code_strip_html(guesses, images, labels(columns), found, done)
            return strip, status_html(words, shown=done is None)
        except UserError as error:
            return gr.skip(), error_status(error)

    strip.value, status.value = show(size.value, COLUMNS, ROWS, start.name.value, None, subject.to, None)
    showing = {"fn": show, "inputs": [size, columns, rows, *pictures], "outputs": [strip, status],
               "trigger_mode": "always_last", **QUIET}
    gr.on([control.change for control in (size, columns, rows)], **showing)
    start.then(showing)
    end.then(showing)

    def code_path(size, columns, rows, same_noise, temperature, guidance, min_p, seed, *values):
        """Draw pictures on the way between the codes of two pictures; rows are streamed.

        Returns, again after each step: the strip of both decoders as HTML with embedded PNGs, at the end with a link
        to it as one PNG; a progress text as HTML; and the seed that was used.
        """
        columns, rows = int(number(columns, 3, MAX_COLUMNS, COLUMNS)), int(number(rows, 1, MAX_ROWS, ROWS))
        settings, same_noise = clean_sampling(temperature, guidance, min_p, seed), same_noise is True
        found, m = ends(values), codes.info(size).code
        guesses = codes.best_guesses(m, found[0][0], found[1][0], columns)
        stream = codes.path(m, found[0][0], found[1][0], columns, rows, same_noise, **settings)
        words = settings_line({"code of": m, **settings}) + " · same noise in every column" * same_noise
        yield from draw(stream, guesses, found, words, settings["seed"])

    wire(tools, status, seed, drawn, api_name=f"code_path{subject.api}", sampling={
        "fn": code_path, "preprocess": False, "outputs": [strip, status, seed, drawn],
        "inputs": [size, columns, rows, same_noise, temperature, guidance, min_p, seed, *pictures]}, draws_links=False)
    return {"to": end.name, "steps": columns, "rows": rows, "same": same_noise}


def labels(columns: int) -> list[str]:
    return [f"{k / (columns - 1):.2f}" for k in range(columns)]


def draw(stream: Iterator[Progress], guesses: np.ndarray, ends: list[tuple[np.ndarray, str]], words: str, seed: int
         ) -> Iterator[tuple]:
    """Run one request and yield (strip, status, seed, how far)."""
    names = labels(len(guesses))

    def show(progress: Progress) -> tuple:
        images = progress.images  # (columns, rows, H, W, 3)
        strip = code_strip_html(guesses, images, names, ends, progress.shown_rows)
        if progress.state != "done":
            return strip, unfinished_status(progress), seed, None
        panels = [(enlarge(np.concatenate([guess[None], draws]), len(guess), columns=1), name)
                  for guess, draws, name in zip(guesses, images, names)]
        first, last = ((enlarge(picture[None], len(picture)), name) for picture, name in ends)
        link = download_link(sheet_png([first, *panels, last], f"above: MSE decoder · {words}"),
                             f"code-path_seed-{seed}.png", "Download PNG")
        count = images.shape[0] * images.shape[1]
        said = status_html(f"<b>{count} pictures</b> in {progress.seconds:.1f} s. {small_print(words)}", shown=True)
        return strip + link, said, seed, None

    yield from frames(stream, show, lambda words: (gr.skip(), words, seed, None), FRAME_SECONDS)
