"""The numbers of the Inside tab are the core's: distributions, receptive fields, edits with the same noise."""

import numpy as np
import pytest
import torch

from demo.kit.pictures import bundled
from demo.service.settings import NO_CLASS, UserError
from demo.tabs.inside.panels import comparison_html, field_html
from demo.tabs.inside.service import InsideService, to_tensor
from demo.tabs.inside.tab import DEPTH, opposite, read_colour
from demo.tabs.inside.trace_panel import read_block, trace_value
from pixelcnn_core import Condition
from pixelcnn_core.sampling.sample import finish, sample, uniforms_from_seed


@pytest.fixture
def inside(service) -> InsideService:
    return InsideService(service)


@pytest.fixture
def image(inside) -> np.ndarray:
    return inside.fit(bundled("cat"))


def test_the_trace_is_that_of_the_logits(inside, image):
    trace = inside.look(image, "dog")
    model = inside.service.model(inside.model_name)
    with torch.no_grad():
        logits = model(to_tensor(image), Condition(label=torch.tensor([1])))[0]  # (256, 3, H, W)
        bits = model.bits_per_sub_pixel(to_tensor(image), Condition(label=torch.tensor([1])))[0]  # (3, H, W)
    assert np.allclose(trace.surprise, bits.permute(1, 2, 0), atol=1e-4)
    row, column = 5, 3
    for channel in range(3):
        p = torch.softmax(logits[:, channel, row, column].double(), 0).numpy()
        value = image[row, column, channel]
        assert np.allclose(trace.odds[row, column, channel], p, atol=1e-6)
        assert trace.rank[row, column, channel] == 1 + (p > p[value]).sum()
        assert np.isclose(trace.entropy[row, column, channel], -(p * np.log2(p)).sum(), atol=1e-5)
    assert not np.allclose(trace.surprise, inside.look(image, NO_CLASS).surprise), "the class enters"


def test_the_panel_gets_the_same_numbers(inside, image):
    trace = inside.look(image, "dog")
    value = trace_value(image, trace, (5, 3), "dog")
    heights, numbers = read_block(value)
    assert value["place"] == [5, 3] and value["told"] == "dog" and heights.max(3).min() == 255
    for k, expected in enumerate((image, trace.surprise, trace.entropy, trace.rank, trace.odds.max(3))):
        assert np.allclose(numbers[..., k], expected, rtol=1e-6)
    assert np.allclose(heights / 255 * numbers[..., 4:], trace.odds, atol=trace.odds.max() / 500)


def test_what_it_sees(inside, image):
    place = (9, 2)
    gated, earlier = inside.field("gated", DEPTH, place)
    plain, _ = inside.field("plain", DEPTH, place)
    assert earlier.sum() == 9 * inside.size + 2 and np.array_equal(gated, earlier)
    missing = int((earlier & ~plain).sum())
    assert missing > 0 and f"<b class=\"missing\">{missing}</b>" in field_html(image, plain, earlier, place, "x", DEPTH)
    assert '<b class="missing">0</b>' in field_html(image, gated, earlier, place, "x", DEPTH)
    influence = inside.influence(image, "dog", place)
    later = ~earlier
    later[place] = False
    assert (influence[later] == 0).all() and (influence[earlier] > 0).any()


@pytest.mark.parametrize("sampled", [True, False])
def test_an_edit_changes_only_what_comes_after(inside, image, sampled):
    if sampled:
        *_, last = inside.draw("dog", 3)
        image = last.images[0, 0]
        noise = uniforms_from_seed(3, 1, inside.service.model(inside.model_name).config)
        drawn = finish(sample(inside.service.model(inside.model_name), Condition(label=torch.tensor([1])),
                              uniforms=noise))
        assert torch.equal(drawn, to_tensor(image)), "a sample has the noise of its seed"
    row, column = place = (6, 4)
    colour = read_colour(opposite(image[place]))
    *_, last = inside.edit(image, "dog", 3, place, colour, sampled)
    before, after = last.images[:, 0]
    assert np.array_equal(before, image), "the same noise draws the same picture"
    changed = (before != after).any(2).ravel()
    here = row * inside.size + column
    assert not changed[:here].any() and changed[here] and tuple(after[place]) == colour
    words = comparison_html(before, after, place, inside.size)
    assert f'<b class="changed">{changed[here + 1:].sum()}</b>' in words and '<b class="early">0</b>' in words
    assert "Nothing is drawn yet" in comparison_html(image, image, place, 0)


@pytest.mark.parametrize("text, colour", [("#00ff7F", (0, 255, 127)), ("rgba(1, 2.4, 300, 0.5)", (1, 2, 255)),
                                          ("rgb(0,0,0)", (0, 0, 0))])
def test_colours(text, colour):
    assert read_colour(text) == colour


@pytest.mark.parametrize("value", [None, 7, "", "red", "#12345", "#1234567", "rgb(1,2)", "rgba(,,,)", ["#ffffff"],
                                   "rgb(" + "9" * 100 + ",1,1)"])
def test_hostile_colours_are_refused(value):
    with pytest.raises(UserError):
        read_colour(value)


def test_a_class_that_does_not_exist(inside, image):
    with pytest.raises(UserError, match="no class"):
        inside.look(image, "unicorn")
    with pytest.raises(UserError, match="no class"):
        inside.draw(["cat"], 1)


def test_a_script_can_ask_for_a_pixel(client, inside, image):
    found = client.predict("cat", "dog", 5, 3, api_name="/inside_pixel")
    trace = inside.look(image, "dog")
    assert found["value"] == image[5, 3].tolist() and found["rank"] == trace.rank[5, 3].tolist()
    assert np.allclose(found["surprise"], trace.surprise[5, 3]) and np.allclose(found["entropy"], trace.entropy[5, 3])
    assert np.allclose(found["p"], [trace.odds[5, 3, c, image[5, 3, c]] for c in range(3)])
    with pytest.raises(Exception, match="no such picture"):
        client.predict("../../etc/passwd", "dog", 5, 3, api_name="/inside_pixel")
