"""JavaScript that presses a tab's Draw button for its visitor, once what they moved is at rest and the model free."""

# Nothing is drawn where the picture on the page is that of the settings: a stored one, or one that a link drew.
PRESS = """() => {
  const prefix = %s;
  window.drawSoon ||= {};
  clearTimeout(window.drawSoon[prefix]);
  const find = name => document.getElementById(prefix + name);
  const press = () => {
    const button = find("generate");
    const due = !find("status")?.querySelector("[data-shown]") || button?.closest(".stage")?.matches(".stale");
    if (!due) return;
    if (!button || button.disabled) window.drawSoon[prefix] = setTimeout(press, 300);
    else button.click();
  };
  window.drawSoon[prefix] = setTimeout(press, %d);
}"""


def draw_soon(prefix: str, milliseconds: int = 500) -> str:
    """For `event.then(None, js=...)`; `prefix` is that of the tab's toolbar. A later event starts the wait again."""
    return PRESS % (f'"{prefix}"', milliseconds)
