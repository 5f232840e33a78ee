"""Who may see whom, by gradient in float64: the property that makes a product of softmaxes a density.

The logits of a sub-pixel must depend on every earlier sub-pixel (no blind spot) and on no later one. The network reads
integers, so the gradient is taken with respect to the scaled input.
"""

import pytest
import torch
from conditions import KINDS, example
from torch import nn

from pixelcnn_core import Condition, PixelCNNConfig, PlainPixelCNN
from pixelcnn_core.models.layers import colour_mask
from tests.conftest import small_model

SIZE = 5


def dependencies(model, condition: Condition | None = None, size: int = SIZE) -> torch.Tensor:
    """bool (D, D): does the distribution of sub-pixel i (row) depend on sub-pixel j (column)? Raster order, R, G, B.

    The union over a few random images: in a single one, a dead ReLU may hide a connection.
    """
    config = model.config
    model.scale_input = lambda image: image  # the input is then a float tensor that can have a gradient
    generator = torch.Generator().manual_seed(0)
    seen = torch.zeros(config.channels * size ** 2, config.channels * size ** 2, dtype=torch.bool)
    for _ in range(3):
        x = torch.randn(1, config.channels, size, size, dtype=torch.float64, generator=generator).requires_grad_()
        weights = torch.randn(config.levels, dtype=torch.float64, generator=generator)
        outputs = (model(x, condition) * weights[:, None, None, None]).sum(1)[0]  # (C, H, W)
        for i, output in enumerate(outputs.permute(1, 2, 0).reshape(-1)):
            gradient, = torch.autograd.grad(output, x, retain_graph=True)
            seen[i] |= gradient[0].permute(1, 2, 0).reshape(-1) != 0  # (C, H, W) -> (H, W, C) -> (D,)
    return seen


def earlier(sub_pixels: int) -> torch.Tensor:
    return torch.ones(sub_pixels, sub_pixels, dtype=torch.bool).tril(-1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_sub_pixel_sees_exactly_the_earlier_ones(kind, channels):
    model = small_model(channels=channels, layers=8, **KINDS[kind])
    seen = dependencies(model, example(model.config, 1))
    assert torch.equal(seen, earlier(channels * SIZE ** 2))


@pytest.mark.parametrize("changes", [{"skip": False}, {"kernel_size": 5, "first_kernel_size": 7, "layers": 6},
                                     {"first_kernel_size": 5}, {"position": 3}])
def test_other_shapes_of_the_network_are_causal_too(changes):
    model = small_model(**{"layers": 8, **changes})
    assert torch.equal(dependencies(model), earlier(3 * SIZE ** 2))


def test_even_one_layer_never_looks_ahead():
    for layers in (1, 2):
        seen = dependencies(small_model(layers=layers))
        assert not (seen & ~earlier(3 * SIZE ** 2)).any()


def test_the_far_upper_right_corner_is_reached():
    """The pixel at the right end of the row above is where two-stack networks without the shift stay blind."""
    size = 7
    model = small_model(channels=1, layers=8)
    seen = dependencies(model, size=size).reshape(size, size, size, size)
    assert seen[1, 0, 0, size - 1] and seen[3, 0, 2, size - 1]


def test_plain_pixelcnn_is_causal_and_has_the_blind_spot():
    size = 7
    config = PixelCNNConfig(image_size=size, channels=1, levels=5, features=8, layers=10, head_features=8,
                            first_kernel_size=3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = PlainPixelCNN(config).double()
    seen = dependencies(model, size=size).reshape(size, size, size, size)
    assert not (seen.reshape(size ** 2, size ** 2) & ~earlier(size ** 2)).any()
    row, column = 4, 1
    # Each step down moves at most one column to the left: pixels right of that diagonal are never seen.
    for r in range(row):
        for c in range(size):
            assert seen[row, column, r, c] == (c <= column + (row - r)), (r, c)


def test_plain_pixelcnn_colours_are_causal():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = PlainPixelCNN(PixelCNNConfig(image_size=4, levels=5, features=12, layers=4, head_features=9,
                                             first_kernel_size=3)).double()
    seen = dependencies(model, size=4)
    assert not (seen & ~earlier(48)).any()
    assert seen[47, 46] and seen[47, 45] and seen[46, 45]


@pytest.mark.parametrize("kind", KINDS)
def test_no_leak_between_the_images_of_a_batch(kind):
    model = small_model(**KINDS[kind])
    condition = example(model.config, 3)
    x = torch.randint(0, 7, (3, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(0))
    before = model(x, condition)
    x[1] = 6 - x[1]
    after = model(x, condition)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


def test_every_image_depends_on_its_own_condition_only():
    model = small_model(**KINDS["everything"])
    condition = example(model.config, 3)
    parts = {"embedding": condition.embedding.clone().requires_grad_(),
             "map": condition.map.clone().requires_grad_()}
    x = torch.zeros(3, 3, SIZE, SIZE, dtype=torch.uint8)
    logits = model(x, Condition(label=condition.label, **parts))
    for name, gradient in zip(parts, torch.autograd.grad(logits[1].pow(2).sum(), list(parts.values()))):
        assert gradient[1].abs().min() > 0, name
        assert gradient[[0, 2]].abs().max() == 0, name


def test_masks_leave_the_stored_weights_alone():
    model = small_model()
    before = {name: p.clone() for name, p in model.named_parameters()}
    model(torch.zeros(1, 3, SIZE, SIZE, dtype=torch.uint8))
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_colour_masks():
    assert colour_mask(3, 3, 3, "A").tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]
    assert colour_mask(3, 6, 3, "B").tolist() == [[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]
    with pytest.raises(ValueError, match="7"):
        colour_mask(7, 3, 3, "A")
    with pytest.raises(ValueError, match="'C'"):
        colour_mask(3, 3, 3, "C")


def test_a_leaking_layer_is_caught():
    """The probe itself must be able to fail: unmask one convolution and it sees the future."""
    model = small_model(layers=2)
    model.layers[1].horizontal.mask.fill_(1)
    seen = dependencies(model)
    assert (seen & ~earlier(3 * SIZE ** 2)).any()
    assert isinstance(model.layers[1].horizontal, nn.Conv2d)
