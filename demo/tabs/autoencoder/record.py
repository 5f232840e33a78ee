"""Draws what the Auto-encoder tab opens with: called by `python -m demo.make_assets`."""

import numpy as np

from demo.kit.pictures import PICTURES, bundled
from demo.tabs.autoencoder.path import COLUMNS, FIRST, ROWS, TO
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import StoredCodes, write_codes

COUNT = 8  # draws of one code on the page
DRAWS = 64  # of a mean


def draw_codes(codes: CodeService, m: int, seed: int = 7, draws: int = DRAWS) -> None:
    """Decodings of every bundled picture, the mean of many, and the way between two of them."""
    temperature, guidance, min_p = codes.info(m).shown
    settings = {"seed": seed, "temperature": temperature, "guidance": guidance, "min_p": min_p}
    pictures, ends = [bundled(name) for name in PICTURES], (FIRST, TO)
    images = [list(codes.decodings(m, picture, COUNT, [], **settings))[-1].images[0] for picture in pictures]
    means = [codes.mean_of_draws(m, picture, draws) for picture in pictures]
    bits = [[round(value, 2) for value in codes.bits(m, picture)] for picture in pictures]
    path = list(codes.path(m, *map(bundled, ends), COLUMNS, ROWS, True, **settings))[-1].images
    folder = codes.info(m).pixelcnn
    write_codes(folder, StoredCodes(tuple(PICTURES), settings, np.stack(images), np.stack(means), draws, bits, ends,
                                    path))
    print(f"{folder.name}: {len(images)} pictures, their means and a path")
