"""How many layers of 3 x 3 a prediction needs to see each pixel, in a plain and in a gated network (figures 1 and 2).

Found by gradient in networks of random weights (`pixelcnn_core/evaluation/receptive_field.py`) and kept in `reach.png`:
it depends on masks, kernels and depth alone, and on where the pixel lies from the prediction, so one map serves every
place of every picture. `python -m demo.tabs.inside.reach` finds it again; a test compares it with the networks.
"""

import functools
from pathlib import Path

import numpy as np
from PIL import Image

from pixelcnn_core.evaluation.receptive_field import KINDS, receptive_field

DEPTH = 32  # layers of 3 x 3 that reach across 32 pixels: what is then missing is no matter of depth
FILE = Path(__file__).with_suffix(".png")


def find_reach(kind: str) -> np.ndarray:
    """Layers needed, uint8 (2 * DEPTH - 1, 2 * DEPTH - 1) around the prediction in the middle; 0: never seen."""
    size = 2 * DEPTH - 1
    found = np.zeros((size, size), np.uint8)
    for layers in range(1, DEPTH + 1):
        seen = receptive_field(kind, layers, size, DEPTH - 1, DEPTH - 1).numpy()
        found[seen & (found == 0)] = layers
    return found


@functools.cache
def reach() -> dict[str, np.ndarray]:
    """The maps of both kinds of network. Raises OSError or ValueError where the file is damaged."""
    with Image.open(FILE) as image:
        maps = np.asarray(image).reshape(len(KINDS), 2 * DEPTH - 1, 2 * DEPTH - 1)
    return dict(zip(KINDS, maps))


if __name__ == "__main__":
    Image.fromarray(np.concatenate([find_reach(kind) for kind in KINDS])).save(FILE, optimize=True)
