"""HTML of the page's own. Gradio would lay the margins and sizes of an article over it; the look of every block stands
in the page's own style sheets."""

import functools

import gradio as gr

html_block = functools.partial(gr.HTML, apply_default_css=False)
