"""The buttons that every sampling tab has, and the events that start, stop and repeat a request.

A tab opens a row of the class "toolbar" inside a column of the class "stage", calls `toolbar` there, and `wire` at the
end. From then on, all in the browser (`run_controls.js`): a changed setting marks the picture as out of date and
Redraw as due; a waiting request says its place in the queue; what arrives after Stop changes nothing; a link with
settings of its own is drawn as soon as it is open; the picture can be downloaded.
"""

import functools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from demo.kit.status import error_status, refusal, status_html, stopped_status
from demo.service.settings import MAX_GUIDANCE, MAX_MIN_P, MAX_SEED, MAX_TEMPERATURE, UserError

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# One request at a time for all tabs: they share the model's cores.
MODEL_QUEUE = {"concurrency_id": "model", "concurrency_limit": 1, "show_progress": "hidden"}
# Faces are looked for beside what is being drawn: a photo that is refused stops nothing.
FACES_QUEUE = {"concurrency_id": "faces", "concurrency_limit": 1, "show_progress": "hidden"}

# What a visitor sets: a change of one of these makes a picture out of date.
CONTROLS = (gr.Slider, gr.Number, gr.Radio, gr.Dropdown, gr.Checkbox, gr.CheckboxGroup, gr.ColorPicker)


@dataclass(frozen=True)
class Toolbar:
    """Redraw, Stop, Draw another. Their element ids begin with `prefix`."""

    generate: gr.Button
    stop: gr.Button
    seed: gr.Button

    @property
    def buttons(self) -> list[gr.Button]:
        """Those that a running request switches on and off."""
        return [self.generate, self.seed, self.stop]

    @property
    def prefix(self) -> str:
        return self.generate.elem_id.removesuffix("generate")


class Runs(list):
    """The events that Stop cancels; `cancels=runs` takes them.

    `up_to_date` are the arguments of a step after an event that itself brings the picture of the settings on the page,
    a stored one for example: `model.input(show_model, ...).then(**runs.up_to_date)`. It takes the mark away.
    """

    def __init__(self, events: list[Dependency], up_to_date: dict):
        super().__init__(events)
        self.up_to_date = up_to_date


def toolbar(prefix: str = "") -> Toolbar:
    """The buttons, inside an open row of the class "toolbar"."""
    tools = Toolbar(gr.Button("Redraw", variant="primary", elem_id=f"{prefix}generate"),
                    seed=gr.Button("Draw another", elem_id=f"{prefix}new-seed"),
                    stop=gr.Button("Stop", interactive=False, elem_id=f"{prefix}stop"))
    sharing_buttons(prefix)
    return tools


def sharing_buttons(prefix: str) -> None:
    """Copy link, and Download PNG; at the end of such a row."""
    for name, words, action in (("link", "Copy link", "copyLink"), ("png", "Download PNG", "download")):
        button = gr.Button(words, elem_id=f"{prefix}{name}", elem_classes="quiet")
        button.click(None, js=f"() => window.runs.{action}({json.dumps(prefix)})")


def looking_toolbar(prefix: str) -> gr.Button:
    """The buttons of a tab that draws nothing, which looks at what was chosen; inside an open row of the class
    "toolbar". Returns Stop, which is there only while it can be pressed."""
    stop = gr.Button("Stop", interactive=False, elem_id=f"{prefix}stop", elem_classes="fleeting")
    sharing_buttons(prefix)
    return stop


def sampling_sliders(prefix: str, temperature: float, guidance: float, min_p: float, seed: int
                     ) -> tuple[gr.Slider, gr.Slider, gr.Number, gr.Slider]:
    """Temperature, guidance, seed and min-p (`Truncation`), folded, inside an open column."""
    with gr.Accordion("How it is drawn", open=False, elem_id=f"{prefix}how"):
        return (gr.Slider(0, MAX_TEMPERATURE, value=temperature, step=0.05, label="Temperature",
                          elem_id=f"{prefix}temperature", info="1 is the model itself; 0 leaves nothing to chance."),
                gr.Slider(0, MAX_GUIDANCE, value=guidance, step=0.1, label="Guidance", elem_id=f"{prefix}guidance",
                          info="1 is the model itself; more insists on what it is told."),
                gr.Number(seed, label="Seed", precision=0, elem_id=f"{prefix}seed",
                          info="The same seed draws the same pictures."),
                gr.Slider(0, MAX_MIN_P, value=min_p, step=0.01, label="Min-p", elem_id=f"{prefix}min-p",
                          info="Leaves out unlikely values. 0 is the paper's sampler."))


def queued(status: gr.HTML) -> dict:
    """As MODEL_QUEUE; the place in the queue stands in `status`, a line with a bar that `waits` has written."""
    return {**MODEL_QUEUE, "show_progress": "minimal", "show_progress_on": status}


def waits(status: gr.HTML, text: str = "Waiting for a turn…", stop: gr.Button | None = None, rest=()) -> dict:
    """The arguments of an event that says at once that what was asked for is waited for, that `stop` may be pressed and
    the buttons in `rest` not; before one that is `queued`. What then changes in the line is read out."""
    told = f"window.runs.waits({json.dumps(status.elem_id)}, {json.dumps(text)})"
    return {"fn": lambda: unpacked([status_html(text, 0), *switched(stop, rest, True)]), **QUIET,
            "outputs": [status, *[stop] * (stop is not None), *rest], "js": f"() => {{ {told}; return []; }}"}


def rests(stop: gr.Button, rest=()) -> dict:
    """The arguments of an event after such a one."""
    return {"fn": lambda: unpacked(switched(stop, rest, False)), "outputs": [stop, *rest], **QUIET}


def switched(stop: gr.Button | None, rest, running: bool) -> list:
    """`stop`, if there is one, and the other buttons, while something runs or after."""
    own = [] if stop is None else [gr.Button(interactive=running)]
    return [*own, *(type(one)(interactive=not running) for one in rest)]


def unpacked(values: list):
    """What an event returns: for one output no list."""
    return values if len(values) > 1 else values[0]


def wire(tools: Toolbar, status: gr.HTML, seed: gr.Number, drawn: gr.State, sampling: dict, api_name: str,
         controls: list[Component] | None = None, draws_links: bool = True) -> Runs:
    """Connect the toolbar to `sampling`, the arguments of the sampling event. Returns the events that Stop cancels.

    Its `fn` is a generator; where that raises UserError, the sentence stands in `status`, and the rest stays.

    drawn        holds what `stopped_status` says about an unfinished request
    controls     whose changes make the picture out of date; default: all sliders, choices and numbers among the inputs
    draws_links  whether a link with settings of its own is drawn when the page opens with it
    """
    watched = [c for c in sampling["inputs"] if isinstance(c, CONTROLS)] if controls is None else controls
    # The seed that was used is told to clients of the API; the field itself is the visitor's, who may be typing there.
    used = gr.Number(visible=False, label="Seed", precision=0)
    sampling = {**sampling, **queued(status), "fn": told_of_errors(sampling, status),
                "outputs": [used if one is seed else one for one in sampling["outputs"]]}

    def tell(what: str) -> dict:
        """The arguments of an event in which `run_controls.js` hears the values of all controls."""
        first = json.dumps({"prefix": tools.prefix, "base": [control.value for control in watched],
                            "seed": watched.index(seed) if seed in watched else -1, "drawsLinks": draws_links})
        return {"fn": None, "inputs": watched, "js": f"(...values) => window.runs.{what}({first}, values)"}

    gr.on([control.change for control in watched], **tell("changed"))
    # The browser answers first: the events of one click run in the order in which they stand here.
    tools.generate.click(**tell("drawing"))
    tools.seed.click(**tell("drawing"))
    tools.stop.click(**tell("stopped"))
    clicked = tools.generate.click(running_buttons, outputs=[*tools.buttons, status], **QUIET)
    run = clicked.then(api_name=api_name, **sampling)
    new_seed = tools.seed.click(lambda: (*running_buttons(), random.randint(0, MAX_SEED)),
                                outputs=[*tools.buttons, status, seed], **QUIET)
    new_seed.then(**tell("drawing"))  # with the new seed
    # a name of its own, or it takes that of the function, which another tab's run may have
    rerun = new_seed.then(api_name=f"{api_name}_again", api_visibility="private", **sampling)
    for event in (run, rerun):
        event.success(idle_buttons, outputs=tools.buttons, **QUIET)
        event.success(**tell("done"))
        event.failure(idle_buttons, outputs=tools.buttons, **QUIET)
        event.failure(**tell("failed"))
    tools.stop.click(lambda drawn: (*idle_buttons(), stopped_status(drawn)), inputs=drawn,
                     outputs=[*tools.buttons, status], cancels=[run, rerun], **QUIET)
    return Runs([run, rerun], tell("upToDate"))


def told_of_errors(sampling: dict, status: gr.HTML) -> Callable:
    """The `fn` of an event, a generator, that says in `status` what a visitor can mend."""
    @functools.wraps(sampling["fn"])  # the page documents it
    def run(*values):
        try:
            yield from sampling["fn"](*values)
        except UserError as error:
            yield tuple(error_status(error) if one is status else gr.skip() for one in sampling["outputs"])
            raise refusal(error) from error

    return run


def running_buttons() -> tuple:
    return (gr.Button(interactive=False), gr.Button(interactive=False), gr.Button(interactive=True),
            status_html("Waiting for a turn…", 0))


def idle_buttons() -> tuple:
    return gr.Button(interactive=True), gr.Button(interactive=True), gr.Button(interactive=False)
