"""One request of the Complete tab: what is asked for, what the page shows of it on the way and at the end, and a
comparison of all ways to fill one hole."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import gradio as gr
import numpy as np

from demo.kit.frames import frames
from demo.kit.panels import mean_picture, opaque, undrawn
from demo.kit.status import status_html, unfinished_status
from demo.service.bridge import Progress
from demo.tabs.complete import panels
from demo.tabs.complete.service import REPAIRS, CompleteService, Damage, sight

WAYS = ("coarse to fine", "raster order and weights", "restorer")
CHAIN, RASTER, RESTORER = WAYS
COMPARE, EACH = "compare", 4  # the ways below each other, and how many completions of each


@dataclass(frozen=True)
class Request:
    """One request, cleaned: picture (H, W, 3), what is known of it (H, W), and what to do."""

    image: np.ndarray
    known: np.ndarray
    way: str
    damage: Damage
    count: int
    seed: int


def split(asked: Request, ways: list[str]) -> list[Request]:
    """A comparison: the same hole and seed for each of the ways."""
    return [replace(asked, way=way, count=min(EACH, asked.count)) for way in ways]


def needs_mask(asked: Request) -> bool:
    return asked.way != RESTORER or asked.damage.kind == "masked"


def seen_html(complete: CompleteService, asked: Request) -> str:
    if asked.way in (RASTER, COMPARE):
        return panels.seen_html(asked.image, asked.known, sight(asked.known))
    sizes = complete.service.info(complete.chain_name).sizes if asked.way == CHAIN else ()
    return panels.everything_html(int((~asked.known).sum()), sizes)


ROWS = {CHAIN: "Coarse to fine", RASTER: "Looks only back", RESTORER: "Sees everything, trained briefly"}
WORDS = {CHAIN: panels.CHAINED, RASTER: panels.RASTER, RESTORER: panels.RESTORED}


def undrawn_images(asked: Request) -> np.ndarray:
    """The completions (K, H, W, 3) before anything is drawn: for `drawing_html` and `drawing_panels`."""
    return undrawn(asked.count, *asked.image.shape)


def drawing_panels(asked: Request, images: np.ndarray, row: int) -> list[np.ndarray]:
    """Completions (K, s, s, 3) on the way, RGBA (H, W, 4)."""
    known = asked.known if needs_mask(asked) else np.zeros_like(asked.known)
    if needs_mask(asked) and known.all():
        return [opaque(asked.image, ~known)] * len(images)  # with nothing missing, empty frames
    if asked.way == CHAIN and row:
        return panels.growing(images, asked.image, known)
    return [panels.unfinished(image, asked.image, known, row) for image in images]


def drawing_html(asked: Request, images: np.ndarray, row: int) -> str:
    busy = row < len(asked.known) or asked.way == CHAIN
    return panels.grid_html(drawing_panels(asked, images, row), panels.numbered(images), WORDS[asked.way], busy)


def finished_html(complete: CompleteService, asked: Request, images: np.ndarray, facts: dict) -> str:
    """The grid of completions (K, H, W, 3)."""
    if asked.way == RASTER:
        return panels.weighted_html(images, np.array(facts["bits"]), np.array(facts["importance"]), facts["effective"])
    what, original = asked.damage, asked.image
    mean, repaired = mean_picture(images), complete.repaired(original, what)

    def score(image: np.ndarray) -> float:
        return complete.decibels(image, original, what)

    shown = {"the original": (original, None), f"mean of {len(images)}": (mean, score(mean)),
             REPAIRS[what.kind]: (repaired, score(repaired))}
    return panels.restored_html(images, shown, [score(image) for image in images], WORDS[asked.way])


def facts_of(complete: CompleteService, asked: Request, images: np.ndarray, seconds: float) -> dict:
    """What is said about finished completions (K, H, W, 3), as it is stored too."""
    facts = {"seed": asked.seed, "seconds": round(seconds, 2)}
    if asked.way == RESTORER:
        return {**facts, "strength": asked.damage.strength}
    if asked.way == CHAIN:
        return facts
    bits, weights, effective = complete.weigh(images, asked.known)
    return {**facts, "bits": [round(float(b), 2) for b in bits], "importance": [float(f"{w:.4g}") for w in weights],
            "effective": round(effective, 3)}


def start(complete: CompleteService, asked: Request) -> Iterator[Progress]:
    if asked.way == CHAIN:
        return complete.fill(asked.image, asked.known, asked.count, asked.seed)
    if asked.way == RASTER:
        return complete.complete(asked.image, asked.known, asked.count, asked.seed)
    return complete.restore(asked.image, asked.damage, asked.count, asked.seed)


def draw(complete: CompleteService, asked: Request) -> Iterator[tuple]:
    """Run one request and yield (pictures, status, seed, how far)."""

    def show(progress: Progress) -> tuple:
        images = progress.images[0]  # (K, H, W, 3)
        if progress.state != "done":
            return drawing_html(asked, images, progress.row), unfinished_status(progress), asked.seed, None
        facts = facts_of(complete, asked, images, progress.seconds)
        what = "restorations" if asked.way == RESTORER else "completions"
        words = status_html(f"<b>{len(images)} {what}</b> in {progress.seconds:.1f} s. Seed {asked.seed}.")
        return finished_html(complete, asked, images, facts), words, asked.seed, None

    yield from frames(start(complete, asked), show, lambda words: (gr.skip(), words, asked.seed, None))


def compare(complete: CompleteService, asked: Request, ways: list[str]) -> Iterator[tuple]:
    """The same hole by one way after another, with the same seed: as `draw`, a row for each."""
    parts, seconds = split(asked, ways), 0.0
    rows = {one.way: drawing_panels(one, undrawn_images(one), 0) for one in parts}
    for one in parts:

        def show(progress: Progress, one: Request = one) -> tuple:
            images, done = progress.images[0], progress.state == "done"
            rows[one.way] = panels.finished(images) if done else drawing_panels(one, images, progress.row)
            return panels.compared_html(rows, ROWS), unfinished_status(progress), asked.seed, None

        last = yield from frames(start(complete, one), show, lambda words: (gr.skip(), words, asked.seed, None))
        seconds += last.seconds
        if last.state != "done":
            return
    words = status_html(f"<b>{len(parts)} ways</b>, {parts[0].count} completions each, in {seconds:.1f} s. "
                        f"Seed {asked.seed}.")
    yield panels.compared_html(rows, ROWS), words, asked.seed, None
