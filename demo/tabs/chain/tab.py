"""Tab "Coarse to fine": a picture decided on 8 x 8 pixels and drawn finer step by step; other details for one start,
a mosaic imagined, a photo shrunk and drawn again."""

import html
import time
from collections.abc import Iterator

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.draw_soon import draw_soon
from demo.kit.model_facts import facts_html
from demo.kit.run_controls import QUIET, min_p_slider, sampling_sliders, toolbar, wire
from demo.kit.status import error_status, refusal, status_html, unfinished_status
from demo.service.bridge import Service
from demo.service.faces import EXAMPLES, FaceService, default_settings
from demo.service.settings import MAX_GUIDANCE, MAX_SEED, MAX_TEMPERATURE, UserError, number
from demo.service.uploads import take_upload
from demo.tabs.chain.mosaic import mosaic, mosaic_value, read_mosaic
from demo.tabs.chain.panels import continuations_html, scales_html
from demo.tabs.chain.service import ChainService, enlarged
from demo.tabs.chain.stored import StoredScales, read_scales

ID, TITLE = "chain", "Coarse to fine"
COUNT = 4
FRAME_SECONDS = 0.12
MIN_P = 0.2  # less than portraits are drawn with: here details may differ
NOBODY = "nobody in particular"
STORED_SEED = 22  # of the faces that the tab opens with: chosen by eye among 28
NOTHING, SAME, MOSAIC, PHOTO = "nothing", "same", "mosaic", "photo"
STARTS = {"From nothing: a new picture": NOTHING, "The same coarse picture, other details": SAME,
          "A mosaic that you paint": MOSAIC, "A photo, shrunk": PHOTO}
STATE_SECONDS = 1800
LEAD = """<p class="chain-lead">What a picture shows is decided on {small} × {small} pixels. All the rest is detail, and
can be imagined again.</p>"""
DRAW_SOON = draw_soon("chain-")  # whoever chooses a start or paints wants to see what becomes of it

EXPLANATION = [
    r"""### What is shown is decided first
A model that draws in raster order must carry what the picture shows through thousands of pixels. Here the picture is a
chain of Conditional PixelCNNs, each given the smaller picture:
$$p(\mathbf{x}_8\mid\mathbf{h})\;p(\mathbf{x}_{16}\mid\mathbf{x}_8,\mathbf{h})\;
p(\mathbf{x}_{32}\mid\mathbf{x}_{16},\mathbf{h})\cdots$$
The first step has 64 pixels to decide who, which way, in what light; every later pixel sees the whole smaller picture,
also what lies below it and to the right.""",
    r"""### The smaller picture is a map
It enters as the paper's *spatial map* $\mathbf{s}=m(\cdot)$ of equation 5: a small network $m$, which is not masked,
turns it into 24 channels of twice the size, and $V\ast\mathbf{s}$ stands inside every gate. Only the pixels *of one
size* are drawn one after another.""",
    r"""### Where the bits are
Below each size stands what it costs, $-\log_2 p$: always by the model itself, without min-p, temperature and guidance.
A few per cent of the bits, on 8 × 8 pixels, settle what is where; who it is comes later, and most of the rest is
texture. As the smaller picture is the mean of every 2 × 2 pixels, some is paid twice: the sum is *at most* what the
picture costs, and not to be set beside the paper's table.""",
]


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
            start = gr.Radio(list(STARTS.items()), value=NOTHING, label="Start from", elem_id="chain-start",
                             elem_classes="chips")
            with gr.Column(visible=False, elem_classes="chain-start-with") as with_mosaic:
                tiles = mosaic("chain-mosaic", "The mosaic", mosaic_value(tiles_at_first))
                with gr.Row(elem_classes="small-buttons"):
                    from_photo = gr.Button("Begin with the photo", size="sm", min_width=60)
                    from_drawn = gr.Button("Begin with the drawn picture", size="sm", min_width=60)
            with gr.Column(visible=False, elem_classes="chain-start-with") as with_photo:
                photo = gr.Image(label="Photo of a face" if info.embedding else "Picture", sources=["upload"],
                                 type="filepath", image_mode=None, format="png", height=150, elem_id="chain-photo")
            shrunk = gr.Radio([(f"{size} × {size}", str(size)) for size in sizes[:-1]], value=str(sizes[0]),
                              label="How coarse", elem_id="chain-shrunk", elem_classes="chips", visible=False)
        with gr.Column(elem_classes="stage"):
            gr.HTML(LEAD.format(small=sizes[0]), apply_default_css=False)
            with gr.Row(elem_classes="toolbar"):
                tools = toolbar("chain-")
            status = gr.HTML(opening(stored), elem_id="chain-status", apply_default_css=False)
            scales = gr.HTML(scales_html(stored.pictures if stored else {}, sizes, bits=stored and stored.bits),
                             elem_id="chain-scales", label="Sizes", apply_default_css=False)
            gr.HTML('<p class="legend">One picture at every size. The bars are the bits that each step adds: a '
                    "few per cent of them, the first, settle the scene.</p>", apply_default_css=False)
            grid = gr.HTML(continuations_html(stored.pictures[sizes[-1]]) if stored else "", elem_id="chain-grid",
                           label="Pictures", apply_default_css=False)
            gr.HTML('<p class="legend">Four pictures. From one start all share its coarse half, and differ in what the '
                    "finer steps make up.</p>", apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            who = gr.Radio([NOBODY, *people], value=told_of(stored), elem_id="chain-who",
                           label="It is told" if info.embedding else "Class", elem_classes="chips")
            temperature, guidance, seed = sampling_sliders("chain-", *default_settings(info.results)[:2],
                                                           stored.settings["seed"] if stored else 7)
            min_p = min_p_slider("chain-", MIN_P)
            gr.HTML(facts_html(info), apply_default_css=False)
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    source = gr.State(None, time_to_live=STATE_SECONDS)  # the visitor's face, uint8 (64, 64, 3)
    drawn, first_picture = gr.State(), gr.State(  # {size: uint8 (size, size, 3)}
        first_of(stored.pictures) if stored else None, time_to_live=STATE_SECONDS)
    address.remember(page, ID, {"start": start, "told": who, "shrunk": shrunk, "temperature": temperature,
                                "guidance": guidance, "seed": seed, "min_p": min_p})

    # `change`, as a start may also come from the address
    start.change(lambda start: (gr.Column(visible=start == MOSAIC), gr.Column(visible=start == PHOTO),
                                gr.Radio(visible=start in (SAME, PHOTO))),
                 start, [with_mosaic, with_photo, shrunk], **QUIET)
    for chosen in (start, shrunk, who):
        chosen.input(None, js=DRAW_SOON)

    def take(payload):
        """Find the face in a photo; the photo itself is not kept. Returns nothing in its place, a text, the crop."""
        try:
            found = faces.faces(take_upload(payload))[0].crop
            return None, status_html("A face was found in your photo: it is shrunk, and imagined again."), found, PHOTO
        except UserError as error:
            return None, error_status(f"{error} What is drawn below is still the last picture."), gr.skip(), gr.skip()

    photo.input(take, photo, [photo, status, source, start], preprocess=False, api_name="chain_photo",
                concurrency_id="model", concurrency_limit=1, show_progress="hidden").then(
        None, inputs=status, js=f"words => words.includes('role=\"alert\"') ? null : ({DRAW_SOON})()")

    def picture_of(source) -> np.ndarray:
        return source if isinstance(source, np.ndarray) else faces.example(first).crop

    def mosaic_from_photo(source):
        try:
            return mosaic_value(chains.smaller(name, picture_of(source), sizes[0]))
        except UserError:
            return gr.skip()

    def coarse(pictures: dict[int, np.ndarray], size: int) -> np.ndarray:
        """The drawn picture of this size; where none was drawn, what was drawn, shrunk."""
        return pictures[size] if size in pictures else chains.smaller(name, pictures[sizes[-1]], size)

    def mosaic_from_drawn(pictures):
        return gr.skip() if pictures is None else mosaic_value(chains.smaller(name, pictures[sizes[-1]], sizes[0]))

    from_photo.click(mosaic_from_photo, source, tiles, concurrency_id="model", concurrency_limit=1,
                     show_progress="hidden", api_visibility="private").then(None, js=DRAW_SOON)
    from_drawn.click(mosaic_from_drawn, first_picture, tiles, **QUIET).then(None, js=DRAW_SOON)
    tiles.input(None, js=DRAW_SOON)

    def generate(start, who, tiles, source, shrunk, temperature, guidance, min_p, seed, first_picture=None):
        """Draw four pictures through all sizes, from nothing or from one coarse start: nothing, same, mosaic or photo.

        Returns, again after each step: the sizes of the first picture and all pictures, as HTML with embedded PNGs; a
        progress text as HTML; the seed that was used.
        """
        seed = int(number(seed, 0, MAX_SEED, 7))
        size = min(sizes[:-1], key=lambda known: abs(known - number(shrunk, sizes[0], sizes[-2], sizes[0])))
        try:
            beginning = original = None
            if start == MOSAIC:
                beginning = read_mosaic(tiles, sizes[0])
            elif start == PHOTO:
                original = picture_of(source)
                beginning = chains.smaller(name, original, size)
            elif start == SAME and isinstance(first_picture, dict):
                beginning = coarse(first_picture, size)
            embedding = faces.example(who).embedding if info.embedding and who in people else None
            yield from draw(chains, name, chains.told(name, who, embedding), beginning, seed, original,
                            temperature=number(temperature, 0, MAX_TEMPERATURE, 1),
                            guidance=number(guidance, 0, MAX_GUIDANCE, 1), min_p=number(min_p, 0, 1, MIN_P))
        except UserError as error:
            yield gr.skip(), gr.skip(), error_status(error), gr.skip(), gr.skip(), gr.skip()
            raise refusal(error) from error

    wire(tools, status, seed, drawn, api_name="coarse_to_fine", sampling={
        "fn": generate,
        "inputs": [start, who, tiles, source, shrunk, temperature, guidance, min_p, seed, first_picture],
        "outputs": [scales, grid, status, seed, drawn, first_picture], "preprocess": False})


def opening(stored: StoredScales | None) -> str:
    if stored is None:
        return status_html("Press <b>Draw</b>: the picture appears on 8 × 8 pixels and grows.")
    settings = " · ".join(f"{key.replace('_', '-')} {value:g}" for key, value in stored.settings.items()
                          if key != "told")
    settings += ", chosen by eye" * (told_of(stored) != NOBODY and stored.settings["seed"] == STORED_SEED)
    return status_html(f"<b>Stored example</b>, told {html.escape(told_of(stored))}: {settings}. Press <b>Draw</b> to "
                       "watch such pictures grow.")


def told_of(stored: StoredScales | None) -> str:
    """Who or what the stored pictures were told."""
    return stored.settings.get("told", NOBODY) if stored else NOBODY


def first_of(pictures: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The first of the pictures of every size: {size: (n, size, size, 3)} -> {size: (size, size, 3)}."""
    return {size: images[0] for size, images in pictures.items()}


def draw(chains: ChainService, name: str, condition, start: np.ndarray | None, seed: int,
         original: np.ndarray | None = None, **settings) -> Iterator[tuple]:
    """Run one request and yield (scales, pictures, status, seed, how far, the finished first picture in every size).

    The first picture is kept from one request to the next: it is what "the same coarse picture" begins with.
    """
    sizes, given = chains.sizes(name), None if start is None else len(start)
    beside = None if start is None else enlarged(start, sizes[-1])
    nothing_yet = scales_html({} if start is None else {given: start[None]}, sizes, given)
    yield nothing_yet, gr.skip(), status_html("Loading the model…", 0), seed, None, gr.skip()
    shown, last = 0.0, None
    for last in chains.imagine(name, condition, start, COUNT, seed, **settings):
        progress = last.progress
        if progress.state == "waiting":
            text = status_html("Waiting: the model serves one request at a time…", 0)
            yield gr.skip(), gr.skip(), text, seed, None, gr.skip()
        elif progress.state == "out of time" or (progress.state == "sampling"
                                                 and time.monotonic() - shown >= FRAME_SECONDS):
            shown = time.monotonic()
            yield (scales_html(last.pictures, sizes, given, rows=last.rows),
                   continuations_html(progress.images[0], beside, original), unfinished_status(progress), seed, None,
                   gr.skip())
    if last.progress.state == "done":  # the turn is free again, which the bits need
        images = last.progress.images[0]  # (n, s, s, 3)
        bits = chains.bits(name, images[0], condition)
        words = f"<b>{len(images)} pictures</b> in {last.progress.seconds:.1f} s. Seed {seed}"
        yield (scales_html(last.pictures, sizes, given, bits), continuations_html(images, beside, original),
               status_html(words), seed, None, first_of(last.pictures))
