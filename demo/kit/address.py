"""The settings live in the address bar, so a link shows others what one sees.

    ?tab=classes&model=cifar10&classes=cat,dog&n=4&temperature=1&guidance=1&seed=7&noise=own
    ?tab=portraits&portraits.seed=7&portraits.temperature=0.9&portraits.example=Grace+Hopper

The browser writes it (`address.js`, no request to the server); the server reads it when the page opens. The keys of
the tab "Classes" are plain, those of the others begin with the name of their tab (`remember`). Every change of tab,
and every step of the story, is a step for the Back button. What a visitor uploads is never in it. "Copy link" takes of
it what belongs to the open tab.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import gradio as gr
from gradio.components import Component

from demo.kit.run_controls import QUIET
from demo.service.bridge import Service
from demo.service.settings import MAX_SEED, Settings, UserError, number

KEYS = ("model", "classes", "n", "temperature", "guidance", "seed", "noise", "min_p")

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
OPENED = "() => window.address.opened()"  # ends the time in which the page's own events may not write the address


def write(entries: str) -> str:
    """JavaScript that writes to the address. `entries` is a JavaScript function from the values of an event's inputs to
    an object of keys and values; null takes its key out of the address."""
    return f"(...values) => window.address.write(({entries})(...values))"


WRITE_SETTINGS = write("""(model, classes, n, temperature, guidance, seed, same, min_p) => (
  {model, classes: (classes || []).join(","), n, temperature, guidance, seed, noise: same ? "same" : "own", min_p})""")


def remember(page: gr.Blocks, prefix: str, components: dict[str, Component]) -> None:
    """Keep sliders, numbers, radios, dropdowns and checkboxes in the address as `prefix.key`, and put their values back
    when the page opens with such an address. A value that a component cannot have leaves it as it is."""
    names = json.dumps([f"{prefix}.{key}" for key in components])
    gr.on([component.change for component in components.values()], fn=None, inputs=list(components.values()),
          js=write(f"(...all) => Object.fromEntries({names}.map((name, k) => [name, all[k]]))"))

    def restore(request: gr.Request):
        values = [read_value(component, request.query_params.get(f"{prefix}.{key}"))
                  for key, component in components.items()]
        return values if len(values) > 1 else values[0]

    page.load(restore, outputs=list(components.values()), **QUIET)


def read_value(component: Component, text: str | None):
    """The value that a component takes from the text of an address; `gr.skip()` where it should stay as it is.

    A `gr.Number` without bounds is a seed.
    """
    if text is None:
        return gr.skip()
    if isinstance(component, gr.Checkbox):
        return text == "true"
    if isinstance(component, (gr.Radio, gr.Dropdown)):
        return text if text in [value for _, value in component.choices] else gr.skip()
    high = MAX_SEED if component.maximum is None else component.maximum
    value = number(text, component.minimum or 0, high, component.value)
    whole = component.precision == 0 if isinstance(component, gr.Number) else float(component.step).is_integer()
    return int(value) if whole else round(value, 3)


def write_tab(tab: str) -> str:
    """JavaScript that notes the open tab in the address, as a step of its own for the Back button."""
    return f"() => window.address.tabShown({json.dumps(tab)})"


def read_settings(service: Service, query: Mapping[str, str]) -> tuple[Settings | None, str]:
    """The settings in a query string, None if it has none; and a sentence for the visitor where a part is wrong.

    A part that is wrong is left at its default: an old or mistyped link still opens the page.
    """
    if not any(key in query for key in KEYS):
        return None, ""
    values = {"images": query.get("n"), "temperature": query.get("temperature"), "guidance": query.get("guidance"),
              "seed": query.get("seed"), "same_noise": query.get("noise"), "min_p": query.get("min_p")}
    model, classes, problem = query.get("model"), query.get("classes"), ""
    try:
        service.info(model or service.names[0])
    except UserError as error:
        model, classes, problem = None, None, str(error)
    try:
        return service.settings(model or None, classes=classes, **values), problem
    except UserError as error:
        return service.settings(model or None, **values), problem or str(error)
