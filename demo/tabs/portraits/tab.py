"""Tab "Portraits": a face in, new portraits of the same person out (section 3.3, figure 4).

A photo is drawn from as soon as a face is found in it: the page presses its own Redraw button, so that one request at a
time, Stop and the settings are those of the button.
"""

import html
import json
from collections.abc import Iterator

import gradio as gr
import numpy as np

from demo.kit import address, press
from demo.kit.downloads import download_link, sheet_png
from demo.kit.frames import frames
from demo.kit.html_block import html_block
from demo.kit.model_facts import card_text, facts_html
from demo.kit.notes import notes
from demo.kit.panels import enlarge, settings_line
from demo.kit.run_controls import FACES_QUEUE, QUIET, sampling_sliders, toolbar, wire
from demo.kit.status import error_status, refused_html, small_print, status_html, unfinished_status
from demo.kit.stored import StoredPortraits, read_portraits
from demo.service.bridge import Progress, Service
from demo.service.faces import (
    EXAMPLES,
    MAX_FACES,
    STATE_SECONDS,
    FaceService,
    FoundFace,
    average,
    default_settings,
    rows_shown,
    stored_example,
    thumb,
)
from demo.service.settings import UserError, clean_sampling, number
from demo.service.uploads import take_upload
from demo.tabs.portraits.face_chips import chips_value, face_chips, read_chips
from demo.tabs.portraits.panels import portraits_html, twins_html, way_html

ID, TITLE = "portraits", "Portraits"
COUNT = 9
TWINS = 5  # portraits of either person that the tab opens with
STORED_SEED = 4  # of the pictures that the tab opens with: chosen by eye among twelve
MOST_LIKEST = 4  # portraits that are drawn for one that is kept, at most

# JavaScript: a page was opened with an example in its address, other than the one of the stored portraits.
NAMED_BY_ADDRESS = f"""(query => query.get("tab") === "{ID}" && {json.dumps(list(EXAMPLES)[1:])}
  .includes(query.get("{ID}.example")))(new URLSearchParams(window.location.search))"""

# JavaScript: where the portraits that are drawn now lie below the window, the page moves to them.
SEEN = """() => {
  const top = document.querySelector("#portraits-grid .nine")?.getBoundingClientRect().top;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (top > innerHeight - 160)
    document.querySelector(".face-bench > .stage").scrollIntoView({behavior: still ? "auto" : "smooth"});
}"""

LEAD = """<p class="lead">Give it a face. A network that never saw this person draws new portraits, from 128
numbers.</p>"""

PRIVACY = """<details class="privacy"><summary>The photo is deleted two seconds after it was read.</summary>
<p>One that could not be read, after some ten minutes. A copy of at most 480 pixels, the face cut out of it, its numbers
and the portraits live in the memory of the server until you close the page, or, if a script asks, until a hundred
others came. Use photos of people who agree. A portrait is an invention, 64 pixels wide: not evidence of anything, and
not fit for identifying anyone.</p></details>"""

EXPLANATION = [
    r"""### Who it is becomes 128 numbers
A detector (MTCNN) finds eyes, nose and mouth; the face is turned and cut out so that they lie in fixed places. A face
recognition network (dlib's) makes 128 numbers of it, $\mathbf{h}$. It was trained so that photos of one person give
nearly the same numbers, whatever the light and the pose. Who it is stays; the photo is forgotten.""",
    r"""### The numbers enter every gate
The networks that draw never see the photo, only $\mathbf{h}$, which enters each of their layers (equation 4). The first
draws 8 × 8 pixels, the next one a finer picture in sight of that, and so on:
$p(\mathbf{x}_8\mid\mathbf{h})\;p(\mathbf{x}_{16}\mid\mathbf{x}_8,\mathbf{h})\cdots$ Pose, light and background are left
to the dice: other random numbers, another portrait. Of what you draw, the last picture has the random numbers of the
first, but in its $\mathbf{h}$ every number is 0: nobody was asked for.""",
    r"""### How like is it?
The same face network reads 128 numbers from each portrait, too. How nearly they point in the direction of the photo's
numbers is the *likeness* (a cosine; 1 is the same direction). The small scale shows what nine of ten pairs of real
photos reach, one of them made as small as a portrait: grey, two strangers; blue, two photos of one person. No network
here was trained on any of them. In the blue, this judge would take it for the same person; a person need not. *Best of*
draws more than it shows; the model card's figure was measured without it.""",
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

    with gr.Row(elem_classes="face-bench"):
        html_block(LEAD, elem_classes="lead-area")
        with gr.Column(elem_classes="source"):
            photo = gr.Image(label="A photo with a face", sources=["upload", "webcam"], type="filepath",
                             image_mode=None, format="png", height=100, show_label=False, elem_id="portraits-photo")
            refused = html_block("", elem_id="portraits-refused")
            with gr.Row(elem_classes="small-buttons"):
                examples = [gr.Button(name, size="sm", min_width=60) for name in EXAMPLES]
            chips = face_chips("portraits-faces")
            keep = gr.Checkbox(False, label="Average it with earlier photos", elem_id="portraits-keep")
            html_block(PRIVACY)
        way = html_block(opening_way(stored_example(next(iter(EXAMPLES)))), elem_id="portraits-way",
                         label="From photo to h", elem_classes="way-area")
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("portraits-")
            status = html_block(opening(stored), elem_id="portraits-status")
            stage = html_block(stored_html(stored, faces.scale, info.results.get("identity")), elem_id="portraits-grid",
                               label="Portraits")
        html_block(kept_html(stored, faces.scale), elem_id="portraits-stored", elem_classes="stored-area")
        with gr.Column(elem_classes="margin"):
            likest = gr.Slider(1, MOST_LIKEST, value=1, step=1, label="Best of", elem_id="portraits-likest",
                               info="So many are drawn for each place; the one most like the photo is shown.")
            temperature, guidance, seed, min_p = sampling_sliders(
                "portraits-", *default_settings(info.results), stored.settings["seed"] if stored else STORED_SEED)
            html_block(facts_html(info))
        notes(EXPLANATION)
    with gr.Accordion("Model card", open=False):
        gr.Markdown(card_text(info))
    found = gr.State([], time_to_live=STATE_SECONDS)
    drawn = gr.State()

    def show_faces(new: list[FoundFace], keep, found: list[FoundFace]) -> tuple:
        """The outputs of finding: the largest new face is chosen; with `keep`, beside all earlier ones."""
        keep = keep is True and bool(found)
        everyone = ([*found, *new] if keep else new)[-MAX_FACES:]
        numbers = list(range(1, len(everyone) + 1))
        chosen = numbers[:len(everyone) - len(new) + 1] if keep else numbers[:1]
        faces_chosen = choose(everyone, chosen)
        return (None, way_html(everyone, faces_chosen, others(faces, faces_chosen)), chips_value(everyone, chosen), "",
                status_html(f"{len(new)} face{'s' * (len(new) > 1)} found."), everyone)

    def find(payload, keep, found):
        """Find the faces in a photo. The photo itself is not kept.

        Returns nothing in the photo's place; photo, face and numbers as HTML; the faces to choose from, each with its
        picture, and which are chosen; what is wrong with the photo, empty if nothing; and a text.
        """
        picture = None
        try:
            picture = take_upload(payload)
            return show_faces(faces.faces(picture), keep, found)
        except UserError as error:
            still = found[-1].name if found else next(iter(EXAMPLES))
            wrong = refused_html(str(error), None if picture is None else thumb(picture), still)
            return None, gr.skip(), gr.skip(), wrong, gr.skip(), gr.skip()

    def example(name):
        def find_example(keep, found):
            try:
                return show_faces([faces.example(name)], keep, found)
            except UserError as error:
                return (None, gr.skip(), gr.skip(), refused_html(str(error), None, "what was there"), *[gr.skip()] * 2)
        return find_example

    seen = [photo, way, chips, refused, status, found]
    draw_unless_refused = press.draw("portraits-", "!values[0]", refused)
    # a photo that is refused stops nothing: so faces are looked for beside what is being drawn, not after it
    photo.input(find, [photo, keep, found], seen, preprocess=False, api_name="find_faces", **FACES_QUEUE).then(
        **press.stop("portraits-", "!values[0]", refused)).then(**draw_unless_refused)
    photo.input(None, js=write_example(None))  # the address never tells of an upload
    for button, name in zip(examples, EXAMPLES):
        button.click(**press.stop("portraits-"))
        button.click(example(name), [keep, found], seen, **QUIET).then(**draw_unless_refused)
        button.click(None, js=write_example(name))

    def open_example(request: gr.Request):
        """The example that the address names; nothing where it names none, or that of the stored portraits."""
        name = request.query_params.get(f"{ID}.example")
        return example(name)(False, []) if name in list(EXAMPLES)[1:] else (gr.skip(),) * len(seen)

    page.load(open_example, None, seen, **QUIET).then(**press.draw("portraits-", NAMED_BY_ADDRESS))
    address.remember(page, ID, {"temperature": temperature, "guidance": guidance, "seed": seed, "min_p": min_p,
                                "likest": likest})

    def pick(found, chips):
        chosen = choose(found, chips)
        words = status_html("Drawing…") if chosen else error_status("Choose at least one face.")
        return way_html(found, chosen, others(faces, chosen)), words

    chips.input(**press.stop("portraits-"))
    chips.input(pick, [found, chips], [way, status], preprocess=False, **QUIET).then(
        **press.draw("portraits-", "values[0].chosen.length", chips))

    def portraits(found, picked, temperature, guidance, seed, min_p=0, likest=1):
        """Draw nine new portraits of the faces chosen last, and one without any; every row is sent as soon as it is
        drawn. `picked` are numbers of faces; with `likest` above 1 so many are drawn for each that is kept.

        Returns, again after each step: the portraits as HTML with embedded PNGs, at the end with their likeness and a
        link to the whole picture; a progress text as HTML; and the seed that was used.
        """
        chosen = choose(found, picked) if found else [faces.example(next(iter(EXAMPLES)))]
        if not chosen:
            raise UserError("Choose at least one face.")
        yield from draw(faces, chosen, of=int(number(likest, 1, MOST_LIKEST, 1)),
                        **clean_sampling(temperature, guidance, min_p, seed))

    for button in (tools.generate, tools.seed):
        button.click(None, js=SEEN)
    wire(tools, status, seed, drawn, api_name="portraits", sampling={
        "fn": portraits, "inputs": [found, chips, temperature, guidance, seed, min_p, likest],
        "outputs": [stage, status, seed, drawn], "preprocess": False})


def write_example(name: str | None) -> str:
    """JavaScript that notes the chosen example in the address, or that there is none."""
    return address.write(f"() => ({{'{ID}.example': {json.dumps(name)}}})")


def choose(found: list[FoundFace], picked) -> list[FoundFace]:
    wanted = read_chips(picked)
    return [face for k, face in enumerate(found or [], 1) if k in wanted]


def others(faces: FaceService, chosen: list[FoundFace]) -> list[FoundFace]:
    """Somebody else to compare with: the first bundled face that is not among the chosen."""
    names = [face.name for face in chosen]
    return [faces.example(name) for name in EXAMPLES if name not in names][:1]


def named(chosen: list[FoundFace]) -> str:
    return chosen[0].name if len(chosen) == 1 else f"{len(chosen)} faces, averaged"


def draw(faces: FaceService, chosen: list[FoundFace], seed: int, of: int, **how: float) -> Iterator[tuple]:
    """Run one request and yield (stage, status, seed, how far)."""
    embedding, name = average(chosen), named(chosen)
    settings = settings_line({**how, **({"the most like of": of} if of > 1 else {}), "seed": seed})
    crops = np.stack([face.crop for face in chosen])
    identity = faces.service.info(faces.model_name).results.get("identity")

    file = f"portraits_seed-{seed}.png"

    def show(progress: Progress) -> tuple:
        images = progress.images[0]  # (COUNT * of + 1, H, W, 3)
        first = np.concatenate([images[:COUNT], images[-1:]])  # (COUNT + 1, H, W, 3)
        if progress.state != "done":
            rows = rows_shown(progress, faces.service.info(faces.model_name).sizes)
            return portraits_html(first, name, rows, given=crops), unfinished_status(progress), seed, None
        if of > 1:
            first = np.concatenate([faces.likest(images[:-1], embedding, of), images[-1:]])
        words = f"<b>{COUNT} portraits of {html.escape(name)}</b> in {progress.seconds:.1f} s. " \
            f"{small_print(settings)}"
        panels = [(enlarge(crops, crops.shape[1]), name),
                  (enlarge(first[:-1], first.shape[1]), "new portraits" + f", the most like of {of}" * (of > 1)),
                  (enlarge(first[-1:], first.shape[1]), "told nothing about the person")]
        # the button of the toolbar presses this link, which is there for nobody else
        link = download_link(sheet_png(panels, settings), file, "PNG", skipped=True)
        link = f'<div class="pressed-above" aria-hidden="true">{link}</div>'
        alike = faces.alike(first, embedding).tolist()
        grid = portraits_html(first, name, alike=alike, scale=faces.scale, of=of, given=crops, identity=identity)
        return grid + link, status_html(words), seed, None

    yield from frames(faces.portraits(embedding, COUNT * of, seed, baseline=True, **how), show,
                      lambda words: (gr.skip(), words, seed, None))


def opening(stored: StoredPortraits | None) -> str:
    if stored is None:
        return status_html("Nothing drawn yet: give a photo, or choose an example.")
    how = settings_line(stored.settings) + ", chosen by eye" * (stored.settings["seed"] == STORED_SEED)
    people = html.escape(" and ".join(stored.names))
    return status_html(f"<b>Stored example</b>: {people}. {small_print(how)}")


def opening_way(first: FoundFace | None) -> str:
    if first is None:
        return ""
    second = stored_example(list(EXAMPLES)[1])
    way = way_html([first], [first], [second] if second else [])
    return f'<div class="opening">{way}</div>'  # as long as it is there, there are no earlier photos


def stored_html(stored: StoredPortraits | None, scale: dict | None, identity: dict | None) -> str:
    if stored is None:
        return portraits_html(np.zeros((COUNT + 1, 32, 32, 3), np.uint8), "", 0)
    return two_people(stored, scale, identity)


def kept_html(stored: StoredPortraits | None, scale: dict | None) -> str:
    """What the tab opened with, folded: it is there once something else has been drawn."""
    if stored is None:
        return ""
    return ("<details><summary>Same dice, two people: the stored comparison</summary>"
            f"{two_people(stored, scale, None)}</details>")


def two_people(stored: StoredPortraits, scale: dict | None, identity: dict | None) -> str:
    shown = len(stored.twins)
    return twins_html(stored.names, stored.crops, (stored.images[:shown], stored.twins),
                      (stored.judged[:shown], stored.twins_judged), scale, identity)
