"""Completions: what raster order can see, and that the weights lead to the exact conditional distribution."""

import itertools

import pytest
import torch

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.sampling.completion import complete, effective_sample_size, log_weights, normalise, raster_sight
from pixelcnn_core.sampling.sample import finish
from tests.conftest import small_model


def mask(rows: list[str]) -> torch.Tensor:
    """'#' is known, '.' is missing."""
    return torch.tensor([[c == "#" for c in row] for row in rows])


def exact(model, image: torch.Tensor, known: torch.Tensor, condition=None) -> dict[tuple, float]:
    """p(missing | known) by scoring every possible image; one channel."""
    places, levels = (~known).nonzero(), model.config.levels
    values = list(itertools.product(range(levels), repeat=len(places)))
    images = image.repeat(len(values), 1, 1, 1)
    for k, combination in enumerate(values):
        for (y, x), value in zip(places.tolist(), combination):
            images[k, 0, y, x] = value
    condition = condition and condition[[0] * len(values)]
    with torch.no_grad():
        log_p = -model.bits_per_sub_pixel(images, condition).double().sum((1, 2, 3)) * torch.log(torch.tensor(2.0))
    return dict(zip(values, torch.softmax(log_p, 0).tolist()))


@pytest.mark.parametrize("rows, classes", [
    (["##", ".#"], 0), ([".#", "##"], 0), (["#.", ".#"], 3),
    *(pytest.param(*other, marks=pytest.mark.slow) for other in (
        (["##", ".#"], 3), ([".#", "##"], 3), (["#.", ".#"], 0)))])
def test_weighted_completions_converge_to_the_exact_conditional(rows, classes):
    model = small_model(image_size=2, channels=1, levels=3, features=8, head_features=8, layers=2, classes=classes)
    for parameter in model.parameters():
        parameter.data *= 1.5  # far from uniform: the known pixels below must matter
    known, image = mask(rows), torch.tensor([[[2, 0], [1, 2]]]).byte()
    condition = Condition(label=torch.tensor([1])) if classes else None
    drawn = finish(complete(model, image, known, 6000, condition=condition, seed=3))
    weights = normalise(log_weights(model, drawn, known, condition))
    truth = exact(model, image, known, condition)
    values = [tuple(v) for v in drawn[:, 0][:, ~known].tolist()]
    estimate, plain = dict.fromkeys(truth, 0.0), dict.fromkeys(truth, 0.0)
    for value, weight in zip(values, weights.tolist()):
        estimate[value] += weight
        plain[value] += 1 / len(values)

    def distance(one: dict) -> float:
        return sum(abs(one[v] - truth[v]) for v in truth) / 2

    assert distance(estimate) < 0.04
    if rows != ["##", ".#"]:
        assert distance(plain) > 3 * distance(estimate), "raster order alone must be wrong here"
    assert (drawn[:, 0][:, known] == image[0][known]).all()


def test_without_known_pixels_after_the_hole_every_completion_weighs_the_same():
    model = small_model()
    known = mask(["#####", "#####", "###..", ".....", "....."])
    image = torch.randint(0, 7, (3, 5, 5), generator=torch.Generator().manual_seed(0)).byte()
    drawn = finish(complete(model, image, known, 6))
    log_w = log_weights(model, drawn, known)
    assert (log_w == 0).all()
    assert effective_sample_size(normalise(log_w)) == pytest.approx(6)


def test_the_weight_is_what_the_known_pixels_cost():
    model = small_model()
    known = mask(["#####", "##.##", "#####", "#####", "#####"])
    image = torch.randint(0, 7, (3, 5, 5), generator=torch.Generator().manual_seed(0)).byte()
    drawn = finish(complete(model, image, known, 4))
    with torch.no_grad():
        bits = model.bits_per_sub_pixel(drawn)
    whole, own = bits.sum((1, 2, 3)), bits[:, :, 1, 2].sum(1)
    expected = -(whole - own) * torch.log(torch.tensor(2.0, dtype=torch.float64))
    found = log_weights(model, drawn, known)
    assert torch.allclose(found - found[0], expected - expected[0])
    assert torch.allclose(normalise(found), normalise(expected))


def test_completions_are_a_function_of_the_seed():
    model, known = small_model(), mask(["#####", "##.##", "#...#", "##.##", "#####"])
    image = torch.zeros(3, 5, 5, dtype=torch.uint8)
    first = finish(complete(model, image, known, 2, seed=1))
    assert torch.equal(first, finish(complete(model, image, known, 2, seed=1)))
    assert not torch.equal(first, finish(complete(model, image, known, 2, seed=2)))


def test_all_256_levels_can_be_known():
    model = small_model(levels=256).float()
    image = torch.tensor([0, 255, 128], dtype=torch.uint8)[:, None, None].expand(3, 5, 5)
    drawn = finish(complete(model, image, mask(["#####"] * 4 + ["####."]), 1))
    assert torch.equal(drawn[0, :, :4], image[:, :4])


def test_raster_order_sees_what_is_above_and_nothing_below():
    sight = raster_sight(mask(["###", "#.#", ".##"]))
    assert sight.tolist() == [[1, 1, 1], [1, 0, 0.5], [0, 0, 0]]
    assert not raster_sight(torch.zeros(2, 2, dtype=torch.bool)).any()
    assert not raster_sight(torch.ones(2, 2, dtype=torch.bool)).any()  # nobody is there to look


def test_effective_sample_size_of_known_weights():
    assert effective_sample_size(torch.tensor([0.25] * 4)) == pytest.approx(4)
    assert effective_sample_size(torch.tensor([1.0, 0, 0])) == pytest.approx(1)
    extreme = normalise(torch.tensor([-1e5, -1e5 - 3000, -1e6]).double())
    assert effective_sample_size(extreme) == pytest.approx(1) and extreme.sum() == pytest.approx(1)
