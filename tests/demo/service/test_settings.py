"""Cleaning what visitors send: any type, any size."""

import math

import pytest

from demo.kit.address import read_settings
from demo.service import settings as s

NAMES = ("cat", "dog", "ship")
ODD = [None, "", "abc", "9" * 5000, math.nan, math.inf, -math.inf, 10**400, -(10**400), [], {}, object(), True, "1e999",
       b"7"]


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
def test_any_value_becomes_settings_within_bounds(value):
    clean = s.clean_settings("m", NAMES, images=value, temperature=value, guidance=value, seed=value, same_noise=value)
    assert 1 <= clean.images <= s.MAX_IMAGES_PER_CLASS and isinstance(clean.images, int)
    assert 0 <= clean.temperature <= s.MAX_TEMPERATURE
    assert 0 <= clean.guidance <= s.MAX_GUIDANCE
    assert 0 <= clean.seed <= s.MAX_SEED and isinstance(clean.seed, int)
    assert isinstance(clean.same_noise, bool)


def test_numbers_are_moved_to_the_nearest_bound():
    clean = s.clean_settings("m", NAMES, images=1000, temperature=-3, guidance="99", seed=2**40)
    assert (clean.images, clean.temperature, clean.guidance, clean.seed) == (16, 0, 8, s.MAX_SEED)
    assert s.clean_settings("m", NAMES, images=math.inf).images == 16


def test_all_classes_together_stay_below_the_limit():
    names = tuple("abcdefghij")
    assert s.clean_settings("m", names, images=16).images * 10 <= s.MAX_IMAGES
    names = tuple(map(str, range(90)))
    assert s.clean_settings("m", names, classes=names, images=16).images == 1


def test_a_model_with_many_classes_starts_with_the_first_ten():
    names = tuple(map(str, range(32)))
    assert s.clean_settings("m", names).classes == names[:10]
    assert s.clean_settings("m", names, classes=names, images=16).images == 3
    assert s.clean_settings("m", ()).classes == (s.NO_CLASS,)


def test_a_name_may_have_commas():
    """As ImageNet's have; a link joins names by commas, and so it must come back."""
    names = ("cat", "crane, bird", "crane", "crane, bird, grey")
    for chosen in (("crane, bird",), ("cat", "crane"), ("crane, bird", "crane", "crane, bird, grey"), names):
        link = s.clean_settings("m", names, classes=list(chosen)).query()["classes"]
        assert s.clean_settings("m", names, classes=link).classes == tuple(n for n in names if n in chosen), link
    with pytest.raises(s.UserError, match="no class 'owl'"):
        s.clean_settings("m", names, classes="cat,owl,crane")
    s.split_names("," * 2000, names)
    s.split_names("a," * 1000, names)


def test_classes_come_back_once_and_in_the_order_of_the_model():
    assert s.clean_settings("m", NAMES, classes=["ship", "cat", "ship"]).classes == ("cat", "ship")
    assert s.clean_settings("m", NAMES, classes="dog, cat").classes == ("cat", "dog")
    assert s.clean_settings("m", NAMES, classes=["no class", "dog"]).classes == ("dog", s.NO_CLASS)
    assert s.clean_settings("m", NAMES).classes == NAMES
    assert s.clean_settings("m", ()).classes == (s.NO_CLASS,)


@pytest.mark.parametrize("classes", [[], "", ["dragon"], ["x" * 10**6], 5, {"cat": 1}, [["cat"]], [None], True,
                                     ["<script>alert(1)</script>"]], ids=lambda value: repr(value)[:20])
def test_bad_classes_give_one_short_sentence(classes):
    with pytest.raises(s.UserError) as error:
        s.clean_settings("m", NAMES, classes=classes)
    assert len(str(error.value)) < 200 and str(error.value).endswith((".", "ship, no class."))


def test_a_link_brings_the_settings_back(service):
    settings = service.settings("photos", classes=["dog", "no class"], images=3, temperature=0.85, guidance=1.5,
                                seed=99, same_noise=True)
    assert read_settings(service, settings.query()) == (settings, "")


def test_an_empty_address_means_nothing_was_chosen(service):
    assert read_settings(service, {}) == (None, "")
    assert read_settings(service, {"tab": "about", "utm": "x"}) == (None, "")


@pytest.mark.parametrize("query, part", [
    ({"model": "../../etc/passwd"}, "no model"),
    ({"classes": "dragon"}, "no class"),
    ({"model": "gone", "classes": "cat"}, "no model"),
])
def test_a_wrong_link_still_opens_the_page_and_says_why(service, query, part):
    settings, problem = read_settings(service, {**query, "seed": "12", "n": "nan"})
    assert settings.model == "photos" and settings.seed == 12 and settings.images == 4
    assert part in problem
