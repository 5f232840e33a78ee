"""The paper's tables of likelihoods, quoted with all their rows, and which of our own numbers may stand beside them.

Bits per dimension on test images, in brackets on training images; lower is better. A number measured here stands in a
row only if it belongs to the same data set at the same size, and only from a result file (`results.json` of a bundled
model, `race.json`, `baselines.json`).
"""

import html
from collections.abc import Iterable
from dataclasses import dataclass

from demo.kit.model_facts import model_name
from demo.service.bridge import ModelInfo
from demo.tabs.scoreboard.race_results import GATED, Entry, Race
from demo.tabs.scoreboard.rung_words import in_short

SUBSET = "imagenet32classes"
EFFORT = "The paper's ImageNet models: 60 hours on 32 GPUs."
# The names of race.json -> the rows of the paper; its PixelRNN is the Diagonal BiLSTM, the better of the two.
ROWS = {"Uniform": "Uniform distribution", "Diagonal BiLSTM": "PixelRNN"}


@dataclass(frozen=True)
class PaperTable:
    """`rows`: (model, bits per dimension on test images, on training images or None if the paper has none)."""

    title: str
    data: str  # as data.py and the result files call it
    size: int
    rows: tuple[tuple[str, float, float | None], ...]
    effort: str = ""  # what the paper says of the training


TABLES = (
    PaperTable("CIFAR-10, 32×32", "cifar10", 32, (
        ("Uniform distribution", 8.00, None), ("Multivariate Gaussian", 4.70, None), ("NICE", 4.48, None),
        ("Deep Diffusion", 4.20, None), ("DRAW", 4.13, None), ("Deep GMMs", 4.00, None), ("Conv DRAW", 3.58, 3.57),
        ("RIDE", 3.47, None), ("PixelCNN", 3.14, 3.08), ("PixelRNN", 3.00, 2.93), (GATED, 3.03, 2.90))),
    PaperTable("ImageNet, 32×32", "imagenet32", 32, (
        ("Conv DRAW", 4.40, 4.35), ("PixelRNN", 3.86, 3.83), (GATED, 3.83, 3.77)), EFFORT),
    PaperTable("ImageNet, 64×64", "imagenet64", 64, (
        ("Conv DRAW", 4.10, 4.04), ("PixelRNN", 3.63, 3.57), (GATED, 3.57, 3.48)), EFFORT),
)


def tables_html(infos: Iterable[ModelInfo], races: Iterable[Race], baselines: dict[str, tuple[Entry, ...]]) -> str:
    """All tables: the long one, and beside it the short ones. `baselines` are those of whole data sets, by name."""
    infos, races = list(infos), list(races)
    first, *others = (table_html(table, measured_here(table, infos, races, baselines.get(table.data, ())))
                      for table in TABLES)
    return f'<div class="boards">{first}<div>{"".join(others)}</div></div>'


def bits(test: float, train: float | None) -> str:
    """As the paper prints it: 3.03 (2.90)."""
    return f"{test:.2f}" if train is None else f"{test:.2f} ({train:.2f})"


def measured_here(table: PaperTable, infos: Iterable[ModelInfo], races: Iterable[Race],
                  baselines: Iterable[Entry] = ()) -> dict[str, list[str]]:
    """HTML lines for the rows of a table for which this project has a number on the same data."""
    lines: dict[str, list[str]] = {}
    same = [race for race in races if (race.data, race.size, race.channels) == (table.data, table.size, 3)]
    found = {entry.name: entry for race in same for entry in (*race.baselines, *race.runners)}
    found |= {entry.name: entry for entry in baselines}  # of all training and test images
    for name, entry in found.items():
        lines.setdefault(ROWS.get(name, name), []).append(f"<b>{entry.bits:.2f}</b>")
    for info in infos:
        results = info.results
        if results.get("data") != table.data or (info.image_size, info.channels) != (table.size, 3):
            continue
        test, train = (results.get(f"bits_per_dim_{split}_unconditional") for split in ("test", "train"))
        if not all(isinstance(value, (int, float)) for value in (test, train)):
            continue
        facts = [f"{info.parameters / 1e6:.2g} M parameters"]
        if info.minutes:
            facts.append(f"{info.minutes:.0f} minutes of training")
        line = f"<b>{bits(test, train)}</b> <small>{html.escape(model_name(info.name))}: {', '.join(facts)}"
        given = results.get("bits_per_dim_test")
        if info.classes and isinstance(given, (int, float)):
            line += f"; told no class (told the class: {given:.2f})"
        lines.setdefault(GATED, []).append(line + "</small>")
    return lines


def table_html(table: PaperTable, measured: dict[str, list[str]]) -> str:
    """The paper's rows; what was measured here stands below the row that it belongs to."""
    rows = []
    for name, test, train in table.rows:
        ours = ' class="ours"' if name == GATED else ""
        here = "".join(f"<p>here: {line}</p>" for line in measured.get(name, ()))
        rows.append(f'<tr{ours}><th scope="row">{html.escape(name)} <small>{in_short(name)}</small>{here}</th>'
                    f"<td>{bits(test, train)}</td></tr>")
    effort = f' <small>{html.escape(table.effort)}</small>' if table.effort else ""
    return (f'<table class="board"><caption>{html.escape(table.title)}{effort}</caption><thead><tr>'
            '<th scope="col">model</th><th scope="col">the paper: test (train)</th></tr></thead>'
            f'<tbody>{"".join(rows)}</tbody></table>')


def subset_html(infos: Iterable[ModelInfo]) -> str:
    """What was measured on the 32 classes of ImageNet, size by size: a subset, so in a table of its own, without the
    paper's numbers. Empty without any."""
    rows = []
    for info in sorted(infos, key=lambda info: info.image_size):
        results = info.results
        single = results.get("bits_per_dim_test_unconditional")
        value, word = (single, "") if single is not None else (results.get("bits_per_dim_at_most"), "at most ")
        if results.get("data") != SUBSET or not isinstance(value, (int, float)):
            continue
        given = results.get("bits_per_dim_test")
        classes = info.classes and isinstance(given, (int, float)) and single
        label = f"; told no class (told the class: {given:.2f})" if classes else ""
        minutes = f", {info.minutes:.0f} minutes of training" if info.minutes else ""
        name = html.escape(model_name(info.name))
        rows.append(f'<tr><th scope="row">{info.image_size}×{info.image_size}</th><td><b>{word}{value:.2f}</b> '
                    f"<small>{name}{label}; {info.parameters / 1e6:.2g} M parameters{minutes}, "
                    f"{results.get('images_test', 0):,} test images</small></td></tr>")
    if not rows:
        return ""
    return ('<div class="subset"><p>The models of this page know 32 of the 1,000 classes of ImageNet, and learned from '
            "500 photos of each. The paper's numbers for ImageNet are of all classes, of other images made smaller in "
            "another way, so none of them stands here: they are in <i>The paper's tables</i>.</p>"
            '<div class="scrolls"><table class="board"><thead><tr><th scope="col">pixels</th><th scope="col">bits per '
            f'dimension, on the subset</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div></div>')
