"""Pictures for the tabs that look at one."""

import numpy as np
import pytest
from PIL import Image

from demo.kit.pictures import PICTURES, bundled, drawn, shrink
from demo.service.settings import UserError


@pytest.mark.parametrize("name", PICTURES)
def test_bundled_pictures_are_there_and_differ_from_flat_colour(name):
    picture = bundled(name)
    assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8
    assert picture.std() > 10


def test_another_name_never_becomes_a_path():
    with pytest.raises(UserError, match="no such picture"):
        bundled("../../../etc/passwd")


def test_shrinking_takes_the_central_square_and_averages():
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = 200  # the central square
    assert (shrink(Image.fromarray(wide)) == 200).all()
    exact = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(shrink(Image.fromarray(exact)), exact)
    assert shrink(Image.new("RGB", (1, 1), "red")).tolist() == np.full((32, 32, 3), (255, 0, 0)).tolist()


def test_a_drawn_picture_is_a_function_of_its_seed(service):
    first = drawn(service, 3)
    assert first.shape == (32, 32, 3)
    assert np.array_equal(first, drawn(service, 3)) and not np.array_equal(first, drawn(service, 4))
