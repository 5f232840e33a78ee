"""Draws what the Auto-encoder tab opens with: called by `python -m demo.make_assets`."""

import numpy as np

from demo.tabs.autoencoder.names import changes, distinct_names
from demo.tabs.autoencoder.path import COLUMNS, ROWS
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import StoredCodes, write_codes

COUNT = 8  # draws of one code on the page
DRAWS = 64  # of a mean
SLIDERS, MAX_EDIT = 4, 3.0  # directions that a visitor can move along, and how many deviations at most
SHOWN_EDIT = 2.0  # how many the sliders go: beyond it most pictures are plainly white or black


def direction_names(codes: CodeService, m: int) -> list[tuple[str, str]]:
    """What to call both ends of each slider: what changes most between the MSE decoder's answers there, on average
    over the bundled pictures."""
    subject = codes.subject

    def along(k: int, picture: np.ndarray) -> np.ndarray:
        return changes(*(codes.best_guess(m, picture, [*[0] * k, edge]) for edge in (-MAX_EDIT, MAX_EDIT)))

    pictures, count = [subject.read(name) for name in subject.pictures], min(SLIDERS, codes.info(m).directions)
    return distinct_names([np.mean([along(k, picture) for picture in pictures], 0) for k in range(count)])


def draw_codes(codes: CodeService, m: int) -> None:
    """Decodings of every bundled picture, the mean of many, the way between two of them, and the sliders' names."""
    subject, (temperature, guidance, min_p) = codes.subject, codes.info(m).shown
    settings = {"seed": 7, "temperature": temperature, "guidance": guidance, "min_p": min_p}
    pictures, ends = [subject.read(name) for name in subject.pictures], (subject.first, subject.to)
    images = [list(codes.decodings(m, picture, COUNT, [], **settings))[-1].images[0] for picture in pictures]
    means = [codes.mean_of_draws(m, picture, DRAWS) for picture in pictures]
    bits = [[round(value, 2) for value in codes.bits(m, picture)] for picture in pictures]
    path = list(codes.path(m, *map(subject.read, ends), COLUMNS, ROWS, True, **settings))[-1].images
    folder = codes.info(m).pixelcnn
    write_codes(folder, StoredCodes(subject.pictures, settings, np.stack(images), np.stack(means), DRAWS, bits, ends,
                                    path, direction_names(codes, m)))
    print(f"{folder.name}: {len(images)} pictures, their means and a path")
