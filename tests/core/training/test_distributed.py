"""Two processes on the CPU, started by `accelerate launch`: the same training and the same evaluation as one."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_runs import tiny_recipe

from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.training.loop import STATE_FILE, train

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def launch(*words) -> str:
    """Run the command line in two processes; each tells the size of its group.

    `--multi_gpu` is what makes accelerate start several processes; ACCELERATE_USE_CPU keeps them on the CPU, and
    only `Accelerator` reads it (a bare `PartialState` would leave each process alone).
    """
    program = ("import os, torch, runpy, sys\n"
               "from accelerate import Accelerator\n"
               "os.write(1, f'group of {Accelerator().num_processes}\\n'.encode())\n"
               "torch.set_num_threads(1)\n"
               "sys.argv[0] = 'pixelcnn_core'; runpy.run_module('pixelcnn_core', run_name='__main__')\n")
    script = Path(words[-1]).parent / "both.py"
    script.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
         "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--num_cpu_threads_per_process",
         "1", "--main_process_port", "0", str(script), *map(str, words)],
        cwd=ROOT, encoding="utf-8", capture_output=True, timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ACCELERATE_USE_CPU": "true"})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("group of 2") == 2, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same recipe in one process and in two. No dropout: the two processes draw different masks."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = tiny_recipe(validate=0, model={**tiny_recipe().model, "dropout": 0.0})
    (folder / "recipe.json").write_text(json.dumps(recipe.to_dict()), encoding="utf-8")
    one = train(recipe, "nowhere", folder / "one")
    launch("train", folder / "recipe.json", "--data", "nowhere", "--out", folder / "two")
    return one, folder / "two"


def test_two_processes_train_like_one(runs):
    one, two = runs

    def losses(folder) -> list[float]:
        with (folder / "training.csv").open(newline="", encoding="utf-8") as file:
            return [float(row["bits_per_dim"]) for row in csv.DictReader(file)]
    assert losses(one) == pytest.approx(losses(two), abs=2e-4)
    mine, theirs = load_file(one / STATE_FILE), load_file(two / STATE_FILE)
    for name in (name for name in mine if name.startswith("model.")):
        # float32: sums in another order, and Adam divides by small numbers
        assert torch.allclose(mine[name], theirs[name], atol=2e-3), name


def test_two_processes_evaluate_like_one(runs, tmp_path):
    one, _ = runs
    alone = evaluate(one, "nowhere", limit=33, batch=8)
    launch("evaluate", one, "--data", "nowhere", "--limit", 33, "--json", tmp_path / "both.json")
    both = json.loads((tmp_path / "both.json").read_text(encoding="utf-8"))
    for key, value in alone.items():
        if key.startswith("bits_per_dim") or key.startswith("images"):
            assert both[key] == (pytest.approx(value, abs=2e-4) if isinstance(value, float) else value), key
