"""What a tab explains, in Markdown with formulas."""

from collections.abc import Iterable

import gradio as gr

from demo.kit.html_block import html_block

FORMULAS = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]
NO_COLOUR_MODEL = """### There is no colour model yet
Train one: `python -m pixelcnn_core train cifar10-cpu --data data --download --out demo/assets/models/cifar10`."""


FOLD = """<button type="button" aria-expanded="false">{words}</button>"""
UNFOLD = """element.addEventListener("click", event => {
  const button = event.target.closest("button"), notes = element.closest("[role=tabpanel]").querySelector(".notes");
  button?.setAttribute("aria-expanded", notes.classList.toggle("open"));
});"""


def notes(texts: Iterable[str], fold: str = "") -> None:
    """The column of explanations, inside an open `gr.Blocks`. `fold` are the words of a button that opens it on a
    phone; without them it is open everywhere."""
    if fold:
        html_block(FOLD.format(words=fold), elem_classes="notes-fold", js_on_load=UNFOLD)
    with gr.Column(elem_classes=["notes", *["folds"] * bool(fold)]):
        for text in texts:
            gr.Markdown(text, latex_delimiters=FORMULAS)
