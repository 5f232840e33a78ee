"""The buttons that every sampling tab has, and the events that start, stop and repeat a request."""

import random
from dataclasses import dataclass

import gradio as gr

from demo.kit.status import status_html, stopped_status
from demo.service.settings import MAX_GUIDANCE, MAX_MIN_P, MAX_SEED, MAX_TEMPERATURE

QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# One request at a time for all tabs: they share the model's cores.
MODEL_QUEUE = {"concurrency_id": "model", "concurrency_limit": 1, "show_progress": "hidden"}


@dataclass(frozen=True)
class Toolbar:
    """Generate, Stop, New seed; their element ids begin with `prefix`."""

    generate: gr.Button
    stop: gr.Button
    seed: gr.Button

    @property
    def buttons(self) -> list[gr.Button]:
        return [self.generate, self.seed, self.stop]


def toolbar(prefix: str = "") -> Toolbar:
    """The three buttons, inside an open row."""
    return Toolbar(gr.Button("Generate", variant="primary", elem_id=f"{prefix}generate"),
                   gr.Button("Stop", interactive=False, elem_id=f"{prefix}stop"),
                   gr.Button("New seed", elem_id=f"{prefix}new-seed"))


def sampling_sliders(prefix: str, temperature: float, guidance: float, seed: int) -> tuple[gr.Slider, gr.Slider,
                                                                                           gr.Number]:
    """Temperature, guidance and seed, inside an open column."""
    return (gr.Slider(0, MAX_TEMPERATURE, value=temperature, step=0.05, label="Temperature",
                      elem_id=f"{prefix}temperature", info="1 is the model itself; 0 leaves nothing to chance."),
            gr.Slider(0, MAX_GUIDANCE, value=guidance, step=0.1, label="Guidance", elem_id=f"{prefix}guidance",
                      info="1 is the model itself; above 1 stresses the condition."),
            gr.Number(seed, label="Seed", precision=0, elem_id=f"{prefix}seed",
                      info=f"0 to {MAX_SEED}: the same seed draws the same images."))


def min_p_slider(prefix: str, min_p: float) -> gr.Slider:
    """How much of the tail is cut (`Truncation`), inside an open column."""
    return gr.Slider(0, MAX_MIN_P, value=min_p, step=0.01, label="Min-p", elem_id=f"{prefix}min-p",
                     info="Leaves out values less probable than this share of the likeliest. 0 is the paper's sampler; "
                     "bits are always those of the whole model.")


def wire(tools: Toolbar, status: gr.HTML, seed: gr.Number, drawn: gr.State, sampling: dict, api_name: str) -> list:
    """Connect the toolbar to `sampling`, the arguments of the sampling event. Returns the events that Stop cancels.

    `drawn` holds what `stopped_status` says about an unfinished request.
    """
    sampling = {**sampling, **MODEL_QUEUE}
    clicked = tools.generate.click(running_buttons, outputs=[*tools.buttons, status], **QUIET)
    run = clicked.then(api_name=api_name, **sampling)
    new_seed = tools.seed.click(lambda: (*running_buttons(), random.randint(0, MAX_SEED)),
                                outputs=[*tools.buttons, status, seed], **QUIET)
    rerun = new_seed.then(api_visibility="private", **sampling)
    for event in (run, rerun):
        event.success(idle_buttons, outputs=tools.buttons, **QUIET)
        event.failure(idle_buttons, outputs=tools.buttons, **QUIET)
    tools.stop.click(lambda drawn: (*idle_buttons(), stopped_status(drawn)), inputs=drawn,
                     outputs=[*tools.buttons, status], cancels=[run, rerun], **QUIET)
    return [run, rerun]


def running_buttons() -> tuple:
    return (gr.Button(interactive=False), gr.Button(interactive=False), gr.Button(interactive=True),
            status_html("Waiting for a turn…", 0))


def idle_buttons() -> tuple:
    return gr.Button(interactive=True), gr.Button(interactive=True), gr.Button(interactive=False)
