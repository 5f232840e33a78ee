"""The numbers of the Inside tab are the core's: distributions, receptive fields, painted pixels, settled passes."""

import base64
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import seen_from

from demo.kit.pictures import bundled
from demo.service.drawing import to_tensor
from demo.service.settings import NO_CLASS, UserError
from demo.tabs.inside.colours import read_colour
from demo.tabs.inside.figures import passes_value
from demo.tabs.inside.panels import compared_html, comparison_html, lit, picture_value
from demo.tabs.inside.reach import DEPTH, reach
from demo.tabs.inside.service import MIN_P, InsideService, Shown
from demo.tabs.inside.stored import CYAN, read_inside
from demo.tabs.inside.trace_panel import trace_value
from pixelcnn_core import Condition
from pixelcnn_core.evaluation.receptive_field import earlier_pixels, receptive_field
from pixelcnn_core.sampling.sample import finish, sample_rows, uniforms_from_seed
from pixelcnn_core.sampling.truncation import Truncation

RED, GREEN = (255, 0, 0), (0, 255, 0)


def read_block(value: dict) -> tuple[np.ndarray, np.ndarray]:
    """(heights, numbers) of a value, as the script reads them."""
    shape = (value["height"], value["width"], 3)
    raw, split = zlib.decompress(base64.b64decode(value["block"])), int(np.prod(shape)) * 256
    return (np.frombuffer(raw[:split], np.uint8).reshape(*shape, 256),
            np.frombuffer(raw[split:], "<f4").reshape(*shape, 5))


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
    value = trace_value(image, trace, (5, 3), "dog", sampled=False)
    heights, numbers = read_block(value)
    assert value["place"] == [5, 3] and value["told"] == "dog" and heights.max(3).min() == 255
    assert value["verb"] == "is in the photo" and trace_value(image, trace, (5, 3))["verb"] == "was drawn"
    painted = np.zeros(image.shape[:2], bool)
    painted[5, 3] = True
    assert value["painted"] == [] and trace_value(image, trace, (5, 3), painted=painted)["painted"] == [
        5 * image.shape[1] + 3]
    for k, expected in enumerate((image, trace.surprise, trace.entropy, trace.rank, trace.odds.max(3))):
        assert np.allclose(numbers[..., k], expected, rtol=1e-6)
    assert np.allclose(heights / 255 * numbers[..., 4:], trace.odds, atol=trace.odds.max() / 500)


@pytest.mark.parametrize("size, place, layers", [(16, (9, 2), 3), (16, (0, 0), 5), (16, (15, 15), DEPTH),
                                                 (32, (20, 31), 7), (32, (31, 0), DEPTH)])
def test_the_maps_of_what_is_seen_are_those_of_networks(size, place, layers):
    for kind in reach():
        assert np.array_equal(seen_from(kind, layers, size, place), receptive_field(kind, layers, size, *place)), kind


def test_the_gated_network_has_no_blind_spot_and_the_plain_one_has():
    place, earlier = (9, 2), earlier_pixels(16, 9, 2).numpy()
    assert np.array_equal(seen_from("gated", DEPTH, 16, place), earlier)
    plain = seen_from("plain", DEPTH, 16, place)
    assert (plain <= earlier).all() and plain.sum() < earlier.sum()


def test_what_matters_comes_before(inside, image):
    place = (9, 2)
    influence, earlier = inside.influence(image, "dog", place), earlier_pixels(inside.size, *place).numpy()
    later = ~earlier
    later[place] = False
    assert (influence[later] == 0).all() and (influence[earlier] > 0).any()


@pytest.mark.parametrize("sampled", [True, False])
def test_painting_changes_only_what_comes_after(inside, image, sampled):
    if sampled:
        *_, last = inside.draw("dog", 3)
        image = last.images[0, 0]
        noise = uniforms_from_seed(3, 1, inside.service.model(inside.model_name).config)
        drawn = finish(sample_rows(inside.service.model(inside.model_name), Condition(label=torch.tensor([1])),
                              uniforms=noise, truncation=Truncation(min_p=MIN_P)))
        assert torch.equal(drawn, to_tensor(image)), "a sample has the noise of its seed"
    row, column = place = (6, 4)
    *_, last = inside.edit(Shown.new(image, "dog", 3, sampled), place, RED)
    before, after = last.images[:, 0]
    assert np.array_equal(before, image), "the same noise draws the same picture"
    changed = (before != after).any(2).ravel()
    here = row * inside.size + column
    assert not changed[:here].any() and changed[here] and tuple(after[place]) == RED
    words = comparison_html(before, after, place, inside.size)
    assert f'<b class="changed">{changed[here + 1:].sum()}</b>' in words and '<b class="early">0</b>' in words


@pytest.mark.parametrize("second", [(2, 3), (9, 1)])
def test_a_second_painted_pixel_leaves_the_first_one(inside, image, second):
    first, shown = (6, 4), Shown.new(image, "dog", 3, False)
    *_, last = inside.edit(shown, first, RED)
    shown = shown.after(last.images[1, 0], first)
    *_, last = inside.edit(shown, second, GREEN)
    before, after = last.images[:, 0]
    assert np.array_equal(before, shown.image), "the picture as it was painted before"
    assert tuple(after[first]) == RED and tuple(after[second]) == GREEN
    assert np.array_equal(shown.original, image) and shown.painted.sum() == 1


@pytest.mark.parametrize("sampled, painted", [(True, False), (False, False), (True, True)])
def test_fixed_point_passes_end_in_the_picture(inside, image, sampled, painted):
    if sampled:
        *_, last = inside.draw("dog", 3)
        image = last.images[0, 0]
    shown = Shown.new(image, "dog", 3, sampled)
    if painted:
        *_, last = inside.edit(shown, (6, 4), RED)
        shown = shown.after(last.images[1, 0], (6, 4))
    *_, found = inside.settle(shown)
    assert np.array_equal(found.image, shown.image)
    assert found.settled.max() == found.passes < image.size and (found.settled.min() >= 1) is not painted


def test_passes_are_told_only_of_the_picture_that_they_are_of(inside, models, image):
    stored = read_inside(models / inside.model_name)
    shown = stored.example
    assert stored.shows(shown) and not stored.shows(stored.photo) and not stored.shows(shown.unpainted())
    assert not stored.shows(replace(shown, image=image // 2)) and not stored.shows(replace(shown, label="dog"))
    assert not stored.shows(shown.after(shown.image, (0, 0)))
    assert f"<b>{stored.settled.passes}</b> passes" in passes_value(shown, stored.settled)["told"]
    unknown = passes_value(Shown.new(image, "dog", 3, False), None)
    assert "Press <b>Play</b>" in unknown["told"] and not unknown["settled"] and "passes instead" not in unknown["told"]


def test_the_stored_picture_is_the_bundled_one(inside, models, image):
    stored = read_inside(models / inside.model_name)
    assert np.array_equal(stored.photo.image, image) and stored.picture == "cat"
    *_, last = inside.edit(stored.photo, stored.place, CYAN)
    assert np.array_equal(last.images[1, 0], stored.example.image)
    *_, found = inside.settle(stored.example)
    assert np.array_equal(found.settled, stored.settled.settled)
    assert stored.settled.settled.max() == stored.settled.passes
    assert read_inside(models) is None


def test_the_picture_says_what_it_is_and_what_paint_changed(inside, models, image):
    example = read_inside(models / inside.model_name).example
    changed = (example.image != example.original).any(2)
    assert np.array_equal(lit(example)[changed], example.image[changed])
    assert lit(example)[~changed].max() <= 128
    trace = inside.look(example.image, example.label)
    for shown, is_example, words in (
            (example, True, "Example"), (example, False, "You painted one pixel"),
            (example.after(example.image, (0, 0)), False, "You painted 2 pixels"),
            (example.unpainted(), False, "A photo"),
            (Shown.new(image, "cat", 3, True), False, "The network drew this")):
        value = picture_value(shown, (1, 2), trace, is_example)
        assert value["caption"].startswith(words) and set(value["layers"]) == {
            "surprise", *["changes"] * bool(shown.painted.any())}
    assert "One painted pixel (row" in compared_html(example)
    for shown in (example.unpainted(), example.after(example.image, (0, 0))):
        assert "Choose a colour" in compared_html(shown)


def test_the_bundled_record_was_made_from_the_bundled_weights():
    from demo.service.bridge import Service

    bundled_inside = InsideService(Service())
    assert read_inside(bundled_inside.service.folder / bundled_inside.model_name), "python -m demo.make_assets"


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
