"""Tab "Coarse to fine": a picture decided on 8 x 8 pixels and drawn finer step by step; other details for one start,
a mosaic imagined, a photo shrunk and drawn again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit import address, press
from demo.kit.crop import STATE_SECONDS
from demo.kit.frames import frames
from demo.kit.html_block import html_block
from demo.kit.model_facts import facts_html
from demo.kit.notes import notes
from demo.kit.panels import settings_line
from demo.kit.run_controls import MODEL_QUEUE, QUIET, queued, sampling_sliders, toolbar, waits, wire
from demo.kit.status import error_status, small_print, status_html, unfinished_status
from demo.service.bridge import Service
from demo.service.faces import EXAMPLES, FaceService, default_settings
from demo.service.settings import UserError, clean_sampling, number
from demo.service.uploads import take_upload
from demo.tabs.chain.mosaic import mosaic, mosaic_value, read_mosaic
from demo.tabs.chain.panels import growth_html
from demo.tabs.chain.service import ChainService, Scales, enlarged
from demo.tabs.chain.stored import StoredScales, read_scales

ID, TITLE = "chain", "Coarse to fine"
COUNT = 4
MIN_P = 0.2  # less than portraits are drawn with: here details may differ
NOBODY, YOURS = "nobody in particular", "the face in your photo"
COARSE_SEED, COARSE = 22, 1  # the small picture that the tab opens with, and which of four: chosen by eye
STORED_SEED = 5  # of its details, chosen by eye among 7
SAME, NOTHING, MOSAIC, PHOTO = "same", "nothing", "mosaic", "photo"
STARTS = {"The same start, other details": SAME, "Nothing: four new pictures": NOTHING,
          "A mosaic that you paint": MOSAIC, "A photo, shrunk": PHOTO}
LEAD = '<p class="chain-lead">What a picture shows is decided on {small} × {small} pixels. The rest is imagined.</p>'
HINT = """<p class="chain-hint">Choose a colour and paint. Four pictures of it are drawn as soon as you let go.</p>"""
PRESS_PAINT = (Path(__file__).parent / "growth.js").read_text(encoding="utf-8")
DRAW_SOON = press.draw("chain-", at_rest=True)  # whoever chooses a start or paints wants to see what becomes of it

EXPLANATION = [
    r"""### What is shown is decided first
Row by row from the top left is a hard way to draw a face: the hair comes before anything has decided whose. So here
several PixelCNNs work in a chain. The first draws 8 × 8 pixels, and each next one a larger picture in sight of the
smaller one:
$$p(\mathbf{x}_8\mid\mathbf{h})\;p(\mathbf{x}_{16}\mid\mathbf{x}_8,\mathbf{h})\;
p(\mathbf{x}_{32}\mid\mathbf{x}_{16},\mathbf{h})\cdots$$
64 pixels decide what is where, and in what light. Every later pixel sees the whole smaller picture, also what lies
below it and to the right.""",
    r"""### The smaller picture is a map
How does a network see the smaller picture? A helper network $m$, which may look everywhere, makes 24 numbers of it for
each pixel of the larger one: the paper's *spatial map* $\mathbf{s}=m(\cdot)$. They enter every gate as
$V\ast\mathbf{s}$ (equation 5). Only the pixels *of one size* are drawn one after another.""",
    r"""### Where the bits are
Beside each size stands how many bits it takes to write down, $-\log_2 p$: few, where the network could have guessed. A
few per cent of them, on 8 × 8 pixels, settle what is where; who it is comes later, and most of the rest is texture.
They are counted without min-p, temperature and guidance. Since a smaller picture is the mean of every 2 × 2 pixels,
some is paid twice: the sum is *at most* what the picture costs, and has no place in the paper's table.""",
]


@dataclass(frozen=True, eq=False)
class OwnFace:
    """What is kept of a visitor's photo: the aligned face, uint8 (64, 64, 3), and who it is, (D,) of unit length."""

    crop: np.ndarray
    embedding: np.ndarray


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    chains, faces = ChainService(service), FaceService(service)
    if not chains.names:
        gr.Markdown("### There is no chain yet\nTrain one: `python -m pixelcnn_core train portraits-chain-cpu "
                    "--data faces --out demo/assets/models/portraits-chain`.")
        return
    name = chains.names[0]
    info, sizes = service.info(name), chains.sizes(name)
    people = list(EXAMPLES) if info.embedding else list(info.classes)

    first, stored = next(iter(EXAMPLES)), read_scales(service.folder / name, info)
    tiles_at_first = stored.pictures[sizes[0]][0] if stored else np.linspace(40, 220, sizes[0] ** 2 * 3).reshape(
        sizes[0], sizes[0], 3).astype(np.uint8)

    with gr.Row(elem_classes="bench chain-bench"):
        with gr.Column(elem_classes="margin chain-start"):
            start = gr.Radio(list(STARTS.items()), value=SAME, label="Start from", elem_id="chain-start",
                             elem_classes="chips")
            with gr.Column(visible=False, elem_classes="chain-start-with chain-paint-place") as with_mosaic:
                html_block(HINT)
                tiles = mosaic("chain-mosaic", "The mosaic", mosaic_value(tiles_at_first))
                from_photo = gr.Button(begin_with(first), size="sm", min_width=60)
            with gr.Column(visible=False, elem_classes="chain-start-with") as with_photo:
                photo = gr.Image(label="Photo of a face" if info.embedding else "Picture", sources=["upload"],
                                 type="filepath", image_mode=None, format="png", height=150, elem_id="chain-photo")
            shrunk = gr.Radio([(f"{size} × {size}", str(size)) for size in sizes[:-1]], value=str(sizes[0]),
                              label="How coarse the start is", elem_id="chain-shrunk", elem_classes="chips")
        with gr.Column(elem_classes="stage"):
            html_block(LEAD.format(small=sizes[0]))
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("chain-")
            status = html_block(opening(stored), elem_id="chain-status")
            grid = html_block(stored_grid(stored, sizes), elem_id="chain-grid", label="Pictures",
                              js_on_load=PRESS_PAINT)
            paint = gr.Button("", elem_id="chain-paint", elem_classes="unseen")
        with gr.Column(elem_classes="margin"):
            who = gr.Radio([NOBODY, *people], value=told_of(stored), elem_id="chain-who",
                           label="It is told to show" if info.embedding else "Class", elem_classes="chips")
            temperature, guidance, seed, min_p = sampling_sliders("chain-", *default_settings(info.results)[:2], MIN_P,
                                                                  stored.settings["seed"] if stored else 7)
            html_block(facts_html(info))
        notes(EXPLANATION)
    source = gr.State(None, time_to_live=STATE_SECONDS)  # an OwnFace
    drawn, first_picture = gr.State(), gr.State(  # {size: uint8 (size, size, 3)}
        first_of(stored.pictures) if stored else None, time_to_live=STATE_SECONDS)
    address.remember(page, ID, {"start": start, "told": who, "shrunk": shrunk, "temperature": temperature,
                                "guidance": guidance, "seed": seed, "min_p": min_p})

    # `change`, as a start may also come from the address
    start.change(lambda start: (gr.Column(visible=start == MOSAIC), gr.Column(visible=start == PHOTO),
                                gr.Radio(visible=start in (SAME, PHOTO))),
                 start, [with_mosaic, with_photo, shrunk], **QUIET)
    for chosen in (start, shrunk, who):
        chosen.input(**DRAW_SOON)

    def take(payload):
        """Find the face in a photo; the photo itself is not kept. From here on nobody in particular is told, for the
        person told before is another. Returns nothing in its place, a text, the start, who is told, a button."""
        try:
            found = faces.faces(take_upload(payload))[0]
            told = gr.Radio([NOBODY, YOURS, *people] if info.embedding else [NOBODY, *people], value=NOBODY)
            words = "A face was found in your photo: it is shrunk, and imagined again."
            return (None, status_html(words), OwnFace(found.crop, found.embedding), PHOTO, told,
                    gr.Button(begin_with(YOURS)))
        except UserError as error:
            return None, error_status(f"{error} What is drawn below is still the last picture."), *[gr.skip()] * 4

    photo.input(**waits(status, "Reading your photo…")).then(
        take, photo, [photo, status, source, start, who, from_photo], preprocess=False, api_name="chain_photo",
        **queued(status)).then(**press.draw("chain-", "!values[0].includes('role=\"alert\"')", status, at_rest=True))

    def picture_of(source) -> np.ndarray:
        return source.crop if isinstance(source, OwnFace) else faces.example(first).crop

    def face_of(who, source) -> tuple[str, np.ndarray | None]:
        """Who is told, cleaned, and the embedding; of nobody and of classes there is none."""
        if info.embedding and who == YOURS and isinstance(source, OwnFace):
            return YOURS, source.embedding
        if who not in people:
            return NOBODY, None
        return who, faces.example(who).embedding if info.embedding else None

    def mosaic_from_photo(source):
        try:
            return mosaic_value(chains.smaller(name, picture_of(source), sizes[0]))
        except UserError:
            return gr.skip()

    def coarse(pictures: dict[int, np.ndarray], size: int) -> np.ndarray:
        """The drawn picture of this size; where none was drawn, what was drawn, shrunk."""
        return pictures[size] if size in pictures else chains.smaller(name, pictures[sizes[-1]], size)

    def mosaic_from_drawn(pictures):
        """The smallest picture that is shown, to paint on; and the start that goes with it."""
        return [gr.skip()] * 2 if pictures is None else (mosaic_value(coarse(pictures, sizes[0])), MOSAIC)

    from_photo.click(mosaic_from_photo, source, tiles, api_visibility="private", **MODEL_QUEUE).then(**DRAW_SOON)
    tiles.input(**DRAW_SOON)

    def generate(start, who, tiles, source, shrunk, temperature, guidance, min_p, seed, first_picture=None):
        """Draw four pictures through all sizes, from nothing or from one coarse start: nothing, same, mosaic or photo.

        Returns, again after each step: the pictures at every size as HTML with embedded PNGs; a progress text as HTML;
        the seed that was used.
        """
        size = min(sizes[:-1], key=lambda known: abs(known - number(shrunk, sizes[0], sizes[-2], sizes[0])))
        beginning = original = None
        if start == MOSAIC:
            beginning = read_mosaic(tiles, sizes[0])
        elif start == PHOTO:
            original = picture_of(source)
            beginning = chains.smaller(name, original, size)
        elif start == SAME and isinstance(first_picture, dict):
            beginning = coarse(first_picture, size)
        told, embedding = face_of(who, source)
        yield from draw(chains, name, chains.told(name, who, embedding), beginning, original=original, told=told,
                        painting=start == MOSAIC, **clean_sampling(temperature, guidance, min_p, seed, MIN_P))

    runs = wire(tools, status, seed, drawn, api_name="coarse_to_fine", sampling={
        "fn": generate,
        "inputs": [start, who, tiles, source, shrunk, temperature, guidance, min_p, seed, first_picture],
        "outputs": [grid, status, seed, drawn, first_picture], "preprocess": False})
    paint.click(mosaic_from_drawn, first_picture, [tiles, start], **QUIET).then(**runs.up_to_date)


def opening(stored: StoredScales | None) -> str:
    if stored is None:
        return status_html("Press <b>Draw another</b>: the picture appears on 8 × 8 pixels and grows.")
    settings = settings_line({name: value for name, value in stored.settings.items() if name != "told"})
    settings += ", chosen by eye" * (stored.settings["seed"] == STORED_SEED)
    return status_html("<b>Stored example.</b> <b>Draw another</b> for other details. " + small_print(settings))


def begin_with(whose: str) -> str:
    """What the button is called that makes a mosaic of a face."""
    return f"Begin with {whose}"


def told_of(stored: StoredScales | None) -> str:
    """Who or what the stored pictures were told."""
    return stored.settings.get("told", NOBODY) if stored else NOBODY


def first_of(pictures: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The first of the pictures of every size: {size: (n, size, size, 3)} -> {size: (size, size, 3)}."""
    return {size: images[0] for size, images in pictures.items()}


def stored_grid(stored: StoredScales | None, sizes: tuple[int, ...]) -> str:
    """The pictures that the page opens with."""
    if stored is None:
        return growth_html({}, sizes, COUNT)
    start = stored.pictures[stored.given][0] if stored.given else None
    return growth_html(stored.pictures, sizes, COUNT, start, bicubic(start, sizes[-1]), told=told_of(stored),
                       bits=stored.bits)


def bicubic(start: np.ndarray | None, size: int) -> np.ndarray | None:
    """What an interpolation makes of a start, if there is one."""
    return None if start is None else enlarged(start, size)


def draw(chains: ChainService, name: str, condition, start: np.ndarray | None, seed: int,
         original: np.ndarray | None = None, told: str = NOBODY, painting: bool = False, **settings) -> Iterator[tuple]:
    """Run one request and yield (pictures, status, seed, how far, the finished first picture in every size).

    The first picture is kept from one request to the next: "the same start" begins with it.
    """
    sizes = chains.sizes(name)
    beside = bicubic(start, sizes[-1])

    def grown(moment: Scales, **more) -> str:
        return growth_html(moment.pictures, sizes, COUNT, start, beside, original, told, painting=painting, **more)

    def show(moment: Scales) -> tuple:
        return grown(moment, rows=moment.rows), unfinished_status(moment.progress), seed, None, gr.skip()

    last = yield from frames(chains.imagine(name, condition, start, COUNT, seed, **settings), show,
                             lambda words: (gr.skip(), words, seed, None, gr.skip()))
    if last.state == "done":  # the turn is free again, which the bits need
        bits = chains.bits(name, last.progress.images[0][0], condition)
        words = f"<b>{COUNT} pictures</b> in {last.progress.seconds:.1f} s. Seed {seed}"
        yield grown(last, bits=bits), status_html(words), seed, None, first_of(last.pictures)
