"""What the Scoreboard opens with: three numbers, read from the result files, each with a sentence; and what training
time does to them."""

import html
import math
from collections.abc import Iterable

from demo.kit.model_facts import model_name
from demo.service.bridge import ModelInfo
from demo.tabs.scoreboard.ladder_results import Ladder, in_words
from demo.tabs.scoreboard.paper_tables import TABLES
from demo.tabs.scoreboard.race_results import GATED
from demo.tabs.scoreboard.rung_words import IN_SHORT

BITS = "bits_per_dim_test_unconditional"


def headline_html(infos: Iterable[ModelInfo], ladder: Ladder | None,
                  longer: dict[str, tuple[float, float]] | None = None) -> str:
    """Knowing nothing, what was reached here, and what the paper reached, on the paper's own data; and what minutes do.
    `longer` is that of `read_longer`."""
    own = own_model(infos)
    paper = next(test for name, test, _ in TABLES[0].rows if name == GATED)
    cards = [(f"{math.log2(256):.2f}", "Knowing nothing", "Bits that one of three colours of a pixel takes in a raw "
              "file: all 256 levels are equally probable."), *([own_card(own)] if own else []),
             (f"{paper:.2f}", "The paper", "Its Gated PixelCNN on CIFAR-10, as large as 32 GPUs could train for 60 "
              "hours.")]
    body = "".join(f'<div class="card"><b>{number}</b><h3>{html.escape(title)}</h3><p>{html.escape(words)}</p></div>'
                   for number, title, words in cards)
    return (f'<div class="headline">{body}</div><p class="lesson">Bits per dimension: fewer is better, and small '
            f"differences are large. {ladder_words(ladder, longer or {}, own)}</p>")


def own_model(infos: Iterable[ModelInfo]) -> ModelInfo | None:
    """The first bundled model that was measured on the data of the paper's first table, at its size."""
    table = TABLES[0]
    return next((info for info in infos if isinstance(info.results.get(BITS), (int, float))
                 and info.results.get("data") == table.data and (info.image_size, info.channels) == (table.size, 3)),
                None)


def own_card(own: ModelInfo) -> tuple[str, str, str]:
    """Number, title and words of this page's model: its bits without the class, and with it."""
    effort = f"{own.parameters / 1e6:.1f} million weights"
    if own.minutes:
        effort += f", {own.minutes:.0f} minutes on one core of a CPU"
    given = own.results.get("bits_per_dim_test")
    told = f" Told the class of each photo as well: {given:.2f}." if isinstance(given, (int, float)) else ""
    return f"{own.results[BITS]:.2f}", f"Here: {model_name(own.name)}", f"This page's model: {effort}.{told}"


def ladder_words(ladder: Ladder | None, longer: dict[str, tuple[float, float]], own: ModelInfo | None) -> str:
    """Who leads on the ladder after its minutes, where the paper's model stands then and with more minutes, and what
    this page's model reached after its training; HTML."""
    trained = [rung for rung in ladder.rungs if rung.curve] if ladder else []
    ours = ladder.rung("pixelcnn") if ladder else None
    if len(trained) < 2 or ours not in trained:
        return ""
    first, model = min(trained, key=lambda rung: rung.bits), f"the paper's {html.escape(ours.name)}"
    place = f"After {ladder.time} of training, on photos of {ladder.size}×{ladder.size} pixels,"
    if first is ours:
        words = f"{place} {model} leads with {ours.bits:.2f}."
    else:
        least = "" if first.exact else "at most "
        about = f", {IN_SHORT[first.key]}," if first.key in IN_SHORT else ""
        words = (f"{place} {html.escape(first.name)}{about} leads with {least}{first.bits:.2f}; {model} has only come "
                 f"to {ours.bits:.2f}, and needs longer")
        if ours.key in longer:
            words += f": {in_words(longer[ours.key][0])} bring it to {longer[ours.key][1]:.2f}"
            if longer.get(first.key, (0.0,))[0] == longer[ours.key][0]:
                then = longer[first.key][1]
                after = longer[ours.key][1] - then
                words += f" and {html.escape(first.name)} to {then:.2f}"
                words += f", {after:.2f} apart instead of {ours.bits - first.bits:.2f}" if after > 0 else ""
        words += "."
    if own and own.minutes:
        words += (f" This page's own, of the same kind, learned for {own.minutes:.0f} minutes, from photos of "
                  f"{own.image_size}×{own.image_size} pixels: {own.results[BITS]:.2f}.")
    return words


def end_words(ladder: Ladder) -> str:
    """What the order of the ladder's leader and the paper's model is in the paper; HTML, empty without a difference."""
    ours, others = ladder.rung("pixelcnn"), [rung for rung in ladder.rungs if rung.curve and rung.paper is not None]
    first = min(others, key=lambda rung: rung.bits, default=None)
    if ours is None or first is None or first is ours or ours.paper is None:
        return ""
    order = "the other way round" if ours.paper < first.paper else "the same order"
    return (f"In the paper, where every model was trained to the end, it is {order}: {html.escape(ours.name)} "
            f"{ours.paper:.2f}, {html.escape(first.name)} {first.paper:.2f}.")
