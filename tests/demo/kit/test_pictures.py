"""Pictures for the tabs that look at one."""

import numpy as np
import pytest
from PIL import Image

from demo.kit.carried import Carried, arrived
from demo.kit.picture_chooser import drawing, drawn
from demo.kit.pictures import PICTURES, bundled, kept_for, shrink
from demo.service.settings import UserError
from demo.tabs.inside.service import InsideService
from demo.tabs.likelihood.service import LikelihoodService


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
    first, again, other = (drawn(list(drawing(service, seed))[-1]) for seed in (3, 3, 4))
    assert first.shape == (32, 32, 3)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_nothing_is_kept_of_a_visitors_picture(service):
    """Not in the services' memory of what they computed either."""
    own, foreign, asked = bundled("cat"), np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8), []
    answer = kept_for([own], 4, lambda pixels, label: asked.append((pixels, label)) or len(asked))
    assert [answer(own.tobytes(), "a") for _ in range(3)] == [1, 1, 1]
    assert [answer(foreign.tobytes(), "a") for _ in range(3)] == [2, 3, 4]
    inside, likelihood = InsideService(service), LikelihoodService(service)
    for look in (lambda picture: inside.look(inside.fit(picture), "cat"),
                 lambda picture: likelihood.read(likelihood.fit(picture)), likelihood.costs):
        assert look(own) is look(own) and look(foreign) is not look(foreign)


def test_a_picture_and_a_pixel_arrive():
    own = Carried(np.zeros((32, 32, 3), np.uint8))
    came, at = arrived(own, '{"name": "rocket", "at": [3, 4]}')
    assert came.name == "rocket" and np.array_equal(came.picture, bundled("rocket")) and at == (3, 4)
    assert arrived(own, '{"name": null, "at": null}') == (own, None)


@pytest.mark.parametrize("hint", [None, "", "[]", "5", "{", '{"name": ["cat"], "at": {"0": 1}}', '{"at": [1.5, 2]}',
                                  '{"name": "../../etc/passwd", "at": [true, 1]}'])
def test_whatever_a_browser_says_of_them(hint):
    assert arrived(None, hint) == (None, None) and arrived({"picture": 1}, hint) == (None, None)
