"""The races of `python -m pixelcnn_core race`, read from their files: who leads at any moment, in numbers and in words.

One folder per data set, `assets/race/DATA/race.json`. All models of a race have the same number of parameters and see
the same images in the same order; the clock counts training alone.
"""

import html
from dataclasses import dataclass
from pathlib import Path

from pixelcnn_core.results import read_json

TITLES = {"digits": "Scanned digits", "cifar10": "CIFAR-10", "cifar10-grey16": "CIFAR-10 in grey"}
GATED = "Gated PixelCNN"


@dataclass(frozen=True)
class Entry:
    """A model's final number: bits per dimension on test images, with its standard error."""

    name: str
    bits: float
    error: float


@dataclass(frozen=True)
class Runner(Entry):
    """A trained model; `curve` holds (seconds, steps, bits per dimension) in order of time."""

    parameters: int
    steps: int
    seconds: float
    images_per_second: float
    curve: tuple[tuple[float, int, float], ...]

    def at(self, seconds: float) -> tuple[float, int, float] | None:
        """The last point scored by then; None before the first."""
        return next((point for point in reversed(self.curve) if point[0] <= seconds + 1e-6), None)


@dataclass(frozen=True)
class Race:
    key: str  # the name of its folder
    data: str
    size: int
    channels: int
    levels: int
    images_test: int
    batch: int
    hardware: str
    clock: str  # what the seconds are, in words
    runners: tuple[Runner, ...]
    baselines: tuple[Entry, ...]

    @property
    def title(self) -> str:
        return f"{TITLES.get(self.key, self.key)}, {self.size}×{self.size}, {self.levels} levels"

    @property
    def seconds(self) -> float:
        """When the last model stopped."""
        return max(runner.seconds for runner in self.runners)

    def standing(self, seconds: float) -> list[tuple[Runner, tuple[float, int, float]]]:
        """The models scored by then with their last points, the best first."""
        scored = [(runner, point) for runner in self.runners if (point := runner.at(seconds))]
        return sorted(scored, key=lambda pair: pair[1][2])


def read_races(folder: Path) -> dict[str, Race]:
    """Every race below a folder that can be read, by the name of its folder; one that cannot be read is left out."""
    races = {}
    for path in sorted(folder.glob("*/race.json")):
        try:
            races[path.parent.name] = parse(path.parent.name, read_json(path))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return races


def parse(key: str, stored: dict) -> Race:
    """The contents of a race.json. Raises KeyError, TypeError or ValueError where they are not those of a race."""
    runners = tuple(Runner(**final_number(model), parameters=int(model["parameters"]), steps=int(model["steps"]),
                           seconds=float(model["seconds"]), images_per_second=float(model["images_per_second"]),
                           curve=tuple((float(point["seconds"]), int(point["steps"]), float(point["bits_per_dim"]))
                                       for point in model["curve"]))
                    for model in stored["models"].values())
    if not runners or not all(runner.curve for runner in runners):
        raise ValueError(f"the race {key} has no curves")
    return Race(key, str(stored["data"]), int(stored["image_size"]), int(stored["channels"]), int(stored["levels"]),
                int(stored["images_test"]), int(stored["batch"]), str(stored["hardware"]),
                str(stored.get("clock", "wall clock")), runners, entries(stored["baselines"]))


def final_number(model: dict) -> dict:
    return {"name": str(model["name"]), "bits": float(model["bits_per_dim_test"]),
            "error": float(model["bits_per_dim_test_standard_error"])}


def entries(baselines: dict) -> tuple[Entry, ...]:
    return tuple(Entry(**final_number(model)) for model in baselines.values())


def read_baselines(folder: Path) -> dict[str, tuple[Entry, ...]]:
    """The baselines of every data set that has them in a file of their own (`pixelcnn_core baselines`), by its name."""
    found = {}
    for path in sorted(folder.glob("*/baselines.json")):
        stored = read_json(path)
        try:
            found[str(stored["data"])] = entries(stored["baselines"])
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return found


def leader_words(race: Race, seconds: float) -> str:
    """Who leads after so many seconds of training, by how much, and how far each has come; HTML."""
    standing = race.standing(seconds)
    if not standing:
        return f"After {seconds:.0f} s no model has been scored yet."
    (first, (_, steps, best)), *others = standing
    words = (f"After {seconds:.0f} s of training <b>{html.escape(first.name)}</b> leads with {best:.3f} bits per "
             "dimension")
    if others:
        second, (_, other_steps, next_best) = others[0]
        words += (f", {next_best - best:.3f} ahead of {html.escape(second.name)}. It has taken {steps:,} steps; "
                  f"{html.escape(second.name)} {other_steps:,}")
    return words + "."


def race_table(race: Race) -> str:
    """The table of final numbers and training speeds of a race: HTML."""
    pace = next((r.images_per_second for r in race.runners if r.name == GATED), None)
    rows = [f'<tr><th scope="row">{html.escape(e.name)}</th><td>–</td><td>–</td><td>–</td><td>{final(e)}</td></tr>'
            for e in race.baselines]
    for r in race.runners:
        ratio = f" <small>({r.images_per_second / pace:.2f}×)</small>" if pace else ""
        rows.append(f'<tr{" class=ours" if r.name == GATED else ""}><th scope="row">{html.escape(r.name)}</th>'
                    f"<td>{r.parameters:,}</td><td>{r.steps:,}</td><td>{r.images_per_second:,.0f}{ratio}</td>"
                    f"<td>{final(r)}</td></tr>")
    heads = ("model", "parameters", "steps", "training images/s (of the gated)", "bits per dimension, test")
    return ('<table class="board wide"><caption>Trained here, from the same images in the same order</caption><thead>'
            f"<tr>{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead>"
            f'<tbody>{"".join(rows)}</tbody></table>')


def final(entry: Entry) -> str:
    return f"<b>{entry.bits:.3f}</b>" + (f" ± {entry.error:.3f}" if entry.error else "")
