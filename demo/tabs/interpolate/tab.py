"""Tab "Interpolate": from one person, or one class, to another; the same noise in every column (figure 5)."""

import html
import time
from collections.abc import Iterator

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.panels import enlarge
from demo.kit.portrait_panels import download_link, one_column_html, sheet_png, source_html, strip_gif, strip_html
from demo.kit.run_controls import QUIET, min_p_slider, sampling_sliders, toolbar, wire
from demo.kit.status import status_html, unfinished_status
from demo.kit.stored import StoredPortraits, read_portraits
from demo.service.bridge import Progress, Service
from demo.service.faces import EXAMPLES, STATE_SECONDS, FaceService, default_settings
from demo.service.settings import MAX_GUIDANCE, MAX_MIN_P, MAX_SEED, MAX_TEMPERATURE, UserError, number
from demo.service.uploads import take_upload
from pixelcnn_core.sampling.interpolation import PATHS

ID, TITLE = "interpolate", "Interpolate"
PEOPLE, CLASSES = "two people", "two classes"
COLUMNS, ROWS = 7, 3
MAX_COLUMNS, MAX_ROWS = 12, 4
FRAME_SECONDS = 0.2

EXPLANATION = [
    r"""#### Between two vectors
Each column has its own $\mathbf{h}$, on the way from one to the other, and each row its own noise. Along a row only
$\mathbf{h}$ changes: what changes in the picture is its doing (figure 5 of the paper).""",
    r"""#### Two ways
*Linear*: $(1-t)\,\mathbf{h}_0+t\,\mathbf{h}_1$, the straight line; between two unit vectors it runs through shorter
ones. *Spherical*: along the great circle, at constant speed, so that every step has the length of a real embedding.""",
    r"""#### Why it jumps
A pixel is one draw from 256 values. A small change of $\mathbf{h}$ leaves most draws as they were, until one tips over,
and everything after it sees another past. Smooth steps in $\mathbf{h}$ give steps in the image.""",
]


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    faces = FaceService(service)
    class_models = [name for name in service.names if service.info(name).classes]
    kinds = [PEOPLE] * bool(faces.model_name) + [CLASSES] * bool(class_models)
    if not kinds:
        gr.Markdown("### There is no conditional model yet\nTrain one: `python -m pixelcnn_core train digits "
                    "--data data --out demo/assets/models/digits`.")
        return
    stored = read_portraits(service.folder / faces.model_name) if faces.model_name else None
    defaults = default_settings(service.info(faces.model_name).results) if faces.model_name else (1.0, 1.0, 0.0)
    names = service.info(class_models[0]).classes if class_models else ()

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("interpolate-")
            status = gr.HTML(opening(stored), elem_id="interpolate-status", apply_default_css=False)
            strip = gr.HTML(stored_html(stored), elem_id="interpolate-grid", label="Path", apply_default_css=False)
            step = gr.Slider(1, COLUMNS, value=1, step=1, label="Step", elem_id="interpolate-step",
                             info="One column of the strip, large. The arrow keys move it.")
            large = gr.HTML(stored_column(stored), elem_id="interpolate-large", label="One step",
                            apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            kind = gr.Radio(kinds, value=kinds[0], label="Between", elem_id="interpolate-kind")
            with gr.Column(visible=kinds[0] == PEOPLE) as people:
                photos = [gr.Image(label=f"{words}: {name}, or a photo of yours", sources=["upload", "webcam"],
                                   type="filepath", image_mode=None, format="png", height=130,
                                   elem_id=f"interpolate-photo-{k}")
                          for k, (words, name) in enumerate(zip(("From", "To"), EXAMPLES))]
                swap = gr.Button("Back to the examples", size="sm")
            with gr.Column(visible=kinds[0] == CLASSES) as pair:
                model = gr.Radio(class_models, value=class_models[0] if class_models else None, label="Model")
                ends = [gr.Dropdown(list(names), value=names[k] if names else None, label=words)
                        for k, words in ((0, "From"), (-1, "To"))]
            path = gr.Radio(list(PATHS), value=PATHS[0], label="Path", elem_id="interpolate-path")
            columns = gr.Slider(3, MAX_COLUMNS, value=COLUMNS, step=1, label="Steps")
            rows = gr.Slider(1, MAX_ROWS, value=ROWS, step=1, label="Rows of noise")
            temperature, guidance, seed = sampling_sliders("interpolate-", *defaults[:2], 7)
            min_p = min_p_slider("interpolate-", defaults[2])
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    chosen = [gr.State(None, time_to_live=STATE_SECONDS) for _ in EXAMPLES]  # a FoundFace; None: the example
    drawn, images = gr.State(), gr.State(None, time_to_live=STATE_SECONDS)

    def find(payload):
        """Find the largest face in a photo for one end of the path. The photo itself is not kept."""
        try:
            face = faces.faces(take_upload(payload))[0]
        except UserError as error:
            return None, gr.skip(), status_html(html.escape(str(error))), gr.skip()
        return None, face, status_html("The face is in place: press <b>Generate</b>."), \
            source_html([face.crop], "your photo")

    for photo, state in zip(photos, chosen):
        photo.input(find, photo, [photo, state, status, strip], preprocess=False, api_visibility="private",
                    concurrency_id="model", concurrency_limit=1, show_progress="hidden")
    swap.click(lambda: (None, None, status_html("Both ends are the examples again: press <b>Generate</b>.")),
               outputs=[*chosen, status], **QUIET)
    kind.change(lambda kind: (gr.Column(visible=kind == PEOPLE), gr.Column(visible=kind == CLASSES)), kind,
                [people, pair], **QUIET)

    def show_classes(name):
        classes = list(service.info(name).classes)
        return gr.Dropdown(choices=classes, value=classes[0]), gr.Dropdown(choices=classes, value=classes[-1])

    model.input(show_classes, model, ends, **QUIET)
    address.remember(page, ID, {"between": kind, "model": model, "path": path, "steps": columns, "rows": rows,
                                "temperature": temperature, "guidance": guidance, "seed": seed, "min_p": min_p})

    def open_ends(request: gr.Request):
        """The classes that the address names, which are those of the model that it names."""
        asked = {key: request.query_params.get(f"{ID}.{key}") for key in ("model", "from", "to")}
        if asked["model"] not in class_models:
            return gr.skip(), gr.skip()
        classes = list(service.info(asked["model"]).classes)
        return [gr.Dropdown(choices=classes, value=asked[key] if asked[key] in classes else classes[end])
                for key, end in (("from", 0), ("to", -1))]

    page.load(open_ends, outputs=ends, **QUIET)
    gr.on([end.change for end in ends], fn=None, inputs=ends,
          js=address.write(f"(first, last) => ({{'{ID}.from': first, '{ID}.to': last}})"))

    def interpolate(kind, model, start_class, end_class, path, columns, rows, temperature, guidance, seed, start, end,
                    min_p=0):
        """Draw the way from one person or class to another, the same noise in every column; rows are streamed.

        Returns, again after each step: the strip as HTML with embedded PNGs, at the end with links to a PNG and a GIF;
        a progress text as HTML; and the seed that was used. Without photos it goes between the bundled examples.
        """
        seed = int(number(seed, 0, MAX_SEED, 7))
        columns, rows = int(number(columns, 3, MAX_COLUMNS, COLUMNS)), int(number(rows, 1, MAX_ROWS, ROWS))
        settings = {"path": path if path in PATHS else PATHS[0], "seed": seed,
                    "temperature": number(temperature, 0, MAX_TEMPERATURE, 1),
                    "guidance": number(guidance, 0, MAX_GUIDANCE, 1), "min_p": number(min_p, 0, MAX_MIN_P, 0)}
        try:
            if kind == CLASSES:
                stream, sources = faces.class_path(model, start_class, end_class, columns, rows, **settings), []
                labels = end_labels(columns, start_class, end_class)
            else:
                found = [given or faces.faces(example)[0] for given, example in zip((start, end), EXAMPLES.values())]
                sources = [(face.crop, name) for face, name in zip(found, ("from", "to"))]
                stream = faces.path(found[0].embedding, found[1].embedding, columns, rows, **settings)
                labels = end_labels(columns)
            yield from draw(stream, sources, labels, settings)
        except UserError as error:
            yield gr.skip(), status_html(html.escape(str(error))), *[gr.skip()] * 5
            raise gr.Error(str(error), title="Not sampled", print_exception=False) from error

    wire(tools, status, seed, drawn, api_name="interpolate", sampling={
        "fn": interpolate, "preprocess": False,
        "inputs": [kind, model, *ends, path, columns, rows, temperature, guidance, seed, *chosen, min_p],
        "outputs": [strip, status, seed, drawn, images, step, large]})

    def scrub(step, images):
        pictures = images if images is not None else stored.path if stored else None
        if pictures is None:
            return gr.skip()
        column = int(number(step, 1, len(pictures), 1))
        return one_column_html(pictures[column - 1], f"step {column} of {len(pictures)}")

    step.change(scrub, [step, images], large, **QUIET)


def draw(stream: Iterator[Progress], sources: list[tuple[np.ndarray, str]], labels: list[str], settings: dict
         ) -> Iterator[tuple]:
    """Run one request and yield (strip, status, seed, how far, images, slider, one step)."""
    words = " · ".join(f"{key} {value if key == 'path' else f'{value:g}'}" for key, value in settings.items())
    seed = settings["seed"]
    unchanged = [gr.skip()] * 3
    yield gr.skip(), status_html("Loading the model…", 0), seed, None, *unchanged
    shown = 0.0
    for progress in stream:
        if progress.state == "waiting":
            text = status_html("Waiting: the model serves one request at a time…", 0)
            yield gr.skip(), text, seed, None, *unchanged
            continue
        if progress.state == "sampling" and time.monotonic() - shown < FRAME_SECONDS:
            continue
        shown, images = time.monotonic(), progress.images  # (columns, rows, H, W, C)
        if progress.state != "done":
            yield (strip_html(images, labels, sources, progress.shown_rows), unfinished_status(progress), seed, None,
                   *unchanged)
            continue
        panels = [(enlarge(column, column.shape[1], columns=1), label) for column, label in zip(images, labels)]
        if sources:
            first, last = ((enlarge(crop[None], len(crop)), name) for crop, name in sources)
            panels = [first, *panels, last]
        links = download_link(sheet_png(panels, words), f"path_seed-{seed}.png", "Download PNG") + \
            download_link(strip_gif(images), f"path_seed-{seed}.gif", "Download GIF")
        count = images.shape[0] * images.shape[1]
        yield (strip_html(images, labels, sources) + links,
               status_html(f"<b>{count} images</b> in {progress.seconds:.1f} s. {html.escape(words)}"), seed, None,
               images, gr.Slider(maximum=len(images), value=1),
               one_column_html(images[0], f"step 1 of {len(images)}"))


def end_labels(columns: int, start: str = "", end: str = "") -> list[str]:
    """What stands below the columns: how far along the path, and the names of its ends."""
    labels = [f"{k / (columns - 1):.2f}" for k in range(columns)]
    return [start or labels[0], *labels[1:-1], end or labels[-1]]


def opening(stored: StoredPortraits | None) -> str:
    if stored is None:
        return status_html("Nothing drawn yet: press <b>Generate</b>.")
    return status_html(f"<b>Stored example</b>: from {html.escape(stored.names[0])} to {html.escape(stored.names[1])}. "
                       "Press <b>Generate</b> to watch it appear.")


def stored_html(stored: StoredPortraits | None) -> str:
    if stored is None:
        return strip_html(np.zeros((COLUMNS, ROWS, 32, 32, 3), np.uint8), end_labels(COLUMNS), [], 0)
    return strip_html(stored.path, end_labels(len(stored.path)), list(zip(stored.crops, stored.names)))


def stored_column(stored: StoredPortraits | None) -> str:
    return one_column_html(stored.path[0], f"step 1 of {len(stored.path)}") if stored else ""
