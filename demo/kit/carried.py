"""One picture and one pixel go with a visitor from tab to tab.

The browser knows the name of a bundled picture and the pixel, and keeps both in the address (`p=rocket&at=12,20`); the
server keeps the picture itself for that visitor, for an upload is never in the address. A tab that is opened asks for
it only if another tab has chosen since (`arrivals`).
"""

import json
from dataclasses import dataclass

import gradio as gr
import numpy as np
from gradio.context import Context
from gradio.events import Dependency

from demo.kit import address
from demo.kit.crop import STATE_SECONDS
from demo.kit.html_block import html_block
from demo.kit.pictures import PICTURES, bundled
from demo.kit.run_controls import QUIET

NAMES = {"inside": "Inside", "likelihood": "Likelihood", "complete": "Complete"}
FOLLOW = """element.addEventListener("click", event => {
  const link = event.target.closest("a[data-go]");
  const tab = link && document.querySelector(`[role=tab][data-tab-id="${link.dataset.go}"]`);
  if (tab && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); tab.click(); }
});"""


@dataclass(frozen=True)
class Carried:
    """The picture that goes with a visitor, uint8 (H, W, 3); the name of a bundled one; of a sample that can be drawn
    again its class and seed."""

    picture: np.ndarray
    name: str | None = None
    sample: tuple[str, int] | None = None


def carried_state(page: gr.Blocks) -> gr.State:
    """What the tabs of a page share: a `Carried`, or None as long as every tab shows the picture it opens with."""
    state = getattr(page, "carried", None)
    if state is None or state._id not in page.blocks:  # a tab that could not be built took it away
        state = page.carried = gr.State(None, time_to_live=STATE_SECONDS)
    return state


# In the browser: the last choice of all tabs, counted, and which of them each tab has seen.
CARRIED = """(window.carried ||= (() => {
  const query = new URLSearchParams(location.search), tab = query.get("tab");
  const name = query.get("p") ?? query.get(`${tab}.picture`), at = query.get("at") ?? query.get(`${tab}.pixel`);
  window.pixelAt = at ? at.split(",").map(Number) : null;
  return {name, count: name || at ? 1 : 0, seen: {}};
})())"""


def departure(page: gr.Blocks, tab_id: str, event: Dependency, read, inputs: list) -> None:
    """After an event that chose another picture: it goes with the visitor. `read` makes a `Carried` of the values of
    `inputs`, or None where nothing was chosen after all; the first input is the name of a bundled picture."""
    event.success(lambda *values: read(*values) or gr.skip(), inputs, carried_state(page), **QUIET)
    told = address.write("name => ({p: name})")
    event.success(None, inputs=inputs[0], js=f"""name => {{
  const carried = {CARRIED};
  [carried.name, carried.seen["{tab_id}"]] = [name, ++carried.count];
  ({told})(name);
}}""")


def arrivals(page: gr.Blocks, tab_id: str) -> tuple[gr.Button, gr.State, gr.Textbox]:
    """For a tab, called inside it: a button that the browser presses when the tab is opened and another tab has chosen
    a picture since, or the address names one; with the shared state and a text for `arrived`."""
    button = gr.Button("", elem_id=f"{tab_id}-arrive", elem_classes="unseen")
    hint = gr.Textbox(visible=False)
    look = f"""() => {{
  const carried = {CARRIED}, shown = document.querySelector("#{tab_id}-arrive")?.closest("[role=tabpanel]");
  const hidden = !shown || getComputedStyle(shown).display === "none";
  if (hidden || (carried.seen["{tab_id}"] ?? 0) === carried.count) return;
  carried.seen["{tab_id}"] = carried.count;
  document.querySelector("#{tab_id}-arrive").click();
}}"""
    tab = Context.block
    while tab is not None and not isinstance(tab, gr.Tab):
        tab = tab.parent
    if tab is not None:
        tab.select(None, js=f"() => setTimeout({look}, 60)")
    page.load(None, js=f"() => setTimeout({look}, 60)")
    return button, carried_state(page), hint


# What the browser knows of a choice, as the second input of an event: the text of `arrived`.
HINT = f"(...all) => [all[0], JSON.stringify({{name: {CARRIED}.name, at: window.pixelAt}}), ...all.slice(2)]"


def arrived(carried, hint) -> tuple[Carried | None, tuple[int, int] | None]:
    """The picture and the pixel that came along, whatever a browser says; None for what did not."""
    try:
        told = json.loads(hint)
        name, at = told.get("name"), told.get("at")
    except (TypeError, ValueError, AttributeError):
        name = at = None
    if isinstance(name, str) and name in PICTURES:
        carried = Carried(bundled(name), name)
    pixel = tuple(at) if isinstance(at, list) and len(at) == 2 and all(type(k) is int for k in at) else None
    return carried if isinstance(carried, Carried) else None, pixel


def elsewhere(tab_id: str) -> gr.HTML:
    """Links to the other tabs that look at one picture: it goes along."""
    links = " · ".join(f'<a href="?tab={other}" data-go="{other}">{title}</a>' for other, title in NAMES.items()
                       if other != tab_id)
    return html_block(f'<p class="elsewhere">See this picture in {links}</p>', js_on_load=FOLLOW)
