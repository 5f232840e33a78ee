"""The curve on a model card: bits per dimension of held-out images against minutes of training, from training.csv."""

import csv
from pathlib import Path

from pixelcnn_core.files import replacing
from pixelcnn_core.results import read_json

PICTURE = "curve.png"
SECTION = """
![Bits per dimension against minutes of training](curve.png)

Bits per dimension of held-out images against minutes of training{before}: {points}.
`training.csv` holds the loss curve.
"""
EARLY = 0.05  # of the time: what lies above the curve at this moment is cut off, or the start would be all one sees
POINTS = (0.1, 0.25, 0.5, 1.0)  # of the time, told in words


def curve_section(folder: Path) -> str:
    """Draw `curve.png` of a checkpoint folder, and the words below it; without a curve only where its file is."""
    before = read_json(folder / "training.json").get("before") or {}
    earlier = before.get("seconds", 0) / 60
    curve = [(earlier + minutes, bits) for minutes, bits in held_out(folder / "training.csv")]
    if len(curve) < 3:
        return "`training.csv` holds the loss curve.\n" if (folder / "training.csv").is_file() else ""
    plot(curve, folder / PICTURE)
    start, end = earlier, curve[-1][0]
    told = {next(point for point in curve if point[0] >= start + share * (end - start) - 1e-6): None
            for share in POINTS}
    return SECTION.format(before=f", after {earlier:.0f} of an earlier run" if before else "",
                          points=", ".join(f"{bits:.3f} after {minutes:.0f}" for minutes, bits in told))


def held_out(table: Path) -> list[tuple[float, float]]:
    """(minutes, bits per dimension) of every row that was scored on held-out images; files of earlier versions call
    these images the test's."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    scored = [(row["seconds"], row.get("bits_per_dim_validation") or row.get("bits_per_dim_test")) for row in rows]
    return [(float(seconds) / 60, float(bits)) for seconds, bits in scored if bits]


def plot(curve: list[tuple[float, float]], path: Path) -> None:
    """The points joined by lines, on a white ground that is read in light and dark."""
    from matplotlib.figure import Figure

    minutes, bits = zip(*curve)
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(minutes, bits, marker=".", color="#b1472a")
    axes.annotate(f"{bits[-1]:.3f}", curve[-1], xytext=(0, 8), textcoords="offset points", ha="right")
    early = next(b for m, b in curve if m >= minutes[0] + EARLY * (minutes[-1] - minutes[0]))
    margin = 0.08 * max(early - min(bits), 0.01)
    axes.set_ylim(min(bits) - margin, early + margin)
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("bits per dimension, held-out images")
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    with replacing(path) as place:
        figure.savefig(place, dpi=110, metadata={"Software": None})
