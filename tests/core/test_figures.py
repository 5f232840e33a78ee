"""Pictures: the right place, crisp pixels, and levels spread over black to white."""

import numpy as np
import torch

from pixelcnn_core.figures import DEJAVU, characters, image_grid, labelled_grid, readable, to_pixels


def test_levels_are_spread_from_black_to_white():
    pixels = to_pixels(torch.tensor([0, 8, 16]).reshape(3, 1, 1, 1), 17)
    assert pixels.shape == (3, 1, 1, 3) and pixels[:, 0, 0, 0].tolist() == [0, 128, 255]
    assert to_pixels(torch.tensor([[[[0, 77, 255]]]]), 256)[0, 0, :, 0].tolist() == [0, 77, 255]


def test_a_grid_is_filled_row_by_row_with_crisp_pixels():
    images = torch.arange(5, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 2, 2) * 50
    grid = np.asarray(image_grid(images, columns=3, scale=4, gap=1))
    assert grid.shape == (2 * 9 - 1, 3 * 9 - 1, 3)
    for k in range(5):
        y, x = k // 3 * 9, k % 3 * 9
        assert (grid[y:y + 8, x:x + 8] == 50 * k).all()
    assert (grid[:, 8] == 255).all() and (grid[9:, 18:] == 255).all()  # the gap, and the empty place


def test_every_row_has_its_label():
    images = torch.zeros(6, 3, 8, 8, dtype=torch.uint8)
    sheet = np.asarray(labelled_grid(images, ("cat", "a long name"), 256, scale=2))
    grid = np.asarray(image_grid(images, 3, 256, 2))
    margin = sheet.shape[1] - grid.shape[1]
    assert margin > 0 and np.array_equal(sheet[:, margin:], grid)
    words = sheet[:, :margin].min(2) < 128
    assert words[:17].any() and words[18:].any() and words[18:].sum() > words[:17].sum()


def test_names_in_other_scripts_are_no_boxes():
    for name in ("Übergröße", "γάτα", "кошка", "cat"):
        word, font = readable(name)
        assert word == name and set(map(ord, word)) <= characters(font.path)
    word, font = readable("猫\n")
    assert set(map(ord, word)) <= characters(font.path) and word in ("猫", "\\u732b")
    assert readable("\uffff", 30)[0] == "\\uffff", "no font has it, and one has a box for it"
    assert readable("cat", 30)[1].size == 30
    images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    accents, plain = (np.asarray(labelled_grid(images, (name, ""), 2)) for name in ("éé", "ee"))
    assert accents.shape == plain.shape and not np.array_equal(accents, plain)
    assert DEJAVU.is_file()
