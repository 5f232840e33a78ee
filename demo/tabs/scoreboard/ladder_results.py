"""The ladder of `python -m pixelcnn_core ladder`, read from its files: every row of the paper's table 1, measured.

`assets/ladder/ladder.json` with `samples/RUNG.png` beside it; in folders below it further ladders, which ask one
question each (a rung with more minutes), and single checkpoints of other data.
"""

import base64
from dataclasses import dataclass
from pathlib import Path

from demo.service.bridge import ModelInfo, read_info
from demo.tabs.scoreboard.paper_tables import GATED, TABLES
from pixelcnn_core.results import read_json

# The rungs by their keys -> the rows of the paper; its PixelRNN is the Diagonal BiLSTM. The others are not in it.
ROWS = {"uniform": "Uniform distribution", "gaussian": "Multivariate Gaussian", "nice": "NICE",
        "deep-diffusion": "Deep Diffusion", "draw": "DRAW", "deep-gmm": "Deep GMMs", "conv-draw": "Conv DRAW",
        "ride": "RIDE", "plain": "PixelCNN", "diagonal-bilstm": "PixelRNN", "pixelcnn": GATED}
PAPER = {name: test for name, test, _ in TABLES[0].rows}


@dataclass(frozen=True)
class Rung:
    key: str
    name: str
    kind: str  # exact, dequantised, bound or steps
    bits: float  # mean over the seeds, test images
    spread: float  # standard deviation over the seeds
    seeds: int
    gain: float | None  # what many weights take off the bound
    curve: tuple[tuple[float, float], ...]  # (minutes, bits per dimension of validation images), mean over the seeds
    strip: str  # the samples as the source of an <img>; empty without any

    @property
    def paper(self) -> float | None:
        """The paper's number, on CIFAR-10 at 32 x 32."""
        return PAPER.get(ROWS.get(self.key, ""))

    @property
    def exact(self) -> bool:
        return self.kind == "exact"

    @property
    def error(self) -> float:
        """Standard error of the mean over the seeds; 0 with one seed."""
        return self.spread / max(1, self.seeds) ** 0.5


@dataclass(frozen=True)
class Ladder:
    size: int
    minutes: float
    images_test: int
    clock: str
    hardware: str  # of all runs
    rungs: tuple[Rung, ...]

    @property
    def time(self) -> str:
        """The minutes of each rung in words."""
        return in_words(self.minutes)

    @property
    def seeds(self) -> int:
        """How many every trained rung has, at least."""
        return min((rung.seeds for rung in self.rungs if rung.curve), default=1)

    def rung(self, key: str) -> Rung | None:
        return next((rung for rung in self.rungs if rung.key == key), None)


def in_words(minutes: float) -> str:
    return f"{minutes:g} minute{'s' * (minutes != 1)}"


def read_ladder(folder: Path) -> Ladder | None:
    """The ladder in a folder; None where there is none, or what is there cannot be read."""
    try:
        stored = read_json(folder / "ladder.json")
        rungs = tuple(read_rung(key, entry, folder) for key, entry in stored["rungs"].items())
        if not rungs:
            return None
        machines = dict.fromkeys(str(run["hardware"]) for entry in stored["rungs"].values() for run in entry["runs"])
        return Ladder(int(stored["image_size"]), float(stored["minutes"]), int(stored["images_test"]),
                      str(stored["clock"]), " and ".join(machines), rungs)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError):
        return None


def read_rung(key: str, entry: dict, folder: Path) -> Rung:
    """Raises KeyError, TypeError or ValueError for what `ladder` has not written."""
    runs, gain = entry["runs"], entry["gain"]
    curves = [[(float(p["minutes"]), float(p["bits_per_dim"])) for p in run.get("curve", ())] for run in runs]
    curve = tuple((sum(t for t, _ in points) / len(points), sum(bits for _, bits in points) / len(points))
                  for points in zip(*curves))
    image = folder / "samples" / f"{key}.png"
    strip = f"data:image/png;base64,{base64.b64encode(image.read_bytes()).decode()}" if image.is_file() else ""
    return Rung(key, str(entry["name"]), str(entry["kind"]), float(entry["bits_per_dim_test"]), float(entry["spread"]),
                int(entry["seeds"]), None if gain is None else float(gain), curve, strip)


def read_longer(folder: Path) -> dict[str, tuple[float, float]]:
    """What more minutes gave: {rung: (minutes, bits per dimension)} of the longest ladder in the folders below."""
    found: dict[str, tuple[float, float]] = {}
    for path in sorted(folder.glob("*/ladder.json")):
        if ladder := read_ladder(path.parent):
            for rung in ladder.rungs:
                if rung.curve and ladder.minutes > found.get(rung.key, (0.0,))[0]:
                    found[rung.key] = (ladder.minutes, rung.bits)
    return found


def measured_only(folder: Path) -> list[ModelInfo]:
    """The checkpoints that lie here for their numbers alone: no tab draws with them."""
    return [info for path in sorted(folder.glob("*/config.json")) if (info := read_info(path.parent))]


def out_of_order(ladder: Ladder) -> list[Rung]:
    """The rungs that do not stand where the paper has them: the fewest whose removal leaves both orders alike."""
    rungs = sorted((rung for rung in ladder.rungs if rung.paper is not None), key=lambda rung: -rung.paper)
    best: list[list[Rung]] = []  # the longest falling sequence that ends with each rung
    for k, rung in enumerate(rungs):
        before = [best[j] for j in range(k) if rungs[j].bits >= rung.bits - level_within(rungs[j], rung)]
        best.append([*max(before, key=len, default=[]), rung])
    kept = {rung.key for rung in max(best, key=len, default=[])}
    return [rung for rung in rungs if rung.key not in kept]


def level_within(a: Rung, b: Rung) -> float:
    """Differences up to this are within the error of two means over seeds."""
    return 2 * (a.error ** 2 + b.error ** 2) ** 0.5
