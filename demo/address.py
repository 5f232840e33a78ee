"""The settings live in the address bar, so a link shows others what one sees.

    ?tab=classes&model=cifar10&classes=cat,dog&n=4&temperature=1&guidance=1&seed=7&noise=own

The browser writes it (no request to the server); the server reads it when the page opens.
"""

from collections.abc import Mapping

from demo.service import Service
from demo.settings import Settings, UserError

KEYS = ("model", "classes", "n", "temperature", "guidance", "seed", "noise")

# While the page opens, its own events must not overwrite the address that it is opened with: `OPENED` ends that time.
OPENED = """() => {
  window.addressRead = true;
  if (window.writeTab) window.writeTab();
}"""

# Sliders fire on every step of a drag, and browsers limit how often a page may write its address.
WRITE_SETTINGS = """(model, classes, n, temperature, guidance, seed, same) => {
  if (!window.addressRead) return;
  clearTimeout(window.addressTimer);
  window.addressTimer = setTimeout(() => {
    const query = new URLSearchParams(window.location.search);
    const values = {model, classes: (classes || []).join(","), n, temperature, guidance, seed,
                    noise: same ? "same" : "own"};
    for (const [key, value] of Object.entries(values)) query.set(key, value ?? "");
    history.replaceState(history.state, "", "?" + query);
  }, 150);
}"""


def write_tab(tab: str) -> str:
    """JavaScript that notes the open tab in the address."""
    return f"""() => {{
  window.writeTab = () => {{
    const query = new URLSearchParams(window.location.search);
    query.set("tab", "{tab}");
    history.replaceState(history.state, "", "?" + query);
  }};
  if (window.addressRead) window.writeTab();
}}"""


COPY_LINK = """async () => {
  const button = document.querySelector("#copy-link");
  try {
    await navigator.clipboard.writeText(window.location.href);
    button.textContent = "Link copied";
  } catch {  // only pages served over https, or from this computer, may write to the clipboard
    button.textContent = "Copy it from the address bar";
  }
  setTimeout(() => button.textContent = "Copy link", 3000);
}"""


def read_settings(service: Service, query: Mapping[str, str]) -> tuple[Settings | None, str]:
    """The settings in a query string, None if it has none; and a sentence for the visitor where a part is wrong.

    A part that is wrong is left at its default: an old or mistyped link still opens the page.
    """
    if not any(key in query for key in KEYS):
        return None, ""
    values = {"images": query.get("n"), "temperature": query.get("temperature"), "guidance": query.get("guidance"),
              "seed": query.get("seed"), "same_noise": query.get("noise")}
    model, classes, problem = query.get("model"), query.get("classes"), ""
    try:
        service.info(model or service.names[0])
    except UserError as error:
        model, classes, problem = None, None, str(error)
    try:
        return service.settings(model or None, classes=classes, **values), problem
    except UserError as error:
        return service.settings(model or None, **values), problem or str(error)
