"""Tab "Likelihood": how many bits a picture costs, pixel by pixel, its class by Bayes' rule, and a codec that writes it
in that many bits."""


import gradio as gr

from demo.kit import address
from demo.kit.carried import elsewhere
from demo.kit.heat_map import heat_colours, scale_html
from demo.kit.html_block import html_block
from demo.kit.model_facts import facts_html
from demo.kit.notes import NO_COLOUR_MODEL, notes
from demo.kit.picture_chooser import picture_chooser
from demo.kit.pictures import bundled
from demo.kit.pixel_canvas import canvas_value, pixel_canvas
from demo.kit.run_controls import QUIET, looking_toolbar, queued, rests, waits
from demo.kit.status import error_status, status_html
from demo.service.bridge import Service
from demo.service.settings import UserError
from demo.tabs.likelihood import panels
from demo.tabs.likelihood.codec import WORDS, codec_panel
from demo.tabs.likelihood.service import VARIANTS, LikelihoodService

ID, TITLE = "likelihood", "Likelihood"
PICTURE = "cat"
# The small pictures press the radio that holds the choice.
CHOOSE = """const family = document.getElementById("likelihood-family");
function showMaps() {  // on a phone they are off the screen when something below them is pressed
  const maps = document.querySelector(".likelihood-maps"), box = maps.getBoundingClientRect();
  if (box.top > 40 && box.bottom < innerHeight) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  maps.scrollIntoView({block: "start", behavior: still ? "auto" : "smooth"});
}
element.addEventListener("click", event => {
  const button = event.target.closest("button"), name = button?.dataset.variant;
  if (!button) return;
  const known = family.matches(".told, :has(.guess.told)");
  if (name && !known) family.classList.add(`guess-${[...button.parentNode.children].indexOf(button)}`);
  family.classList.add("told");  // also after another picture
  if (name) showMaps();
  const choice = [...document.querySelectorAll("#likelihood-variant input")].find(one => one.value === name);
  choice?.click();
});
document.addEventListener("change", event => {  // the guess was about the picture before
  if (!event.target.closest(".likelihood-bench > .margin") || event.target.closest("#likelihood-variant")) return;
  family.classList.remove(...[0, 1, 2, 3, 4].map(k => `guess-${k}`));
  if (event.target.closest("#likelihood-picture")) showMaps();
});"""

EXPLANATION = [
    r"""### What a picture costs
The network gives a probability to every value, so it gives one to a whole picture (equation 1):
$$-\log_2 p(\mathbf{x})=\sum_i -\log_2 p(x_i\mid x_1,\dots,x_{i-1})$$
Those are its bits: the fewer, the better it was predicted. Divided by the number of its values, three for each pixel,
they are *bits per dimension*, the paper's measure. No class is told here.""",
    r"""### The class that explains it best
With a class $k$ told, each picture has another probability, and Bayes' rule turns them round:
$$p(k\mid\mathbf{x})=\frac{p(\mathbf{x}\mid k)}{\sum_j p(\mathbf{x}\mid j)}$$
if all classes are equally probable at first. A model that has only learnt to draw can tell what is shown, if not very
well: most bits are spent on texture, which says little about it.""",
    r"""### Likely is not typical
A flat picture has a higher probability than any photo, and yet the model all but never draws one: there are few flat
pictures, and so many photos that all of them together have nearly all the probability. Likelihood counts how well
pixels follow from their neighbours. It does not say whether a picture looks like the training images.""",
]


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    likelihood = LikelihoodService(service)
    if likelihood.model_name is None:
        gr.Markdown(NO_COLOUR_MODEL)
        return
    info = service.info(likelihood.model_name)
    try:
        opening = figures(likelihood, bundled(PICTURE), VARIANTS[0])
    except UserError as error:  # the model's files are damaged
        blank = canvas_value(likelihood.fit(bundled(PICTURE)))
        opening = error_status(error), blank, blank, "", "", "", ""

    with gr.Row(elem_classes="bench likelihood-bench"):
        with gr.Column(elem_classes="stage"):
            headline = html_block(opening[6], elem_id="likelihood-headline")
            with gr.Row(elem_classes="likelihood-maps"):
                with gr.Column(min_width=140):
                    html_block(map_title("The picture", "as the network reads it"))
                    shown = pixel_canvas("likelihood-image", "The picture", "click", opening[1], 352,
                                         linked="likelihood-heat")
                with gr.Column(min_width=140):
                    html_block(map_title("Its surprise", "dark: many bits"))
                    heat = pixel_canvas("likelihood-heat", "Bits of every pixel", "click", opening[2], 352,
                                        linked="likelihood-image")
            html_block(scale_html())
            codec_panel_place = gr.Column()
            status = html_block(opening[0], elem_id="likelihood-status", elem_classes="status-line")
            html_block('<p class="legend">Bits of a pixel, its three colours together: few where the network saw it '
                       "coming. Point at one: both frame it. At first that is the most surprising.</p>")
            with gr.Row(elem_classes="toolbar"):
                stop = looking_toolbar(f"{ID}-")
            family = html_block(opening[5], elem_id="likelihood-family", label="Cases", js_on_load=CHOOSE)
        with gr.Column(elem_classes="margin"):
            chooser = picture_chooser(f"{ID}-", service, PICTURE, page)
            variant = gr.Radio(list(VARIANTS), value=VARIANTS[0], label="Case", elem_id="likelihood-variant",
                               elem_classes="unseen")  # its buttons are the small pictures
            elsewhere(ID)
            html_block(facts_html(info) + panels.told_html(info.results))
        with gr.Column(elem_classes="likelihood-more"):
            with gr.Row(elem_classes="likelihood-bars"):
                sizes = html_block(opening[3], elem_id="likelihood-sizes", label="Sizes")
                classes = html_block(opening[4], elem_id="likelihood-classes", label="Classes")
        notes([*EXPLANATION, WORDS])
    html_block(panels.measured_html(likelihood.measured))
    with codec_panel_place:
        packing = codec_panel(likelihood, chooser, variant, stop)

    def show(picture, variant):
        """All figures of the chosen image."""
        try:
            return figures(likelihood, picture, variant)
        except UserError as error:
            return error_status(error), *[gr.skip()] * 6

    showing = {"fn": show, "inputs": [chooser.picture, variant], "preprocess": False, "api_visibility": "private",
               "outputs": [status, shown, heat, sizes, classes, family, headline], **queued(status)}
    said = waits(status, "Measuring your picture…", stop)
    gr.on([chooser.name.input, variant.input], fn=None, js=said["js"])  # at once, before the picture is there
    reading = chooser.then(said, showing, rests(stop))[1::3]
    for event in chooser.chosen[:-1]:  # whoever chooses a picture wants to see it, and no other case
        event.then(lambda: VARIANTS[0], outputs=variant, **QUIET)
    reading.append(variant.change(**said).then(**showing))
    reading[-1].then(**rests(stop))
    stop.click(lambda: (gr.Button(interactive=False), status_html("Stopped. The figures are those from before.")),
               outputs=[stop, status], cancels=[*reading, *packing], **QUIET)
    address.remember(page, ID, {"image": variant})
    for canvas in (shown, heat):
        canvas.input(None, inputs=canvas, js=address.write("canvas => ({at: canvas.outline.join(',')})"))


def map_title(name: str, words: str) -> str:
    return f'<p class="map-title"><b>{name}</b> {words}</p>'


def figures(likelihood: LikelihoodService, picture, variant) -> tuple:
    """The bits, the two canvases, the sizes, the classes, the cases and the headline. Raises UserError."""
    images, image = likelihood.variants(picture), likelihood.variant(picture, variant)
    reading, costs = likelihood.read(image), likelihood.costs(picture)
    results = likelihood.service.info(likelihood.model_name).results
    heat = {"surprise": heat_colours(reading.bits)}
    row, column = divmod(int(reading.bits.argmax()), image.shape[1])
    opening = {"opening": [row, column]}  # the pixel in the frame until another one is chosen
    return (panels.bits_html(reading, image.size),
            canvas_value(image, readings=reading.bits, unit="bits") | opening,
            canvas_value(image, readings=reading.bits, unit="bits", layers=heat, layer="surprise") | opening,
            panels.sizes_html(reading.sizes, image.size),
            panels.classes_html(reading.class_bits, reading.classes, results, variant) if reading.classes else "",
            panels.family_html(images, costs, variant), panels.headline_html(reading))
