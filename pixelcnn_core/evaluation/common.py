"""What evaluations share: the images that a checkpoint's recipe names, batches, and where results come from."""

from pathlib import Path

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.provenance import count_parameters, origin, recipe_of, trained_on
from pixelcnn_core.results import check_results, merge_results

BATCH = 50


def batches(count: int) -> list[slice]:
    """`count` items in parts of at most BATCH."""
    return [slice(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]


def load_test(checkpoint: str | Path, data_dir: str | Path, model, limit: int | None) -> tuple[ImageData, ImageData]:
    """The training and test images that a checkpoint's recipe names. Raises CheckpointError or DataError, or
    ResultsError where the results that are there already are damaged."""
    recipe = trained_on(checkpoint)
    check_results(checkpoint)
    train, test = (load_data(recipe["data"], data_dir, split, model.config.image_size,
                             encoder=recipe.get("encoder", ""))
                   for split in ("train", "test"))
    return train, test.first(limit)


def finish_results(results: dict, model, checkpoint: str | Path, begun: float) -> dict:
    """Add where the results come from, and write them; all that the checkpoint's results.json now holds."""
    results |= {"parameters": count_parameters(model), "recipe": recipe_of(checkpoint).get("name"),
                **origin(next(model.parameters()).device, begun)}
    return merge_results(checkpoint, results)
