"""Tab "About": what this is, after which paper, and what each model draws; then a tour of the page in links, what its
numbers mean, what is honest to expect, what happens to uploads, and where to read on."""

import html
import os

import gradio as gr

from demo.kit.html_block import html_block
from demo.kit.model_facts import facts_html, model_name
from demo.service.bridge import Service
from demo.tabs.about.thumbnails import thumbnails_html

ID, TITLE = "about", "About"
PAPER = "https://arxiv.org/abs/1606.05328"

WHAT = """
## What this is
A small network that draws pictures one value at a time, to touch. It was built anew, as free software (MIT licence), by
the *PixelCNN demo authors*, after the paper [Conditional Image Generation with PixelCNN Decoders]({paper}) by Aäron van
den Oord, Nal Kalchbrenner, Oriol Vinyals, Lasse Espeholt, Alex Graves and Koray Kavukcuoglu (2016).

- **The paper’s:** the network with its gates and without a blind spot; telling it a class, a face or a picture; the
  auto-encoder; the numbers of its tables, quoted on the Scoreboard.
- **This project’s own:** all code, all trained models and every picture drawn here; the fast sampler; filling holes;
  the lossless codec; all that is measured on the Scoreboard. Drawing coarse to fine is an older idea, built here of the
  paper’s networks.

To cite it: {citation}, beside the paper.
"""

TOUR = """
## How to read this page
A language model writes a text word by word: it gives every possible next word a probability, and one is drawn. A
PixelCNN does the same with a picture. It goes from left to right and from top to bottom, gives every possible value of
the next pixel a probability, and draws one. Nothing is looked up and nothing is blended. Every link below opens the
page in the state it speaks of.

- **One pixel.** [Look into a picture at one pixel](?tab=inside&inside.pixel=20,10): three distributions, for red, green
  and blue, and what each of them could see. Or
  [let the network draw a picture of its own](?tab=inside&inside.picture=a+sample).
- **A condition.** [Pictures of ten classes](?tab=classes): hatched paper is not drawn yet, the red line is the row that
  is drawn next. Only a vector *h* tells the network whether to draw a *cat* or a *ship*.
  [Give all classes the same random numbers](?tab=classes&noise=same), and whatever differs between them is the work of
  the class alone.
- **Chance.** [At temperature 0 nothing is left to it](?tab=classes&temperature=0): the likeliest value wins each time,
  and the pictures turn flat. The likeliest *pixels* do not make a likely *picture*.
- **A face.** [New portraits of Grace Hopper](?tab=portraits&portraits.example=Grace+Hopper): here *h* is 128 numbers
  that a face network reads from a photo.
  [Walk from one class to another](?tab=interpolate&interpolate.between=two+classes): every step is one more vector on
  the way.
- **The large before the small.** [Coarse to fine](?tab=chain): 64 pixels decide what a picture shows, the others fill
  in the detail.
- **A code.** [Grace Hopper in a hundred numbers](?tab=autoencoder&autoencoder.faces-picture=Grace+Hopper): one decoder
  answers with a blur, the other invents what the code does not say.
- **What only a probability can do.** [Fill a hole](?tab=complete) in many ways, each with its weight; see
  [which parts of a rocket surprise the network](?tab=likelihood&likelihood.picture=rocket), and pack the picture
  smaller than PNG does.
- **How good is it?** [Four networks race](?tab=scoreboard&scoreboard.time=30); beside them stand the numbers of the
  paper.

The address of the page always holds your settings. Send it to someone, and the page draws for them what you saw. What
you upload is never in it.
"""

BITS = """
## Bits per dimension
A pixel has three values, its red, green and blue. The probability of a whole picture is the product of the
probabilities of all its values. Its logarithm to base 2, with a minus sign, is how many bits a perfect coder would need
to store the picture; for one value that is the model's *bits per dimension*. Lower is better; 8 is knowing nothing. The
paper reports 3.03 for its Gated PixelCNN on CIFAR-10 (table 1); the models behind its figures were trained on ImageNet,
on 32 GPUs.
"""

LIMITS = """
## Honest limits
- The models here are small and were trained for minutes to hours, not weeks. They get colour and texture right first
  and whole objects last, if at all: even the paper's own 32×32 photos rarely show a clear object.
- A PixelCNN is trained to give real pictures a high probability, not to please the eye.
- Drawing goes pixel by pixel by nature: {subpixels:,} steps for one 32×32 colour picture. This page computes every
  step once and keeps what later steps need, which gives exactly the picture that the slow way gives.
- A portrait is an invention, a few dozen pixels wide. It proves nothing about anyone.
"""

PRIVACY = """
## What happens to what you enter
- Everything is computed on the machine that serves this page. The page asks no other machine for anything, sets no
  cookie of its own and counts no visitors.
- An upload is a file on that machine for about two seconds after it was read; one that nothing could read goes after
  some ten minutes. Of a photo a copy of at most 480 pixels, the faces cut out of it, 128 numbers for each and what was
  drawn are kept, in memory, until you close the page; of a script that asks, until a hundred others came.
- The log of the server says when something fails and where in the program, never what you entered.
- Whoever runs the machine could change all this, as with any page: run it on your own computer if that matters.
"""

READ_ON = """
## Read on
- This paper: [Conditional Image Generation with PixelCNN Decoders]({paper}) (2016). The one before it, with the plain
  PixelCNN, its blind spot and the recurrent rivals:
  [Pixel Recurrent Neural Networks](https://arxiv.org/abs/1601.06759) (2016).
- The same idea made better: [PixelCNN++](https://arxiv.org/abs/1701.05517) (2017), and with attention instead of
  convolutions and nothing else changed:
  [Image GPT](https://cdn.openai.com/papers/Generative_Pretraining_from_Pixels_V2.pdf) (2020).
- The same idea for sound, sample by sample: [WaveNet](https://arxiv.org/abs/1609.03499) (2016). For codes instead of
  pixels: [VQ-VAE](https://arxiv.org/abs/1711.00937) (2017).
- Why language models do the same: [A Neural Probabilistic Language Model](https://www.jmlr.org/papers/v3/bengio03a.html)
  (2003) draws the next word as this page draws the next pixel, and
  [The Unreasonable Effectiveness of Recurrent Neural Networks](https://karpathy.github.io/2015/05/21/rnn-effectiveness/)
  (2015) shows it letter by letter.
- The code behind this page: {core} is the model and the sampler and knows nothing of web pages; {notebooks} explain its
  pieces step by step; {readme} says how to train your own.
"""


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's text, inside an open `gr.Tab`."""
    with gr.Row(elem_classes="about-columns"):
        with gr.Column():
            gr.Markdown(WHAT.format(paper=PAPER, citation=code("CITATION.cff")))
        with gr.Column():
            html_block(f"<h2>What each model draws</h2>{thumbnails_html(service)}")
    with gr.Row(elem_classes="about-columns"):
        with gr.Column():
            gr.Markdown(TOUR)
            gr.Markdown(READ_ON.format(paper=PAPER, core=code("pixelcnn_core"), notebooks=code("notebooks"),
                                       readme=code("README.md")))
        with gr.Column():
            gr.Markdown(BITS)
            gr.Markdown(LIMITS.format(subpixels=3 * 32 * 32))
            gr.Markdown(PRIVACY)
            html_block(models_html(service))


def models_html(service: Service) -> str:
    """The facts of all models, folded."""
    models = "".join(f"<h3>{html.escape(model_name(name))}</h3>{facts_html(service.info(name))}"
                     for name in (*service.names, *service.portrait_names))
    return f'<details class="about-models"><summary>The models in numbers</summary>{models}</details>'


def code(path: str) -> str:
    """A path of the repository in Markdown; a link where its address is known: PIXELCNN_REPOSITORY, such as
    https://github.com/someone/pixelcnn, or the Space that the page runs on."""
    home = os.environ.get("PIXELCNN_REPOSITORY", "").rstrip("/")
    if not home and (space := os.environ.get("SPACE_ID")):
        home = f"https://huggingface.co/spaces/{space}"
    kind = "blob" if "." in path else "tree"
    return f"[`{path}`]({home}/{kind}/main/{path})" if home.startswith("https://") else f"`{path}`"
