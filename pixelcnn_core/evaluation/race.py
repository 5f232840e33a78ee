"""The race: PixelCNN, Row LSTM, Diagonal BiLSTM and Gated PixelCNN, with equal parameters and equal data order.

The paper's claim is about time: a Gated PixelCNN reaches the likelihood of a PixelRNN, and trains much faster. So each
model gets the same minutes, the same batches in the same order, the same learning-rate schedule over its time, and is
scored on the same images: validation images on its way, test images at the end. All are unconditional and share one
head; the width of each is searched so that the numbers of parameters agree. Without a GPU the clock is the CPU time of
the training thread: other programs on the machine then cost it little. Scoring and saving are not counted.

`race.json`, `race.csv` and `race.png` are written beside one checkpoint folder per model.

References: van den Oord et al., 2016, arXiv 1606.05328, section 3.1 and table 1.
"""

import bisect
import csv
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.likelihood import score
from pixelcnn_core.files import replacing
from pixelcnn_core.models.baselines import score_baselines, standard_error
from pixelcnn_core.models.checkpoint import WEIGHTS_FILE
from pixelcnn_core.provenance import count_parameters, origin
from pixelcnn_core.results import read_json, write_json
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe
from pixelcnn_core.training.state import STATE_FILE, TrainingError

NAMES = {"plain": "PixelCNN", "row-lstm": "Row LSTM", "diagonal-bilstm": "Diagonal BiLSTM",
         "pixelcnn": "Gated PixelCNN"}
RECURRENT = ("row-lstm", "diagonal-bilstm")
RECURRENT_LAYERS = 3  # a convolution and two recurrent layers: one already sees the whole image, so be wide, not deep
TOLERANCE = 0.05  # of the number of parameters
POINTS = 24  # on each curve
AGAIN = "the same command again goes on"  # what a study says that was stopped and can go on ...
ANEW = "a race cannot go on: begin again with another --out"  # ... and what a race says


class RaceError(ValueError):
    """A race that is not fair or cannot start; the message is one sentence."""


def fair_clock() -> tuple[Callable[[], float], str]:
    """The clock of models that compete for the same time, and its name: on a CPU the time of the training thread."""
    if torch.cuda.is_available():
        return time.monotonic, "wall clock"
    return time.thread_time, "CPU time of the training thread"


def free_parameters(model: nn.Module) -> int:
    """The parameters that do something: weights under a mask's zeros are stored, but never used or learnt."""
    masked = sum(int((module.mask == 0).sum()) for module in model.modules() if hasattr(module, "mask"))
    return count_parameters(model) - masked


def contestants(recipe: Recipe, data: ImageData) -> dict[str, Recipe]:
    """The recipe of the Gated PixelCNN -> one per model, with another kind, width and number of layers.
    Raises RaceError."""
    if recipe.kind != "pixelcnn" or not recipe.unconditional:
        raise RaceError(f"recipe {recipe.name} is not one for an unconditional PixelCNN")

    def parameters(own: Recipe) -> int:
        with torch.random.fork_rng():
            return free_parameters(own.model_class(own.config(data)))

    target, step, found = parameters(recipe), 2 * data.images.shape[1], {}
    for kind in NAMES:
        layers = RECURRENT_LAYERS if kind in RECURRENT else recipe.model["layers"]

        def of_width(width: int, kind=kind, layers=layers) -> Recipe:
            return replace(recipe, kind=kind, model={**recipe.model, "features": width, "layers": layers})

        def difference(width: int) -> int:
            return parameters(of_width(width)) - target

        widths = range(step, 100 * step, step)
        first = bisect.bisect_left(widths, 0, key=difference)  # the first that is not too small
        width = min(widths[max(0, first - 1):first + 1], key=lambda width: abs(difference(width)))
        if abs(difference(width)) > TOLERANCE * target:
            raise RaceError(f"no width gives the {NAMES[kind]} {target:,} parameters; nearest is "
                            f"{target + difference(width):,} with {width} features")
        found[kind] = of_width(width)
    return {**found, "pixelcnn": recipe}


def race(recipe: Recipe, data_dir: str | Path, out: str | Path, minutes: float, *, download: bool = False) -> dict:
    """Train the four models for `minutes` each and write `out`. Returns what race.json holds.

    Raises RaceError, RecipeError, DataError or TrainingError (if `out` already holds a race).
    """
    out = Path(out)
    if held := [kind for kind in NAMES for file in (STATE_FILE, WEIGHTS_FILE) if (out / kind / file).exists()]:
        raise TrainingError(f"{out / held[0]} already holds a run: {ANEW}")
    training = load_data(recipe.data, data_dir, "train", recipe.size, download).unconditional()
    test = load_data(recipe.data, data_dir, "test", recipe.size).first(recipe.validate).unconditional()
    _, channels, size, _ = training.images.shape
    own_recipes, (clock, clock_name) = contestants(recipe, training), fair_clock()
    result = {"data": recipe.data, "image_size": size, "channels": channels, "levels": training.levels,
              "images_train": len(training), "images_test": len(test), "minutes": minutes, "batch": recipe.batch,
              "seed": recipe.seed, "learning_rate": recipe.learning_rate,
              "clock": clock_name,
              "models": {}, "baselines": score_baselines(training, test)}
    for kind, own in own_recipes.items():
        train(own, data_dir, out / kind, max_minutes=minutes, checkpoint_minutes=minutes / POINTS,
              race_clock=clock, go_on=ANEW)
        result["models"][kind] = entry(own, out / kind, test)
    result |= origin(Accelerator().device)
    write_json(out / "race.json", result)
    write_table(result, out / "race.csv")
    plot(result, out / "race.png")
    return result


def entry(recipe: Recipe, folder: Path, test: ImageData) -> dict:
    """What race.json says about the finished run in `folder`."""
    accelerator, facts = Accelerator(), read_json(folder / "training.json")
    model = recipe.model_class.from_pretrained(folder).to(accelerator.device)
    bits = score(model, test, False, 100, accelerator)
    with (folder / "training.csv").open(newline="", encoding="utf-8") as file:
        scored = [row for row in csv.DictReader(file) if row["bits_per_dim_validation"]]
    return {"name": NAMES[recipe.kind], "parameters": free_parameters(model),
            "features": recipe.model["features"], "layers": recipe.model["layers"],
            "steps": facts["steps"], "seconds": facts["seconds"],
            "images_per_second": round(facts["images"] / facts["seconds"], 1),
            "bits_per_dim_test": round(bits.mean().item(), 4),
            "bits_per_dim_test_standard_error": round(standard_error(bits), 4),
            "curve": [{"seconds": float(row["seconds"]), "steps": int(row["step"]),
                       "bits_per_dim": float(row["bits_per_dim_validation"])} for row in scored]}


def write_table(result: dict, path: Path) -> None:
    """The curves as CSV. Raises OSError that names the path."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "seconds", "steps", "images", "bits_per_dim"])
        for kind, model in result["models"].items():
            writer.writerows([kind, point["seconds"], point["steps"], point["steps"] * result["batch"],
                              point["bits_per_dim"]] for point in model["curve"])


def plot(result: dict, path: Path) -> None:
    """Bits per dimension over time and over steps, on log axes. The vertical axis is that of the models; where it does
    not reach the baselines, the title has them."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    models, baselines = result["models"], result["baselines"]
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    words = [f"{result['data']}: {result['images_test']} test images"]
    words += [f"{b['name']} {b['bits_per_dim_test']:.2f}" for b in baselines.values()]
    figure.suptitle(", ".join(words), fontsize=11)
    figure.supxlabel(f"{result['hardware']}, torch {result['versions']['torch']}; seconds: {result['clock']}",
                     fontsize=8, color="grey")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, key, label in zip(panels, ("seconds", "steps"), ("seconds of training", "training steps")):
        for model in models.values():
            axes.plot([point[key] for point in model["curve"]], [point["bits_per_dim"] for point in model["curve"]],
                      "o-", ms=3, lw=1.5, label=f"{model['name']}: {model['bits_per_dim_test']:.3f}")
        axes.axhline(baselines["gaussian"]["bits_per_dim_test"], color="grey", ls="--", lw=1,
                     label=baselines["gaussian"]["name"])
        axes.set(xlabel=label, xscale="log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.3)
    low = min(point["bits_per_dim"] for model in models.values() for point in model["curve"])
    high = max(model["curve"][0]["bits_per_dim"] for model in models.values())
    margin = 0.05 * (high - low) + 1e-3
    panels[0].set(ylabel="bits per dimension, validation images", ylim=(low - margin, high + margin))
    panels[1].legend(title="at the end, on test images")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)
