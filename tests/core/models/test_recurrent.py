"""The PixelRNNs: who sees whom by gradient, a density by brute force, sampling that agrees with the likelihood."""

import pytest
import torch
from test_causality import dependencies, earlier
from test_likelihood import all_images, fit, total_probability

from pixelcnn_core import Condition, PixelCNNConfig
from pixelcnn_core.models.diagonal_lstm import DiagonalBiLSTM, skew, unskew
from pixelcnn_core.models.row_lstm import RowLSTM
from pixelcnn_core.sampling.sample import finish, sample_rows, uniforms_from_seed
from tests.conftest import small_model

BOTH = pytest.mark.parametrize("kind", [RowLSTM, DiagonalBiLSTM])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layers", [2, 3])
def test_the_diagonal_bilstm_sees_exactly_the_earlier_sub_pixels(channels, layers):
    """With a single recurrent layer already."""
    model = small_model(DiagonalBiLSTM, channels=channels, layers=layers)
    assert torch.equal(dependencies(model), earlier(channels * 5 ** 2))


def test_without_the_whole_pixels_the_end_of_the_row_above_is_unknown():
    """The right-to-left sweep over masked features alone, which is why the image is its second input."""
    size = 7
    model = small_model(DiagonalBiLSTM, channels=1, layers=4)
    for block in model.blocks:
        block.from_right.weight.data[:, -1] = 0  # what reads the image
    seen = dependencies(model, size=size)
    assert not (seen & ~earlier(size ** 2)).any()
    seen = seen.reshape(size, size, size, size)
    missing = [(r, c) for r in range(3) for c in range(size) if not seen[3, 1, r, c]]
    assert missing == [(2, size - 1)]


def test_the_row_lstm_sees_a_triangle():
    """To the right one more pixel per row further up; to the left as many as layers and rows allow."""
    size, row, column = 7, 4, 3
    for layers in (2, 4):
        seen = dependencies(small_model(RowLSTM, channels=1, layers=layers), size=size)
        assert not (seen & ~earlier(size ** 2)).any()
        seen = seen.reshape(size, size, size, size)[row, column]
        count = 0
        for r in range(row + 1):
            up = row - r
            first = max(0, column - layers - up)
            last = min(size - 1, column + up) if up else column - 1
            assert seen[r].nonzero().flatten().tolist() == list(range(first, last + 1)), (layers, r)
            count += last + 1 - first
        assert seen.sum() == count < row * size + column  # fewer than all earlier pixels


def test_the_row_lstm_is_causal_in_colour():
    seen = dependencies(small_model(RowLSTM))
    assert not (seen & ~earlier(75)).any()
    assert seen[74, 73] and seen[74, 72] and seen[73, 72] and seen[72, 69:72].all()
    assert seen[30, 18:21].all()  # all colours of the pixel above and to the right


def test_a_sweep_that_is_not_moved_down_leaks(monkeypatch):
    """The probe must be able to fail."""
    monkeypatch.setattr("pixelcnn_core.models.diagonal_lstm.F.pad",
                        lambda x, pad, real=torch.nn.functional.pad: real(x, (0, 0, 0, 1) if pad == (0, 0, 1, 0)
                                                                          else pad))
    model = small_model(DiagonalBiLSTM, channels=1)
    x = torch.randint(0, 7, (1, 1, 5, 5), generator=torch.Generator().manual_seed(0))
    assert not torch.equal(model(x)[..., 0, 0], model(6 - x)[..., 0, 0])


@BOTH
def test_no_leak_between_the_images_of_a_batch(kind):
    model = small_model(kind)
    x = torch.randint(0, 7, (3, 3, 5, 5), generator=torch.Generator().manual_seed(0))
    before = model(x)
    x[1] = 6 - x[1]
    after = model(x)
    assert torch.equal(before[[0, 2]], after[[0, 2]]) and not torch.equal(before[1], after[1])


def test_skewing_makes_a_column_of_every_diagonal():
    x = torch.arange(12).reshape(1, 1, 3, 4)
    assert skew(x)[0, 0].tolist() == [[0, 1, 2, 3, 0, 0], [0, 4, 5, 6, 7, 0], [0, 0, 8, 9, 10, 11]]
    assert torch.equal(unskew(skew(x)), x)
    tall = torch.randn(2, 3, 5, 2)
    assert torch.equal(unskew(skew(tall)), tall)


@BOTH
@pytest.mark.parametrize("channels, levels", [(1, 3), (3, 2)])
def test_probabilities_of_all_images_sum_to_one(kind, channels, levels):
    model = small_model(kind, image_size=2, channels=channels, levels=levels)
    assert total_probability(model) == pytest.approx(1, abs=1e-10)


@BOTH
def test_samples_follow_the_likelihood(kind):
    """2 x 2 binary pixels: the frequencies of 4000 samples against the exact probabilities of all images."""
    model = small_model(kind, image_size=2, channels=1, levels=2)
    images = all_images(2, 1, 2)
    with torch.no_grad():
        expected = torch.exp2(-4 * model.bits_per_dim(images))
    drawn = finish(sample_rows(model, batch=4000, seed=1, method="naive"))
    code = (drawn.flatten(1).long() * torch.tensor([8, 4, 2, 1])).sum(1)  # the number of the image in `images`
    observed = torch.bincount(code, minlength=16) / 4000
    assert (observed - expected).abs().max() < 0.03
    assert expected.max() - expected.min() > 0.04  # and they are not all the same


@BOTH
def test_the_same_noise_gives_the_same_image_in_any_batch(kind):
    model = small_model(kind, image_size=4)
    noise = uniforms_from_seed(3, 3, model.config)
    together = finish(sample_rows(model, uniforms=noise, method="naive"))
    alone = finish(sample_rows(model, uniforms=noise[1:2], method="naive"))
    assert torch.equal(together[1:2], alone)
    with pytest.raises(ValueError, match="use method='naive'"):
        sample_rows(model, method="cached")


@BOTH
def test_checkpoints_come_back(kind, tmp_path):
    model = small_model(kind).float()
    model.save_pretrained(tmp_path)
    loaded = kind.from_pretrained(tmp_path)
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name


@BOTH
def test_they_learn(kind):
    """Every parameter gets a gradient, and one random image is learnt by heart."""
    model = small_model(kind, image_size=4, channels=1).float()
    x = torch.randint(0, 7, (1, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    model.bits_per_dim(x).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())
    fit(model, x, steps=60)
    assert model.bits_per_dim(x).item() < 0.2


@BOTH
def test_they_are_unconditional(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__} is unconditional"):
        kind(PixelCNNConfig(classes=3))
    with pytest.raises(ValueError, match="unconditional"):
        small_model(kind)(torch.zeros(2, 3, 5, 5), Condition(label=torch.zeros(2, dtype=torch.long)))
