"""The model cards of the auto-encoders and of the classifier that judges them, from their own files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from pixelcnn_core.autoencoder import AutoEncoder, CodeModel, MSEAutoEncoder
from pixelcnn_core.card import again, duration
from pixelcnn_core.classifier import Classifier
from pixelcnn_core.figures import image_grid
from pixelcnn_core.provenance import count_parameters, read_json, training_so_far

HEAD = """---
library_name: pixelcnn
license: mit
tags: [pixelcnn, {tag}]
---

# {name}

{about}

| | |
| --- | --- |
| parameters | {parameters:,} |
| data set | {data} |
| training | {steps:,} steps of {batch} images, {minutes} |
| trained on | {hardware} |
"""

AUTOENCODER = """| bits per dimension given the code, test | {bits_per_dim_test:.3f} |
| the same network without a code | {bits_per_dim_unconditional:.3f} |
| so the code of {code} numbers carries | {bits_in_the_code:,.0f} bits of an image |
| evaluated on | {images:,} test images; {evaluated_on} |

An auto-encoder of section 3.4 of the paper ([arXiv 1606.05328](https://arxiv.org/abs/1606.05328)): a convolutional
encoder and a Conditional PixelCNN as the decoder{way}, trained end to end by bits per dimension.

## Beside the auto-encoder with squared error

One reconstruction each of {images_reconstructed:,} test images by two decoders of the same code size. The class is the
opinion of a classifier trained on real images, right on {class_accuracy_real:.1%} of these originals.

| | PixelCNN decoder | MSE decoder | originals |
| --- | --- | --- | --- |
| squared error (full range is 1) | {mse:.4f} | {mse_of_mse_autoencoder:.4f} | 0 |
| same class as the original, in its eyes | {class_kept_pixelcnn:.1%} | {class_kept_mse:.1%} | 100 % |
| right class | {class_right_pixelcnn:.1%} | {class_right_mse:.1%} | {class_accuracy_real:.1%} |
| sharpness (mean gradient energy) | {sharpness_pixelcnn:.4f} | {sharpness_mse:.4f} | {sharpness_original:.4f} |

A sample must have about twice the squared error of the best guess, its mean: low error and sharpness exclude each
other when the code does not say everything.
"""

MSE = """| squared error, test (full range is 1) | {mse:.4f} |
| sharpness (mean gradient energy), originals {sharpness_original:.4f} | {sharpness_mse:.4f} |
| evaluated on | {images:,} test images; {evaluated_on} |

The baseline of section 3.4: the encoder of the PixelCNN auto-encoder and a deconvolutional decoder, trained by mean
squared error, with a code of {code} numbers.
"""

JUDGE = """| accuracy, test | {accuracy:.1%} |
| evaluated on | {images:,} test images; {evaluated_on} |

A small residual network that judges reconstructions and samples: does the class survive? It saw real images only.

| class | accuracy |
| --- | --- |
{classes}
"""

TAIL = """
Run again: {again}, then `python -m pixelcnn_core evaluate RUN --data DATA`.
"""

LIMITS = """
## Limits

The training budget was that of two CPU cores: {images_seen:,} images, after a start from two other checkpoints of the
project (see the recipe). The objects of a 32 x 32 photo are beyond it; colours, layout and texture are not.
"""

FIGURE = """
![Rows: a picture, {what}](samples.png)

Pictures of `demo/assets/pictures`, which are in no data set; unselected, seed 0.
"""


def write_autoencoder_card(folder: str | Path, pictures: Sequence[Path] = (), count: int = 6) -> Path:
    """Write README.md of an evaluated auto-encoder of either kind, and samples.png if pictures are given."""
    folder, kind = Path(folder), read_json(Path(folder) / "config.json").get("model_type")
    model = (AutoEncoder if kind == "AutoEncoder" else MSEAutoEncoder).from_pretrained(folder)
    body = AUTOENCODER if kind == "AutoEncoder" else MSE
    what = f"{count} decodings of its code" if kind == "AutoEncoder" else "its reconstruction"
    if pictures:
        draw_reconstructions(model, pictures, count).save(folder / "samples.png", optimize=True)
        body += FIGURE.format(what=what)
    way = " that reads the code as h"
    if kind == "AutoEncoder" and model.deconvolution is not None:
        way += " and, through a deconvolution, as a map s"
    return write(folder, model, body, "image-generation", {"way": way})


def write_classifier_card(folder: str | Path) -> Path:
    """Write README.md of an evaluated classifier."""
    folder = Path(folder)
    results = read_json(folder / "results.json")
    rows = "\n".join(f"| {name} | {value:.1%} |" for name, value in results.get("accuracy_per_class", {}).items())
    return write(folder, Classifier.from_pretrained(folder), JUDGE, "image-classification", {"classes": rows})


def write(folder: Path, model: torch.nn.Module, body: str, tag: str, more: dict) -> Path:
    """Fill the card. Raises ValueError where the checkpoint was not evaluated."""
    recipe, results = read_json(folder / "recipe.json"), read_json(folder / "results.json")
    if not results:
        raise ValueError(f"{folder} was not evaluated: python -m pixelcnn_core evaluate {folder} --data DATA")
    facts, total = read_json(folder / "training.json"), training_so_far(folder)
    name = recipe.get("name", folder.name)
    text = HEAD + body + TAIL + (LIMITS if "cpu" in name else "")
    (folder / "README.md").write_text(text.format(**{
        **results, **more, "evaluated_on": results["hardware"], "images": results["images"], "tag": tag, "name": name,
        "about": recipe.get("about", ""), "parameters": count_parameters(model), "data": recipe.get("data", "?"),
        "images_seen": total["images"], "steps": total["steps"], "batch": recipe.get("batch", "?"),
        "minutes": duration(total["seconds"]),
        "hardware": facts.get("hardware", "not recorded"), "again": again(name, facts)}))
    return folder / "README.md"


def draw_reconstructions(model: CodeModel, pictures: Sequence[Path], count: int) -> Image.Image:
    """One row per picture: itself at the size of the model, and what its code gives."""
    size, rows = model.config.image_size, []
    for path in pictures:
        picture = ImageOps.fit(Image.open(path).convert("RGB"), (size, size), Image.Resampling.BOX)
        image = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None]  # (1, 3, size, size)
        copies = count if isinstance(model, AutoEncoder) else 1
        rows += [image, model.reconstruct(image.repeat(copies, 1, 1, 1))]
    return image_grid(torch.cat(rows), len(rows[1]) + 1, model.config.levels, scale=max(1, 96 // size))
