"""Names for the directions of a code, by measuring what changes along them: light, warmth, or where the light is."""

from collections.abc import Sequence

import numpy as np

# what is measured in `changes`, in its order: names for less of it and for more
MEASURES = (("dark", "bright"), ("cold", "warm"), ("bright below", "bright above"), ("bright right", "bright left"),
            ("bright edges", "bright middle"))


def changes(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """By how much the second of two pictures uint8 (H, W, 3) has more of each of MEASURES: (5,), 1 is the full range
    of a value."""
    change = (high.astype(np.float64) - low) / 255  # (H, W, 3)
    light, side = change.mean(2), len(low) // 2
    middle = np.zeros(light.shape, bool)
    middle[side // 2:-(side // 2), side // 2:-(side // 2)] = True
    return np.array([light.mean(), (change[..., 0] - change[..., 2]).mean(), light[:side].mean() - light[side:].mean(),
                     light[:, :side].mean() - light[:, side:].mean(), light[middle].mean() - light[~middle].mean()])


def naming(low: np.ndarray, high: np.ndarray) -> tuple[str, str]:
    """How two pictures uint8 (H, W, 3) differ most, in a word or two each."""
    return distinct_names([changes(low, high)])[0]


def distinct_names(directions: Sequence[np.ndarray]) -> list[tuple[str, str]]:
    """What to call both ends of each direction, by its `changes` (5,): by what changes most, of what no earlier one is
    named after. For five directions at most."""
    found, taken = [], set()
    for values in directions:
        strongest = next(int(k) for k in np.argsort(-np.abs(values), kind="stable") if k not in taken)
        taken.add(strongest)
        low, high = MEASURES[strongest]
        found.append((low, high) if values[strongest] > 0 else (high, low))
    return found
