"""What the Scoreboard opens with: three numbers, read from the result files, each in plain words; folded, what a bit is
worth and how each was measured; and what training time does to the numbers, which the ladder tells."""

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass

from demo.service.bridge import ModelInfo
from demo.tabs.scoreboard.folds import folded
from demo.tabs.scoreboard.ladder_results import Ladder, in_words
from demo.tabs.scoreboard.paper_tables import TABLES
from demo.tabs.scoreboard.race_results import GATED, RECURRENT, Race, crossing, race_tag
from demo.tabs.scoreboard.rung_words import IN_SHORT
from demo.tabs.scoreboard.sampler_times import SamplerTimes, about, in_seconds, measured_on

BITS = "bits_per_dim_test_unconditional"
LEAD = "How well does such a network guess, how fast does it learn, and how fast does it draw?"
RAW, BEST = math.log2(256), 3  # bits per dimension at the two ends of the scale
MEANING = """A model of images is judged by how probable it finds images that it has never seen. Whoever trusts the
model can store such an image in few bits: 8 for each red, green and blue of a pixel if the model knew nothing, fewer
the better it predicts. That number is called <i>bits per dimension</i>. Numbers may be compared only on the same
images, at the same size, with the same number of levels."""
PAPER = next(test for name, test, _ in TABLES[0].rows if name == GATED)


@dataclass(frozen=True)
class Card:
    """A number with its unit, a title, what it says as HTML, and, for the fold, what it was measured on."""

    number: str
    unit: str
    title: str
    words: str
    where: str


def headline_html(infos: Iterable[ModelInfo], race: Race | None = None, times: SamplerTimes | None = None) -> str:
    """How well, how fast learnt and how fast drawn, as far as it was measured: a card each."""
    body = "".join(f'<div class="card"><h3>{card.title}</h3><b>{card.number}<small>{card.unit}</small></b>'
                   f"<p>{card.words}</p></div>" for card in cards(infos, race, times))
    return f'<p class="board-lead">{LEAD}</p><div class="headline">{body}</div>'


def notes_html(infos: list[ModelInfo], race: Race | None = None, times: SamplerTimes | None = None) -> str:
    """Folded: what a bit is, and of each of these numbers on what, for how long and on which machine."""
    own = own_model(infos)
    reached = own.results[BITS] if own else None
    measured = "".join(f"<li><b>{card.number}{card.unit}</b>: {html.escape(card.where)}</li>"
                       for card in cards(infos, race, times))
    bit = (f"<p>{MEANING}</p>{scale_svg(reached, PAPER)}"
           f'<p class="lesson">{lesson(TABLES[0].size, reached)}</p>')
    return (f'<div class="headline-notes">{folded("What is a bit per dimension?", bit)}'
            f'{folded("How the three numbers were measured", f"<ul>{measured}</ul>")}</div>')


def cards(infos: Iterable[ModelInfo], race: Race | None, times: SamplerTimes | None) -> list[Card]:
    return list(filter(None, (bits_card(own_model(infos)), race and race_card(race), times and times_card(times))))


def bits_card(own: ModelInfo | None) -> Card:
    """Of this page's model, or of the paper's where there is none."""
    why, raw = "for each colour value of a photo it has never seen", f"Without guessing it takes {RAW:.0f}"
    if own is None:
        return Card(f"{PAPER:.2f}", " bits", "How well the paper’s guesses", f"{why}. {raw}.",
                    f"{TABLES[0].title}, its table 1.")
    minutes = f" {own.minutes:.0f} minutes of training on one core of a CPU;" if own.minutes else ""
    told = own.results.get("bits_per_dim_test")
    given = f"; told the class of each photo it needs {told:.2f}" if isinstance(told, (int, float)) else ""
    return Card(f"{own.results[BITS]:.2f}", " bits", "How well it guesses",
                f"{why}, told no class. {raw}; the paper’s far larger network needs {PAPER:.2f}.",
                f"{TABLES[0].title}, test photos;{minutes} told no class, as the paper’s{given}.")


def race_card(race: Race) -> Card | None:
    """How much of its rival's training time the paper's network needs; None where it was not measured."""
    found = crossing(race)
    if found is None or found.moment is None:
        return None
    return Card(f"{100 * found.moment / found.whole:.0f}", " %", "How fast it learns",
                f"of the time was enough for the {GATED} to reach what its slow rival reached at the end. The paper’s "
                "claim: less than half.", f"{race_tag(race)} The slow rival is the {RECURRENT}.")


def together(seconds: float) -> str:
    """A number of seconds that no line breaks."""
    return in_seconds(seconds).replace(" ", "\N{NO-BREAK SPACE}")


def times_card(times: SamplerTimes) -> Card:
    return Card(about(times.faster), " times", "How fast it draws",
                f"as fast as without a shortcut: a photo takes {together(times.cached)} instead of "
                f"{together(times.naive)}, and comes out the same.", measured_on(times))


def lesson(size: int, reached: float | None) -> str:
    """What one bit less for each value of a photo means; HTML."""
    values = 3 * size ** 2
    way = f"; from {RAW:.0f} bits we got to {reached:.2f}, told no class" if reached else ""
    return (f"One bit less per value (<i>bits per dimension</i>), and a photo of {size}×{size} pixels becomes twice as "
            f"likely, {values:,} times over{way}.")


def scale_svg(reached: float | None, paper: float) -> str:
    """A thermometer from knowing nothing to 3 bits, filled as far as this page came, with a mark for each number.
    Places are percentages, so that the words keep their size on a phone."""
    def at(bits: float) -> float:
        return round(3 + 94 * (RAW - bits) / (RAW - BEST), 2)

    def mark(bits: float, name: str, words: str, anchor: str, y: int) -> str:
        top, foot = (24, 44) if y < 30 else (30, 50)
        return (f'<line class="{name}" x1="{at(bits)}%" x2="{at(bits)}%" y1="{top}" y2="{foot}"/>'
                f'<text class="{name}" x="{at(bits)}%" y="{y}" text-anchor="{anchor}">{words} <tspan>{bits:.2f}</tspan>'
                "</text>")

    marks = [mark(RAW, "nothing", "knowing nothing", "start", 18), mark(paper, "quoted", "the paper", "end", 68)]
    fill = said = ""
    if reached:
        marks.append(mark(reached, "here", "here", "end", 18))
        fill = f'<rect class="here" x="{at(RAW)}%" width="{at(reached) - at(RAW):.2f}%" y="30" height="14" rx="3"/>'
        said = f", here {reached:.2f}"
    steps = "".join(f'<line class="step" x1="{at(bits)}%" x2="{at(bits)}%" y1="30" y2="44"/>' for bits in range(4, 8))
    return (f'<svg class="thermometer" width="100%" height="76" role="img" aria-label="Bits per dimension, fewer to '
            f'the right: knowing nothing {RAW:.2f}{said}, the paper {paper:.2f}"><rect class="empty" x="{at(RAW)}%" '
            f'width="{at(BEST) - at(RAW)}%" y="30" height="14" rx="3"/>{fill}{steps}{"".join(marks)}'
            f'<text class="end" x="{at(RAW)}%" y="68">bits per dimension, fewer →</text></svg>')


def own_model(infos: Iterable[ModelInfo]) -> ModelInfo | None:
    """The first bundled model that was measured on the data of the paper's first table, at its size."""
    table = TABLES[0]
    return next((info for info in infos if isinstance(info.results.get(BITS), (int, float))
                 and info.results.get("data") == table.data and (info.image_size, info.channels) == (table.size, 3)),
                None)


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
        short = f", {IN_SHORT[first.key]}," if first.key in IN_SHORT else ""
        words = (f"{place} {html.escape(first.name)}{short} leads with {least}{first.bits:.2f}; {model} has only come "
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
                  f"{own.image_size}×{own.image_size} pixels: {own.results[BITS]:.2f}, told no class.")
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
