"""What the Inside tab opens with: a photo with one painted pixel, what that caused, and how it settles all at once.

`stored_inside.png` holds before and after; `stored_inside.json` the name of the photo, class, seed, the edited pixel,
and after which pass each pixel was settled. Kept beside the weights; `python -m demo.make_assets` writes both.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.kit.pictures import bundled
from demo.kit.stored import UNREADABLE, read_atlas, read_facts, write_atlas, write_facts
from demo.tabs.inside.service import InsideService, Settled, Shown

NAME = "stored_inside"
PICTURE, SEED = "cat", 8  # of the samples of this model none shows so well what it is of
CYAN = (0, 200, 230)


@dataclass(frozen=True)
class StoredInside:
    """`photo`, the bundled `picture`; `example`, the same with another colour at `place` and everything after it drawn
    again; and how that `settled`, drawn all at once."""

    picture: str
    photo: Shown
    place: tuple[int, int]
    example: Shown
    settled: Settled

    def shows(self, shown: Shown) -> bool:
        """Whether it is the example that is on the page, told the same class."""
        own = self.example
        return ((shown.label, shown.seed, shown.sampled) == (own.label, own.seed, own.sampled)
                and np.array_equal(shown.painted, own.painted) and np.array_equal(shown.image, own.image))


def draw_inside(inside: InsideService) -> None:
    """Draw and keep it beside the model."""
    label = PICTURE if PICTURE in inside.labels else inside.labels[0]
    photo = Shown.new(inside.fit(bundled(PICTURE)), label, SEED, False)
    place = (inside.size * 5 // 16, inside.size // 2)
    *_, last = inside.edit(photo, place, CYAN)
    example = photo.after(last.images[1, 0], place)
    *_, found = inside.settle(example)
    folder = inside.service.folder / inside.model_name
    write_atlas(folder / f"{NAME}.png", np.stack([photo.image, example.image])[None])
    write_facts(folder, f"{NAME}.json", picture=PICTURE, label=label, seed=SEED, place=place, size=inside.size,
                passes=found.passes, settled=[" ".join(map(str, row)) for row in found.settled])


def read_inside(folder: Path) -> StoredInside | None:
    """What `draw_inside` kept; None where there is nothing, or nothing that fits together."""
    try:
        facts = read_facts(folder, f"{NAME}.json")
        settled = np.array([row.split() for row in facts["settled"]], int)
        before, after = read_atlas(folder / f"{NAME}.png", 1, 2, facts["size"], 3)[0]
        photo, place = Shown.new(before, str(facts["label"]), int(facts["seed"]), False), tuple(facts["place"])
        return StoredInside(str(facts["picture"]), photo, place, photo.after(after, place),
                            Settled(after, settled, int(facts["passes"])))
    except UNREADABLE:
        return None


def opening(inside: InsideService, stored: StoredInside | None) -> tuple[Shown, tuple[int, int]]:
    """The picture that the tab opens with, and its framed pixel: the stored one, or one of which nothing is stored."""
    if stored:
        return stored.example, stored.place
    label = PICTURE if PICTURE in inside.labels else inside.labels[0]
    return (Shown.new(inside.fit(bundled(PICTURE)), label, 7, False), (inside.size * 5 // 8, inside.size // 3))
