"""The model card of a checkpoint, put together from its own files: a number that no file holds is "not measured"."""

from pathlib import Path

import torch

from pixelcnn_core.conditioning import Condition
from pixelcnn_core.figures import labelled_grid
from pixelcnn_core.model import GatedPixelCNN
from pixelcnn_core.provenance import count_parameters, read_json, training_so_far
from pixelcnn_core.sampling import finish, sample

CARD = """---
library_name: pixelcnn
license: mit
tags: [pixelcnn, image-generation, unconditional-image-generation]
---

# {name}

A Gated PixelCNN (van den Oord et al., 2016, [arXiv 1606.05328](https://arxiv.org/abs/1606.05328)), conditioned on a
class label. {about}

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
| evaluated on | {images} |

![Samples, one row per class](samples.png)

The samples are unselected: seed {seed}, temperature 1, no guidance. `training.csv` holds the loss curve.

## Use

```python
import torch

from pixelcnn_core import Condition, GatedPixelCNN
from pixelcnn_core.sampling import finish, sample

model = GatedPixelCNN.from_pretrained("{folder}")
images = finish(sample(model, Condition(label=torch.arange({classes})), seed=0))  # uint8 (B, C, H, W)
```

Run again: {again}, then `python -m pixelcnn_core evaluate RUN --data DATA`.

## Limits

{limits}

The classes are those of the data set, with its biases. Images drawn from the model may resemble training images.
"""

CPU_LIMITS = """The training budget was that of two CPU cores: {images_seen:,} images, about {epochs:.1f} passes over
the data set. Colours, textures and rough layout follow the data; objects are not recognisable. The paper's model was
trained on 32 GPUs for 60 hours; its likelihood is better (3.03 bits per dimension on CIFAR-10, unconditional)."""


def write_card(folder: str | Path, seed: int = 0, per_class: int = 8) -> Path:
    """Write README.md and samples.png of a checkpoint folder. Raises CheckpointError."""
    folder = Path(folder)
    model = GatedPixelCNN.from_pretrained(folder)
    recipe, results, config = read_json(folder / "recipe.json"), read_json(folder / "results.json"), model.config
    facts, total = read_json(folder / "training.json"), training_so_far(folder)
    labels = torch.arange(config.classes).repeat_interleave(per_class)
    images = finish(sample(model, Condition(label=labels), seed=seed))
    labelled_grid(images, config.class_names, config.levels, scale=64 // config.image_size).save(
        folder / "samples.png", optimize=True)

    def measured(key: str) -> str:
        return f"{results[key]:.3f}" if key in results else "not measured"

    name = recipe.get("name", folder.name)
    if recipe.get("data") == "cifar10":
        limits = CPU_LIMITS.format(images_seen=total["images"], epochs=total["images"] / 50_000) if "cpu" in name else \
            "Objects are suggested rather than drawn at this size of model."
    else:
        limits = "A model for tests and first steps: it knows 1,500 scans of handwritten digits."
    (folder / "README.md").write_text(CARD.format(
        name=name, about=recipe.get("about", ""), parameters=count_parameters(model), layers=config.layers,
        features=config.features, size=config.image_size, channels=config.channels, levels=config.levels,
        data=recipe.get("data", "not stated"), steps=total["steps"], batch=recipe.get("batch", "?"),
        minutes=duration(total["seconds"]), hardware=facts.get("hardware", "not recorded"),
        test=measured("bits_per_dim_test"),
        test_unconditional=measured("bits_per_dim_test_unconditional"), train=measured("bits_per_dim_train"),
        images=f"{results['images']:,} test images; {results['hardware']}" if "images" in results else "not evaluated",
        seed=seed, folder=folder.name, classes=config.classes, limits=limits,
        again=again(name, facts)))
    return folder / "README.md"


def again(name: str, facts: dict) -> str:
    """The command that repeats the training."""
    minutes = f" --max-minutes {facts['max_minutes']:g}" if facts.get("max_minutes") else ""
    command = f"`python -m pixelcnn_core train {name} --data DATA --out RUN{minutes}`"
    if before := facts.get("before"):
        command += (f" with `--init` on the result of a first run of it ({before['steps']:,} steps, "
                    f"`--max-minutes {before['seconds'] / 60:.0f}`)")
    return command


def duration(seconds: float) -> str:
    """37 -> "37 seconds", 4000 -> "67 minutes"."""
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
