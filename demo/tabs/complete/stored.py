"""What the Complete tab opens with: completions kept beside the models, restorations beside the restorer.

Each is a PNG with the untouched pixels in one row, the original first, and a JSON with what was asked for.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.kit.stored import UNREADABLE, read_atlas, read_facts, write_atlas, write_facts

COMPLETIONS = "stored_completions"
FILLED = "stored_filled"  # beside the chain


def restorations(kind: str) -> str:
    """The name of the restorations of one kind of damage."""
    return f"stored_{kind.replace(' ', '_')}"


@dataclass(frozen=True)
class StoredCompletions:
    """`images` (K, H, W, 3) for the `original` (H, W, 3), of which `known` (H, W) was left; `facts`: seed, seconds,
    strength of the damage, and for completions bits, weights and effective sample size."""

    original: np.ndarray
    known: np.ndarray
    images: np.ndarray
    facts: dict


def write_completions(folder: Path, name: str, stored: StoredCompletions) -> None:
    """Keep completions or restorations in a checkpoint folder."""
    write_atlas(folder / f"{name}.png", np.concatenate([stored.original[None], stored.images])[None])
    write_facts(folder, f"{name}.json", **stored.facts, count=len(stored.images),
                known=["".join("#" if k else "." for k in row) for row in stored.known])


def read_completions(folder: Path, name: str) -> StoredCompletions | None:
    """What `write_completions` kept; None where there is nothing, or nothing that fits together."""
    try:
        facts = read_facts(folder, f"{name}.json")
        known = np.array([[letter == "#" for letter in row] for row in facts["known"]])
        images = read_atlas(folder / f"{name}.png", 1, facts["count"] + 1, len(known), 3)[0]
        return StoredCompletions(images[0], known, images[1:], facts)
    except UNREADABLE:
        return None
