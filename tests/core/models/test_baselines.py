"""The baselines against torch's own Gaussian, by brute force, and against their own samples."""

import math

import pytest
import torch
from test_likelihood import all_images
from torch.distributions import MultivariateNormal

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.models.baselines import Gaussian, Uniform, score_baselines


def made_up(count: int = 400, levels: int = 6) -> ImageData:
    """Grey images of 1 x 3 pixels, each the one before and a step."""
    steps = torch.randint(-1, 2, (count, 3), generator=torch.Generator().manual_seed(0))
    images = (levels // 2 + steps.cumsum(1)).clamp(0, levels - 1).byte().reshape(count, 1, 1, 3)
    return ImageData(images, torch.zeros(count), (), levels=levels)


def test_a_uniform_costs_log2_levels():
    data = made_up()
    assert Uniform(data).bits_per_dim(data.images).tolist() == [math.log2(6)] * 400
    values = Uniform(data).sample(3000)
    assert values.shape == (3000, 1, 1, 3) and values.dtype == torch.uint8
    assert torch.bincount(values.flatten().long(), minlength=6).min() > 1300


def test_the_mean_over_the_noise_is_in_closed_form():
    """Against torch's density, averaged over 40,000 draws of u."""
    data = made_up()
    model = Gaussian(data)
    density = MultivariateNormal(model.mean, model.factor @ model.factor.T)
    images = data.images[:5]
    u = torch.rand(40000, 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    drawn = -density.log_prob(images.flatten(1) + u).mean(0) / (3 * math.log(2))
    assert torch.allclose(model.bits_per_dim(images), drawn, atol=0.01)


def test_the_fit_has_the_highest_likelihood():
    """Mean and covariance are those of the dequantised images: any change makes the training images less probable."""
    data = made_up()
    model = Gaussian(data)
    best = model.bits_per_dim(data.images).mean()
    u = torch.rand(400 * 50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    noisy = data.images.flatten(1).double().repeat(50, 1) + u
    assert torch.allclose(model.mean, noisy.mean(0), atol=0.02)
    assert torch.allclose(model.factor @ model.factor.T, noisy.T.cov(), atol=0.02)
    for change in (0.2, -0.2):
        model.mean += change
        assert model.bits_per_dim(data.images).mean() > best
        model.mean -= change


def test_it_is_a_bound_on_a_distribution_over_integers():
    """The implied masses of all images sum to less than one (Jensen), but not to much less."""
    data = made_up()
    bits = Gaussian(data).bits_per_dim(all_images(6, 3, 1).reshape(-1, 1, 1, 3))
    assert 0.5 < torch.exp2(-3 * bits).sum() <= 1


def test_samples_of_the_gaussian_have_its_moments():
    data = made_up(levels=200)
    model = Gaussian(data)
    drawn = model.sample(20000, seed=1).flatten(1).double()
    assert torch.allclose(drawn.mean(0), data.images.flatten(1).double().mean(0), atol=0.05)
    expected = data.images.flatten(1).double().T.cov() + torch.eye(3) / 6  # rounding down adds another 1/12
    assert torch.allclose(drawn.T.cov(), expected, atol=0.15)
    assert torch.equal(model.sample(3, seed=1), model.sample(3, seed=1)) and model.sample(2).dtype == torch.uint8


def test_digits():
    """Constant pixels in the corners do not hurt, and correlations are worth a lot."""
    train, test = load_data("digits", ".", "train"), load_data("digits", ".", "test")
    results = score_baselines(train, test)
    assert list(results) == ["uniform", "gaussian"]
    assert results["uniform"] == {"name": "Uniform", "bits_per_dim_test": 4.0875,
                                  "bits_per_dim_test_standard_error": 0.0}
    assert 1.5 < results["gaussian"]["bits_per_dim_test"] < 3
    assert 0 < results["gaussian"]["bits_per_dim_test_standard_error"] < 0.1
    assert Gaussian(train).bits_per_dim(test.images).mean().item() == pytest.approx(
        results["gaussian"]["bits_per_dim_test"], abs=1e-4)
