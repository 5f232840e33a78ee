"""Is it a density? Brute force over all images, independence of batch, overfitting, and scoring by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
from conditions import KINDS, example
from sklearn.datasets import load_digits

from pixelcnn_core import Condition, GatedPixelCNN, PixelCNNConfig, PlainPixelCNN
from tests.conftest import small_model


def all_images(levels: int, channels: int, size: int) -> torch.Tensor:
    values = itertools.product(range(levels), repeat=channels * size ** 2)
    return torch.tensor(list(values), dtype=torch.uint8).reshape(-1, channels, size, size)


def total_probability(model, condition=None) -> float:
    config = model.config
    images = all_images(config.levels, config.channels, config.image_size)
    if condition is not None:
        condition = condition[[0] * len(images)]
    with torch.no_grad():
        bits = model.bits_per_dim(images, condition) * images[0].numel()
    return float(torch.exp2(-bits).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_of_all_grey_images_sum_to_one(kind):
    model = small_model(image_size=2, levels=3, channels=1, **KINDS[kind])
    assert total_probability(model, example(model.config, 1)) == pytest.approx(1, abs=1e-10)


def test_probabilities_of_all_colour_images_sum_to_one():
    model = small_model(image_size=2, levels=2, channels=3, classes=2)  # 2^12 images
    for label in (-1, 0, 1):
        assert total_probability(model, Condition(label=torch.tensor([label]))) == pytest.approx(1, abs=1e-10)


def test_plain_pixelcnn_is_normalised():
    model = PlainPixelCNN(PixelCNNConfig(image_size=2, levels=3, channels=1, features=6, layers=3, head_features=6,
                                         first_kernel_size=3)).double()
    assert total_probability(model) == pytest.approx(1, abs=1e-10)


def test_bits_per_dim_is_the_mean_surprise():
    model = small_model(classes=4)
    x = torch.randint(0, 7, (2, 3, 5, 5), generator=torch.Generator().manual_seed(0))
    condition = example(model.config, 2)
    probabilities = model(x, condition).softmax(1)  # (B, levels, C, H, W)
    chosen = probabilities.gather(1, x[:, None]).squeeze(1)
    assert torch.allclose(model.bits_per_dim(x, condition), -torch.log2(chosen).mean((1, 2, 3)))


def test_a_model_with_zero_weights_costs_log2_levels():
    model = small_model()
    for parameter in model.parameters():
        parameter.data.zero_()
    x = torch.randint(0, 7, (2, 3, 5, 5))
    assert torch.allclose(model.bits_per_dim(x), torch.tensor(math.log2(7), dtype=torch.float64))


def test_no_condition_means_h_is_zero():
    model = small_model(**KINDS["everything"])
    x = torch.randint(0, 7, (2, 3, 5, 5))
    condition = example(model.config, 2)
    without = model(x)
    assert torch.equal(without, model(x, Condition(label=torch.tensor([-1, -1]))))
    assert torch.equal(without, model(x, condition.drop(torch.tensor([False, False]))))
    mixed = model(x, condition.drop(torch.tensor([True, False])))
    assert torch.allclose(mixed[0], model(x, condition)[0]) and torch.allclose(mixed[1], without[1])
    assert not torch.allclose(mixed[0], without[0])


@pytest.mark.parametrize("condition, message", [
    (Condition(label=torch.tensor([4, 0])), "labels"),
    (Condition(label=torch.tensor([-2, 0])), "labels"),
    (Condition(label=torch.tensor([0, 1, 2])), "3 images"),
    (Condition(embedding=torch.zeros(2, 5)), "not conditioned"),
    (Condition(map=torch.zeros(2, 1, 5, 5)), "map"),
])
def test_conditions_that_do_not_fit_are_named(condition, message):
    with pytest.raises(ValueError, match=message):
        small_model(classes=4)(torch.zeros(2, 3, 5, 5, dtype=torch.uint8), condition)


def test_a_mixture_of_classes_lies_between_them():
    model = small_model(classes=3)
    x = torch.randint(0, 7, (2, 3, 5, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    one_hot = torch.eye(3, dtype=torch.float64)
    assert torch.allclose(model(x, Condition(label=one_hot[[2, 0]])), model(x, Condition(label=torch.tensor([2, 0]))))
    half = model(x, Condition(label=one_hot[[2, 0]] / 2 + one_hot[[1, 1]] / 2))
    assert not torch.allclose(half, model(x, Condition(label=torch.tensor([2, 0]))))
    dropped = Condition(label=one_hot[[2, 0]]).drop(torch.tensor([False, True]))
    assert torch.equal(dropped.label, torch.stack([torch.zeros(3, dtype=torch.float64), one_hot[0]]))
    with pytest.raises(ValueError, match="mixture of classes has shape"):
        model(x, Condition(label=torch.zeros(2, 4)))


def test_a_condition_takes_what_is_unambiguous():
    """Numbers, lists and arrays; and what is for one image fits any batch."""
    model, x = small_model(classes=4, embedding=3), torch.zeros(2, 3, 5, 5, dtype=torch.uint8)
    expected = model(x, Condition(label=torch.tensor([3, 3]), embedding=torch.tensor([[1., 2, 3]] * 2)))
    for label in (3, [3, 3], (3,), np.array([3, 3], np.int32), np.int64(3), torch.tensor(3)):
        for embedding in ([1, 2, 3], [[1, 2, 3]], np.array([[1.0, 2, 3]] * 2), torch.tensor([1., 2, 3])):
            assert torch.equal(model(x, Condition(label=label, embedding=embedding)), expected)
    for parts in ({"label": "cat"}, {"label": True}, {"label": [True, False]}, {"embedding": 3},
                  {"label": [[1], [2, 3]]}, {"map": [1.0]}, {"label": object()}):
        with pytest.raises(ValueError, match=next(iter(parts))):
            Condition(**parts)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.uint16,
                                   torch.uint32, torch.uint64])
def test_labels_are_whole_numbers_of_any_width(dtype):
    model, x = small_model(classes=4), torch.zeros(2, 3, 5, 5, dtype=torch.uint8)
    given = torch.tensor([3, 1]).to(dtype)
    expected = model(x, Condition(label=torch.tensor([3, 1])))
    for label in (given, given.numpy()):
        assert torch.equal(model(x, Condition(label=label)), expected)
        assert torch.equal(model(x, label), expected), "as labels alone"
    for wrong in (torch.tensor([4, 0]).to(dtype), torch.iinfo(dtype).max):
        with pytest.raises(ValueError, match="^labels? "):
            model(x, Condition(label=torch.as_tensor(wrong, dtype=dtype)))


def test_what_are_no_numbers_or_not_finite_is_no_condition():
    for name, shape in (("label", (2,)), ("embedding", (2, 3)), ("map", (2, 1, 5, 5))):
        for dtype in (torch.bool, torch.complex64):
            with pytest.raises(ValueError, match=f"{name} has . dimensions and holds numbers"):
                Condition(**{name: torch.zeros(shape, dtype=dtype)})
    model, x = small_model(classes=4, embedding=3, map_channels=1), torch.zeros(2, 3, 5, 5, dtype=torch.uint8)
    for value in (float("nan"), float("inf"), -float("inf")):
        for parts, message in (({"label": torch.full((2, 4), value)}, "a mixture of classes"),
                               ({"embedding": [0.0, value, 1.0]}, "the embedding"),
                               ({"map": torch.full((2, 1, 5, 5), value)}, "the spatial map")):
            with pytest.raises(ValueError, match=f"{message} holds values that are not finite"):
                model.bits_per_dim(x, Condition(**parts))
    made = torch.full((2, 3), float("nan"), requires_grad=True)
    assert model.bits_per_dim(x, Condition(embedding=made)).isnan().all(), "a network's own: training says it diverged"


def test_images_are_whole_numbers_below_the_levels():
    """The commonest mistake: floats in [0, 1] would be rounded to black, with a likelihood that means nothing."""
    model = small_model(levels=4)
    x = torch.randint(0, 4, (2, 3, 5, 5), generator=torch.Generator().manual_seed(0))
    expected = model.bits_per_dim(x)
    for same in (x.to(torch.uint8), x.int(), x.numpy(), x.double()):
        assert torch.equal(model.bits_per_dim(same), expected)
    assert torch.equal(model.bits_per_dim(x[0]), model.bits_per_dim(x[:1]))
    grey = small_model(levels=4, channels=1)
    assert torch.equal(grey.bits_per_dim(x[:, 0]), grey.bits_per_dim(x[:, :1]))
    for wrong, message in ((torch.rand(2, 3, 5, 5), "not fractions: floats in .0, 1. must be multiplied by 3"),
                           (torch.rand(2, 3, 5, 5).double() * 2 - 1, "not fractions"), (x + 1, "from 0 to 3, not 4"),
                           (x - 1, "not -1"), (x[:, 0], "shape"), ([[[["a"]]]], "whole numbers, not list"),
                           (x * float("nan"), "fractions"), (x[0, 0], "shape")):
        with pytest.raises(ValueError, match=message):
            model.bits_per_dim(wrong)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_floats_of_black_and_white_alone_are_not_taken_for_levels(dtype):
    """In [0, 1] a drawing is 0 and 1: as levels it would be black. Integers are what they are, so are two levels."""
    model, binary = small_model(levels=4), small_model(levels=2)
    drawing = torch.randint(0, 2, (2, 3, 5, 5), generator=torch.Generator().manual_seed(0))
    for given in (drawing, torch.zeros_like(drawing)):
        with pytest.raises(ValueError, match="none is above 1: multiply floats in .0, 1. by 3, and .* as integers"):
            model.bits_per_dim(given.to(dtype))
        expected = model.bits_per_dim(given)
        assert torch.equal(model.bits_per_dim(given.byte()), expected)
        assert torch.equal(model.bits_per_dim(given.to(dtype).requires_grad_()), expected), "as a gradient needs them"
        assert torch.equal(binary.bits_per_dim(given.to(dtype)), binary.bits_per_dim(given))


def test_parts_of_a_condition_must_agree():
    with pytest.raises(ValueError, match="batch sizes"):
        Condition(label=torch.zeros(2, dtype=torch.long), embedding=torch.zeros(3, 4))


@pytest.mark.parametrize("changes, message", [
    ({"features": 10}, "features"), ({"channels": 2}, "channels"), ({"levels": 257}, "levels"),
    ({"kernel_size": 4}, "kernel_size"), ({"dropout": 1.0}, "dropout"), ({"classes": -1}, "classes"),
    ({"classes": 2, "class_names": ("cat",)}, "class names"), ({"layers": 0}, "layers"),
])
def test_impossible_configurations_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        PixelCNNConfig(**changes)


def test_wrong_image_shape_is_named():
    with pytest.raises(ValueError, match=r"\(2, 1, 5, 5\)"):
        small_model()(torch.zeros(2, 1, 5, 5, dtype=torch.uint8))


def fit(model, x, condition=None, steps=300, lr=1e-2) -> None:
    optimiser = torch.optim.Adam(model.parameters(), lr)
    for _ in range(steps):
        optimiser.zero_grad()
        model.bits_per_dim(x, condition).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()


def new_model(**config) -> GatedPixelCNN:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GatedPixelCNN(PixelCNNConfig(**config))


def test_a_tiny_set_is_driven_to_nearly_zero_bits():
    """One random image per class: a conditional model can know each by heart."""
    model = new_model(image_size=4, levels=8, features=24, layers=3, head_features=24, first_kernel_size=3, classes=4)
    x = torch.randint(0, 8, (4, 3, 4, 4), generator=torch.Generator().manual_seed(0))
    condition = Condition(label=torch.arange(4))
    fit(model, x, condition, steps=120, lr=2e-2)
    right = model.bits_per_dim(x, condition).mean()
    wrong = model.bits_per_dim(x, Condition(label=torch.tensor([1, 2, 3, 0]))).mean()
    assert right < 0.02
    assert wrong > 10 * right


@pytest.mark.slow
def test_digits_are_learnt_beyond_independent_pixels():
    digits = load_digits()
    x = torch.from_numpy(digits.images).to(torch.uint8)[:, None]  # (N, 1, 8, 8), 17 levels
    train, test = x[:1500], x[1500:]
    one_hot = torch.nn.functional.one_hot(train[:, 0].long(), 17).float()  # (N, 8, 8, 17)
    frequencies = (one_hot.sum(0) + 1) / (len(train) + 17)  # each pixel's own histogram, with one count added
    independent = -torch.log2(frequencies.expand(len(test), 8, 8, 17)
                              .gather(3, test[:, 0, :, :, None].long())).mean()
    model = new_model(image_size=8, channels=1, levels=17, features=16, layers=4, head_features=32,
                      first_kernel_size=3, classes=10)
    labels = torch.from_numpy(digits.target)
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(120):
        batch = torch.randint(0, 1500, (64,), generator=generator)
        optimiser.zero_grad()
        model.bits_per_dim(train[batch], Condition(label=labels[batch])).mean().backward()
        optimiser.step()
    with torch.no_grad():
        bits = model.bits_per_dim(test, Condition(label=labels[1500:])).mean()
    assert bits < independent - 0.2, f"{bits:.3f} against {independent:.3f} bits/dim of independent pixels"
