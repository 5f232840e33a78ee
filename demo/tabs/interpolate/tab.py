"""Tab "Interpolate": from one person, or one class, to another; the same noise in every column (figure 5)."""

import base64
import html
import json
import math
from collections.abc import Iterator

import gradio as gr
import numpy as np

from demo.kit import address, press
from demo.kit.downloads import download_link, sheet_png, strip_gif
from demo.kit.frames import frames
from demo.kit.html_block import html_block
from demo.kit.model_facts import model_choices
from demo.kit.notes import notes
from demo.kit.page_files import keep
from demo.kit.panels import enlarge, png_source, settings_line
from demo.kit.run_controls import FACES_QUEUE, QUIET, sampling_sliders, toolbar, wire
from demo.kit.status import refused_html, small_print, status_html, unfinished_status
from demo.kit.stored import StoredPortraits, read_portraits
from demo.service.bridge import Progress, Service
from demo.service.faces import (
    EXAMPLES,
    STATE_SECONDS,
    FaceService,
    FoundFace,
    default_settings,
    rows_shown,
    stored_example,
    thumb,
)
from demo.service.settings import UserError, clean_sampling, number
from demo.service.uploads import take_upload
from demo.tabs.interpolate.player import player, player_value
from pixelcnn_core.sampling.interpolation import PATHS

ID, TITLE = "interpolate", "Interpolate"
PEOPLE, CLASSES = "two people", "two classes"
COLUMNS, ROWS = 7, 3
MAX_COLUMNS, MAX_ROWS = 12, 4
FRAME_SECONDS = 0.2  # the film is a large picture
RIGHT_ANGLE = 90.0  # between the one-hot vectors of two classes
YOURS = ("your first photo", "your second photo")
SAME_DEGREES = 5.0  # between two vectors of one photo, however it was cut and stored; two photos are further apart
SAME_FACE = "These are the same face: choose another for the other end."

LEAD = '<p class="lead">{} becomes another in small steps. Only {} change; the dice stay as they fell.</p>'
LEADS = {PEOPLE: LEAD.format("One face", "the 128 numbers that say who it is"),
         CLASSES: LEAD.format("One class", "the numbers that say how much of either is meant")}

EXPLANATION = [
    r"""### Between two vectors
The list of numbers that tells the network what to draw is called $\mathbf{h}$. Each column has its own, on the way from
one end to the other, and each row has its own *noise*: the random numbers it is drawn with. Along a row only
$\mathbf{h}$ changes, so what changes in the picture is its doing.""",
    r"""### Two ways
*Linear*, as in figure 5 of the paper, is the straight line, $(1-t)\,\mathbf{h}_0+t\,\mathbf{h}_1$. Half-way
$\mathbf{h}$ is shorter, and a short $\mathbf{h}$ says less about who it is. *Spherical* goes along the arc, in equal
steps, and every $\mathbf{h}$ is as long as a real one. The nearer two people are, the less it matters.""",
    r"""### Why it jumps
The paper says of its figure 5 that the same noise "results in smooth transitions". Ours are smooth in part, and jump in
part. A pixel is one draw from 256 values. A small change of $\mathbf{h}$ moves most draws a little; here and there one
tips over to a quite different value, and all that is drawn after it, and all finer sizes, see another past. Smooth
steps in $\mathbf{h}$ give steps in the picture, and the large picture flashes where. A pixel *changed
clearly* if one of its colours did by more than 32 of 255.""",
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

    with gr.Row(elem_classes="path-bench"):
        lead = html_block(LEADS[kinds[0]], elem_classes="lead-area")
        with gr.Column(elem_classes="source"):
            kind = gr.Radio(kinds, value=kinds[0], label="Between", elem_id="interpolate-kind")
            with gr.Column(visible=kinds[0] == PEOPLE, elem_classes="end-zones") as people:
                cards, photos, refusals = zip(*(end_zone(k, name) for k, name in enumerate(EXAMPLES)))
                swap = gr.Button("Back to the examples", size="sm", elem_id="interpolate-examples")
            with gr.Column(visible=kinds[0] == CLASSES) as pair:
                model = gr.Radio(model_choices(class_models), value=(class_models or [None])[0], label="Model",
                                 elem_id="interpolate-model")
                ends = [gr.Dropdown(list(names), value=names[k] if names else None, label=words,
                                    elem_id=f"interpolate-class-{words.lower()}")
                        for k, words in ((0, "From"), (-1, "To"))]
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("interpolate-")
            status = html_block(opening(stored), elem_id="interpolate-status")
            film = player("interpolate-film", opened := stored_film(stored))
            links = html_block("", elem_id="interpolate-links")
        with gr.Column(elem_classes="margin"):
            path = gr.Radio(list(PATHS), value=PATHS[0], label="Path", elem_id="interpolate-path")
            columns = gr.Slider(3, MAX_COLUMNS, value=COLUMNS, step=1, label="Steps", elem_id="interpolate-steps")
            rows = gr.Slider(1, MAX_ROWS, value=ROWS, step=1, label="Rows of noise", elem_id="interpolate-rows")
            temperature, guidance, seed, min_p = sampling_sliders("interpolate-", *defaults,
                                                                  stored.settings["seed"] if stored else 7)
        notes(EXPLANATION)
    chosen = [gr.State(None, time_to_live=STATE_SECONDS) for _ in EXAMPLES]  # a FoundFace; None: the example
    drawn = gr.State()
    numbers = [path, columns, rows, temperature, guidance, seed, min_p]

    def find(end):
        def find_face(payload, *given):
            """Find the largest face in a photo for one end of the path. The photo itself is not kept."""
            picture = None
            try:
                picture = take_upload(payload)
                face = faces.faces(picture, YOURS[end])[0]
                if angle_of([face, people_of(faces, *given)[1 - end]]) < SAME_DEGREES:
                    raise UserError(SAME_FACE)
            except UserError as error:
                small = None if picture is None else thumb(picture)
                return None, gr.skip(), gr.skip(), refused_html(str(error), small, "the face above")
            return None, face, card_html(face, end), ""
        return find_face

    for k, (photo, state, card, refused) in enumerate(zip(photos, chosen, cards, refusals)):
        photo.input(find(k), [photo, *chosen], [photo, state, card, refused], preprocess=False,
                    api_visibility="private", **FACES_QUEUE).then(
            **press.stop("interpolate-", "!values[0]", refused)).then(
            **press.draw("interpolate-", "!values[0]", refused))

    def of_settings(kind, start, end, first, last, *numbers):
        """What stands on the page after a choice: the stored film where it is of these settings, else blank paper."""
        settings = read_numbers(*numbers)
        if kind == CLASSES:
            return blank_film(settings, (str(first), str(last)), RIGHT_ANGLE), status_html("Drawing…"), ""
        if stored and not (start or end) and settings == {**stored.settings, "path": PATHS[0], "columns": COLUMNS,
                                                          "rows": ROWS}:
            return opened, opening(stored), ""
        people = people_of(faces, start, end)
        crops = [face.crop for face in people]
        return blank_film(settings, named(people), angle_of(people), crops), status_html("Drawing…"), ""

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

        Returns, again after each step: the film, a dictionary whose `atlas` is a PNG with a column per step and a row
        per noise; at the end links to a PNG and a GIF as HTML; a progress text as HTML; and the seed that was used.
        Without photos it goes between the bundled examples.
        """
        settings = read_numbers(path, columns, rows, temperature, guidance, seed, min_p)
        if kind == CLASSES:
            stream = faces.class_path(model, start_class, end_class, **settings)
            sizes = service.info(model).sizes
            yield from draw(stream, sizes, (start_class, end_class), RIGHT_ANGLE, [], settings)
        else:
            people = people_of(faces, start, end)
            stream = faces.path(people[0].embedding, people[1].embedding, **settings)
            sizes, crops = service.info(faces.model_name).sizes, [face.crop for face in people]
            yield from draw(stream, sizes, named(people), angle_of(people), crops, settings)

    runs = wire(tools, status, seed, drawn, api_name="interpolate", sampling={
        "fn": interpolate, "preprocess": False,
        "inputs": [kind, model, *ends, path, columns, rows, temperature, guidance, seed, *chosen, min_p],
        "outputs": [film, links, status, seed, drawn]})

    # A choice of what lies at the ends clears the page of what was there, and draws.
    on_page = {"fn": of_settings, "inputs": [kind, *chosen, *ends, *numbers], "outputs": [film, status, links],
               "preprocess": False, **QUIET}
    kind.change(**press.stop("interpolate-"))
    kind.input(None, [kind, seed], seed, js=own_seeds(seed.value))
    kind.change(
        lambda kind: (gr.Column(visible=kind == PEOPLE), gr.Column(visible=kind == CLASSES),
                      LEADS.get(kind, gr.skip())), kind, [people, pair, lead], **QUIET).then(
        **on_page).then(**runs.up_to_date).then(**press.draw("interpolate-", "!values[0].done", film))
    swap.click(**press.stop("interpolate-"))
    swap.click(lambda: (None, None, *(card_html(stored_example(name), k) for k, name in enumerate(EXAMPLES)), "", ""),
               outputs=[*chosen, *cards, *refusals], **QUIET).then(**on_page).then(**runs.up_to_date).then(
        **press.draw("interpolate-", "!values[0].done", film))

    def show_classes(name):
        classes = list(service.info(name).classes)
        return gr.Dropdown(choices=classes, value=classes[0]), gr.Dropdown(choices=classes, value=classes[-1])

    model.input(**press.stop("interpolate-"))
    model.input(show_classes, model, ends, **QUIET).then(**on_page).then(**press.draw("interpolate-"))
    for end in ends:
        end.input(**press.stop("interpolate-"))
        end.input(**on_page).then(**press.draw("interpolate-"))


def own_seeds(seed: int) -> str:
    """JavaScript that keeps a seed for each kind of path: people get theirs back after classes were drawn with
    others."""
    before = json.dumps({PEOPLE: CLASSES, CLASSES: PEOPLE})
    return f"""(kind, seed) => {{
  const seeds = window.pathSeeds ||= {{}};
  seeds[{before}[kind]] = seed;
  return seeds[kind] ?? {json.dumps(seed)};
}}"""


def end_zone(k: int, name: str) -> tuple[gr.HTML, gr.Image, gr.HTML]:
    """One end of the path: the face in use, shown in the drop zone for another; and what was wrong with a photo."""
    with gr.Column(elem_classes="end-zone"):
        card = html_block(card_html(stored_example(name), k), elem_id=f"interpolate-card-{k}", elem_classes="card")
        photo = gr.Image(label=f"A photo for {('the beginning', 'the end')[k]}", sources=["upload", "webcam"],
                         type="filepath", image_mode=None, format="png", height=96, show_label=False,
                         elem_id=f"interpolate-photo-{k}")
    return card, photo, html_block("", elem_id=f"interpolate-refused-{k}")


def card_html(face: FoundFace | None, end: int) -> str:
    """The face at one end of the path, with its name."""
    word = ("From", "To")[end]
    if face is None:
        return f"<p>{word} {html.escape(list(EXAMPLES)[end])}</p>"
    name, crop = html.escape(face.name), png_source(face.crop)
    own = " own" * (face.name in YOURS)
    return (f'<div class="end{own}"><img src="{crop}" width="64" height="64" alt="{name}">'
            f"<p>{word} <b>{name}</b></p></div>")


def read_numbers(path, columns, rows, temperature, guidance, seed, min_p) -> dict:
    """Values of any type -> the settings of a path, moved into their range."""
    return {"path": path if path in PATHS else PATHS[0], "columns": int(number(columns, 3, MAX_COLUMNS, COLUMNS)),
            "rows": int(number(rows, 1, MAX_ROWS, ROWS)), **clean_sampling(temperature, guidance, min_p, seed)}


def people_of(faces: FaceService, start: FoundFace | None, end: FoundFace | None) -> list[FoundFace]:
    return [face or faces.example(name) for face, name in zip((start, end), EXAMPLES)]


def named(people: list[FoundFace]) -> tuple[str, str]:
    return people[0].name, people[1].name


def angle_of(people: list[FoundFace]) -> float:
    """Between the two unit vectors, in degrees."""
    return math.degrees(math.acos(min(1.0, max(-1.0, float(people[0].embedding @ people[1].embedding)))))


def draw(stream: Iterator[Progress], sizes: tuple[int, ...], names: tuple[str, str], angle: float,
         crops: list[np.ndarray], settings: dict) -> Iterator[tuple]:
    """Run one request and yield (film, links, status, seed, how far)."""
    words = settings_line({name: value for name, value in settings.items() if name not in ("columns", "rows")})
    seed, way = settings["seed"], f"{names[0]} to {names[1]}"

    def show(progress: Progress) -> tuple:
        images = progress.images  # (columns, rows, H, W, C)
        film = player_value(images, names, settings["path"], angle, crops, rows_shown(progress, sizes),
                            progress.state == "done")
        if progress.state != "done":
            return film, gr.skip(), unfinished_status(progress), seed, None
        panels = [(enlarge(column, column.shape[1], columns=1), label)
                  for column, label in zip(images, column_labels(len(images), names if not crops else ("", "")))]
        if crops:
            first, last = ((enlarge(crop[None], len(crop)), name) for crop, name in zip(crops, names))
            panels = [first, *panels, last]
        files = download_link(sheet_png(panels, words), f"path_seed-{seed}.png", "Download PNG") + \
            download_link(strip_gif(images), f"path_seed-{seed}.gif", "Download GIF")
        count = images.shape[0] * images.shape[1]
        return film, files, status_html(f"<b>{html.escape(way)}</b>: {count} images in {progress.seconds:.1f} s. "
                                        f"{small_print(words)}"), seed, None

    yield from frames(stream, show, lambda words: (gr.skip(), "", words, seed, None), FRAME_SECONDS)


def column_labels(columns: int, names: tuple[str, str]) -> list[str]:
    """What stands below the columns of the sheet: how far along the path, and the names of its ends."""
    labels = [f"{k / (columns - 1):.2f}" for k in range(columns)]
    return [names[0] or labels[0], *labels[1:-1], names[1] or labels[-1]]


def opening(stored: StoredPortraits | None) -> str:
    if stored is None:
        return status_html("Nothing drawn yet: press <b>Draw another</b>.")
    first, last = map(html.escape, stored.names)
    return status_html(f"<b>Stored example</b>: {first} to {last}. Give a photo of yours for one end, or press "
                       "<b>Draw another</b>.")


def blank_film(settings: dict, names: tuple[str, str], angle: float, crops: list[np.ndarray] | None = None) -> dict:
    empty = np.zeros((settings["columns"], settings["rows"], 8, 8, 3), np.uint8)
    return player_value(empty, names, settings["path"], angle, crops or [], 0, False)


def stored_film(stored: StoredPortraits | None) -> dict:
    """What the tab opens with; its pictures are files of the page."""
    people = [stored_example(name) for name in EXAMPLES]
    angle = angle_of(people) if all(people) else 0.0
    if stored is None:
        return blank_film({"columns": COLUMNS, "rows": ROWS, "path": PATHS[0]}, tuple(EXAMPLES), angle)
    film = player_value(stored.path, stored.names, PATHS[0], angle, list(stored.crops))
    return {**film, "atlas": as_file(film["atlas"]), "ends": [as_file(end) for end in film["ends"]]}


def as_file(source: str) -> str:
    """A picture in a data: URL as a file of the page."""
    return keep(base64.b64decode(source.partition(",")[2]))
