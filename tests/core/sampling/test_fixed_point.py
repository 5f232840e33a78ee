"""The fixed-point sampler: the same image as the definition, in every setting, in fewer passes than sub-pixels."""

import pytest
import torch
from conditions import KINDS, example

from pixelcnn_core.sampling.fixed_point import settled_after
from pixelcnn_core.sampling.sample import finish, prefix_mask, sample_rows
from pixelcnn_core.sampling.truncation import Truncation
from tests.conftest import small_model


@pytest.mark.parametrize("kind", KINDS)
def test_it_draws_what_ancestral_sampling_draws(kind):
    model = small_model(**KINDS[kind])
    condition = example(model.config, 3)
    passes = list(sample_rows(model, condition, batch=3, seed=3, method="fixed point"))
    assert torch.equal(passes[-1], finish(sample_rows(model, condition, batch=3, seed=3, method="naive")))
    assert len(passes) <= passes[-1][0].numel() + 1


@pytest.mark.parametrize("settings", [{"temperature": 0.5}, {"guidance": 2.0}, {"truncation": Truncation(min_p=0.3)}])
def test_with_temperature_guidance_and_truncation(settings):
    model = small_model(**KINDS["everything"])
    condition = example(model.config, 2)
    found = finish(sample_rows(model, condition, seed=1, method="fixed point", **settings))
    assert torch.equal(found, finish(sample_rows(model, condition, seed=1, **settings)))


def test_known_pixels_stay():
    model = small_model()
    image = torch.randint(0, 7, (1, 3, 5, 5), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    given = {"image": image, "known": prefix_mask(model.config, 2, 3), "seed": 2}
    assert torch.equal(finish(sample_rows(model, method="fixed point", **given)), finish(sample_rows(model, **given)))


def test_after_pass_k_the_first_k_sub_pixels_are_final():
    model = small_model()
    passes = list(sample_rows(model, seed=5, method="fixed point"))
    order = [guess[0].permute(1, 2, 0).reshape(-1) for guess in passes]  # raster order, R, G, B
    for number, guess in enumerate(order, 1):
        assert torch.equal(guess[:number], order[-1][:number])
    settled = settled_after(passes)[0].permute(1, 2, 0).reshape(-1)
    assert settled.max() == len(passes) and settled[0] == 1
    for place, number in enumerate(settled.tolist()):
        assert all(guess[place] == order[-1][place] for guess in order[number - 1:])


def test_an_image_that_is_settled_from_the_start_is_yielded_all_the_same():
    model = small_model()
    image = torch.full((1, 3, 5, 5), 2, dtype=torch.uint8)
    passes = list(sample_rows(model, image=image, known=torch.ones(5, 5, dtype=torch.bool), method="fixed point"))
    assert len(passes) == 1 and torch.equal(passes[0], image)
