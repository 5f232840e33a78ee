"""The ladder: every row of the paper's table 1, trained for equal minutes on the same images and scored alike.

What the bits per dimension of a rung are depends on what it says of an image (`WHAT`): P(x) itself; a density read at
x + u, or a bound over latent variables, both "at most" figures and drawn again with many weights for a tighter one
(`models/ladder/rung.py`); or the steps of a chain, whose sum is at most what the image needs. The four of the race have
one recipe and equal numbers of parameters; the others have their own. Everything is chosen on validation images; test
images are scored once, at the end.

Every rung gets the same care: its learning rate is the best, on validation images, of `RATES` times the recipe's, each
tried for an eighth of the minutes, and of higher or lower ones where the best lies at the end.

A finished run (a rung and a seed) leaves `runs/RUNG-SEED/result.json` behind and is not trained again: a ladder that
was killed goes on. After each run `ladder.json` and `ladder.csv` are written anew; `samples/RUNG.png` is of the first
seed. Where `ladder.json` was kept without its runs, as in this repository, its results and learning rates are taken
from there: `--seeds 3` adds a third seed to two.
"""

import csv
import statistics
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.likelihood import score
from pixelcnn_core.evaluation.race import AGAIN, contestants, fair_clock, free_parameters
from pixelcnn_core.figures import image_grid
from pixelcnn_core.files import replacing
from pixelcnn_core.models.baselines import BASELINES, standard_error
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.ladder.rung import Rung
from pixelcnn_core.provenance import origin
from pixelcnn_core.results import read_json, write_json
from pixelcnn_core.sampling.coarse_to_fine import draw_batches
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe, load_recipe
from pixelcnn_core.training.state import TrainingError

WHAT = {"exact": "exact", "dequantised": "at most: a density read at x + noise",
        "bound": "at most: a bound over latent variables (ELBO)", "steps": "at most: the steps of a chain together"}
POINTS = 10  # on each curve
RATES = (0.5, 1.0, 2.0)
MOST_TRIES = 6
TRY = 1 / 8  # of the minutes
SAMPLES = 8
RACE = ("plain", "row-lstm", "diagonal-bilstm", "pixelcnn")
SIZES = (16, 32)


class LadderError(ValueError):
    """A ladder that cannot start; the message is one sentence."""


@dataclass(frozen=True)
class Place:
    """A rung's name, and what its bits are: a key of WHAT."""

    name: str
    what: str


PLACES = {"uniform": Place("Uniform", "exact"), "gaussian": Place("Multivariate Gaussian", "dequantised"),
          "nice": Place("NICE", "dequantised"), "deep-diffusion": Place("Deep Diffusion", "bound"),
          "draw": Place("DRAW", "bound"), "deep-gmm": Place("Deep GMM", "dequantised"),
          "conv-draw": Place("Conv DRAW", "bound"), "ride": Place("RIDE", "dequantised"),
          "plain": Place("PixelCNN", "exact"), "row-lstm": Place("Row LSTM", "exact"),
          "diagonal-bilstm": Place("Diagonal BiLSTM", "exact"), "pixelcnn": Place("Gated PixelCNN", "exact"),
          "chain": Place("Chain of Gated PixelCNNs", "steps")}


def ladder(data_dir: str | Path, out: str | Path, minutes: float, seeds: int, *, size: int = 16, images: int = 1000,
           only: tuple[str, ...] = (), download: bool = False) -> dict:
    """Train and score all rungs, or those named in `only`, for `seeds` seeds, and write `out`.

    minutes  of training for each rung and seed, on one core by the time of the training thread; on a GPU by the wall
    images   test images that are scored
    Returns what ladder.json holds. Raises LadderError, RecipeError, DataError or TrainingError.
    """
    if unknown := [name for name in only if name not in PLACES]:
        raise LadderError(f"no rung is called {unknown[0]!r}; there are {', '.join(PLACES)}")
    if size not in SIZES:
        raise LadderError(f"there are recipes for images of {' and '.join(map(str, SIZES))} pixels, not {size}")
    out, (clock, clock_name) = Path(out), fair_clock()
    settings = {"data": "cifar10", "image_size": size, "minutes": minutes, "images_test": images}
    if (before := {key: read_json(out / "ladder.json").get(key) for key in settings}) != settings:
        if any(value is not None for value in before.values()):
            words = ", ".join(f"{key} {value}" for key, value in before.items())
            raise LadderError(f"{out} holds a ladder with other settings ({words}): choose another --out")
    data = load_data("cifar10", data_dir, "train", size, download).unconditional()
    test = load_data("cifar10", data_dir, "test", size).first(images).unconditional()
    for folder in ("runs", "samples"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    restore(out)
    settings |= {"channels": data.images.shape[1], "levels": data.levels, "images_train": len(data),
                 "images_test": len(test), "clock": clock_name}
    with one_thread():
        for seed in range(seeds):  # of a ladder that was stopped all rungs have as many seeds, or one less
            for rung in only or PLACES:
                folder = out / "runs" / f"{rung}-{seed}"
                if (folder / "result.json").exists() or (rung in BASELINES and seed):
                    continue
                attempt = Attempt(rung, seed, folder, data_dir, minutes, clock)
                result = climb(attempt, data, test, out / "samples")
                write_json(folder / "result.json", result)
                print(f"{PLACES[rung].name}, seed {seed}: {result['bits_per_dim_test']:.3f}", flush=True)
                summarise(out, settings)
    return summarise(out, settings)


def restore(out: Path) -> None:
    """Write again what `runs` lacks of the results and the tried learning rates in ladder.json."""
    for rung, entry in read_json(out / "ladder.json").get("rungs", {}).items():
        for run in entry["runs"]:
            files = [(f"{rung}-{run['seed']}", "result.json", run)]
            files += [(f"{rung}-rates", "tries.json", run["tries"])] if run.get("tries") else []
            for folder, name, values in files:
                if not (out / "runs" / folder).exists():
                    (out / "runs" / folder).mkdir()
                    write_json(out / "runs" / folder / name, values)


@contextmanager
def one_thread():
    """One core for each model, whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def recipes_of(rung: str, size: int, data: ImageData) -> list[Recipe]:
    """What is trained for a rung: one recipe; for the chain one for each of its steps, the smallest first."""
    if rung == "chain":
        sizes = [8 * 2 ** k for k in range(size.bit_length()) if 8 * 2 ** k <= size]
        return [load_recipe(f"ladder-{size}-chain-{step}") for step in sizes]
    if rung in RACE:
        return [contestants(load_recipe(f"ladder-{size}-pixelcnn"), data)[rung]]
    return [load_recipe(f"ladder-{size}-{rung}")]


@dataclass(frozen=True)
class Attempt:
    """One rung with one seed: where, and for how long."""

    rung: str
    seed: int
    folder: Path
    data_dir: str | Path
    minutes: float
    clock: Callable[[], float]


def climb(attempt: Attempt, data: ImageData, test: ImageData, samples: Path) -> dict:
    """Train a rung and score it; of the first seed draw samples. Returns what result.json holds."""
    accelerator = Accelerator()
    attempt.folder.mkdir(parents=True, exist_ok=True)
    if attempt.rung in BASELINES:
        model, facts = BASELINES[attempt.rung][1](data), {"parameters": parameters_of_baseline(attempt.rung, data)}
        bits = model.bits_per_dim(test.images)
    else:
        recipes = [replace(recipe, seed=attempt.seed)
                   for recipe in recipes_of(attempt.rung, test.images.shape[-1], data)]
        rate, tries = best_rate(attempt, recipes)
        recipes = [replace(recipe, learning_rate=rate * recipe.learning_rate) for recipe in recipes]
        folders = train_all(attempt, recipes, attempt.folder, attempt.minutes, POINTS)
        models = [recipe.model_class.from_pretrained(own).to(accelerator.device)
                  for recipe, own in zip(recipes, folders)]
        model = Chain(models) if len(models) > 1 else models[0]
        facts = {**training_facts(recipes, folders), "parameters": sum(map(free_parameters, models)), "tries": tries}
        bits, more = test_bits(model, test, accelerator)
        facts |= more
    if not attempt.seed:
        grid = image_grid(drawn(model), SAMPLES, data.levels, scale=2)
        with replacing(samples / f"{attempt.rung}.png") as path:
            grid.save(path, optimize=True)
    return {"rung": attempt.rung, "seed": attempt.seed, "bits_per_dim_test": round(bits.mean().item(), 4),
            "bits_per_dim_test_standard_error": round(standard_error(bits), 4), **facts,
            **origin(accelerator.device)}


def train_all(attempt: Attempt, recipes: list[Recipe], folder: Path, minutes: float, points: int) -> list[Path]:
    """Train the recipes of a rung, which share the minutes in proportion to their sizes, and score each so often on
    validation images. Returns their folders."""
    whole = sum(recipe.size for recipe in recipes)
    folders = [folder / str(recipe.size) if len(recipes) > 1 else folder for recipe in recipes]
    for recipe, own in zip(recipes, folders):
        share = minutes * recipe.size / whole
        train(recipe, attempt.data_dir, own, resume=True, max_minutes=share, checkpoint_minutes=share / points,
              race_clock=attempt.clock, go_on=AGAIN)
    return folders


def best_rate(attempt: Attempt, recipes: list[Recipe]) -> tuple[float, dict[str, float | None]]:
    """Which factor of the recipe's learning rate is best, and the bits per dimension of each that was tried on
    validation images (None: it diverged). Found once for a rung, with the first seed: RATES, and further where the best
    is the highest or the lowest of them."""
    if len(RATES) == 1:
        return RATES[0], {}
    folder = attempt.folder.parent / f"{attempt.rung}-rates"
    tries = read_json(folder / "tries.json")
    waiting = list(RATES)
    while waiting:
        rate = waiting.pop(0)
        if str(rate) not in tries:
            tries[str(rate)] = try_rate(attempt, recipes, rate, folder / str(rate))
            write_json(folder / "tries.json", tries)
        held = {float(rate): bits for rate, bits in tries.items() if bits is not None}
        if not waiting and held and len(tries) < MOST_TRIES:
            best = min(held, key=held.get)
            known = sorted(map(float, tries))
            waiting = [2 * best] if best == known[-1] else [best / 2] if best == known[0] else []
    if not held:
        raise LadderError(f"{PLACES[attempt.rung].name} diverged at every learning rate that was tried")
    return min(held, key=held.get), tries


def try_rate(attempt: Attempt, recipes: list[Recipe], rate: float, folder: Path) -> float | None:
    """Train a rung for its share of the minutes: bits per dimension on validation images; None where it diverged."""
    own = [replace(recipe, seed=0, learning_rate=rate * recipe.learning_rate) for recipe in recipes]
    try:
        return training_facts(own, train_all(attempt, own, folder, TRY * attempt.minutes, 1))["bits_per_dim_validation"]
    except TrainingError as error:
        if "diverged" not in str(error):
            raise
        return None


def parameters_of_baseline(rung: str, data: ImageData) -> int:
    dims = data.images[0].numel()
    return dims + dims * (dims + 1) // 2 if rung == "gaussian" else 0


def training_facts(recipes: list[Recipe], folders: list[Path]) -> dict:
    """Time, steps and curve of a rung's run; of a chain all its steps together."""
    facts = [read_json(folder / "training.json") for folder in folders]
    curves = []
    for folder in folders:
        with (folder / "training.csv").open(newline="", encoding="utf-8") as file:
            curves.append([(float(row["seconds"]), float(row["bits_per_dim_validation"]))
                           for row in csv.DictReader(file) if row["bits_per_dim_validation"]])
    dims = [recipe.size ** 2 for recipe in recipes]
    curve = [{"minutes": round(sum(t for t, _ in points) / 60, 4),
              "bits_per_dim": round(sum(d * bits for d, (_, bits) in zip(dims, points)) / dims[-1], 4)}
             for points in zip(*curves)]
    seconds, seen = sum(f["seconds"] for f in facts), sum(f["images"] for f in facts)
    return {"steps": sum(f["steps"] for f in facts),
            "seconds": round(seconds, 1), "images_per_second": round(seen / max(seconds, 0.1), 1),
            "learning_rate": recipes[-1].learning_rate, "batch": recipes[-1].batch, "bf16": facts[-1]["bf16"],
            "bits_per_dim_validation": curve[-1]["bits_per_dim"], "curve": curve}


def test_bits(model: nn.Module | Chain, test: ImageData, accelerator: Accelerator) -> tuple[Tensor, dict]:
    """Bits per dimension of every test image, float64 (N,), and what a rung with random weights gains by many."""
    if isinstance(model, Chain):
        parts = [sum(model.bits(part.to(accelerator.device)).values()).cpu().double() / part[0].numel()
                 for part in test.images.split(50)]
        return torch.cat(parts), {}
    if not isinstance(model, Rung):
        return score(model, test, False, 50, accelerator), {}
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        bits = torch.stack([score(model, test, False, 100, accelerator) for _ in range(2)]).mean(0)  # two draws each
        count, weights = model.importance
        few = test.images[:count].to(accelerator.device)
        one = torch.stack([model.importance_bits(few, 1) for _ in range(weights)]).mean().item()
        many = model.importance_bits(few, weights).mean().item()
    return bits, {"importance": {"weights": weights, "images": len(few), "bits_per_dim_of_one": round(one, 4),
                                 "bits_per_dim": round(many, 4), "gain": round(one - many, 4)}}


def drawn(model) -> Tensor:
    """SAMPLES images, uint8 (N, C, H, W), from seed 0."""
    if not isinstance(model, (Chain, GatedPixelCNN)):
        return model.sample(SAMPLES, 0)
    cached = type(model) in (Chain, GatedPixelCNN)
    return draw_batches(model, Condition(), 0, count=SAMPLES, method="cached" if cached else "naive")


def summarise(out: Path, settings: dict) -> dict:
    """Read every finished run below `out` and write ladder.json and ladder.csv. Returns what ladder.json holds."""
    runs: dict[str, list[dict]] = {rung: [] for rung in PLACES}
    for path in sorted((out / "runs").glob("*/result.json")):
        result = read_json(path)
        runs[result["rung"]].append(result)
    rungs = {rung: {"name": PLACES[rung].name, "what": WHAT[PLACES[rung].what], "kind": PLACES[rung].what,
                    "seeds": len(found), **mean_and_spread([run["bits_per_dim_test"] for run in found]),
                    "gain": mean_gain(found), "runs": found}
             for rung, found in runs.items() if found}
    result = {**settings, "rungs": rungs}
    write_json(out / "ladder.json", result)
    with replacing(out / "ladder.csv") as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["rung", "seed", "minutes", "bits_per_dim_validation"])
        writer.writerows([rung, run["seed"], point["minutes"], point["bits_per_dim"]]
                         for rung, entry in rungs.items() for run in entry["runs"] for point in run.get("curve", ()))
    return result


def mean_and_spread(bits: list[float]) -> dict:
    """Over the seeds: the mean, and the standard deviation of one run where there are several."""
    spread = statistics.stdev(bits) if len(bits) > 1 else 0.0
    return {"bits_per_dim_test": round(statistics.fmean(bits), 4), "spread": round(spread, 4)}


def mean_gain(runs: list[dict]) -> float | None:
    """What many weights take off the bound of one, in bits per dimension; None where P(x) is exact."""
    gains = [run["importance"]["gain"] for run in runs if "importance" in run]
    return round(statistics.fmean(gains), 4) if gains else None
