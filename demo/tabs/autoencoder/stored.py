"""What the Auto-encoder tab opens with: decodings of every bundled picture and one path, beside each auto-encoder.

`stored_codes.png` has one row per picture and one column per draw, `stored_code_means.png` the mean of many more draws
of each, `stored_code_path.png` one row per step of the path from one picture's code to another's. `python -m
demo.make_assets` writes them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.kit.stored import UNREADABLE, read_atlas, read_facts, write_atlas, write_facts

PIXELS, MEANS, PATH, FACTS = "stored_codes.png", "stored_code_means.png", "stored_code_path.png", "stored_codes.json"


@dataclass(frozen=True)
class StoredCodes:
    """`images` (pictures, n, H, W, 3) are draws for the codes of `pictures`, `means` (pictures, H, W, 3) the means of
    `draws` draws by the paper's sampler, and `bits` what each picture costs given its code and without; `path`
    (columns, rows, H, W, 3) goes between the pictures of `ends`. `settings` has seed, temperature, guidance, min-p.
    `names` are for both ends of the sliders, for as many directions as were named."""

    pictures: tuple[str, ...]
    settings: dict
    images: np.ndarray
    means: np.ndarray
    draws: int
    bits: list
    ends: tuple[str, str]
    path: np.ndarray
    names: list[tuple[str, str]]


def write_codes(folder: Path, stored: StoredCodes) -> None:
    """Keep `stored` beside the auto-encoder in `folder`."""
    write_atlas(folder / PIXELS, stored.images)
    write_atlas(folder / MEANS, stored.means[None])
    write_atlas(folder / PATH, stored.path)
    write_facts(folder, FACTS, pictures=stored.pictures, settings=stored.settings, images=stored.images.shape[:2],
                draws_of_means=stored.draws, bits=stored.bits, ends=stored.ends, path=stored.path.shape[:2],
                names=stored.names, size=stored.images.shape[2])


def read_codes(folder: Path) -> StoredCodes | None:
    """What is kept beside an auto-encoder; None where there is nothing."""
    try:
        facts = read_facts(folder, FACTS)
        images = read_atlas(folder / PIXELS, *facts["images"], facts["size"], 3)
        means = read_atlas(folder / MEANS, 1, len(images), facts["size"], 3)[0]
        path = read_atlas(folder / PATH, *facts["path"], facts["size"], 3)
        return StoredCodes(tuple(facts["pictures"]), facts["settings"], images, means, int(facts["draws_of_means"]),
                           facts["bits"], tuple(facts["ends"]), path,
                           [(str(low), str(high)) for low, high in facts.get("names", [])])
    except UNREADABLE:
        return None
