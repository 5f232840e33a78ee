"""What the Inside tab opens with: a sample that the model drew, one edit of it, and how fixed-point sampling settled.

`stored_inside.png` holds before and after; `stored_inside.json` class, seed, the edited pixel and its colour, and after
which pass each pixel was settled. Kept beside the weights; `python -m demo.make_assets` writes both.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.kit.stored import UNREADABLE, fingerprint, read_atlas, read_facts, write_atlas
from demo.tabs.inside.service import InsideService, Shown

NAME = "stored_inside"
LABEL, SEED = "truck", 8
CYAN = (0, 200, 230)


@dataclass(frozen=True)
class StoredInside:
    """`before`, `after` (H, W, 3): a sample of `label` by `seed`, and the same with another colour at `place`;
    `settled` (H, W): after which of `passes` each pixel of the sample was right for good."""

    label: str
    seed: int
    place: tuple[int, int]
    before: np.ndarray
    after: np.ndarray
    settled: np.ndarray
    passes: int


def draw_inside(inside: InsideService) -> None:
    """Draw and keep it beside the model."""
    label = LABEL if LABEL in inside.labels else inside.labels[0]
    image, settled, passes = inside.settle(label, SEED)
    place = (inside.size * 5 // 16, inside.size // 2)
    *_, last = inside.edit(Shown.new(image, label, SEED, True), place, CYAN)
    folder = inside.service.folder / inside.model_name
    write_atlas(folder / f"{NAME}.png", last.images.transpose(1, 0, 2, 3, 4))
    facts = {"label": label, "seed": SEED, "place": place, "size": inside.size, "passes": passes,
             "settled": [" ".join(map(str, row)) for row in settled], "weights": fingerprint(folder),
             "command": "python -m demo.make_assets"}
    (folder / f"{NAME}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def read_inside(folder: Path) -> StoredInside | None:
    """What `draw_inside` kept; None where there is nothing, or nothing that fits together."""
    try:
        facts = read_facts(folder, f"{NAME}.json")
        settled = np.array([row.split() for row in facts["settled"]], int)
        before, after = read_atlas(folder / f"{NAME}.png", 1, 2, facts["size"], 3)[0]
        return StoredInside(str(facts["label"]), int(facts["seed"]), tuple(facts["place"]), before, after, settled,
                            int(facts["passes"]))
    except UNREADABLE:
        return None
