"""The tables of the README and of docs/ladder.md, made from result files: `python -m pixelcnn_core.cards.readme`
rewrites them in place.

A table stands between `<!-- name -->` and `<!-- /name -->`; tests compare it with what the files say.
"""

import re
from pathlib import Path

from pixelcnn_core.cards import ladder_page
from pixelcnn_core.cards.card import write_page
from pixelcnn_core.models.chain import CHAIN_FILE, chain_steps
from pixelcnn_core.provenance import training_so_far
from pixelcnn_core.results import RESULTS_FILE, read_json, read_measured, read_results

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "ladder.md")
MODELS = ROOT / "demo" / "assets" / "models"
NOTEBOOKS = ROOT / "notebooks"


def benchmark_table(models: Path = MODELS) -> str:
    """Sampling times of the bundled CIFAR-10 model, from its benchmark.json."""
    data = read_measured(models / "cifar10", "benchmark.json")
    if not data:
        return "Not measured yet: `python -m pixelcnn_core benchmark demo/assets/models/cifar10 --json FILE`."
    lines = ["| images at once | one forward pass | naive sampling | cached sampling | speed-up | peak memory |",
             "| --- | --- | --- | --- | --- | --- |"]
    for batch, row in data["batch"].items():
        lines.append(f"| {batch} | {row['forward_s']:.3f} s | {row['naive_s']:,.0f} s | {row['cached_s']:.2f} s | "
                     f"{row['naive_over_cached']:,.0f} times | {data['peak_mb'][batch]:.0f} MB |")
    if "fixed_point_s" in (single := data["batch"].get("1", {})):
        lines.append(f"\nThe third way, fixed-point (Jacobi) sampling, settles a single image in "
                     f"{single['fixed_point_passes']:,} forward passes instead of 3,072, and "
                     f"{single['fixed_point_s']:.1f} s.")
    steps, repeats = data["naive_steps_timed"], data["repeats"]
    lines.append(f"\n{data['device']}, {data['threads']} threads, torch {data['versions']['torch']}; medians of "
                 f"{repeats} interleaved runs; the naive loop is extrapolated from {steps} of its "
                 "3,072 steps. `python -m pixelcnn_core benchmark` measures it on your machine.")
    return "\n".join(lines)


def models_table(models: Path = MODELS) -> str:
    """Every bundled checkpoint, from its results.json."""
    lines = ["| model | parameters | test, given its condition | test, without | training images |",
             "| --- | --- | --- | --- | --- |"]
    for folder in sorted(path for path in models.iterdir() if (path / RESULTS_FILE).exists()):
        if "bits_per_dim_test" not in (r := read_results(folder)):
            continue  # a chain, or measured of other weights than those that are there
        lines.append(f"| [{folder.name}](demo/assets/models/{folder.name}/README.md) | {r['parameters']:,} | "
                     f"{r['bits_per_dim_test']:.3f} | {r['bits_per_dim_test_unconditional']:.3f} | "
                     f"{r['bits_per_dim_train']:.3f} |")
    return "\n".join(lines)


def chains_table(models: Path = MODELS) -> str:
    """Every bundled chain: its steps and their bits, and how its pictures were judged."""
    lines = ["| chain | step | parameters | training | bits per dimension | bits | what `h` saves |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    judged_as = []  # sentences below the table
    for folder in sorted(path.parent for path in models.glob(f"*/{CHAIN_FILE}")):
        results = read_results(folder)
        for name, (size, step) in zip(chain_steps(folder), results.get("steps", {}).items()):
            lines.append(f"| [{folder.name}](demo/assets/models/{folder.name}/README.md) | {size} x {size} | "
                         f"{step['parameters']:,} | {trained(folder / name)} | "
                         f"{step['bits_per_dim']:.3f} | {step['bits']:,.0f} | {step['condition_is_worth_bits']:.1f} |")
        if identity := results.get("identity"):
            judged_as.append(
                f"\n{folder.name}: {identity['rank1']:.1%} of {identity['portraits']:,} portraits of people "
                f"that it never saw are nearest to their own person among {identity['gallery']}; of real "
                f"photos of {identity['size']} x {identity['size']} pixels {identity['rank1_real']:.1%}, by "
                f"chance {identity['rank1_chance']:.1%}.")
        if judged := read_results(folder, "quality.json"):
            judged_as.append(
                f"\n{folder.name}: a classifier gives {judged['accuracy']:.1%} of {judged['images']:,} "
                f"samples the class they were drawn for, and {judged['accuracy_real']:.1%} of real images "
                f"theirs; Fréchet distance {judged['frechet']:.1f}.")
        if measured := read_measured(folder, "benchmark.json"):
            judged_as.append(f"\n{folder.name}: {drawing_times(measured)}")
    return "\n".join(lines + judged_as)


def trained(step: Path) -> str:
    """For how long a step was trained, and how fast."""
    total = training_so_far(step)
    return f"{total['seconds'] / 60:.0f} minutes, {total['images'] / max(total['seconds'], 0.1):.0f} images/s"


def drawing_times(measured: dict) -> str:
    """A sentence on how long a chain draws, from its benchmark.json: one image, and many at once."""
    first, last = list(measured["batch"].items())[0], list(measured["batch"].items())[-1]
    count = "one image" if first[0] == "1" else f"{first[0]} images"
    return (f"{count} in {first[1]['cached_s']:.2f} s, {first[1]['naive_over_cached']:,.0f} times as fast as the naive "
            f"loop; the first row of the smallest picture after {first[1]['coarse_s']:.3f} s; {last[0]} images at "
            f"once: {last[1]['images_per_second']:.0f} a second ({measured['device']}, {measured['threads']} threads).")


def notebooks_table(folder: Path = NOTEBOOKS, times: Path = NOTEBOOKS / "times.json") -> str:
    """The index of the notebooks, with the beginning of their goals and, from times.json, how long each takes."""
    measured = read_json(times)
    lines = ["| notebook | goals | time |", "| --- | --- | --- |"]
    for path in sorted(folder.glob("*.ipynb")):
        words = "".join(read_json(path)["cells"][0]["source"])
        title = re.search(r"^# (.+)$", words, re.M)[1]
        goals = re.search(r"\*\*Goals\.\*\* (.+?)\.?(?:;|\n\n)", words, re.S)[1].replace("\n", " ")
        seconds = measured.get("seconds", {}).get(path.stem)
        time = f"{seconds:.0f} s" if seconds else "not measured yet"
        lines.append(f"| [{title}](notebooks/{path.name}) | {goals} | {time} |")
    if measured:
        lines.append(f"\n{measured['hardware']}, torch {measured['versions']['torch']}.")
    return "\n".join(lines)


TABLES = {"benchmark": benchmark_table, "models": models_table, "chains": chains_table, "notebooks": notebooks_table,
          "ladder": ladder_page.measured}


def fill(text: str) -> str:
    """A page with every table in it renewed."""
    for name, table in TABLES.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m, t=table: f"{m[1]}{t()}\n{m[2]}", text,
                      flags=re.S)
    return text


if __name__ == "__main__":
    for page in PAGES:
        write_page(page, fill(page.read_text(encoding="utf-8")))
