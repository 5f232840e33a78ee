"""What the tab "Coarse to fine" opens with: pictures of a chain at every size, kept beside it as PNG files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.kit.stored import UNREADABLE, read_atlas, read_facts, write_atlas, write_facts
from demo.service.bridge import ModelInfo

FACTS = "stored_scales.json"


@dataclass(frozen=True)
class StoredScales:
    """`pictures` {size: (n, size, size, 3)}, the bits of the first {size: bits}, and the settings that drew them;
    where they share one, the size that was `given`."""

    pictures: dict[int, np.ndarray]
    bits: dict[int, float]
    settings: dict
    given: int | None = None


def write_scales(folder: Path, stored: StoredScales) -> None:
    """Keep them in the chain's folder."""
    for size, images in stored.pictures.items():
        write_atlas(folder / f"stored_scales_{size}.png", images[None])
    write_facts(folder, FACTS, settings=stored.settings,
                bits={size: round(bits, 1) for size, bits in stored.bits.items()},
                count=len(next(iter(stored.pictures.values()))), given=stored.given)


def read_scales(folder: Path, info: ModelInfo) -> StoredScales | None:
    """Those kept for a chain; None where there are none, or where they are of other weights."""
    try:
        facts = read_facts(folder, FACTS)
        pictures = {size: read_atlas(folder / f"stored_scales_{size}.png", 1, facts["count"], size, 3)[0]
                    for size in info.sizes}
        return StoredScales(pictures, {int(size): float(bits) for size, bits in facts["bits"].items()},
                            facts["settings"], facts.get("given"))
    except UNREADABLE:
        return None
