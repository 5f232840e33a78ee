"""What the cards of the wings share: the frame around a table of their own."""

from pathlib import Path

import torch

from pixelcnn_core.cards.card import again, duration, on_gpu, write_page
from pixelcnn_core.provenance import count_parameters, training_so_far
from pixelcnn_core.results import read_json, read_results

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

TAIL = """
Run again: {again}, then `python -m pixelcnn_core evaluate RUN --data DATA`.
"""


def write(folder: Path, model: torch.nn.Module, body: str, tag: str, more: dict, limits: str = "") -> Path:
    """Fill the card; `limits` is for a model trained on CPU cores. Raises ValueError where there are no
    results, and OSError."""
    recipe, results = read_json(folder / "recipe.json"), read_results(folder)
    if not results:
        raise ValueError(f"{folder} was not evaluated: python -m pixelcnn_core evaluate {folder} --data DATA")
    facts, total = read_json(folder / "training.json"), training_so_far(folder)
    name = recipe.get("name", folder.name)
    text = HEAD + body + TAIL + ("" if on_gpu(facts) else limits)
    return write_page(folder / "README.md", text.format(**{
        **results, **more, "evaluated_on": results["hardware"], "images": results["images"], "tag": tag, "name": name,
        "about": recipe.get("about", ""), "parameters": count_parameters(model), "data": recipe.get("data", "?"),
        "images_seen": total["images"], "steps": total["steps"], "batch": recipe.get("batch", "?"),
        "minutes": duration(total["seconds"]),
        "hardware": facts.get("hardware", "not recorded"), "again": again(name, facts)}))
