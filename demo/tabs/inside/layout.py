"""Where everything stands in the Inside tab: the picture first, with its odds beside it, then what one may choose, then
the figures below. What happens when something is pressed is in `tab.py`."""

from dataclasses import dataclass

import gradio as gr

from demo.kit import crop
from demo.kit.carried import elsewhere
from demo.kit.heat_map import scale_html
from demo.kit.html_block import html_block
from demo.kit.pictures import PICTURES
from demo.kit.pixel_canvas import pixel_canvas
from demo.kit.run_controls import Toolbar, toolbar
from demo.kit.status import status_html
from demo.tabs.inside.figures import fields_panel, fields_value, passes_panel
from demo.tabs.inside.panels import compared_html, describe, picture_value
from demo.tabs.inside.service import InsideService, Shown
from demo.tabs.inside.trace_panel import trace_panel
from demo.tabs.inside.words import CHANGES, FIELDS, LEAD, MASK, SURPRISE

SAMPLE = "a sample"  # in the address; on the page it is the words of DRAWN
DRAWN = "Let the network draw one"


@dataclass(frozen=True)
class Parts:
    """The components that events read or write."""

    canvas: gr.HTML
    undo: gr.Button
    tools: Toolbar
    status: gr.HTML
    panel: gr.HTML
    comparison: gr.HTML
    picture: gr.Radio
    upload: gr.UploadButton
    label: gr.Dropdown
    seed: gr.Number
    refused: gr.HTML
    part: crop.Crop
    fields: gr.HTML
    influence: gr.HTML
    passes: gr.HTML


def lay_out(tab_id: str, inside: InsideService, shown: Shown, place: tuple[int, int], chosen: str, example: bool,
            passes: dict) -> Parts:
    """All components, inside an open `gr.Tab`: `shown` with `place` in the frame, of the picture that is `chosen`."""
    with gr.Column(elem_classes="stage inside-stage"):
        html_block(LEAD)
        with gr.Row(elem_classes="inside-top"):
            with gr.Column(min_width=200, elem_classes="inside-left"):
                canvas = pixel_canvas("inside-canvas", "The picture", "paint",
                                      picture_value(shown, place, example=example),
                                      layers=("picture", "changes", "surprise", "mask"), kernel=inside.kernel)
                html_block(CHANGES, elem_id="inside-changes")
                html_block(SURPRISE + scale_html(), elem_id="inside-scale")
                html_block(MASK.format(kernel=inside.kernel), elem_id="inside-mask")
                with gr.Row(elem_classes="toolbar"):
                    undo = gr.Button("Undo the paint", interactive=bool(shown.painted.any()), elem_id="inside-undo")
                    tools = toolbar("inside-")
                status = html_block(status_html(describe(shown), shown=True), elem_id="inside-status")
            with gr.Column(min_width=200):
                panel = trace_panel("inside-trace", "inside-canvas")
                comparison = html_block(compared_html(shown), elem_id="inside-comparison")
        with gr.Row(elem_classes="inside-choice"):
            picture = gr.Radio([*PICTURES, (DRAWN, SAMPLE)], value=chosen, label="Another picture",
                               elem_id="inside-picture", elem_classes="chips")
            upload = gr.UploadButton("Your own photo", file_types=["image"], size="sm", elem_id="inside-upload")
            label = gr.Dropdown(list(inside.labels), value=shown.label, label="What the network is told",
                                elem_id="inside-class")
            seed = gr.Number(shown.seed, label="Seed", precision=0, elem_id="inside-seed")
            refused = html_block("", elem_id="inside-refused")
            part = crop.crop_frame("inside-crop")
            elsewhere(tab_id)
        with gr.Row(elem_classes="inside-below"):
            with gr.Column(min_width=200, elem_classes="inside-fields"):
                html_block(FIELDS)
                fields = fields_panel("inside-fields", "inside-canvas", fields_value(shown.image, place))
            with gr.Column(min_width=200, elem_classes="inside-influence"):
                html_block("<h3>And what counts most?</h3>")
                influence = html_block('<p class="legend">Being worked out…</p>', elem_id="inside-influence")
        with gr.Column(elem_classes="inside-passes"):
            html_block("<h3>The same picture, all pixels at once</h3>")
            settling = passes_panel("inside-passes", passes)
    return Parts(canvas, undo, tools, status, panel, comparison, picture, upload, label, seed, refused, part, fields,
                 influence, settling)
