"""Recipes of the chains for a GPU, dry: at their full size and width on the CPU, 20 steps each."""

import csv
import math
from dataclasses import replace

import pytest
import torch

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.training.chain import chain_recipes
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import load_recipe

CHAINS = ("cifar10-chain", "imagenet32classes-chain", "portraits-chain")
STEPS = [step for chain in CHAINS for step in chain_recipes(chain)]


def pictures(data: str, size: int, count: int = 8) -> ImageData:
    """Smooth colours with a little noise, with the classes or vectors that the data set has."""
    generator = torch.Generator().manual_seed(0)
    colour = torch.randint(40, 210, (count, 3, 1, 1), generator=generator)
    images = (colour + torch.randint(-6, 7, (count, 3, size, size), generator=generator)).byte()
    if data == "faces":
        vectors = torch.nn.functional.normalize(torch.randn(count, 128, generator=generator))
        return ImageData(images, torch.zeros(count, dtype=torch.long), (), embeddings=vectors,
                         identities=list(map(str, range(count))), partners=torch.arange(count)[:, None])
    classes = {"cifar10": 10, "imagenet32classes": 32}[data]
    return ImageData(images, torch.arange(count) % classes, tuple(map(str, range(classes))))


def test_each_chain_has_its_steps_for_a_gpu():
    assert len(STEPS) == 3 + 4 + 4


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_a_recipe_for_a_gpu_takes_twenty_steps(name, tmp_path, monkeypatch):
    """Of two images, without torch.compile, which is a matter of the device; better than knowing nothing at the end."""
    recipe = load_recipe(name)
    monkeypatch.setattr("pixelcnn_core.training.loop.load_data",
                        lambda *args, **more: pictures(recipe.data, recipe.size))
    dry = replace(recipe, steps=20, batch=2, validate=2, warm_up=5, compile=False, ema=0.5)
    out = train(dry, "nowhere", tmp_path / "run")
    last = list(csv.DictReader((out / "training.csv").read_text(encoding="utf-8").splitlines()))[-1]
    assert last["step"] == "20" and math.isfinite(float(last["bits_per_dim"]))
    assert float(last["bits_per_dim_validation"]) < math.log2(256)
