"""Training all steps of a chain: whatever is missing or unfinished of them, the smallest first.

The steps of a chain are recipes of their own, named after it: `portraits-chain-8-cpu`, `portraits-chain-16-cpu`, ...
make `portraits-chain-cpu`. None needs another one's weights, so each may also be trained alone, or elsewhere.
"""

import math
import re
from pathlib import Path

from pixelcnn_core.models.chain import CHAIN_FILE
from pixelcnn_core.models.checkpoint import WEIGHTS_FILE
from pixelcnn_core.results import read_json, write_json
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe, load_recipe, recipe_names
from pixelcnn_core.training.state import check_minutes


def chain_recipes(name: str) -> list[str]:
    """The recipes of a chain's steps, the smallest first; none where no chain is called so."""
    base, cpu = name.removesuffix("-cpu"), "-cpu" if name.endswith("-cpu") else ""
    sizes = [int(found[1]) for known in recipe_names()
             if (found := re.fullmatch(rf"{re.escape(base)}-(\d+){cpu}", known))]
    return [f"{base}-{size}{cpu}" for size in sorted(sizes)] if base.endswith("-chain") else []


def train_chain(name: str, data_dir: str | Path, out: str | Path, *, max_minutes: float | None = None,
                download: bool = False) -> Path:
    """Train what is missing of a chain into `out`, a folder for each size, and write its chain.json.

    max_minutes  of training for each step. A step that was stopped goes on, one that is finished is left alone.
    Raises what `train` raises.
    """
    check_minutes(max_minutes)
    out = Path(out)
    recipes = [load_recipe(step) for step in chain_recipes(name)]
    for recipe in recipes:
        if not is_finished(out / str(recipe.size), recipe, max_minutes):
            train(recipe, data_dir, out / str(recipe.size), resume=True, max_minutes=max_minutes, download=download)
    write_json(out / CHAIN_FILE, {"steps": [str(recipe.size) for recipe in recipes]})
    return out


def is_finished(folder: Path, recipe: Recipe, max_minutes: float | None) -> bool:
    """Whether a step has been trained for all its recipe's steps, or for its minutes."""
    facts = read_json(folder / "training.json")
    minutes = max_minutes or math.inf
    done = facts.get("steps", 0) >= recipe.steps or facts.get("seconds", 0) >= 60 * minutes
    return done and (folder / WEIGHTS_FILE).is_file()
