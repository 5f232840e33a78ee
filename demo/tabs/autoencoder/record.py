"""Draws what the Auto-encoder tab opens with: called by `python -m demo.make_assets`."""

import numpy as np

from demo.kit.pictures import PICTURES, bundled
from demo.tabs.autoencoder.names import changes, distinct_names
from demo.tabs.autoencoder.path import COLUMNS, FIRST, ROWS, TO
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import StoredCodes, write_codes

COUNT = 8  # draws of one code on the page
DRAWS = 64  # of a mean
SLIDERS, MAX_EDIT = 4, 3.0  # directions that a visitor can move along, and how many deviations


def direction_names(codes: CodeService, m: int) -> list[tuple[str, str]]:
    """What to call both ends of each slider: what changes most between the MSE decoder's answers there, on average
    over the bundled pictures."""
    def along(k: int, picture: np.ndarray) -> np.ndarray:
        return changes(*(codes.best_guess(m, picture, [*[0] * k, edge]) for edge in (-MAX_EDIT, MAX_EDIT)))

    pictures, count = [bundled(name) for name in PICTURES], min(SLIDERS, codes.info(m).directions)
    return distinct_names([np.mean([along(k, picture) for picture in pictures], 0) for k in range(count)])


def draw_codes(codes: CodeService, m: int, seed: int = 7, draws: int = DRAWS) -> None:
    """Decodings of every bundled picture, the mean of many, the way between two of them, and the sliders' names."""
    temperature, guidance, min_p = codes.info(m).shown
    settings = {"seed": seed, "temperature": temperature, "guidance": guidance, "min_p": min_p}
    pictures, ends = [bundled(name) for name in PICTURES], (FIRST, TO)
    images = [list(codes.decodings(m, picture, COUNT, [], **settings))[-1].images[0] for picture in pictures]
    means = [codes.mean_of_draws(m, picture, draws) for picture in pictures]
    bits = [[round(value, 2) for value in codes.bits(m, picture)] for picture in pictures]
    path = list(codes.path(m, *map(bundled, ends), COLUMNS, ROWS, True, **settings))[-1].images
    folder = codes.info(m).pixelcnn
    write_codes(folder, StoredCodes(tuple(PICTURES), settings, np.stack(images), np.stack(means), draws, bits, ends,
                                    path, direction_names(codes, m)))
    print(f"{folder.name}: {len(images)} pictures, their means and a path")
