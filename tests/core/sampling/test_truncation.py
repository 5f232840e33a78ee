"""Min-p, top-p and top-k: what they cut, and that both samplers cut the same."""

import pytest
import torch
from conditions import KINDS, example

from pixelcnn_core.sampling.cached.sampler import CachedSampler
from pixelcnn_core.sampling.sample import finish, invert_cdf, sample_rows, uniforms_from_seed
from pixelcnn_core.sampling.truncation import PAPER, Truncation
from tests.conftest import small_model

P = torch.tensor([0.5, 0.2, 0.15, 0.1, 0.04, 0.01], dtype=torch.float64)


def levels_drawn(truncation: Truncation, p: torch.Tensor = P, temperature: float = 1.0) -> set[int]:
    """Every level that some uniform number leads to."""
    uniforms = torch.linspace(0, 1, 5001, dtype=torch.float64)[:-1]
    return set(invert_cdf(p.log().expand(len(uniforms), -1), uniforms, temperature, truncation).tolist())


@pytest.mark.parametrize("truncation, kept", [
    (PAPER, {0, 1, 2, 3, 4, 5}), (Truncation(min_p=0.1), {0, 1, 2, 3}), (Truncation(min_p=1), {0}),
    (Truncation(top_p=0.8), {0, 1, 2}), (Truncation(top_p=0.5), {0}), (Truncation(top_p=0.001), {0}),
    (Truncation(top_k=2), {0, 1}), (Truncation(top_k=100), {0, 1, 2, 3, 4, 5}),
    (Truncation(min_p=0.1, top_p=0.9, top_k=3), {0, 1, 2})])
def test_which_levels_stay(truncation, kept):
    assert levels_drawn(truncation) == kept


def test_what_stays_keeps_its_proportions():
    uniforms = (torch.arange(7000, dtype=torch.float64) + 0.5) / 7000
    drawn = invert_cdf(P.log().expand(7000, -1), uniforms, 1.0, Truncation(top_k=2))
    assert drawn.bincount(minlength=6).tolist() == [5000, 2000, 0, 0, 0, 0]


def test_temperature_comes_first():
    assert levels_drawn(Truncation(min_p=0.1), temperature=0.5) == {0, 1}  # squared: 0.25, 0.04, 0.0225
    assert levels_drawn(Truncation(min_p=0.1), temperature=0) == {0}


def test_ties_with_the_last_level_stay():
    assert levels_drawn(Truncation(top_k=1), torch.tensor([0.4, 0.4, 0.2], dtype=torch.float64)) == {0, 1}


ALL = Truncation(min_p=0.05, top_p=0.9, top_k=5)
ONE = (Truncation(min_p=0.3), Truncation(top_p=0.6), Truncation(top_k=3))


@pytest.mark.parametrize("truncation, guidance", [
    (ALL, 1.0), (ALL, 2.0), *((one, 2.0) for one in ONE),
    *(pytest.param(one, 1.0, marks=pytest.mark.slow) for one in ONE)])
def test_cached_equals_naive(truncation, guidance):
    model = small_model(**KINDS["everything"])
    condition = example(model.config, 3)
    settings = {"truncation": truncation, "guidance": guidance}
    expected = finish(sample_rows(model, condition, seed=4, method="naive", **settings))
    assert torch.equal(finish(sample_rows(model, condition, seed=4, **settings)), expected)
    by_torch = CachedSampler(model, condition, 3, backend="torch", **settings)
    assert torch.equal(finish(by_torch.run(uniforms_from_seed(4, 3, model.config))), expected)
    assert not torch.equal(finish(sample_rows(model, condition, seed=4, guidance=guidance)), expected)


@pytest.mark.parametrize("numbers, sentence", [
    ({"min_p": 1.5}, "min_p must be from 0 to 1, not 1.5"), ({"min_p": float("nan")}, "min_p must be from 0 to 1"),
    ({"top_p": 0}, "top_p must be above 0 and at most 1, not 0"), ({"top_k": -1}, "top_k must be a whole number"),
    ({"top_k": 2.5}, "top_k must be a whole number of at least 0, not 2.5")])
def test_numbers_out_of_range_are_refused(numbers, sentence):
    with pytest.raises(ValueError, match=sentence):
        Truncation(**numbers)
