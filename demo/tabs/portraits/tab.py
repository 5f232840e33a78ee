"""Tab "Portraits": a face in, new portraits of the same person out (section 3.3, figure 4)."""

import html
import json
import time
from collections.abc import Iterator

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.model_facts import card_text, facts_html
from demo.kit.panels import enlarge
from demo.kit.portrait_panels import download_link, portraits_html, sheet_png
from demo.kit.run_controls import QUIET, min_p_slider, sampling_sliders, toolbar, wire
from demo.kit.status import status_html, unfinished_status
from demo.kit.stored import StoredPortraits, read_portraits
from demo.service.bridge import Service
from demo.service.faces import (
    EXAMPLES,
    MAX_FACES,
    STATE_SECONDS,
    FaceService,
    FoundFace,
    average,
    default_settings,
)
from demo.service.settings import MAX_GUIDANCE, MAX_MIN_P, MAX_SEED, MAX_TEMPERATURE, UserError, number
from demo.service.uploads import take_upload

ID, TITLE = "portraits", "Portraits"
COUNT = 9
FRAME_SECONDS = 0.12

PRIVACY = """Your photo is read once and its file deleted two seconds later, or after some ten minutes if it could not
be read; the crop, its numbers and the portraits live in the memory of the server until you close the page, or, if a
script asks, until a hundred others came. Use photos of people who agree. A portrait is an invention, 64 pixels
wide: not evidence of anything, and not fit for identifying anyone."""

EXPLANATION = [
    r"""#### A face becomes a vector
MTCNN finds the eyes, nose and mouth; the face is turned and cut out so that they lie in fixed places. dlib's face
recognition network then gives it 128 numbers, the direction $\mathbf{h}$. It was trained so that photos of one person
give nearly the same numbers, whatever the light and the pose: who it is stays, the photo is forgotten.""",
    r"""#### The vector enters every gate
The portrait models never see the photo, only $\mathbf{h}$ (equation 4). They draw from coarse to fine,
$$p(\mathbf{x}_8\mid\mathbf{h})\;p(\mathbf{x}_{16}\mid\mathbf{x}_8,\mathbf{h})\cdots$$
each size pixel by pixel given the smaller picture. Pose, light and background are free: other noise, other portrait.
*Coarse to fine*, a tab further on, shows the steps one by one.""",
    r"""#### The numbers below each portrait
*Similarity* is the cosine between the source's vector and that of the portrait itself. Two photos of one person have
0.95 on average, photos of two people 0.83. *Bits* are $-\log_2 p(\mathbf{x}\mid\mathbf{h})$ per sub-pixel, at most:
how surprised the models are by what they drew. Lower is likelier, which is not the same as better.""",
]


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    faces = FaceService(service)
    if faces.model_name is None:
        gr.Markdown("### There is no portrait model yet\nTrain one: `python -m pixelcnn_core train "
                    "portraits-chain-cpu --data faces --out demo/assets/models/portraits-chain`.")
        return
    info = service.info(faces.model_name)
    stored = read_portraits(service.folder / faces.model_name)
    defaults = default_settings(info.results)

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("portraits-")
            status = gr.HTML(opening(stored), elem_id="portraits-status", apply_default_css=False)
            stage = gr.HTML(stored_html(stored), elem_id="portraits-grid", label="Portraits", apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            photo = gr.Image(label="Photo of a face", sources=["upload", "webcam"], type="filepath", image_mode=None,
                             format="png", height=190, elem_id="portraits-photo")
            with gr.Row(elem_classes="small-buttons"):
                examples = [gr.Button(name, size="sm", min_width=60) for name in EXAMPLES]
            keep = gr.Checkbox(False, label="Add to the faces I have", elem_id="portraits-keep",
                               info="The embeddings of several photos of one person are averaged.")
            picked = gr.CheckboxGroup([], label="Faces", visible=False, elem_id="portraits-faces",
                                      elem_classes="chips", info="The largest comes first; several are averaged.")
            temperature, guidance, seed = sampling_sliders("portraits-", *defaults[:2], 7)
            min_p = min_p_slider("portraits-", defaults[2])
            gr.HTML(facts_html(info), apply_default_css=False)
            gr.Markdown(PRIVACY, elem_classes="privacy")
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    with gr.Accordion("Model card", open=False):
        gr.Markdown(card_text(info))
    found = gr.State([], time_to_live=STATE_SECONDS)
    drawn = gr.State()

    def find(payload, keep, found):
        """Find the faces in a photo. The photo itself is not kept.

        Returns nothing in the photo's place; the crops as HTML; a text; the numbers of the faces to choose from.
        """
        try:
            return show_faces(faces.faces(take_upload(payload)), keep, found)
        except UserError as error:
            return None, gr.skip(), status_html(html.escape(str(error))), gr.skip(), gr.skip()

    def example(name):
        def find_example(keep, found):
            try:
                return show_faces(faces.faces(EXAMPLES[name]), keep, found)
            except UserError as error:
                return None, gr.skip(), status_html(html.escape(str(error))), gr.skip(), gr.skip()
        return find_example

    finding = {"outputs": [photo, stage, status, picked, found], "concurrency_id": "model", "concurrency_limit": 1,
               "show_progress": "hidden"}
    photo.input(find, [photo, keep, found], preprocess=False, api_name="find_faces", **finding)
    photo.input(None, js=write_example(None))  # the address never tells of an upload
    for button, name in zip(examples, EXAMPLES):
        button.click(example(name), [keep, found], api_visibility="private", **finding)
        button.click(None, js=write_example(name))

    def open_example(request: gr.Request):
        """The example that the address names; nothing is looked for where it names none."""
        name = request.query_params.get(f"{ID}.example")
        return example(name)(False, []) if name in EXAMPLES else (gr.skip(),) * 5

    page.load(open_example, api_visibility="private", **finding)
    address.remember(page, ID, {"temperature": temperature, "guidance": guidance, "seed": seed, "min_p": min_p})

    def pick(found, numbers):
        chosen = choose(found, numbers)
        return blank(chosen), status_html("Press <b>Generate</b>." if chosen else "Choose at least one face.")

    picked.input(pick, [found, picked], [stage, status], **QUIET)

    def portraits(found, picked, temperature, guidance, seed, min_p=0):
        """Draw nine new portraits of the faces chosen last; every row is sent as soon as it is drawn.

        Returns, again after each step: source and portraits as HTML with embedded PNGs, at the end with a link to the
        whole picture; a progress text as HTML; and the seed that was used.
        """
        seed = int(number(seed, 0, MAX_SEED, 7))
        try:
            chosen = choose(found, picked) if found else example_faces(faces)
            if not chosen:
                raise UserError("Choose at least one face.")
            yield from draw(faces, chosen, seed, temperature=number(temperature, 0, MAX_TEMPERATURE, 1),
                            guidance=number(guidance, 0, MAX_GUIDANCE, 1), min_p=number(min_p, 0, MAX_MIN_P, 0))
        except UserError as error:
            yield gr.skip(), status_html(html.escape(str(error))), gr.skip(), gr.skip()
            raise gr.Error(str(error), title="Not sampled", print_exception=False) from error

    wire(tools, status, seed, drawn, api_name="portraits", sampling={
        "fn": portraits, "inputs": [found, picked, temperature, guidance, seed, min_p],
        "outputs": [stage, status, seed, drawn], "preprocess": False})


def write_example(name: str | None) -> str:
    """JavaScript that notes the chosen example in the address, or that there is none."""
    return address.write(f"() => ({{'{ID}.example': {json.dumps(name)}}})")


def show_faces(new: list[FoundFace], keep, found: list[FoundFace]) -> tuple:
    """The outputs of finding: the largest new face is chosen; with `keep`, beside all earlier ones."""
    keep = keep is True and bool(found)
    everyone = ([*found, *new] if keep else new)[-MAX_FACES:]
    names = [str(k + 1) for k in range(len(everyone))]
    chosen = names[:len(everyone) - len(new) + 1] if keep else names[:1]
    count = f"{len(new)} face{'s' * (len(new) > 1)} found, {new[0].probability:.1%} sure of the largest."
    outside = " Part of its crop lies outside the photo and was mirrored." if new[0].inside < 0.98 else ""
    return (None, blank(choose(everyone, chosen)), status_html(f"{count}{outside} Press <b>Generate</b>."),
            gr.CheckboxGroup(choices=names, value=chosen, visible=len(everyone) > 1), everyone)


def choose(found: list[FoundFace], numbers) -> list[FoundFace]:
    wanted = {str(value) for value in numbers} if isinstance(numbers, (list, tuple)) else set()
    return [face for k, face in enumerate(found or [], 1) if str(k) in wanted]


def example_faces(faces: FaceService) -> list[FoundFace]:
    """The first bundled photo, which the page opens with."""
    return faces.faces(next(iter(EXAMPLES.values())))[:1]


def caption(chosen: list[FoundFace]) -> str:
    return "source" if len(chosen) < 2 else f"{len(chosen)} sources, averaged"


def blank(chosen: list[FoundFace]) -> str:
    empty = np.zeros((COUNT, 32, 32, 3), np.uint8)
    return portraits_html([face.crop for face in chosen], caption(chosen), empty, 0)


def draw(faces: FaceService, chosen: list[FoundFace], seed: int, **how: float) -> Iterator[tuple]:
    """Run one request and yield (stage, status, seed, how far), at most every FRAME_SECONDS."""
    crops, embedding, name = [face.crop for face in chosen], average(chosen), caption(chosen)
    settings = " · ".join(f"{key.replace('_', '-')} {value:g}" for key, value in {**how, "seed": seed}.items())
    yield blank(chosen), status_html("Loading the model…", 0), seed, None
    shown = 0.0
    for progress in faces.portraits(embedding, COUNT, seed, **how):
        if progress.state == "waiting":
            yield gr.skip(), status_html("Waiting: the model serves one request at a time…", 0), seed, None
            continue
        if progress.state == "sampling" and time.monotonic() - shown < FRAME_SECONDS:
            continue
        shown, images = time.monotonic(), progress.images[0]  # (n, H, W, 3)
        if progress.state == "done":
            words = f"<b>{len(images)} portraits</b> in {progress.seconds:.1f} s. {settings}"
            panels = [(enlarge(np.stack(crops), crops[0].shape[0]), name),
                      (enlarge(images, images.shape[1]), "new portraits")]
            link = download_link(sheet_png(panels, settings), f"portraits_seed-{seed}.png", "Download PNG")
            notes = notes_of(faces.judge(images, embedding))
            yield portraits_html(crops, name, images, notes=notes) + link, status_html(words), seed, None
        else:
            yield portraits_html(crops, name, images, progress.shown_rows), unfinished_status(progress), seed, None


def notes_of(judged: list[tuple[float, float]]) -> list[str]:
    return [f"similarity {cosine:.2f} · {bits:.2f} bits" for cosine, bits in judged]


def opening(stored: StoredPortraits | None) -> str:
    if stored is None:
        return status_html("Nothing drawn yet: choose a photo, or press <b>Generate</b> for an example.")
    settings = " · ".join(f"{key.replace('_', '-')} {value:g}" for key, value in stored.settings.items())
    return status_html(f"<b>Stored example</b>: {html.escape(stored.names[0])}. {settings}. Press <b>Generate</b> to "
                       "watch the same portraits appear, or choose another photo.")


def stored_html(stored: StoredPortraits | None) -> str:
    if stored is None:
        return blank([])
    return portraits_html([stored.crops[0]], "source", stored.images, notes=notes_of(stored.judged))
