"""The model cards of the auto-encoders and of the classifier that judges them, from their own files."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from pixelcnn_core.autoencoder.chain_autoencoder import ChainAutoEncoder, read_told
from pixelcnn_core.autoencoder.evaluation import TWIN, shown_with
from pixelcnn_core.autoencoder.model import AutoEncoder, CodeModel, MSEAutoEncoder
from pixelcnn_core.cards.card import write_picture
from pixelcnn_core.cards.parts import write
from pixelcnn_core.data.pictures import fit, load_picture
from pixelcnn_core.device import choose_device
from pixelcnn_core.figures import image_grid
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.classifier import Classifier
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.truncation import Truncation

AUTOENCODER = """| bits per dimension of {what} given the code, test | {bits_per_dim_test:.3f} |
{twin}| so the code of {code} numbers carries | {bits_in_the_code:,.0f} bits of {what} |
| the same network, its code dropped | {bits_per_dim_unconditional:.3f} |
| evaluated on | {images:,} test images; {evaluated_on} |

An auto-encoder of section 3.4 of the paper ([arXiv 1606.05328](https://arxiv.org/abs/1606.05328)){through}: an
encoder and a Conditional PixelCNN{way}, trained end to end by bits per dimension{after}.
{yardstick}
## Beside the auto-encoder with squared error

One reconstruction each of {images_reconstructed:,} test images by two decoders of the same code size.{judge}

{table}

Squared error: the full range from black to white is 1. Sharpness: mean gradient energy. The paper samples without
min-p.{kept}

{footing}

The best guess in the sense of squared error is the mean of all images with one code, which is smooth. A draw from the
same images is sharp, and has twice the error, because it cannot know which of them was meant. On
{mean_of_draws[images]} of the images a draw is {mean_of_draws[one]:.4f} away from the original, the mean of
{mean_of_draws[draws]} draws {mean_of_draws[mean]:.4f}, and the MSE decoder's answer {mean_of_draws[mse_decoder]:.4f};
that mean and that answer are {mean_of_draws[apart]:.4f} apart.
"""

JUDGED = """ The class is the
opinion of a classifier trained on real images, right on {class_accuracy_real:.1%} of these originals."""
KEPT = """ Class kept: same class as the original, in the classifier's eyes; chance keeps one in ten."""

# what an auto-encoder through a chain says besides
UNTOLD, TOLD = "know no code and no label", "are told only the embedding that is expected of the code"
TWIN_ROW = "| a twin without a code, {steps:,} steps from the same start | {twin:.3f} |\n"
YARDSTICK = """
The code is measured beside the twin, the same decoder trained from the same start without any code. Beside the network
with its code dropped, which has seen only {dropped:.0%} of its images so, it would look like {flattering:,.0f} bits.
"""
CHAIN_FOOTING = """The MSE decoder is one of whole pictures, with a code of its own: what squared error can say in
{code} numbers. It was trained for {minutes[mse]:.0f} minutes, encoder and PixelCNN for {minutes[pixelcnn]:.0f}, after
{minutes[start]:.0f} in which that encoder learnt by squared error on 8 x 8 pixels, and on a chain that was there
before.
Two rows are controls. The chain, given the true 8 x 8 picture, shows what a code that keeps all of it would give with
these upper steps. The chain, given the MSE decoder's 8 x 8 pixels from as many numbers, shows what the PixelCNN as the
decoder of the small picture adds or takes away."""
FOOTING = "The MSE decoder was trained for {minutes[mse]:.0f} minutes, the other one for {minutes[pixelcnn]:.0f}."
CHAIN_LIMITS = """
## Limits

The training budget was that of one CPU core: {images_seen:,} images of 8 x 8 pixels, after a start from two other
checkpoints of the project (see the recipe). What is finer than 8 x 8 pixels is not in the code: the chain invents it,
and {knows}.
"""

USE_CHAIN = """
## Use

```python
from pixelcnn_core.autoencoder.chain_autoencoder import ChainAutoEncoder
from pixelcnn_core.sampling.sample import finish

model = ChainAutoEncoder.from_pretrained("{folder}", "{chain}")
codes = model.encode(images)  # uint8 (B, 3, {size}, {size}) -> (B, {code})
others = finish(model.draw(codes, seed=0))[{size}]  # uint8 (B, 3, {size}, {size}), new at every seed
```
"""

USE_AUTOENCODER = """
## Use

```python
from pixelcnn_core.autoencoder.model import AutoEncoder
from pixelcnn_core.sampling.sample import finish, sample_rows

model = AutoEncoder.from_pretrained("{folder}")
codes = model.encode(images)  # uint8 (B, 3, {size}, {size}) -> (B, {code})
others = finish(sample_rows(model.decoder, model.condition(codes), seed=0))  # of the same shape, new at every seed
```
"""

USE_MSE = """
## Use

```python
from pixelcnn_core.autoencoder.model import MSEAutoEncoder

model = MSEAutoEncoder.from_pretrained("{folder}")
guess = model.decode(model.encode(images))  # uint8 (B, 3, {size}, {size}) -> the same shape
```
"""

MSE = """| squared error, test (full range is 1) | {mse:.4f} |
| sharpness (mean gradient energy), originals {sharpness_original:.4f} | {sharpness_mse:.4f} |
| evaluated on | {images:,} test images; {evaluated_on} |

The baseline of section 3.4: a convolutional encoder and a deconvolutional decoder, trained by mean squared error, with
a code of {code} numbers for {size} x {size} pixels.
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

Each row: a picture ({names}), then {what}, unselected, seed 0{how}.
"""


def write_autoencoder_card(folder: str | Path, pictures: Sequence[Path] = (), count: int = 6) -> Path:
    """Write README.md of an evaluated auto-encoder of either kind, and samples.png if pictures are given."""
    folder, kind = Path(folder), read_json(Path(folder) / "config.json").get("model_type")
    model_class = AutoEncoder if kind == "AutoEncoder" else MSEAutoEncoder
    model = coder = model_class.from_pretrained(folder, map_location=choose_device())
    more, limits = {"folder": folder.name}, ""
    if kind == "AutoEncoder":
        body, results = AUTOENCODER, read_results(folder)
        more |= words_of(folder, results, coder)
        if chain := results.get("chain"):
            model = ChainAutoEncoder(model, Chain.from_pretrained(chain["folder"]), read_told(folder))
        more["size"] = model.size if chain else coder.config.image_size
        body, limits = body + (USE_CHAIN if chain else USE_AUTOENCODER), limits_of(model) if chain else ""
    else:
        body, more = MSE + USE_MSE, {**more, "size": coder.config.image_size}
    if pictures:
        shown = shown_with(folder)
        write_picture(folder / "samples.png", draw_reconstructions(model, pictures, count, shown))
        what, how = "its reconstruction", ""
        if kind == "AutoEncoder":
            what, how = f"{count} decodings of its code", f", {sampler_of(shown)}"
        body += FIGURE.format(what=what, how=how, names=", ".join(Path(path).stem for path in pictures))
    return write(folder, coder, body, "image-generation", more, limits)


def limits_of(model: ChainAutoEncoder) -> str:
    return CHAIN_LIMITS.replace("{knows}", "does not know what the picture shows" if model.told is None else
                                "is told only what kind of face goes with such a code on average")


def sampler_of(shown: dict) -> str:
    """The settings that differ from the paper's sampler, in words."""
    return ", ".join([f"guidance {shown['guidance']:g}"] * (shown["guidance"] != 1) + [f"min-p {shown['min_p']:g}"])


def words_of(folder: Path, results: dict, coder: AutoEncoder) -> dict[str, str]:
    """What the card of one that codes a chain's smallest picture says otherwise than that of one of whole pictures."""
    way = " that reads the code as h" + (" and, through a deconvolution, as a map s" if coder.way == "h and s" else "")
    about_class = {"judge": JUDGED.format(**results), "kept": KEPT} if "class_kept_mse" in results else \
        {"judge": "", "kept": ""}
    if not (chain := results.get("chain")):
        return {"what": "an image", "way": way, "footing": FOOTING.format(**results), "table": table(results, []),
                **about_class, **dict.fromkeys(("twin", "yardstick", "through", "after"), "")}
    name, twin = Path(chain["folder"]).name, results.get("bits_per_dim_twin")
    place = Path(os.path.relpath(chain["folder"], folder)).as_posix()
    dropped = read_json(folder / "recipe.json").get("condition_dropout", 0)
    steps = read_json(folder.parent / TWIN / "training.json").get("steps", 0)  # of the twin
    flattering = (results["bits_per_dim_unconditional"] - results["bits_per_dim_test"]) * coder.config.image_size ** 2 \
        * coder.config.channels
    controls = [(f"{words}, {sampler_of(results['shown'])}", results[key]) for key, words in (
        ("mse_finer", "MSE of 8 x 8 pixels, then the chain"),
        ("small_picture_given", "the chain, given the true 8 x 8 picture")) if key in results]
    return {**about_class, "table": table(results, controls),
            "what": "the 8 x 8 picture", "chain": name, "way": way, "through": " through a chain",
            "after": f" of pictures of 8 x 8 pixels, from the first step of\n[{name}]({place}) on; the "
                     f"other steps of that chain, which {TOLD if read_told(folder) is not None else UNTOLD}, draw the "
                     "picture finer",
            "twin": TWIN_ROW.format(twin=twin, steps=steps) if twin else "",
            "yardstick": YARDSTICK.format(flattering=flattering, dropped=dropped) if twin else "",
            "footing": CHAIN_FOOTING.format(**{**results, "minutes": {"start": 0.0, **results["minutes"]}})}


def table(results: dict, controls: list[tuple[str, dict]]) -> str:
    """Squared error, class and sharpness of both decoders, of `controls` and of the originals; without a class where
    none was judged."""
    judged = "class_kept_mse" in results
    columns = ["squared error", *["class kept", "right class"] * judged, "sharpness"]

    def of(name: str, mse: str) -> dict:
        return {"mse": results[mse], **{what: results.get(f"{what}_{name}") for what in (
            "class_kept", "class_right", "sharpness")}}

    def cells(found: dict) -> list[str]:
        return [f"{found['mse']:.4f}", *(f"{found[what]:.1%}" for what in ("class_kept", "class_right") if judged),
                f"{found['sharpness']:.4f}"]

    rows = [("MSE", cells(of("mse", "mse_of_mse_autoencoder"))), ("PixelCNN", cells(of("pixelcnn", "mse"))),
            (f"PixelCNN, {sampler_of(results['shown'])}", cells(results["shown"])),
            *((name, cells(found)) for name, found in controls),
            ("none: the originals", ["0", *["100%", f"{results.get('class_accuracy_real', 1):.1%}"] * judged,
                                     f"{results['sharpness_original']:.4f}"])]
    lines = [("decoder", columns), ("---", ["---"] * len(columns)), *rows]
    return "\n".join(f"| {' | '.join([name, *values])} |" for name, values in lines)


def write_classifier_card(folder: str | Path) -> Path:
    """Write README.md of an evaluated classifier."""
    folder = Path(folder)
    results = read_results(folder)
    rows = "\n".join(f"| {name} | {value:.1%} |" for name, value in results.get("accuracy_per_class", {}).items())
    return write(folder, Classifier.from_pretrained(folder), JUDGE, "image-classification", {"classes": rows}, "")


def draw_reconstructions(model: CodeModel | ChainAutoEncoder, pictures: Sequence[Path], count: int,
                         shown: dict[str, float]) -> Image.Image:
    """One row per picture: itself at the size of the model, and what its code gives."""
    size, rows = model.size if isinstance(model, ChainAutoEncoder) else model.config.image_size, []
    for path in pictures:
        image = torch.from_numpy(fit(load_picture(path), size).copy())[None]  # (1, 3, size, size)
        copies, how = (1, {}) if isinstance(model, MSEAutoEncoder) else (count, {
            "guidance": shown["guidance"], "truncation": Truncation(shown["min_p"])})
        rows += [image, model.reconstruct(image.repeat(copies, 1, 1, 1), **how).cpu()]
    return image_grid(torch.cat(rows), len(rows[1]) + 1, model.config.levels, scale=max(1, 96 // size))
