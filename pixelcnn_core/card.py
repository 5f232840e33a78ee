"""The model card of a checkpoint, put together from its own files: a number that no file holds is "not measured"."""

import csv
from pathlib import Path

import torch

from pixelcnn_core.conditioning import Condition
from pixelcnn_core.evaluation import count_parameters, read_json
from pixelcnn_core.figures import labelled_grid
from pixelcnn_core.model import GatedPixelCNN
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
| training | {steps} steps of {batch} images, {minutes} minutes |
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

Run again: `python -m pixelcnn_core train {name} --data DATA --out RUN{max_minutes}`, then
`python -m pixelcnn_core evaluate RUN --data DATA`.

## Limits

{limits}

The classes are those of the data set, with its biases. Images drawn from the model may resemble training images.
"""

CPU_LIMITS = """The training budget was that of two CPU cores: {images_seen:,} images, about {epochs:.1f} passes over the
data set. Colours, textures and rough layout follow the data; objects are not recognisable. The paper's model was
trained on 32 GPUs for 60 hours; its likelihood is better (3.03 bits per dimension on CIFAR-10, unconditional)."""


def write_card(folder: str | Path, seed: int = 0, per_class: int = 8) -> Path:
    """Write README.md and samples.png of a checkpoint folder. Raises CheckpointError."""
    folder = Path(folder)
    model = GatedPixelCNN.from_pretrained(folder)
    recipe, results, config = read_json(folder / "recipe.json"), read_json(folder / "results.json"), model.config
    rows = list(csv.DictReader((folder / "training.csv").open())) if (folder / "training.csv").exists() else []
    last = rows[-1] if rows else {}
    labels = torch.arange(config.classes).repeat_interleave(per_class)
    images = finish(sample(model, Condition(label=labels), seed=seed))
    labelled_grid(images, config.class_names, config.levels, scale=64 // config.image_size).save(
        folder / "samples.png", optimize=True)

    def measured(key: str) -> str:
        return f"{results[key]:.3f}" if key in results else "not measured"

    name, minutes = recipe.get("name", folder.name), float(last["seconds"]) / 60 if last else None
    cut = last and int(last["step"]) < recipe.get("steps", 0) * 0.98
    if recipe.get("data") == "cifar10":
        seen = int(last["images"]) if last else 0
        limits = CPU_LIMITS.format(images_seen=seen, epochs=seen / 50_000) if "cpu" in name else \
            "Objects are suggested rather than drawn at this size of model."
    else:
        limits = "A model for tests and first steps: it knows 1,500 scans of handwritten digits."
    (folder / "README.md").write_text(CARD.format(
        name=name, about=recipe.get("about", ""), parameters=count_parameters(model), layers=config.layers,
        features=config.features, size=config.image_size, channels=config.channels, levels=config.levels,
        data=recipe.get("data", "not stated"), steps=last.get("step", "not recorded:"), batch=recipe.get("batch", "?"),
        minutes=f"{minutes:.0f}" if minutes else "not recorded:", test=measured("bits_per_dim_test"),
        test_unconditional=measured("bits_per_dim_test_unconditional"), train=measured("bits_per_dim_train"),
        images=f"{results['images']:,} test images; {results['hardware']}" if "images" in results else "not evaluated",
        seed=seed, folder=folder.name, classes=config.classes, limits=limits,
        max_minutes=f" --max-minutes {minutes:.0f}" if cut else ""))
    return folder / "README.md"
