"""The whole page: header, tabs, footer. A tab is one module with ID, TITLE and build(page, service)."""

import gradio as gr

from demo import (
    about_tab,
    address,
    autoencoder_tab,
    classes_tab,
    complete_tab,
    inside_tab,
    interpolate_tab,
    likelihood_tab,
    portraits_tab,
    scoreboard_tab,
)
from demo.diagram import diagram_html
from demo.guarded import GuardedBlocks
from demo.notebook_links import notebook_links
from demo.service import Service

TABS = (classes_tab, portraits_tab, interpolate_tab, autoencoder_tab, inside_tab, complete_tab, likelihood_tab,
        scoreboard_tab, about_tab)
QUEUE_LENGTH = 16  # requests waiting or running; one more is told that the demo is busy
CACHE_SECONDS = 3600

HEADER = """<div class="masthead"><div>
<p class="kicker">Conditional Image Generation with PixelCNN Decoders, 2016</p>
<h1>A network that draws <br>one pixel at a time</h1>
<p>A PixelCNN draws a picture as one writes a sentence: pixel after pixel, each chosen in the light of all the ones
before it. For red, then green, then blue of every pixel a convolutional network gives a probability to each possible
value, and one is drawn at random. Masks hide from the network whatever is not drawn yet, so the same network also says
exactly how probable a given picture is. <em>Conditional</em> means that it is told what to draw.</p>
</div>{diagram}</div>"""

FOOTER = """<p class="colophon">After <a href="https://arxiv.org/abs/1606.05328" target="_blank" rel="noopener">
van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu (2016)</a>. Everything runs on the machine that
serves this page; nothing you enter is kept.</p>"""

NO_MODELS = """### No trained model was found
Train the smallest one, in about a minute, and start the app again:
`python -m pixelcnn_core train digits --data data --out demo/assets/models/digits`"""


def build_page(service: Service) -> gr.Blocks:
    """The page around a service; launch it with `notebook_theme()` and `STYLE`."""
    page = GuardedBlocks(title="PixelCNN: one pixel at a time", analytics_enabled=False,
                         delete_cache=(CACHE_SECONDS, CACHE_SECONDS))
    with page:
        gr.HTML(HEADER.format(diagram=diagram_html()), elem_id="masthead", apply_default_css=False)
        if service.names:
            with gr.Tabs(elem_id="tabs") as tabs:
                for module in TABS:
                    with gr.Tab(module.TITLE, id=module.ID) as tab:
                        module.build(page, service)
                        notebook_links(module.ID)
                    tab.select(None, js=address.write_tab(module.ID))

            def open_tab(request: gr.Request):
                known = {module.ID for module in TABS}
                wanted = request.query_params.get("tab")
                return gr.Tabs(selected=wanted) if wanted in known else gr.skip()

            opened = page.load(open_tab, outputs=tabs, queue=False, show_progress="hidden", api_visibility="private")
            opened.then(None, js=address.OPENED)
        else:
            gr.Markdown(NO_MODELS)
        gr.HTML(FOOTER, apply_default_css=False)
    return page.queue(max_size=QUEUE_LENGTH, api_open=False)
