"""Training all steps of a chain: whatever is missing or unfinished of them, the smallest first.

The steps of a chain are recipes of their own, named after it: `portraits-chain-8-cpu`, `portraits-chain-16-cpu`, ...
make `portraits-chain-cpu`. None needs another one's weights, so each may also be trained alone, or elsewhere.
"""

import math
import re
import sys
from pathlib import Path

from accelerate import PartialState

from pixelcnn_core.models.chain import CHAIN_FILE
from pixelcnn_core.models.checkpoint import WEIGHTS_FILE
from pixelcnn_core.results import read_json, write_json
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe, load_recipe, recipe_names
from pixelcnn_core.training.state import STATE_FILE, TrainingError, check_minutes


def chain_recipes(name: str) -> list[str]:
    """The recipes of a chain's steps, the smallest first; none where no chain is called so."""
    base, cpu = name.removesuffix("-cpu"), "-cpu" if name.endswith("-cpu") else ""
    sizes = [int(found[1]) for known in recipe_names()
             if (found := re.fullmatch(rf"{re.escape(base)}-(\d+){cpu}", known))]
    return [f"{base}-{size}{cpu}" for size in sorted(sizes)] if base.endswith("-chain") else []


def train_chain(name: str, data_dir: str | Path, out: str | Path, *, overwrite: bool = False,
                max_minutes: float | None = None, download: bool = False) -> Path:
    """Train what is missing of a chain into `out`, a folder for each size, and name the steps in its chain.json; what
    else that says, as `coarsest_min_p`, stays.

    overwrite    train every step anew, and replace what is there
    max_minutes  of training for each step. A step that was stopped goes on; one that is finished, or was published
                 (weights without the state of a run), is left as it is, and said to be there
    Raises what `train` raises, and ResultsError where chain.json is damaged.
    """
    check_minutes(max_minutes)
    out = Path(out)
    if (out / WEIGHTS_FILE).exists():
        raise TrainingError(f"{out} holds a model that is no chain: choose another --out")
    told = read_json(out / CHAIN_FILE)  # a damaged file is found before the work
    recipes = [load_recipe(step) for step in chain_recipes(name)]
    for recipe in recipes:
        folder = out / str(recipe.size)
        if not overwrite and is_there(folder, recipe, max_minutes):
            PartialState().print(f"{recipe.name}: {folder} is there, and is left as it is; to train it again, give "
                                 "train this recipe, this folder, and --resume or --overwrite", file=sys.stderr)
        else:
            train(recipe, data_dir, folder, resume=not overwrite, overwrite=overwrite, max_minutes=max_minutes,
                  download=download, go_on="the same command again, without --overwrite, goes on")
    write_json(out / CHAIN_FILE, {**told, "steps": [str(recipe.size) for recipe in recipes]})
    return out


def is_there(folder: Path, recipe: Recipe, max_minutes: float | None) -> bool:
    """Whether a step has been published (as `check_folder` sees it), or trained for all its recipe's steps, or for its
    minutes."""
    if not (folder / WEIGHTS_FILE).is_file():
        return False
    if not (folder / STATE_FILE).exists():
        return True
    facts = read_json(folder / "training.json")
    return facts.get("steps", 0) >= recipe.steps or facts.get("seconds", 0) >= 60 * (max_minutes or math.inf)
