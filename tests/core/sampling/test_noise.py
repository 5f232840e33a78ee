"""Sampling backwards: the noise of a picture draws that picture again, by both methods."""

import numpy as np
import pytest
import torch
from conditions import KINDS, example

from demo.kit.pictures import PICTURES, bundled
from demo.service.bridge import MODELS
from pixelcnn_core import Condition, GatedPixelCNN
from pixelcnn_core.sampling.noise import uniforms_for
from pixelcnn_core.sampling.sample import finish, sample_rows
from tests.conftest import small_model


@pytest.mark.parametrize("method", ["naive", "cached"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_of_a_picture_draws_it_again(kind, method):
    model = small_model(**KINDS[kind])
    condition = example(model.config, 2)
    image = torch.randint(0, 7, (2, 3, 5, 5), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    for seed in (0, 1):
        noise = uniforms_for(model, image, condition, seed)
        assert noise.dtype == torch.float64 and ((noise >= 0) & (noise < 1)).all()
        assert torch.equal(finish(sample_rows(model, condition, uniforms=noise, method=method)), image)


def test_a_photo_is_redrawn_to_the_last_sub_pixel():
    """Also where the trained model holds a value for nearly impossible; alone, in a batch, and with a class. Of a value
    below 2^-50 there is no number in [0, 1) that draws it."""
    model = GatedPixelCNN.from_pretrained(MODELS / "cifar10")
    tried = 0
    for name in PICTURES:
        image = torch.from_numpy(np.array(bundled(name))).permute(2, 0, 1)[None]
        for condition in (Condition(), Condition(label=torch.tensor([3]))):
            with torch.no_grad():
                if model.bits_per_sub_pixel(image, condition).max() > 45:
                    continue
            tried += 1
            noise = uniforms_for(model, image, condition)
            assert torch.equal(finish(sample_rows(model, condition, uniforms=noise)), image), name
            twice = Condition(label=condition.label.repeat(2)) if len(condition) else None
            assert torch.equal(finish(sample_rows(model, twice, batch=2, uniforms=noise))[1:], image), name
    assert tried >= 6


def test_the_seed_chooses_the_place_inside_the_interval():
    model = small_model()
    image = torch.zeros(1, 3, 5, 5, dtype=torch.uint8)
    first, second = uniforms_for(model, image, seed=1), uniforms_for(model, image, seed=2)
    assert torch.equal(first, uniforms_for(model, image, seed=1)) and (first != second).all()
    p = torch.softmax(model(image).double(), 1)[:, 0]  # value 0: its interval is [0, p)
    assert (first < p).all() and (second < p).all()


def test_only_later_pixels_change_when_one_is_edited():
    model = small_model()
    image = torch.randint(0, 7, (1, 3, 5, 5), generator=torch.Generator().manual_seed(2)).to(torch.uint8)
    edited = image.clone()
    edited[:, :, 2, 1] = 6 - edited[:, :, 2, 1]
    known = torch.arange(25).reshape(5, 5) <= 2 * 5 + 1
    after = finish(sample_rows(model, uniforms=uniforms_for(model, image), image=edited, known=known))
    assert torch.equal(after[..., known], edited[..., known])
    assert not torch.equal(after[..., ~known], image[..., ~known]), "something later did change"
