"""What the Scoreboard opens with: three numbers, read from the result files, each with a sentence."""

import html
import math
from collections.abc import Iterable

from demo.kit.model_facts import model_name
from demo.service.bridge import ModelInfo
from demo.tabs.scoreboard.ladder_results import Ladder
from demo.tabs.scoreboard.paper_tables import GATED, TABLES


def headline_html(infos: Iterable[ModelInfo], ladder: Ladder | None) -> str:
    """Knowing nothing, what was reached here, and what the paper reached, on the paper's own data; and one sentence on
    the ladder."""
    table = TABLES[0]
    paper = next(test for name, test, _ in table.rows if name == GATED)
    cards = [(f"{math.log2(256):.2f}", "Knowing nothing", "Bits that one of three colours of a pixel takes in a raw "
                                                          "file: "
              "all 256 levels are equally probable.")]
    for info in infos:
        bits = info.results.get("bits_per_dim_test_unconditional")
        if isinstance(bits, (int, float)) and info.results.get("data") == table.data and \
                (info.image_size, info.channels) == (table.size, 3):
            effort = f"{info.parameters / 1e6:.1f} million weights"
            if info.minutes:
                effort += f", {info.minutes:.0f} minutes on one core of a CPU"
            cards.append((f"{bits:.2f}", f"Here: {model_name(info.name)}",
                          f"This page's model of the same photos: {effort}."))
            break
    cards.append((f"{paper:.2f}", "The paper", "Its Gated PixelCNN on CIFAR-10, as large as 32 GPUs could train for 60 "
                  "hours."))
    body = "".join(f'<div class="card"><b>{number}</b><h3>{html.escape(title)}</h3><p>{html.escape(words)}</p></div>'
                   for number, title, words in cards)
    return (f'<div class="headline">{body}</div><p class="lesson">Bits per dimension: fewer is better, and small '
            f'differences '
            f"are large. {ladder_words(ladder)}</p>")


def ladder_words(ladder: Ladder | None) -> str:
    """From the first rung to the best one, in one sentence."""
    rungs = [rung for rung in ladder.rungs if rung.curve] if ladder else []
    if len(rungs) < 2:
        return ""
    best, worst = min(rungs, key=lambda rung: rung.bits), max(rungs, key=lambda rung: rung.bits)
    dims = 3 * ladder.size ** 2
    return (f"In {ladder.time} of one core {html.escape(best.name)} gets to {best.bits:.2f} on "
            f"photos of "
            f"{ladder.size}×{ladder.size} pixels and {html.escape(worst.name)} to {worst.bits:.2f}: a file of "
            f"{dims * best.bits / 8:,.0f} bytes instead of {dims * worst.bits / 8:,.0f}.")
