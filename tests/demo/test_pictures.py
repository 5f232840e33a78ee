"""Pictures for the tabs that look at one."""

import numpy as np
import pytest
from PIL import Image

from demo.kit.pictures import PICTURES, Carried, arrived, bundled, drawn, shrink
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


def test_a_picture_and_a_pixel_arrive():
    own = Carried(np.zeros((32, 32, 3), np.uint8))
    came, at = arrived(own, '{"name": "rocket", "at": [3, 4]}')
    assert came.name == "rocket" and np.array_equal(came.picture, bundled("rocket")) and at == (3, 4)
    assert arrived(own, '{"name": null, "at": null}') == (own, None)


@pytest.mark.parametrize("hint", [None, "", "[]", "5", "{", '{"name": ["cat"], "at": {"0": 1}}', '{"at": [1.5, 2]}',
                                  '{"name": "../../etc/passwd", "at": [true, 1]}'])
def test_whatever_a_browser_says_of_them(hint):
    assert arrived(None, hint) == (None, None) and arrived({"picture": 1}, hint) == (None, None)
