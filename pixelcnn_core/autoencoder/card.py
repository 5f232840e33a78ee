"""The model cards of the auto-encoders and of the classifier that judges them, from their own files."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from pixelcnn_core.autoencoder.chain_autoencoder import ChainAutoEncoder
from pixelcnn_core.autoencoder.model import AutoEncoder, CodeModel, MSEAutoEncoder
from pixelcnn_core.cards.card import duration
from pixelcnn_core.cards.parts import write
from pixelcnn_core.data.pictures import fit, load_picture
from pixelcnn_core.device import choose_device
from pixelcnn_core.figures import image_grid
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.classifier import Classifier
from pixelcnn_core.results import read_json, read_results

AUTOENCODER = """| bits per dimension given the code, test | {bits_per_dim_test:.3f} |
| the same network without a code | {bits_per_dim_unconditional:.3f} |
| so the code of {code} numbers carries | {bits_in_the_code:,.0f} bits of an image |
| evaluated on | {images:,} test images; {evaluated_on} |

An auto-encoder of section 3.4 of the paper ([arXiv 1606.05328](https://arxiv.org/abs/1606.05328)): a convolutional
encoder and a Conditional PixelCNN as the decoder{way}, {trained} by bits per dimension.

## Beside the auto-encoder with squared error

One reconstruction each of {images_reconstructed:,} test images by two decoders of the same code size. The class is the
opinion of a classifier trained on real images, right on {class_accuracy_real:.1%} of these originals.

| decoder | squared error | class kept | right class | sharpness |
| --- | --- | --- | --- | --- |
| MSE | {mse_of_mse_autoencoder:.4f} | {class_kept_mse:.1%} | {class_right_mse:.1%} | {sharpness_mse:.4f} |
| PixelCNN | {mse:.4f} | {class_kept_pixelcnn:.1%} | {class_right_pixelcnn:.1%} | {sharpness_pixelcnn:.4f} |
| PixelCNN, temperature {shown[temperature]:g}, guidance {shown[guidance]:g} | {shown[mse]:.4f} | \
{shown[class_kept]:.1%} | {shown[class_right]:.1%} | {shown[sharpness]:.4f} |
| none: the originals | 0 | 100% | {class_accuracy_real:.1%} | {sharpness_original:.4f} |

Squared error: the full range from black to white is 1. Class kept: same class as the original, in the classifier's
eyes; chance keeps one in ten. Sharpness: mean gradient energy. The paper samples at temperature 1 without guidance; the
other row stresses the code, and is what the page opens with.

The best guess in the sense of squared error is the mean of all images with one code, which is smooth. A draw from the
same images is sharp, and has twice the error, because it cannot know which of them was meant; more, where the model's
distribution is not right.

Without a code means h = 0 and s = 0 in the same weights: {alone}.
"""

THROUGH_CHAIN = """| bits per dimension of the 8 x 8 picture given the code, test | {bits_per_dim_test:.3f} |
{twin}| so the code of {code} numbers carries | {bits_in_the_code:,.0f} bits of the 8 x 8 picture |
| the same network, its code dropped | {bits_per_dim_unconditional:.3f} |
| evaluated on | {images:,} test images; {evaluated_on} |

An auto-encoder of section 3.4 of the paper ([arXiv 1606.05328](https://arxiv.org/abs/1606.05328)) through a chain: an
encoder and a Conditional PixelCNN{way}, trained end to end on pictures of 8 x 8 pixels, from the first step of
[{chain}](../../models/{chain}); that chain's other steps, which know no code and no label, draw the picture finer.

## Beside the auto-encoder with squared error

One reconstruction each of {images_reconstructed:,} test images of 32 x 32 pixels by two decoders of the same code size.
The class is the opinion of a classifier trained on real images, right on {class_accuracy_real:.1%} of these originals.

| decoder | squared error | class kept | right class | sharpness |
| --- | --- | --- | --- | --- |
| MSE | {mse_of_mse_autoencoder:.4f} | {class_kept_mse:.1%} | {class_right_mse:.1%} | {sharpness_mse:.4f} |
| PixelCNN, through the chain | {mse:.4f} | {class_kept_pixelcnn:.1%} | {class_right_pixelcnn:.1%} | \
{sharpness_pixelcnn:.4f} |
| the same, min-p {shown[min_p]:g} | {shown[mse]:.4f} | {shown[class_kept]:.1%} | {shown[class_right]:.1%} | \
{shown[sharpness]:.4f} |
| the chain, given the true 8 x 8 picture, min-p {shown[min_p]:g} | {small_picture_given[mse]:.4f} | \
{small_picture_given[class_kept]:.1%} | {small_picture_given[class_right]:.1%} | {small_picture_given[sharpness]:.4f} |
| none: the originals | 0 | 100% | {class_accuracy_real:.1%} | {sharpness_original:.4f} |

Squared error: the full range from black to white is 1. Class kept: same class as the original, in the classifier's
eyes; chance keeps one in ten. Sharpness: mean gradient energy. The row with the true 8 x 8 picture is what no code of
that picture can beat with these upper steps.

The best guess in the sense of squared error is the mean of all images with one code, which is smooth. A draw from the
same images is sharp, and has twice the error, because it cannot know which of them was meant; more, where the model's
distribution is not right.
"""

USE_CHAIN = """
## Use

```python
from pixelcnn_core.autoencoder.chain_autoencoder import ChainAutoEncoder
from pixelcnn_core.sampling.sample import finish

model = ChainAutoEncoder.from_pretrained("{folder}", "{chain}")
codes = model.encode(images)  # uint8 (B, 3, 32, 32) -> (B, {code})
others = finish(model.draw(codes, seed=0))[32]  # uint8 (B, 3, 32, 32), new at every seed
```
"""

USE_AUTOENCODER = """
## Use

```python
from pixelcnn_core.autoencoder.model import AutoEncoder
from pixelcnn_core.sampling.sample import finish, sample

model = AutoEncoder.from_pretrained("{folder}")
codes = model.encode(images)  # uint8 (B, 3, 32, 32) -> (B, {code})
others = finish(sample(model.decoder, model.condition(codes), seed=0))  # uint8 (B, 3, 32, 32), new at every seed
```
"""

USE_MSE = """
## Use

```python
from pixelcnn_core.autoencoder.model import MSEAutoEncoder

model = MSEAutoEncoder.from_pretrained("{folder}")
guess = model.decode(model.encode(images))  # uint8 (B, 3, 32, 32) -> the same shape
```
"""

WAYS = """
## How the code enters

As the vector h in every gate (equation 4), or also as a map s = m(h) by a deconvolution (equation 5). Short runs of the
same recipe and time, on {images:,} test images; the better way ships.

| the code enters as | training | bits per dimension given the code | without it |
| --- | --- | --- | --- |
{rows}
"""

MSE = """| squared error, test (full range is 1) | {mse:.4f} |
| sharpness (mean gradient energy), originals {sharpness_original:.4f} | {sharpness_mse:.4f} |
| evaluated on | {images:,} test images; {evaluated_on} |

The baseline of section 3.4: the encoder of the PixelCNN auto-encoder and a deconvolutional decoder, trained by mean
squared error, with a code of {code} numbers.
"""

JUDGE = """| accuracy, test | {accuracy:.1%} |
| evaluated on | {images:,} test images; {evaluated_on} |

A small residual network that judges reconstructions and samples: does the class survive? It saw real images only. What
it says of a generated image is an opinion, and no better than its accuracy on real ones.

| class | accuracy |
| --- | --- |
{classes}
"""



FIGURE = """
![Rows: a picture, {what}](samples.png)

Each row: a picture ({names}), then {what}, unselected, seed 0.
"""


def write_autoencoder_card(folder: str | Path, pictures: Sequence[Path] = (), count: int = 6) -> Path:
    """Write README.md of an evaluated auto-encoder of either kind, and samples.png if pictures are given."""
    folder, kind = Path(folder), read_json(Path(folder) / "config.json").get("model_type")
    model_class = AutoEncoder if kind == "AutoEncoder" else MSEAutoEncoder
    model = coder = model_class.from_pretrained(folder, map_location=choose_device())
    more = {"folder": folder.name}
    if kind == "AutoEncoder":
        recipe = read_json(folder / "recipe.json")
        if recipe.get("frozen"):
            more |= {"trained": "of which all but the decoder's own layers was trained",
                     "alone": "the unconditional model that the recipe starts from and leaves as it is"}
        else:
            more |= {"trained": "trained end to end",
                     "alone": f"{recipe.get('condition_dropout', 0):.0%} of the training images had none"}
        chain = read_results(folder).get("chain", {}).get("folder")
        if chain:
            twin = read_results(folder).get("bits_per_dim_twin")
            more |= {"chain": Path(chain).name,
                     "twin": f"| a twin without a code, trained as long | {twin:.3f} |\n" if twin else ""}
            model = ChainAutoEncoder(model, Chain.from_pretrained(chain))
        body = THROUGH_CHAIN + USE_CHAIN if chain else \
            AUTOENCODER + ways_section(read_json(folder / "ways.json")) + USE_AUTOENCODER
        more["way"] = " that reads the code as h" + \
            (" and, through a deconvolution, as a map s" if coder.way == "h and s" else "")
    else:
        body = MSE + USE_MSE
    if pictures:
        draw_reconstructions(model, pictures, count).save(folder / "samples.png", optimize=True)
        what = f"{count} decodings of its code" if kind == "AutoEncoder" else "its reconstruction"
        body += FIGURE.format(what=what, names=", ".join(Path(path).stem for path in pictures))
    return write(folder, coder, body, "image-generation", more)


def ways_section(compared: dict) -> str:
    """What `compare-codes` found, as a section of the card; empty where it was not run."""
    if not (runs := compared.get("runs")):
        return ""
    rows = [f"| {run['way']} | {run['steps']:,} steps, {duration(run['seconds'])} | {run['bits_per_dim_test']:.3f} | "
            f"{run['bits_per_dim_unconditional']:.3f} |" for run in runs]
    return WAYS.format(images=runs[0]["images"], rows="\n".join(rows))


def write_classifier_card(folder: str | Path) -> Path:
    """Write README.md of an evaluated classifier."""
    folder = Path(folder)
    results = read_results(folder)
    rows = "\n".join(f"| {name} | {value:.1%} |" for name, value in results.get("accuracy_per_class", {}).items())
    return write(folder, Classifier.from_pretrained(folder), JUDGE, "image-classification", {"classes": rows}, "")


def draw_reconstructions(model: CodeModel | ChainAutoEncoder, pictures: Sequence[Path], count: int) -> Image.Image:
    """One row per picture: itself at the size of the model, and what its code gives."""
    size, rows = model.size if isinstance(model, ChainAutoEncoder) else model.config.image_size, []
    for path in pictures:
        image = torch.from_numpy(fit(load_picture(path), size).copy())[None]  # (1, 3, size, size)
        copies = 1 if isinstance(model, MSEAutoEncoder) else count
        rows += [image, model.reconstruct(image.repeat(copies, 1, 1, 1)).cpu()]
    return image_grid(torch.cat(rows), len(rows[1]) + 1, model.config.levels, scale=max(1, 96 // size))
