"""What the Auto-encoder tab opens with: decodings of every bundled picture and one path, beside each auto-encoder.

`stored_codes.png` has one row per picture and one column per draw, `stored_code_path.png` one row per step of the path
from one picture's code to another's. `python -m demo.make_assets` writes them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.kit.stored import UNREADABLE, fingerprint, read_atlas, read_facts, write_atlas

PIXELS, PATH, FACTS = "stored_codes.png", "stored_code_path.png", "stored_codes.json"


@dataclass(frozen=True)
class StoredCodes:
    """`images` (pictures, n, H, W, 3) are draws for the codes of `pictures`, and `bits` what each picture costs per
    dimension given its code and without; `path` (columns, rows, H, W, 3) goes between the pictures of `ends`.
    `settings` has temperature, guidance and seed."""

    pictures: tuple[str, ...]
    settings: dict
    images: np.ndarray
    bits: list
    ends: tuple[str, str]
    path: np.ndarray


def write_codes(folder: Path, stored: StoredCodes) -> None:
    """Keep `stored` beside the auto-encoder in `folder`."""
    write_atlas(folder / PIXELS, stored.images)
    write_atlas(folder / PATH, stored.path)
    facts = {"pictures": stored.pictures, "settings": stored.settings, "images": stored.images.shape[:2],
             "bits": stored.bits, "ends": stored.ends, "path": stored.path.shape[:2], "size": stored.images.shape[2],
             "weights": fingerprint(folder), "command": "python -m demo.make_assets"}
    (folder / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def read_codes(folder: Path) -> StoredCodes | None:
    """What is kept beside an auto-encoder; None where there is nothing."""
    try:
        facts = read_facts(folder, FACTS)
        images = read_atlas(folder / PIXELS, *facts["images"], facts["size"], 3)
        path = read_atlas(folder / PATH, *facts["path"], facts["size"], 3)
        return StoredCodes(tuple(facts["pictures"]), facts["settings"], images, facts["bits"], tuple(facts["ends"]),
                           path)
    except UNREADABLE:
        return None
