"""Tab "About": how to read the page, what is honest to expect of these models, and where to read on."""

import gradio as gr

from demo.kit.model_facts import limits, measured
from demo.service.bridge import Service

ID, TITLE = "about", "About"

TEXT = """
## How to read this page
Every panel shows images of one class. While they are sampled, the hatched part of an image is not drawn yet and the red
line is the row that is drawn next; all images of a request advance together. Nothing is looked up or blended: each
sub-pixel is a new random draw, and the only thing that tells a *cat* from a *ship* is the vector *h* in the gates.

In *Portraits* and *Interpolate* the vector is not a class but 128 numbers that a face network reads from a photo.
In *Auto-encoder* it is the code of a picture, learnt together with the network. *Inside* opens the network for one
pixel, *Complete* and *Likelihood* use what only an exact density can do, and *Scoreboard* says how good all this is.

Try the switch **Same noise, every class**: the random numbers are then the same in every panel, so that whatever
differs between two panels is the work of the class alone. Try **temperature** 0: chance is switched off, the likeliest
value wins each time, and the images turn flat. The likeliest *pixel* is far from a likely *image*.

The address of the page always holds your settings: send it to someone, and they see what you see.

## Bits per dimension
The probability of a whole image is the product of the probabilities of its sub-pixels. Its negative base-2 logarithm,
divided by the number of sub-pixels, is the model's *bits per dimension*: what a perfect coder would need per sub-pixel
to store the image. Lower is better; 8 bits is knowing nothing about an 8-bit image. The paper reports
3.03 for its Gated PixelCNN on CIFAR-10 (table 1); the models behind its figures trained on ImageNet, on 32 GPUs.

## Honest limits
{models}
- A PixelCNN is trained to give probability to real images, not to please the eye. It gets local texture and colour
  right first, and whole objects last, if at all: even the published samples of 32×32 photos rarely show a clear object.
- Sampling is sequential by nature: {subpixels} steps for one 32×32 colour image. This demo computes each step once and
  keeps what later steps need, which gives exactly the image that the slow way gives.

## Read on
- The paper: [arXiv 1606.05328](https://arxiv.org/abs/1606.05328). The one before it, with the plain PixelCNN and its
  blind spot: [arXiv 1601.06759](https://arxiv.org/abs/1601.06759).
- The code behind this page: `pixelcnn_core/` is the model and the sampler, and knows nothing of web pages;
  `notebooks/` explains its pieces step by step; `README.md` says how to train your own.
- The same as an API: *Use via API* at the foot of the page.
"""


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's text, inside an open `gr.Tab`."""
    models = "\n".join(f"- {limit(service, name)}" for name in (*service.names, *service.portrait_names))
    gr.Markdown(TEXT.format(models=models, subpixels=3 * 32 * 32), elem_id="about-text")


def limit(service: Service, name: str) -> str:
    """What one bundled model is, in numbers that were measured, and in the words of its model card."""
    info = service.info(name)
    return f"**{name}**: {'; '.join(measured(info))}. {limits(info)}"
