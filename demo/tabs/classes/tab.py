"""Tab "Classes": images of the chosen classes, appearing row by row as they are sampled (figure 3 of the paper)."""

import tempfile
from collections.abc import Iterator

import gradio as gr

from demo.kit import address, press
from demo.kit.downloads import write_figure
from demo.kit.frames import frames
from demo.kit.html_block import html_block
from demo.kit.model_facts import card_text, facts_html, model_choices
from demo.kit.notes import notes
from demo.kit.run_controls import QUIET, idle_buttons, sampling_sliders, toolbar, wire
from demo.kit.status import finished_status, running_status, stored_status
from demo.kit.stored import Stored, read_stored
from demo.service.bridge import Progress, Service
from demo.service.faces import rows_shown
from demo.service.settings import MAX_IMAGES, MAX_IMAGES_PER_CLASS, NO_CLASS, Settings, number
from demo.tabs.classes.knobs import KNOBS, knob_strip, read_knobs
from demo.tabs.classes.panels import as_shown, blank_html, grid_html

ID, TITLE = "classes", "Classes"
SETTINGS = ("images", "temperature", "guidance", "seed", "same_noise", "min_p")
NONE_CHOSEN = "<p>Choose at least one class.</p>"

EXPLANATION = [
    r"""### One pixel after another
A picture starts empty. From left to right and from top to bottom, each pixel gets its red, then its green, then its
blue: each is drawn by the odds that the network gives once all before it is there. Language models write like this,
word by word.
$$p(\mathbf{x}\mid\mathbf{h})=\prod_i p(x_i\mid x_1,\dots,x_{i-1},\mathbf{h})$$
Equation 3 of the paper. A model that goes from coarse to fine does this for a small picture first, then for larger
ones.""",
    r"""### The class opens and closes gates
The word becomes a list $\mathbf{h}$: a 1 for the chosen class, a 0 for each other one. Every layer has a *gate*, which
decides how much of what it says goes on, and adds $\mathbf{h}$ there, in all places alike: so $\mathbf{h}$ says *what*
to draw, not *where*.
$$\tanh(W_f\ast\mathbf{x}+V_f^{\top}\mathbf{h})\odot\sigma(W_g\ast\mathbf{x}+V_g^{\top}\mathbf{h})$$
Equation 4. “No class” leaves $\mathbf{h}$ at zero: the same network, told nothing.""",
    r"""### The same dice, other odds
Each value takes one random number, fixed by the seed. With the same noise for every class only the odds differ: watch a
shape stay where it is and become a ship or a truck. *Temperature* $T$ sharpens the odds, $p^{1/T}$; *min-p* drops the
least likely values (as *nucleus sampling* does, by another rule); *classifier-free guidance* $w$ draws what is likelier
with the class than without it, $p(x)^{1-w}\,p(x\mid\mathbf{h})^{w}$. The last two are younger than the paper, whose
way, each value from the odds as they are, is called *ancestral sampling*.""",
]

LEAD = """<p class="lead">Tell it a word, and it draws. The same random numbers draw every picture; only the word
changes.</p>"""


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    stored = {name: read_stored(service.folder / name, info) for name, info in service.infos.items()}
    knobs = {name: read_knobs(service.folder / name, info) for name, info in service.infos.items()}
    first = service.names[0]
    info, shown = service.info(first), stored[first]
    settings = shown.settings if shown else service.settings(first, same_noise=True)

    with gr.Row(elem_classes="bench classes-bench"):
        with gr.Column(elem_classes="classes-choice"):
            html_block(LEAD)
            classes = gr.CheckboxGroup([*info.classes, NO_CLASS], value=list(settings.classes), elem_id="classes",
                                       label="Draw a picture of", elem_classes="chips")
            with gr.Row(elem_classes="classes-row"):
                with gr.Row(elem_classes="small-buttons"):
                    all_button = gr.Button("All classes", size="sm", min_width=60)
                    none_button = gr.Button("None", size="sm", min_width=60)
                same_noise = gr.Checkbox(settings.same_noise, label="Same noise, every class", elem_id="same-noise",
                                         info="All share their random numbers: what differs is the class alone.")
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar()
                reason = html_block("", elem_id="none-chosen")
            status = html_block(stored_status(shown), elem_id="status")
            grid = html_block(stored_panels(service, first, shown), elem_id="grid", label="Samples")
            with gr.Row(elem_classes="knob-strips"):
                strips = {name: knob_strip(f"knob-{name}", knobs[first][name]) for name in KNOBS}
        with gr.Column(elem_classes="margin"):
            model = gr.Radio(model_choices(service.names), value=first, label="Model", elem_id="model")
            facts = html_block(facts_html(info), elem_id="facts")
            images = gr.Slider(1, MAX_IMAGES_PER_CLASS, value=settings.images, step=1, label="Images per class",
                               elem_id="images", info=f"At most {MAX_IMAGES} images at once.")
            temperature, guidance, seed, min_p = sampling_sliders("", settings.temperature, settings.guidance,
                                                                  settings.min_p, settings.seed)
            sampler = html_block(sampler_words(settings.temperature, settings.guidance, settings.min_p),
                                 elem_id="sampler")
            paper = gr.Button("The paper’s sampler", size="sm", elem_id="paper-sampler",
                              interactive=not is_paper(settings.temperature, settings.guidance, settings.min_p))
        notes(EXPLANATION)
    with gr.Accordion("Model card", open=False, elem_id="card"):
        card = gr.Markdown(card_text(info))
    figure = gr.File(visible=False)  # the labelled picture, for those who come by the API
    drawn = gr.State()  # how far the running request is: the Stop button reports it

    controls = [model, classes, images, temperature, guidance, seed, same_noise, min_p]

    def generate(model, classes, images, temperature, guidance, seed, same_noise, min_p=0):
        """Sample images of the chosen classes; every row is sent as soon as it is drawn.

        Numbers out of range are moved into it. Returns, again after each step: the samples as HTML with embedded
        PNGs; a progress text as HTML; at the end the labelled picture as a PNG file; and the seed that was used.
        """
        settings = service.settings(model, classes=classes, images=images, temperature=temperature, guidance=guidance,
                                    seed=seed, same_noise=same_noise, min_p=min_p)
        yield from draw(service, settings)

    runs = wire(tools, status, seed, drawn, api_name="generate", sampling={
        "fn": generate, "inputs": controls, "outputs": [grid, status, figure, seed, drawn],
        "preprocess": False})  # `service.settings` cleans any value, and knows the classes of each model

    def show_model(name):
        """The facts and classes of another model; its stored samples, and the settings that draw them again."""
        info, shown = service.info(name), stored[name]
        chosen = (shown.settings if shown else service.settings(name)).classes
        values = [getattr(shown.settings, key) if shown else gr.skip() for key in SETTINGS]
        return (gr.CheckboxGroup(choices=[*info.classes, NO_CLASS], value=list(chosen)), *values, facts_html(info),
                card_text(info), *knobs[name].values(), stored_panels(service, name, shown), stored_status(shown),
                *idle_buttons())

    changed = model.input(show_model, model, [*controls[1:], facts, card, *strips.values(), grid, status,
                                                *tools.buttons], cancels=runs, **QUIET)
    changed.then(**runs.up_to_date)
    all_button.click(lambda name: list(service.info(name).classes), model, classes, **QUIET)
    none_button.click(lambda: [], outputs=classes, **QUIET)

    def can_draw(chosen, reason):
        """Without a class there is nothing to draw: the buttons say so before one presses them."""
        if chosen and not reason:
            return gr.skip(), gr.skip(), gr.skip()
        buttons = gr.Button(interactive=bool(chosen)), gr.Button(interactive=bool(chosen))
        return (*buttons, "" if chosen else NONE_CHOSEN)

    classes.change(can_draw, [classes, reason], [tools.generate, tools.seed, reason], trigger_mode="always_last",
                   **QUIET)
    gr.on([temperature.change, guidance.change, min_p.change],
          lambda *numbers: (sampler_words(*numbers), gr.Button(interactive=not is_paper(*numbers))),
          [temperature, guidance, min_p], [sampler, paper], trigger_mode="always_last", **QUIET)
    for strip, slider in ((strips["temperature"], temperature), (strips["guidance"], guidance)):
        strip.input(None, strip, slider, js="strip => strip.chosen")
    paper.click(lambda: (1, 1, 0), outputs=[temperature, guidance, min_p], **QUIET).then(**press.draw(""))

    def restore(request: gr.Request):
        """Open the page as its address says."""
        settings, problem = address.read_settings(service, request.query_params)
        if settings is None:
            return [gr.skip()] * (len(controls) + 6)
        info, shown = service.info(settings.model), stored[settings.model]
        values = (gr.CheckboxGroup(choices=[*info.classes, NO_CLASS], value=list(settings.classes)), settings.images,
                  settings.temperature, settings.guidance, settings.seed, settings.same_noise, settings.min_p)
        return (settings.model, *values, facts_html(info), card_text(info), *knobs[settings.model].values(),
                stored_panels(service, settings.model, shown), stored_status(shown, settings, problem))

    page.load(restore, outputs=[*controls, facts, card, *strips.values(), grid, status], **QUIET)
    gr.on([control.change for control in controls] + [tools.generate.click], fn=None, inputs=controls,
          js=address.WRITE_SETTINGS)


def draw(service: Service, settings: Settings) -> Iterator[tuple]:
    """Run one request and yield (panels, status, PNG file, seed, how far)."""
    info = service.info(settings.model)

    def show(progress: Progress) -> tuple:
        panels = grid_html(progress.images, settings, info, rows_shown(progress, info.sizes))
        how_far = (progress.place, settings)
        if progress.state == "sampling":
            return panels, running_status(progress), None, settings.seed, how_far
        path = write_figure(folder, as_shown(progress.images, info), settings)
        return panels, finished_status(progress, settings), path, settings.seed, how_far

    with tempfile.TemporaryDirectory() as folder:  # the server keeps its own copy, for ten minutes
        yield from frames(service.stream(settings), show, lambda words: (gr.skip(), words, None, settings.seed, None))


def stored_panels(service: Service, name: str, stored: Stored | None) -> str:
    if stored is None:
        return blank_html(service, service.settings(name))
    return grid_html(stored.images, stored.settings, service.info(name))


def is_paper(temperature, guidance, min_p) -> bool:
    """Whether this is the paper's sampler: every value by the model's own probabilities."""
    return (number(temperature, 0, 9, 1), number(guidance, 0, 9, 1), number(min_p, 0, 1, 0)) == (1, 1, 0)


def sampler_words(temperature, guidance, min_p) -> str:
    """What temperature, guidance and min-p together do, in a line."""
    if is_paper(temperature, guidance, min_p):
        return '<p class="facts">This is the paper’s sampler: each value by the model’s own probabilities.</p>'
    parts = [f"{name} {number(value, 0, 9, off):g}" for name, value, off in
             (("temperature", temperature, 1), ("guidance", guidance, 1), ("min-p", min_p, 0))
             if number(value, 0, 9, off) != off]
    return f'<p class="facts"><b>Sharpened</b>: {", ".join(parts)}. The paper uses 1, 1 and 0.</p>'
