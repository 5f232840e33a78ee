"""The model card of a checkpoint, put together from its own files: a number that no file holds is "not measured"."""

import re
from pathlib import Path

import torch
from PIL import Image

from pixelcnn_core.cards.curve import curve_section
from pixelcnn_core.cards.tables import (
    ablation_section,
    quality_section,
    sampling_section,
    speed_section,
    tried_section,
)
from pixelcnn_core.device import choose_device
from pixelcnn_core.figures import image_grid, labelled_grid
from pixelcnn_core.files import replacing
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.provenance import count_parameters, training_so_far
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.sample import finish, sample_rows

CARD = """---
library_name: pixelcnn
license: mit
tags: [pixelcnn, image-generation, unconditional-image-generation]
---

# {name}

A Gated PixelCNN (van den Oord et al., 2016, [arXiv 1606.05328](https://arxiv.org/abs/1606.05328)), {conditioned}.
{about}

| | |
| --- | --- |
| parameters | {parameters:,} |
| layers, features per stack | {layers}, {features} |
| images | {size} x {size}, {channels} channel(s), {levels} levels |
| data set | {data} |
| training | {steps:,} steps of {batch} images, {minutes} |
| trained on | {hardware} |
| bits per dimension, test | {test} |
| without the class | {test_unconditional} |
| bits per dimension, training images | {train} |
{bayes}| evaluated on | {images} |

![Samples](samples.png)

The samples are unselected: seed {seed}, temperature {temperature:g}, no guidance{rows}.
{curve}{quality}{tried}{ablation}{sampling}{speed}
## Use

```python
from pixelcnn_core import GatedPixelCNN

model = GatedPixelCNN.from_pretrained("{folder}")
images = model.sample({condition}, seed=0)  # images.tensor: uint8 (N, C, H, W)
images.save("samples.png")
```

Run again: {again}, then `python -m pixelcnn_core evaluate RUN --data DATA`.

## Limits

{limits}

What it draws is what the data set shows, with its biases. Images drawn from the model may resemble training images.
"""

DIGITS_LIMITS = "A model for tests and first steps: it knows 1,500 scans of handwritten digits."
GPU_LIMITS = "Objects are suggested rather than drawn at this size of model."
CPU_LIMITS = """The training budget was that of a CPU: {images:,} images, about {epochs:.1f} passes over
the data set. Colours, textures and rough layout follow the data; objects are not recognisable. At temperature 1 some
samples derail into coloured noise: after one improbable value the next pixels have neighbours that no photo showed the
model. {paper}"""
TRAINING_IMAGES = {"cifar10": 50_000, "imagenet32classes": 16_000}
PAPER = {"cifar10": """The paper's model is
larger (its ImageNet one was trained on 32 GPUs for 60 hours) and its likelihood better: 3.03 bits per dimension on
CIFAR-10, unconditional.""",
         "imagenet32classes": """The paper's
figure 3 shows a model of all 1,000 classes, and its ImageNet models were trained on 32 GPUs for 60 hours. These
images are 64 x 64 JPEGs made smaller: their bits per dimension cannot be set beside the paper's ImageNet numbers."""}

PHOTO_TEMPERATURE = 0.9  # of the pictures: of a small model's photos too many derail at 1, see CPU_LIMITS
SHOWN_CLASSES = 10  # at most, in the picture
# Of 32 classes those of the paper's figure 3 that are among them, and four that are near its others.
FIGURE_3 = ("coral reef", "brown bear", "African elephant", "lawn mower", "seashore", "alp", "golden retriever",
            "goldfish")


def write_card(folder: str | Path, seed: int = 0, per_class: int = 8) -> Path:
    """Write README.md and samples.png of a checkpoint folder. Raises CheckpointError and OSError."""
    folder = Path(folder)
    model = GatedPixelCNN.from_pretrained(folder, map_location=choose_device())
    recipe, results, config = read_json(folder / "recipe.json"), read_results(folder), model.config
    facts, total = read_json(folder / "training.json"), training_so_far(folder)
    shown = shown_classes(config.class_names)
    temperature = PHOTO_TEMPERATURE if config.levels == 256 else 1.0
    scale = max(1, 64 // config.image_size)
    if shown:
        labels = torch.tensor([config.class_names.index(name) for name in shown]).repeat_interleave(per_class)
        images = finish(sample_rows(model, Condition(label=labels), seed=seed, temperature=temperature))
        picture = labelled_grid(images, shown, config.levels, scale=scale)
    else:
        images = finish(sample_rows(model, batch=per_class ** 2, seed=seed, temperature=temperature))
        picture = image_grid(images, per_class, config.levels, scale=scale)
    write_picture(folder / "samples.png", picture)

    def measured(key: str) -> str:
        return f"{results[key]:.3f}" if key in results else "not measured"

    bayes = ""
    if "bayes_accuracy" in results:
        bayes = (f"| class found by Bayes' rule | {results['bayes_accuracy']:.1%} of {results['bayes_images']:,} test "
                 "images |\n")
    name = recipe.get("name", folder.name)
    condition = f"range({config.classes})" if config.classes else "n=8"
    text = CARD.format(
        name=name, about=recipe.get("about", ""), parameters=count_parameters(model), layers=config.layers,
        features=config.features, size=config.image_size, channels=config.channels, levels=config.levels,
        data=recipe.get("data", "not stated"), steps=total["steps"], batch=recipe.get("batch", "?"),
        minutes=duration(total["seconds"]), hardware=facts.get("hardware", "not recorded"),
        test=measured("bits_per_dim_test"),
        test_unconditional=measured("bits_per_dim_test_unconditional"), train=measured("bits_per_dim_train"),
        bayes=bayes,
        images=f"{results['images']:,} test images; {results['hardware']}" if "images" in results else "not evaluated",
        seed=seed, temperature=temperature, folder=folder.name, condition=condition,
        limits=limits(recipe, facts, total),
        conditioned="conditioned on a class label" if config.classes else
        "conditioned on a vector" if config.embedding else "without any condition",
        rows=f"; {len(shown)} of {config.classes} classes" * (len(shown) < config.classes),
        curve=curve_section(folder), sampling=sampling_section(folder), quality=quality_section(folder),
        tried=tried_section(folder), ablation=ablation_section(folder), speed=speed_section(folder),
        again=again(name, facts))
    return write_page(folder / "README.md", text)


def write_page(page: Path, text: str) -> Path:
    """Replace a page at once, and return its path. Raises OSError with a sentence that names it."""
    with replacing(page) as path:
        path.write_text(text, encoding="utf-8")
    return page


def write_picture(place: Path, picture: Image.Image) -> None:
    """Replace a picture at once. Raises OSError with a sentence that names it."""
    with replacing(place) as path:
        picture.save(path, optimize=True)


def shown_classes(names: tuple[str, ...]) -> tuple[str, ...]:
    """The classes in the picture: those of figure 3 where a model knows them, else the first ones."""
    return FIGURE_3 if set(FIGURE_3) <= set(names) else names[:SHOWN_CLASSES]


def limits(recipe: dict, facts: dict, total: dict) -> str:
    """What not to expect, by the data set and the training behind a checkpoint."""
    data = recipe.get("data")
    if data == "digits":
        return DIGITS_LIMITS
    if data in TRAINING_IMAGES and not on_gpu(facts):
        return CPU_LIMITS.format(images=total["images"], epochs=total["images"] / TRAINING_IMAGES[data],
                                 paper=PAPER[data])
    return GPU_LIMITS


def on_gpu(facts: dict) -> bool:
    """Whether a training.json tells of GPUs ("1 x NVIDIA H100"); where it tells nothing, of a CPU."""
    return re.match(r"\d+ x ", str(facts.get("hardware", ""))) is not None


def again(name: str, facts: dict) -> str:
    """The command that repeats the training."""
    minutes = f" --max-minutes {facts['max_minutes']:g}" if facts.get("max_minutes") else ""
    command = f"`python -m pixelcnn_core train {name} --data DATA --out RUN{minutes}`"
    if before := facts.get("before"):
        first = before.get("recipe")
        command += (f" with `--init` on the result of a first run of {f'`{first}`' if first else 'it'} "
                    f"({before['steps']:,} steps, `--max-minutes {before['seconds'] / 60:.0f}`)")
    return command


def duration(seconds: float) -> str:
    """37 -> "37 seconds", 4000 -> "67 minutes"."""
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
