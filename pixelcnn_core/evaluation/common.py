"""What evaluations share: the images that a checkpoint's recipe names, batches, and where results come from."""

import time
from pathlib import Path

from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.provenance import commit, count_parameters, hardware, recipe_of, versions
from pixelcnn_core.results import merge_results, read_results


def batches(count: int, batch: int = 50) -> list[slice]:
    return [slice(start, min(start + batch, count)) for start in range(0, count, batch)]


def load_test(checkpoint: str | Path, data_dir: str | Path, model, limit: int | None) -> tuple[ImageData, ImageData]:
    """The training and test images that a checkpoint's recipe names. Raises DataError, or ResultsError where the
    results that are there already are damaged."""
    recipe = recipe_of(checkpoint)
    read_results(checkpoint)
    if "data" not in recipe:
        raise DataError(f"{checkpoint} has no recipe.json that names the data set it was trained on")
    train, test = (load_data(recipe["data"], data_dir, split, model.config.image_size) for split in ("train", "test"))
    return train, test.first(limit)


def finish_results(results: dict, model, checkpoint: str | Path, begun: float) -> dict:
    """Add where the results come from, and write them; all that the checkpoint's results.json now holds."""
    results |= {"parameters": count_parameters(model), "recipe": recipe_of(checkpoint).get("name"),
                "hardware": hardware(next(model.parameters()).device), "seconds": round(time.perf_counter() - begun, 1),
                "commit": commit(), "versions": versions()}
    return merge_results(checkpoint, results)
