"""The receptive field by gradient: what each of the two networks sees, and that a trained one sees nothing later."""

import pytest
import torch

from pixelcnn_core.evaluation.receptive_field import earlier_pixels, receptive_field, sensitivity
from tests.conftest import small_model

SIZE = 12


def blind_by_hand(row: int, column: int) -> torch.Tensor:
    """The wedge: each step down moves a chain of masked 3 x 3 steps at most one column to the left."""
    r, c = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    return (r < row) & (c > column + row - r)


@pytest.mark.parametrize("row, column", [(0, 0), (3, 11), (7, 2), (11, 0), (6, 6)])
def test_deep_networks_see_all_but_the_wedge_and_all(row, column):
    earlier = earlier_pixels(SIZE, row, column)
    assert int(earlier.sum()) == row * SIZE + column
    assert torch.equal(receptive_field("gated", SIZE, SIZE, row, column), earlier)
    assert torch.equal(receptive_field("plain", SIZE, SIZE, row, column), earlier & ~blind_by_hand(row, column))


@pytest.mark.parametrize("kind", ["plain", "gated"])
def test_it_grows_with_depth_and_never_looks_ahead(kind):
    fields = [receptive_field(kind, layers, SIZE, 6, 6) for layers in range(1, 6)]
    for small, large in zip(fields, fields[1:]):
        assert not (small & ~large).any() and large.sum() > small.sum()
    assert not (fields[-1] & ~earlier_pixels(SIZE, 6, 6)).any()
    assert int(fields[0].sum()) == 4, "one 3 x 3 layer: three pixels above, one to the left"


def test_a_network_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="plain, gated"):
        receptive_field("blind", 2, SIZE, 0, 0)


def test_sensitivity_is_the_derivative_of_the_surprise(monkeypatch):
    model = small_model(layers=5)
    image = torch.randint(0, 7, (1, 3, 5, 5), generator=torch.Generator().manual_seed(0))
    found = sensitivity(model, image, 2, 3)
    later = ~earlier_pixels(5, 2, 3)
    later[2, 3] = False  # its own R and G matter to its G and B
    assert (found[later] == 0).all() and (found[~later] > 0).all()
    monkeypatch.setattr("pixelcnn_core.models.gated.as_images", lambda x, *rest: x)  # it refuses fractions
    step = torch.zeros(1, 3, 5, 5, dtype=torch.float64)
    step[0, :, 1, 1] = 1e-5
    with torch.no_grad():
        up, down = (model.bits_per_sub_pixel(image + sign * step)[0, :, 2, 3] for sign in (1, -1))
    assert ((up - down) / 2e-5).abs().sum() <= found[1, 1] + 1e-9, "no change is larger than the sum of its parts"
    assert ((up - down) / 2e-5).abs().sum() > 0
