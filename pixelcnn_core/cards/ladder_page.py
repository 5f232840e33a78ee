"""What was measured on the ladder, for docs/ladder.md, from demo/assets/ladder; `readme.py` writes it into the page."""

from pathlib import Path

from pixelcnn_core.results import read_json

MEASURED = Path(__file__).parents[2] / "demo" / "assets" / "ladder"


def measured(folder: Path = MEASURED) -> str:
    """The tables of the ladder in `folder`, and of the longer ones in folders below it."""
    ladder = read_json(folder / "ladder.json")
    if not ladder:
        return "Not measured yet."
    trained = [entry for entry in ladder["rungs"].values() if any("curve" in run for run in entry["runs"])]
    seeds = min((entry["seeds"] for entry in trained), default=1)
    runs = "one run each" if seeds == 1 else f"{seeds} runs each"
    machines = " and ".join(dict.fromkeys(run["hardware"] for entry in trained for run in entry["runs"]))
    lines = [f"{minutes(ladder)} of training for each rung, {runs}, by the {ladder['clock']} ({machines}); CIFAR-10 at "
             f"{ladder['image_size']}×{ladder['image_size']}, {ladder['images_train']:,} training photos,",
             f"{ladder['images_test']:,} test photos. The spread is the standard deviation of one run.", "",
             "| rung | bits per dimension | spread | less with many weights | parameters | training images/s |",
             "|---|---|---|---|---|---|", *(row(entry) for entry in ladder["rungs"].values())]
    for path in sorted(folder.glob("*/ladder.json")):
        longer = read_json(path)
        lines += ["", f"With more time, {minutes(longer)} each:", "",
                  f"| rung | after {minutes(ladder)} | after {minutes(longer)} |", "|---|---|---|"]
        lines += [f"| {entry['name']} | {bits(ladder['rungs'][rung])} | {bits(entry)} |"
                  for rung, entry in longer["rungs"].items() if rung in ladder["rungs"]]
    return "\n".join(lines)


def minutes(ladder: dict) -> str:
    return f"{ladder['minutes']:g} minute{'s' * (ladder['minutes'] != 1)}"


def bits(entry: dict) -> str:
    return f"{'' if entry['kind'] == 'exact' else 'at most '}{entry['bits_per_dim_test']:.3f}"


def row(entry: dict) -> str:
    run = entry["runs"][0]
    spread = f"{entry['spread']:.3f}" if entry["seeds"] > 1 else ""
    gain = f"{entry['gain']:.3f}" if entry["gain"] is not None else ""
    speed = f"{run['images_per_second']:,.0f}" if "images_per_second" in run else ""
    return f"| {entry['name']} | {bits(entry)} | {spread} | {gain} | {run['parameters']:,} | {speed} |"
