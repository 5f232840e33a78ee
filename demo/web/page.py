"""The whole page: header, tabs, footer. A tab is one module with ID, TITLE and build(page, service)."""

import html
import logging
from types import ModuleType

import gradio as gr

from demo.kit import address
from demo.kit.html_block import html_block
from demo.kit.page_files import lift_pictures
from demo.service.bridge import Service
from demo.tabs.about import tab as about_tab
from demo.tabs.autoencoder import tab as autoencoder_tab
from demo.tabs.chain import tab as chain_tab
from demo.tabs.classes import tab as classes_tab
from demo.tabs.complete import tab as complete_tab
from demo.tabs.inside import tab as inside_tab
from demo.tabs.interpolate import tab as interpolate_tab
from demo.tabs.likelihood import tab as likelihood_tab
from demo.tabs.portraits import tab as portraits_tab
from demo.tabs.scoreboard import tab as scoreboard_tab
from demo.tabs.story import tab as story_tab
from demo.web.diagram import digit_html
from demo.web.guarded import GuardedBlocks
from demo.web.head import TITLE
from demo.web.notebook_links import notebook_links
from demo.web.sessions import FILE_SECONDS, forget_on_unload

# In the order of understanding: what it is (inside), playing with it (classes to auto-encoder), what it is good for
# (complete, likelihood), how good it is (scoreboard). `frame.css` draws a line before each group. About, the last, is
# reached from the footer.
TABS = (story_tab, inside_tab, classes_tab, portraits_tab, interpolate_tab, chain_tab, autoencoder_tab, complete_tab,
        likelihood_tab, scoreboard_tab, about_tab)
OWN_HEADING = {"about"}  # this tab brings its own
QUEUE_LENGTH = 16  # requests waiting or running; one more is told that the demo is busy
PLACE_SECONDS = 2  # how often those who wait are told their place

HEADER = """<a class="skip" href="#tabs">Skip to the content</a>
<div id="announcer" class="sr-only" role="status"></div>
<header class="strip-head">{digit}<h1>{title}</h1>
<p class="paper">Conditional Image Generation with PixelCNN Decoders, 2016</p></header>"""

FOOTER = """<p class="colophon"><a href="?tab=about">About this page</a> · After
<a href="https://arxiv.org/abs/1606.05328" target="_blank" rel="noopener">van den Oord, Kalchbrenner, Vinyals, Espeholt,
Graves, Kavukcuoglu (2016)</a>. Everything runs on the machine that serves this page; what you enter is forgotten when
you close it.</p>"""

LEFT_OUT = """<p class="facts">Left out, as their files are damaged: {names}.</p>"""

NO_MODELS = """### No trained model was found
Train the smallest one, in about a minute, and start the app again:
`python -m pixelcnn_core train digits --data data --out demo/assets/models/digits`"""


DAMAGED = """### This tab cannot be shown
One of its files on the server is damaged or missing; the log of the server says which."""

log = logging.getLogger(__name__)


def build_tab(page: gr.Blocks, service: Service, module: ModuleType, tab: gr.Tab) -> None:
    """One tab, inside its open `gr.Tab`; a damaged file costs this tab only, which says so."""
    blocks, events = set(page.blocks), set(page.fns)
    try:
        if module.ID not in OWN_HEADING:
            html_block(f'<h2 class="sr-only">{html.escape(module.TITLE)}</h2>')
        module.build(page, service)
        notebook_links(module.ID)
    except Exception as error:  # whatever a file can hold
        log.error("The tab %s is left out: %s: %s", module.TITLE, type(error).__name__, error)
        tab.children.clear()  # what of it was built already, and its events
        for kept, built in ((blocks, page.blocks), (events, page.fns)):
            for number in set(built) - kept:
                del built[number]
        gr.Markdown(DAMAGED)


def build_page(service: Service) -> gr.Blocks:
    """The page around a service; launch it with `notebook_theme()` and `STYLES`."""
    page = GuardedBlocks(title=TITLE, analytics_enabled=False, delete_cache=FILE_SECONDS)
    with page:
        forget_on_unload(page)
        html_block(HEADER.format(digit=digit_html(), title=TITLE), elem_id="masthead")
        if service.left_out:
            html_block(LEFT_OUT.format(names=html.escape(", ".join(service.left_out))))
        if service.names:
            with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
                for module in TABS:
                    with gr.Tab(module.TITLE, id=module.ID, elem_id=f"tab-{module.ID}") as tab:
                        build_tab(page, service, module, tab)
                    tab.select(None, js=address.write_tab(module.ID))
            page.load(None, js=address.OPENED)  # `frame.js` has chosen the tab
        else:
            gr.Markdown(NO_MODELS)
        html_block(FOOTER)
    for block in page.blocks.values():
        if isinstance(block, gr.HTML) and isinstance(block.value, str):
            block.value = lift_pictures(block.value)
    page.let_stop_at_once()
    return page.queue(max_size=QUEUE_LENGTH, status_update_rate=PLACE_SECONDS, api_open=False)
