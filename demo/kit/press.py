"""JavaScript that presses a toolbar's buttons for a visitor: what was just chosen is drawn without a second click.

All that a button brings comes with it: one request at a time, Stop, the waiting, the marks. Both are functions of the
prefix of the toolbar's element ids (`run_controls.toolbar`).
"""

PRESS_STOP = """(prefix => {
  const stop = document.getElementById(prefix + "stop");
  if (stop && !stop.disabled) stop.click();
})"""

# A button is idle again only when the server has answered the Stop; and the tab may still be opening.
PRESS_DRAW = """(prefix => {
  const end = Date.now() + 20000;
  const press = () => {
    const draw = document.getElementById(prefix + "generate");
    if (draw && !draw.disabled && draw.getClientRects().length) draw.click();
    else if (Date.now() < end) setTimeout(press, 40);
  };
  setTimeout(press, 40);
})"""


def stop(prefix: str) -> dict:
    """The arguments of an event that stops what is being drawn; before anything new is chosen."""
    return {"fn": None, "js": f"() => {PRESS_STOP}({prefix!r})"}


def draw(prefix: str, condition: str = "true", inputs=None) -> dict:
    """The arguments of an event that draws, where `condition`, JavaScript on the `values` of the inputs, holds."""
    return {"fn": None, "inputs": inputs, "js": f"(...values) => {{ if ({condition}) {PRESS_DRAW}({prefix!r}); }}"}
