"""The races of `python -m pixelcnn_core race`, read from their files: who leads at any moment, in numbers and in words.

One folder per data set, `assets/race/DATA/race.json`. All models of a race have the same number of parameters and see
the same images in the same order; the clock counts training alone.
"""

import html
from dataclasses import dataclass
from pathlib import Path

from pixelcnn_core.results import read_json

SHORT = {"cifar10-grey16": "Grey photos of 16×16 pixels", "digits": "Digits of 8×8 pixels"}
TITLES = {"digits": "Scanned digits", "cifar10": "CIFAR-10", "cifar10-grey16": "CIFAR-10 in grey"}
GATED, RECURRENT, PLAIN = "Gated PixelCNN", "Diagonal BiLSTM", "PixelCNN"
AXES = {"seconds": 0, "steps": 1}  # what a moment of a race is counted in: its place in a point of a curve


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

    def at(self, moment: float, axis: str = "seconds") -> tuple[float, int, float] | None:
        """The last point scored by then, after so many seconds or steps; None before the first."""
        return next((point for point in reversed(self.curve) if point[AXES[axis]] <= moment + 1e-6), None)


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

    def end(self, axis: str = "seconds") -> float:
        """The last moment: when the last model stopped; in steps, when the one with the fewest did."""
        return self.seconds if axis == "seconds" else min(runner.curve[-1][1] for runner in self.runners)

    def runner(self, name: str) -> Runner | None:
        return next((runner for runner in self.runners if runner.name == name), None)

    def standing(self, moment: float, axis: str = "seconds") -> list[tuple[Runner, tuple[float, int, float]]]:
        """The models scored by then with their last points, the best first."""
        scored = [(runner, point) for runner in self.runners if (point := runner.at(moment, axis))]
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


@dataclass(frozen=True)
class Crossing:
    """Where the Gated PixelCNN reaches the final value of the Diagonal BiLSTM, the paper's PixelRNN. `moment`, None if
    it never does, and `whole`, how long that one took for it, are seconds or steps."""

    level: float  # bits per dimension
    moment: float | None
    whole: float


def crossing(race: Race, axis: str = "seconds") -> Crossing | None:
    """The paper's claim, looked up in a race; None where one of the two did not run. Between two scores the curve is a
    straight line, as it is drawn."""
    gated, recurrent = race.runner(GATED), race.runner(RECURRENT)
    if not gated or not recurrent:
        return None
    column = AXES[axis]
    *_, last = recurrent.curve
    level, before, moment = last[2], None, None
    for point in gated.curve:
        if point[2] <= level:
            share = (before[2] - level) / (before[2] - point[2]) if before else 1.0
            start = before[column] if before else point[column]
            moment = start + share * (point[column] - start)
            break
        before = point
    return Crossing(level, moment, last[column])


def claim_words(race: Race, axis: str = "seconds") -> str:
    """The headline of a race, computed from its curves; HTML, empty where the two that the claim is about did not
    run."""
    found = crossing(race, axis)
    if not found:
        return ""
    whom = "what its slow rival reached at the end"
    if found.moment is None:
        return f'<h3 class="claim">The {GATED} has not reached {whom}.</h3>'
    counted = "time" if axis == "seconds" else "steps"
    return (f'<h3 class="claim">In <b>{100 * found.moment / found.whole:.0f}&nbsp;% of the {counted}</b>, the {GATED} '
            f"reached {whom}.</h3>")


def about_words(race: Race) -> str:
    """A line where the plain PixelCNN ties with the gated one; HTML, else empty."""
    tie, gated, plain = "", race.runner(GATED), race.runner(PLAIN)
    if plain and gated and abs(plain.bits - gated.bits) <= (plain.error ** 2 + gated.error ** 2) ** 0.5:
        tie = (f'<p class="facts">At this size the plain PixelCNN ties with the gated one ({plain.bits:.2f} and '
               f"{gated.bits:.2f}, error {gated.error:.2f}): the blind spot costs little on {race.size}×{race.size} "
               "pixels.</p>")
    return tie


def race_tag(race: Race) -> str:
    """Data, size, training time, and that the numbers are of use here alone."""
    name = SHORT.get(race.key, race.title)
    minutes = race.seconds / 60
    spent = f"{minutes:.2g} minute{'s' * (minutes != 1)}" if minutes >= 1 else f"{race.seconds:.0f} seconds"
    return f"{name}, {spent} of training for each network. Compare these numbers only inside this chart."


def leader_words(race: Race, moment: float, axis: str = "seconds") -> str:
    """Who leads after so many seconds of training, or steps, by how much, and whether that is more than the error;
    HTML.

    The error is that of the final scores; both curves are of the same images, so it is a cautious one.
    """
    when = f"{moment:.0f} s of training" if axis == "seconds" else f"{moment:,.0f} steps"
    standing = race.standing(moment, axis)
    if not standing:
        return f"After {when} no model has been scored yet."
    (first, (seconds, steps, best)), *others = standing
    if not others:
        return f"After {when} <b>{html.escape(first.name)}</b> leads with {best:.3f} bits per dimension."
    second, (other_seconds, other_steps, next_best) = others[0]
    lead, error = next_best - best, (first.error ** 2 + second.error ** 2) ** 0.5
    name, other = html.escape(first.name), html.escape(second.name)
    if lead <= error:
        level = [runner for runner, point in standing
                 if point[2] - best <= (first.error ** 2 + runner.error ** 2) ** 0.5]
        together = ", ".join(f"<b>{html.escape(runner.name)}</b>" for runner in level[:-1])
        words = (f"After {when} {together} and <b>{html.escape(level[-1].name)}</b> are level within the error: "
                 f"{lead:.3f} bits per dimension between the first two, with an error of {error:.3f}")
    else:
        words = (f"After {when} <b>{name}</b> leads with {best:.3f} bits per dimension, {lead:.3f} ahead of {other} "
                 f"(error: {error:.3f})")
    if axis == "seconds":
        return f"{words}. {name} has taken {steps:,} steps; {other} {other_steps:,}."
    return f"{words}. {name} took {seconds:.0f} s for them; {other} {other_seconds:.0f} s."


HEADS = ("parameters", "steps", "training images/s (of the gated)", "bits per dimension, test")


def race_table(race: Race) -> str:
    """The table of final numbers and training speeds of a race: HTML. On a phone each cell brings its column's name."""
    pace = next((r.images_per_second for r in race.runners if r.name == GATED), None)
    rows = [row(entry.name, ("–", "–", "–", final(entry))) for entry in race.baselines]
    for r in race.runners:
        ratio = f" <small>({r.images_per_second / pace:.2f}×)</small>" if pace else ""
        rows.append(row(r.name, (f"{r.parameters:,}", f"{r.steps:,}", f"{r.images_per_second:,.0f}{ratio}", final(r))))
    heads = "".join(f"<th scope=col>{head}</th>" for head in ("model", *HEADS))
    return ('<table class="board wide"><caption>Trained here, from the same images in the same order</caption><thead>'
            f'<tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>')


def row(name: str, cells: tuple[str, ...]) -> str:
    inside = "".join(f'<td data-name="{head}">{cell}</td>' for head, cell in zip(HEADS, cells))
    return f'<tr{" class=ours" if name == GATED else ""}><th scope="row">{html.escape(name)}</th>{inside}</tr>'


def final(entry: Entry) -> str:
    return f"<b>{entry.bits:.3f}</b>" + (f" ± {entry.error:.3f}" if entry.error else "")
