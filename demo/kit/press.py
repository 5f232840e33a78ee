"""JavaScript that presses a toolbar's buttons for a visitor: what was just chosen is drawn without a second click.

All that a button brings comes with it: one request at a time, Stop, the waiting, the marks. Both are functions of the
prefix of the toolbar's element ids (`run_controls.toolbar`).
"""

import json

PRESS_STOP = """(prefix => {
  const stop = document.getElementById(prefix + "stop");
  if (stop && !stop.disabled) stop.click();
})"""

# A button is idle again only when the server has answered a Stop, or a run has ended; and the tab may still be opening.
# A later press, and every press of the visitor's own, takes the place of one that waits.
PRESS_DRAW = """((prefix, atRest) => {
  const waiting = window.presses ||= {}, find = name => document.getElementById(prefix + name);
  const forget = () => clearTimeout(waiting[prefix]), end = Date.now() + 60000;
  const due = draw => !find("status")?.querySelector("[data-shown]") || draw.closest(".stage")?.matches(".stale");
  const press = () => {
    const draw = find("generate");
    if (draw && !draw.disabled && draw.getClientRects().length) {
      if (!atRest || due(draw)) draw.click();
    } else if (Date.now() < end) waiting[prefix] = setTimeout(press, 40);
  };
  forget();
  for (const name of ["generate", "new-seed", "stop"]) find(name)?.addEventListener("click", forget, {once: true});
  waiting[prefix] = setTimeout(press, atRest ? 500 : 40);
})"""


def stop(prefix: str, condition: str = "true", inputs=None) -> dict:
    """The arguments of an event that stops what is being drawn, where `condition`, JavaScript on the `values` of the
    inputs, holds; before anything new is chosen."""
    return {"fn": None, "inputs": inputs, "js": f"(...values) => {{ if ({condition}) {PRESS_STOP}({prefix!r}); }}"}


def draw(prefix: str, condition: str = "true", inputs=None, at_rest: bool = False) -> dict:
    """The arguments of an event that draws, where `condition`, JavaScript on the `values` of the inputs, holds.

    at_rest  not before what is moved has rested for half a second, and not where the picture on the page is already
             that of the settings: a stored one, or one that a link drew
    """
    return {"fn": None, "inputs": inputs, "js": f"(...values) => {{ if ({condition}) "
                                                f"{PRESS_DRAW}({prefix!r}, {json.dumps(at_rest)}); }}"}
