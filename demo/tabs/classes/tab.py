"""Tab "Classes": images of the chosen classes, appearing row by row as they are sampled (figure 3 of the paper)."""

import functools
import html
import tempfile
import time
from collections.abc import Iterator

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.model_facts import card_text, facts_html
from demo.kit.panels import panels_html, write_figure
from demo.kit.run_controls import QUIET, idle_buttons, min_p_slider, sampling_sliders, toolbar, wire
from demo.kit.status import finished_status, running_status, status_html, stored_status
from demo.kit.stored import Stored, read_stored
from demo.service.bridge import Service
from demo.service.settings import MAX_IMAGES, MAX_IMAGES_PER_CLASS, NO_CLASS, Settings, UserError

ID, TITLE = "classes", "Classes"
SETTINGS = ("images", "temperature", "guidance", "seed", "same_noise", "min_p")
FRAME_SECONDS = 0.12  # a picture more often than this would cost more time than the samples

EXPLANATION = [
    r"""#### One pixel after another
An image starts empty. Each sub-pixel $x_i$ (red, then green, then blue; left to right, top to bottom) is drawn from the
probabilities that the network gives to its values, once all earlier ones are known:
$$p(\mathbf{x}\mid\mathbf{h})=\prod_i p(x_i\mid x_1,\dots,x_{i-1},\mathbf{h})$$
Equation 3 of the paper; without the class $\mathbf{h}$ it is equation 1.""",
    r"""#### The class enters every gate
$\mathbf{h}$ is a one-hot vector: a 1 for the class, 0 for the others. Each layer adds it inside its gate:
$$\tanh(W_f\ast\mathbf{x}+V_f^{\top}\mathbf{h})\odot\sigma(W_g\ast\mathbf{x}+V_g^{\top}\mathbf{h})$$
Equation 4; without $\mathbf{h}$ it is equation 2. It says nothing about *where* things are: that is left to the
pixels.""",
    r"""#### The same noise, other dice
Each sub-pixel uses one random number, fixed by the seed: the same settings give the same images.
*Temperature* $T$ sharpens or flattens the odds, $p^{1/T}$; at 0 the likeliest value always wins.
*Guidance* $w$ moves away from the model that knows no class, $p(x)^{1-w}\,p(x\mid\mathbf{h})^{w}$; an idea
younger than the paper.""",
]


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    stored = {name: read_stored(service.folder / name, info) for name, info in service.infos.items()}
    figures = tempfile.TemporaryDirectory()  # gone with the page; the server copies from it what visitors get

    @functools.cache
    def picture(name):
        return stored[name] and write_figure(figures.name, stored[name].images, stored[name].settings)

    first = service.names[0]
    info, shown = service.info(first), stored[first]
    settings = shown.settings if shown else service.settings(first)

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar()
                download = gr.DownloadButton("Download PNG", elem_id="download", elem_classes="quiet")
                link_button = gr.Button("Copy link", elem_id="copy-link", elem_classes="quiet")
            status = gr.HTML(stored_status(shown), elem_id="status", apply_default_css=False)
            grid = gr.HTML(stored_panels(service, first, shown), elem_id="grid", label="Samples",
                           apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            model = gr.Radio([(title(service, name), name) for name in service.names], value=first, label="Model",
                             elem_id="model")
            facts = gr.HTML(facts_html(info), elem_id="facts", apply_default_css=False)
            classes = gr.CheckboxGroup([*info.classes, NO_CLASS], value=list(settings.classes), label="Classes",
                                       elem_id="classes", elem_classes="chips",
                                       info="“no class” asks the same network without a condition.")
            with gr.Row(elem_classes="small-buttons"):
                all_button = gr.Button("All classes", size="sm", min_width=60)
                none_button = gr.Button("None", size="sm", min_width=60)
            images = gr.Slider(1, MAX_IMAGES_PER_CLASS, value=settings.images, step=1, label="Images per class",
                               elem_id="images", info=f"At most {MAX_IMAGES} images at once.")
            temperature, guidance, seed = sampling_sliders("", settings.temperature, settings.guidance, settings.seed)
            min_p = min_p_slider("", settings.min_p)
            same_noise = gr.Checkbox(settings.same_noise, label="Same noise, every class", elem_id="same-noise",
                                     info="All classes share their random numbers: what differs is the class alone.")
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    with gr.Accordion("Model card", open=False, elem_id="card"):
        card = gr.Markdown(card_text(info))
    drawn = gr.State()  # how far the running request is: the Stop button reports it

    controls = [model, classes, images, temperature, guidance, seed, same_noise, min_p]

    def generate(model, classes, images, temperature, guidance, seed, same_noise, min_p=0):
        """Sample images of the chosen classes; every row is sent as soon as it is drawn.

        Numbers out of range are moved into it. Returns, again after each step: the samples as HTML with embedded
        PNGs; a progress text as HTML; at the end the labelled picture as a PNG file; and the seed that was used.
        """
        try:
            settings = service.settings(model, classes=classes, images=images, temperature=temperature,
                                        guidance=guidance, seed=seed, same_noise=same_noise, min_p=min_p)
            yield from draw(service, settings)
        except UserError as error:
            yield gr.skip(), status_html(html.escape(str(error))), gr.skip(), gr.skip(), gr.skip()
            raise gr.Error(str(error), title="Not sampled", print_exception=False) from error

    runs = wire(tools, status, seed, drawn, api_name="generate", sampling={
        "fn": generate, "inputs": controls, "outputs": [grid, status, download, seed, drawn],
        "preprocess": False})  # `service.settings` cleans any value, and knows the classes of each model

    def show_model(name):
        """The facts and classes of another model; its stored samples, and the settings that draw them again."""
        info, shown = service.info(name), stored[name]
        chosen = (shown.settings if shown else service.settings(name)).classes
        values = [getattr(shown.settings, key) if shown else gr.skip() for key in SETTINGS]
        return (gr.CheckboxGroup(choices=[*info.classes, NO_CLASS], value=list(chosen)), *values, facts_html(info),
                card_text(info), stored_panels(service, name, shown), stored_status(shown), picture(name),
                *idle_buttons())

    model.input(show_model, model, [*controls[1:], facts, card, grid, status, download, *tools.buttons], cancels=runs,
                **QUIET)
    all_button.click(lambda name: list(service.info(name).classes), model, classes, **QUIET)
    none_button.click(lambda: [], outputs=classes, **QUIET)

    def restore(request: gr.Request):
        """Open the page as its address says."""
        settings, problem = address.read_settings(service, request.query_params)
        if settings is None:
            return (*[gr.skip()] * (len(controls) + 4), picture(first))
        info, shown = service.info(settings.model), stored[settings.model]
        values = (gr.CheckboxGroup(choices=[*info.classes, NO_CLASS], value=list(settings.classes)), settings.images,
                  settings.temperature, settings.guidance, settings.seed, settings.same_noise, settings.min_p)
        return (settings.model, *values, facts_html(info), card_text(info),
                stored_panels(service, settings.model, shown), stored_status(shown, settings, problem),
                picture(settings.model))

    page.load(restore, outputs=[*controls, facts, card, grid, status, download], **QUIET)
    gr.on([control.change for control in controls] + [tools.generate.click], fn=None, inputs=controls,
          js=address.WRITE_SETTINGS)
    link_button.click(None, js=address.COPY_LINK)


def draw(service: Service, settings: Settings) -> Iterator[tuple]:
    """Run one request and yield (panels, status, PNG file, seed, how far), at most every FRAME_SECONDS."""
    yield (blank_panels(service, settings), status_html("Loading the model…", 0), None, settings.seed,
           (0, service.info(settings.model).rows, settings))
    shown = 0.0
    for progress in service.stream(settings):
        if progress.state == "waiting":
            text = status_html("Waiting: the model serves one request at a time…", 0)
            yield gr.skip(), text, None, gr.skip(), gr.skip()
            continue
        ended, how_far = progress.state != "sampling", (progress.row, progress.rows, settings)
        if not ended and time.monotonic() - shown < FRAME_SECONDS:
            continue
        panels = panels_html(progress.images, settings.classes, progress.shown_rows)
        if ended:
            with tempfile.TemporaryDirectory() as folder:  # the server keeps its own copy, for ten minutes
                path = write_figure(folder, progress.images, settings)
                yield panels, finished_status(progress, settings), path, settings.seed, how_far
        else:
            yield panels, running_status(progress), None, settings.seed, how_far
        shown = time.monotonic()


def title(service: Service, name: str) -> str:
    info = service.info(name)
    return f"{name} · {info.image_size}×{info.image_size} {'colour' if info.channels == 3 else 'grey'}"


def stored_panels(service: Service, name: str, stored: Stored | None) -> str:
    if stored is None:
        return blank_panels(service, service.settings(name))
    return panels_html(stored.images, stored.settings.classes)


def blank_panels(service: Service, settings: Settings) -> str:
    """Panels in which nothing is drawn yet."""
    info = service.info(settings.model)
    shape = (len(settings.classes), settings.images, info.image_size, info.image_size, info.channels)
    return panels_html(np.zeros(shape, np.uint8), settings.classes, 0)
