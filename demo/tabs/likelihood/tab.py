"""Tab "Likelihood": how many bits a picture costs, pixel by pixel, its class by Bayes' rule, and a codec that writes it
in that many bits."""

import html

import gradio as gr

from demo.kit import address
from demo.kit.model_facts import facts_html
from demo.kit.pictures import bundled, picture_chooser
from demo.kit.pixel_canvas import canvas_value, pixel_canvas
from demo.kit.run_controls import MODEL_QUEUE
from demo.kit.status import status_html
from demo.service.bridge import Service
from demo.service.settings import UserError
from demo.tabs.likelihood import panels
from demo.tabs.likelihood.codec import codec_panel
from demo.tabs.likelihood.service import VARIANTS, LikelihoodService

ID, TITLE = "likelihood", "Likelihood"
PICTURE = "cat"

EXPLANATION = [
    r"""#### What a picture costs
The network gives a probability to every value, so it gives one to a whole picture (equation 1):
$$-\log_2 p(\mathbf{x})=\sum_i -\log_2 p(x_i\mid x_1,\dots,x_{i-1})$$
Those are its bits: the fewer, the better it was predicted. Divided by the number of sub-pixels they are *bits per
dimension*, the paper's measure. No class is told here.""",
    r"""#### The class that explains it best
With a class $k$ told, each picture has another probability, and Bayes' rule turns them round:
$$p(k\mid\mathbf{x})=\frac{p(\mathbf{x}\mid k)}{\sum_j p(\mathbf{x}\mid j)}$$
with all classes equally probable at first. A model that only learnt to draw becomes a classifier, if a modest one: most
bits are spent on texture, which says little of what is shown.""",
    r"""#### Likely is not typical
A flat picture has a higher probability than any photo, and yet the model all but never draws one: there are few flat
pictures, and so many photos that all of them together have nearly all the probability. Likelihood counts how well
pixels follow from their neighbours. It does not say whether a picture looks like the training images.""",
]


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    likelihood = LikelihoodService(service)
    if likelihood.model_name is None:
        gr.Markdown("### There is no colour model yet\nTrain one: `python -m pixelcnn_core train cifar10-cpu "
                    "--data data --download --out demo/assets/models/cifar10`.")
        return
    info = service.info(likelihood.model_name)
    try:
        opening = figures(likelihood, bundled(PICTURE), VARIANTS[0])
    except UserError as error:  # the model's files are damaged
        blank = canvas_value(likelihood.fit(bundled(PICTURE)))
        opening = status_html(html.escape(str(error))), blank, blank, "", "", ""

    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            status = gr.HTML(opening[0], elem_id="likelihood-status", elem_classes="status-line",
                             apply_default_css=False)
            with gr.Row(elem_classes="likelihood-maps"):
                with gr.Column(min_width=220):
                    shown = pixel_canvas("likelihood-image", "The image", "click", opening[1], side=320)
                    gr.HTML('<p class="legend"><b>Figure 1.</b> The image, as the model reads it.</p>',
                            apply_default_css=False)
                with gr.Column(min_width=220):
                    heat = pixel_canvas("likelihood-heat", "Bits of every pixel", "click", opening[2], 320)
                    gr.HTML(f'{panels.scale_html()}<p class="legend"><b>Figure 2.</b> −log<sub>2</sub> <i>p</i> of '
                            "every pixel given all earlier ones, red, green and blue together, in bits.</p>",
                            apply_default_css=False)
            with gr.Row(elem_classes="likelihood-bars"):
                sizes = gr.HTML(opening[3], elem_id="likelihood-sizes", label="Sizes", apply_default_css=False)
                classes = gr.HTML(opening[4], elem_id="likelihood-classes", label="Classes",
                                  apply_default_css=False)
            family = gr.HTML(opening[5], elem_id="likelihood-family", label="Other images",
                             apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            chooser = picture_chooser("likelihood-", service, PICTURE)
            variant = gr.Radio(list(VARIANTS), value=VARIANTS[0], label="Shown", elem_id="likelihood-variant",
                               elem_classes="chips", info="Like the images it was trained on, or not.")
            gr.HTML(facts_html(info), apply_default_css=False)
        with gr.Column(elem_classes="notes"):
            for text in EXPLANATION:
                gr.Markdown(text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True},
                                                    {"left": "$", "right": "$", "display": False}])
    codec_panel(likelihood, chooser, variant)

    def show(picture, variant):
        """All figures of the chosen image."""
        try:
            return figures(likelihood, picture, variant)
        except UserError as error:
            return status_html(html.escape(str(error))), *[gr.skip()] * 5

    showing = {"fn": show, "inputs": [chooser.picture, variant], "preprocess": False, "api_visibility": "private",
               "outputs": [status, shown, heat, sizes, classes, family], **MODEL_QUEUE}
    chooser.then(showing)
    variant.change(**showing)
    address.remember(page, ID, {"image": variant, "picture": chooser.name})


def figures(likelihood: LikelihoodService, picture, variant) -> tuple:
    """What the status line, the two canvases and figures 3 to 5 show. Raises UserError."""
    images, image = likelihood.variants(picture), likelihood.variant(picture, variant)
    reading, costs = likelihood.read(image), likelihood.costs(picture)
    total = reading.bits.sum()
    words = (f"<b>{reading.bits_per_dim:.2f} bits per dimension</b>: {total:,.0f} bits, {total / 8:,.0f} bytes "
             f"instead of {image.size:,}.")
    results = likelihood.service.info(likelihood.model_name).results
    return (status_html(words), canvas_value(image, readings=reading.bits, unit="bits"),
            canvas_value(panels.heat_colours(reading.bits), readings=reading.bits, unit="bits"),
            panels.sizes_html(reading.sizes, image.size),
            panels.classes_html(reading.classes, results) if reading.classes else "",
            panels.family_html(images, costs, variant))
