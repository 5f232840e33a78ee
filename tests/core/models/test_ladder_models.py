"""The rungs of the ladder: densities that integrate to one, bounds that are bounds, and samples of each."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from pixelcnn_core.kinds import KINDS, load
from pixelcnn_core.models.ladder.deep_gmm import DeepGMM, DeepGMMConfig
from pixelcnn_core.models.ladder.draw import LatentRung, message
from pixelcnn_core.models.ladder.frequencies import Frequencies
from pixelcnn_core.models.ladder.nice import NICE, NICEConfig
from pixelcnn_core.models.ladder.ride import RIDE, RIDEConfig
from pixelcnn_core.models.ladder.rung import (
    RungConfig,
    discretised_logistic,
    log_normal,
    logistic_levels,
    normal_divergence,
)

SMALL = {"nice": {"hidden": 6, "couplings": 2}, "deep-diffusion": {"steps": 3, "features": 4, "blocks": 1},
         "draw": {"glances": 2, "hidden": 6, "latent": 2, "window": 2}, "deep-gmm": {"first": 2, "second": 2},
         "conv-draw": {"glances": 2, "hidden": 4, "latent": 2},
         "ride": {"reach": 1, "hidden": 3, "components": 2, "scales": 2, "factors": 3}}
DENSITIES = ("nice", "deep-gmm", "ride")
LATENT = ("draw", "conv-draw")


def made(kind: str, size: int = 2, channels: int = 1, levels: int = 2, shake: float = 0.1, **settings):
    """A small model with random weights all over: many begin as zero."""
    torch.manual_seed(0)
    model_class = load(KINDS[kind].model)
    model = model_class(model_class.config_class(image_size=size, channels=channels, levels=levels,
                                                 **{**SMALL[kind], **settings}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += shake * torch.randn_like(parameter)
    return model.eval()


def random_images(count: int, size: int, channels: int, levels: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, levels, (count, channels, size, size), generator=generator).to(torch.uint8)


def every_image(levels: int, dims: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product(range(levels), repeat=dims)), dtype=torch.uint8)


def test_frequencies_are_a_rotation_and_a_scaling():
    frequencies = Frequencies(3, 4).double()
    x = torch.randn(5, 3, 4, 4, dtype=torch.float64)
    z = frequencies(x)
    assert torch.allclose(frequencies.inverse(z), x, atol=1e-6)
    assert torch.allclose((z * frequencies.scale.flatten()).square().sum(1), x.square().flatten(1).sum(1), rtol=1e-5)
    jacobian = torch.autograd.functional.jacobian(lambda v: frequencies(v[None])[0], x[0]).reshape(48, 48)
    assert jacobian.slogdet().logabsdet.item() == pytest.approx(frequencies.log_determinant.item(), rel=1e-5)


@pytest.mark.parametrize("channels, size", [(1, 3), (3, 2)])
def test_the_log_determinant_of_nice_is_that_of_its_jacobian(channels, size):
    model = made("nice", size, channels, shake=0.3).double()
    x = torch.randn(2, channels, size, size, dtype=torch.float64)
    dims = channels * size ** 2
    for image in x:
        jacobian = torch.autograd.functional.jacobian(lambda v: model.to_noise(v[None])[0], image).reshape(dims, dims)
        assert jacobian.slogdet().logabsdet.item() == pytest.approx(model.log_determinant().item(), rel=1e-6)
    assert torch.allclose(model.to_image(model.to_noise(x)), x, atol=1e-6)
    with pytest.raises(ValueError, match="two sub-pixels"):
        NICE(NICEConfig(image_size=1, channels=1))


def test_the_deep_mixture_is_the_mixture_of_its_paths():
    """Against torch's own mixture, path by path: each is a Gaussian with the covariance of its maps."""
    model = made("deep-gmm", first=3, second=2, shake=0.3).double()
    scale = torch.diag(1 / model.frequencies.scale.flatten())
    rotate = scale @ torch.kron(model.frequencies.basis, model.frequencies.basis)
    means, covariances = [], []
    for k in range(3):
        for j in range(2):
            a, b = model.first.matrices()[k, 0] @ rotate, model.second.matrices()[j, 0]
            inverse = torch.linalg.inv(b @ a)
            means.append(inverse @ (b @ model.first.shift[k, 0] + model.second.shift[j, 0]))
            covariances.append(inverse @ inverse.T)
    parts = MultivariateNormal(torch.stack(means), torch.stack(covariances), validate_args=False)
    expected = MixtureSameFamily(Categorical(logits=model.path_logits.flatten()), parts)
    x = torch.randn(7, 1, 2, 2, dtype=torch.float64)
    assert torch.allclose(model.log_density(x), expected.log_prob(x.flatten(1)), atol=1e-5)


def test_blocks_of_the_deep_mixture_must_fit():
    assert made("deep-gmm", size=4, block=8).first.weight.shape == (2, 2, 8, 8)
    with pytest.raises(ValueError, match="block must divide the 16 sub-pixels"):
        DeepGMMConfig(image_size=4, channels=1, block=3)


def test_a_deep_mixture_integrates_to_one():
    model = made("deep-gmm", size=1, first=3, second=2, shake=0.5)
    x = torch.linspace(-60, 60, 200_001)
    density = model.log_density(x[:, None, None, None]).exp()
    assert torch.trapezoid(density, x).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_pixel_of_ride_integrates_to_one(channels):
    """Its mixture of Gaussian scale mixtures by quadrature: over a line for grey, over a cube of colours for RGB."""
    model = made("ride", size=1, channels=channels, shake=0.3)
    with torch.no_grad():
        model.log_precision.copy_(torch.tensor([[-1.0, 0.3], [0.5, -0.4]]))  # broad enough for the grid
    axis = torch.linspace(-14, 14, 4001 if channels == 1 else 113)
    points = torch.cartesian_prod(*[axis] * channels).reshape(-1, channels, 1, 1)
    density = torch.cat([model.log_density(part).exp() for part in points.split(200_000)])
    assert density.sum().item() * (axis[1] - axis[0]).item() ** channels == pytest.approx(1, abs=2e-3)


def test_ride_looks_back_only():
    """The features of a pixel depend on all earlier pixels, and on no others."""
    model = made("ride", size=4, channels=3, levels=256, shake=0.5)
    x = torch.randn(1, 3, 4, 4, requires_grad=True)
    for row, column in itertools.product(range(4), range(4)):
        (gradient,) = torch.autograd.grad(model.features(x)[0, row, column].sum(), x)
        seen = gradient.abs().sum((0, 1)).flatten() > 0
        assert not seen[4 * row + column:].any()
        above_left = [4 * r + c for r in range(row + 1) for c in range(column + 1)][:-1]
        assert seen[above_left].all()


@torch.no_grad()
def test_ride_step_by_step_is_ride_by_diagonals():
    model = made("ride", size=5, channels=3, levels=256, shake=0.5)
    near = model.neighbours(torch.randn(2, 3, 5, 5))
    expected = model.memory(near)
    h, c = torch.zeros(2, 6, 6, 2, 3)
    for row, column in itertools.product(range(5), range(5)):
        h[row, column], c[row, column] = model.step(near[:, :, row, column], h[row - 1, column], h[row, column - 1],
                                                    c[row - 1, column], c[row, column - 1])
        assert torch.allclose(h[row, column], expected[:, :, row, column], atol=1e-6)


def test_the_discretised_logistic_sums_to_one():
    levels = torch.arange(17, dtype=torch.uint8)[:, None].expand(-1, 9)
    mean, log_scale = torch.linspace(-1.5, 1.5, 9).expand(17, -1), torch.linspace(-6, 1, 9).expand(17, -1)
    log_mass = discretised_logistic(levels, mean, log_scale, 17)
    assert torch.allclose(log_mass.exp().sum(0), torch.ones(9), atol=1e-5)
    edges = (torch.arange(18) * 2 / 17 - 1).double()
    edges[0], edges[-1] = -math.inf, math.inf
    cdf = torch.sigmoid((edges[:, None] - mean[0].double()) / log_scale[0].double().exp())
    assert torch.allclose(log_mass.exp().double(), cdf.diff(dim=0), atol=1e-6)
    drawn = logistic_levels(mean[0].expand(40_000, -1), log_scale[0].expand(40_000, -1), 17)
    shares = torch.stack([(drawn == level).float().mean(0) for level in range(17)])
    assert (shares - log_mass.exp()).abs().max() < 0.015


def test_the_divergence_of_normals_is_torchs():
    a, b, c, d = torch.randn(4, 50)
    expected = torch.distributions.kl_divergence(torch.distributions.Normal(a, b.exp()),
                                                 torch.distributions.Normal(c, d.exp()))
    assert torch.allclose(normal_divergence(a, b, c, d), expected, rtol=1e-4, atol=1e-5)
    assert torch.allclose(log_normal(a, b, c), torch.distributions.Normal(b, c.exp()).log_prob(a), atol=1e-3, rtol=1e-4)


class LinearGaussian(LatentRung):
    """z ~ N(0, 1), x | z ~ N(2 z, 1), so x ~ N(0, 5), and z | x ~ N(0.4 x, 0.2); `away` makes q another one."""

    def __init__(self, away: float):
        super().__init__(RungConfig(image_size=1, channels=1))
        self.away, self.unused = away, nn.Parameter(torch.zeros(()))

    def messages(self, images, exact):
        x = images.flatten(1).double()
        zero = torch.zeros_like(x)
        z, cost = message(0.4 * x + self.away, zero + 0.5 * math.log(0.2) + self.away, zero, zero, exact)
        return log_normal(x, 2 * z, zero).sum(1), cost


def test_the_bound_is_below_a_likelihood_that_is_known():
    """On a linear Gaussian model: equal with the true posterior, below with another, nearer with more weights."""
    x = torch.arange(4, dtype=torch.uint8).reshape(4, 1, 1, 1)
    exact = log_normal(x.flatten().double(), torch.zeros(4), torch.full((4,), 0.5 * math.log(5))) / -math.log(2)
    true, other = LinearGaussian(0.0), LinearGaussian(0.3)
    torch.manual_seed(0)
    assert torch.allclose(true.in_bits(true.log_weights(x)), exact, atol=1e-5)  # every weight is P(x)
    many = x.repeat_interleave(200_000, 0)
    for model in (true, other):
        means = [model.bits_per_dim(many), model.in_bits(model.log_weights(many))]
        a, b = (values.unflatten(0, (4, -1)).mean(1) for values in means)
        assert torch.allclose(a, b, atol=0.02)  # with the divergence in closed form, and drawn
    bound = other.bits_per_dim(many).unflatten(0, (4, -1)).mean(1)
    assert (bound > exact + 0.1).all()
    tighter = other.importance_bits(x.repeat_interleave(20_000, 0), 20).unflatten(0, (4, -1)).mean(1)
    assert (tighter > exact - 0.01).all() and (tighter < bound - 0.08).all()


def diffusion_without_its_network(steps: int) -> tuple:
    """A model whose way back is linear and Gaussian, so that x_0 is one Gaussian whose variance can be followed step by
    step; its variance, and by quadrature P(level) of a sub-pixel, (256,)."""
    model = made("deep-diffusion", levels=256, steps=steps, shake=0.0)
    model.network.out.bias.zero_()
    variance, one = 1.0, torch.ones(1, 1, 2, 2)
    for step in range(steps, 0, -1):
        t = torch.tensor([step])
        mean, log_std = model.backward_step(one, model.noise(one, model.log_snr(t)), t)
        variance = mean[0, 0, 0, 0].item() ** 2 * variance + math.exp(2 * log_std.item())
    x0 = torch.linspace(-7, 7, 28_001, dtype=torch.float64)[:, None]
    snr = math.exp(model.log_snr(torch.zeros(1)).item())
    centres = model.scaled(torch.arange(256)).double()
    levels = torch.softmax(-0.5 * snr * (centres - x0 / math.sqrt(snr / (1 + snr))).square(), 1)
    density = torch.exp(-0.5 * x0.square() / variance) / math.sqrt(2 * math.pi * variance)
    return model, variance, torch.trapezoid(levels * density, x0, dim=0)


@torch.no_grad()
def test_the_weights_of_diffusion_have_the_probability_as_their_mean(monkeypatch):
    """With as much image as noise at the end, so that its density is not that of N(0, 1)."""
    monkeypatch.setattr("pixelcnn_core.models.ladder.diffusion.HIGH", 1.0)
    monkeypatch.setattr("pixelcnn_core.models.ladder.diffusion.LOW", 0.0)
    model, _, mass = diffusion_without_its_network(10)
    images = random_images(3, 2, 1, 256)
    exact = mass[images.long()].log().flatten(1).sum(1)
    torch.manual_seed(0)
    weights = model.log_weights(images.repeat_interleave(5000, 0)).double().unflatten(0, (3, -1))
    assert torch.allclose(weights.logsumexp(1) - math.log(5000), exact, atol=0.1)


@torch.no_grad()
def test_the_bound_of_diffusion_is_above_its_exact_value():
    model, variance, mass = diffusion_without_its_network(200)
    assert variance == pytest.approx(1, abs=0.1)
    assert mass.sum().item() == pytest.approx(1, abs=1e-5)
    images = random_images(3, 2, 1, 256)
    exact = -torch.log2(mass[images.long()]).flatten(1).mean(1).float()
    torch.manual_seed(0)
    many = images.repeat_interleave(400, 0)
    by_step = torch.stack([model.bits_per_dim(many) for _ in range(20)]).mean(0).unflatten(0, (3, -1)).mean(1)
    by_path = model.in_bits(model.log_weights(many)).unflatten(0, (3, -1))
    tighter = by_path.neg().mul(4 * math.log(2)).logsumexp(1).sub(math.log(400)).div(-4 * math.log(2))
    assert torch.allclose(by_step, by_path.mean(1), atol=0.3)  # one random step for each image, or all of them
    assert (by_path.mean(1) > exact + 0.05).all() and (by_path.mean(1) < exact + 2).all()
    assert (tighter > exact - 0.1).all() and (tighter < by_path.mean(1) - 0.05).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", LATENT)
def test_the_weights_of_all_images_sum_to_one(kind):
    """Their means are the probabilities of a distribution over the 16 grey images of 2 x 2 bits."""
    model = made(kind)
    images = every_image(2, 4).reshape(16, 1, 2, 2)
    torch.manual_seed(2)
    with torch.no_grad():
        mean = torch.stack([model.log_weights(images) for _ in range(3000)]).double().logsumexp(0) - math.log(3000)
        assert mean.exp().sum().item() == pytest.approx(1, abs=0.06)
        bound = torch.stack([model.bits_per_dim(images) for _ in range(1500)]).mean(0)
        drawn = torch.stack([model.in_bits(model.log_weights(images)) for _ in range(1500)]).mean(0)
    assert (bound.mean() - drawn.mean()).abs() < 0.05  # the same bound, by two ways
    assert (bound > model.in_bits(mean).float() - 0.02).all()


@pytest.mark.parametrize("kind", DENSITIES)
def test_the_cells_of_all_images_hold_less_than_one(kind):
    """A density has mass outside of [0, levels), so what the cells of all images hold is below one."""
    model = made(kind)
    images = every_image(2, 4).reshape(16, 1, 2, 2)
    torch.manual_seed(2)
    with torch.no_grad():
        weights = torch.stack([model.log_weights(images) for _ in range(1000)]).double()
    assert 0 < (weights.logsumexp(0) - math.log(1000)).exp().sum().item() < 1.02


@pytest.mark.parametrize("kind", SMALL)
def test_samples_bits_and_refusals(kind):
    model = made(kind, size=4, channels=3, levels=256)
    drawn = model.sample(5, seed=3)
    assert drawn.shape == (5, 3, 4, 4) and drawn.dtype == torch.uint8
    state = torch.get_rng_state()
    assert torch.equal(drawn, model.sample(5, seed=3)) and not torch.equal(drawn, model.sample(5, seed=4))
    assert torch.equal(state, torch.get_rng_state())
    images = random_images(6, 4, 3, 256)
    bits = model.bits_per_dim(images)
    assert bits.shape == (6,) and torch.isfinite(bits).all()
    model.losses(images).mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())
    with pytest.raises(ValueError, match="4 x 4 pixels, not 2 x 2"):
        model.bits_per_dim(images[:, :, :2, :2])
    with pytest.raises(ValueError, match="fractions"):
        model.bits_per_dim(images / 255)


@pytest.mark.parametrize("kind", SMALL)
def test_a_rung_learns_and_its_checkpoint_says_the_same(kind, tmp_path):
    """Images of one colour each: a minute of steps takes bits off, and the samples become smoother."""
    torch.manual_seed(0)
    colours = torch.randint(60, 200, (64, 3, 1, 1))
    images = (colours + torch.randint(-3, 4, (64, 3, 4, 4))).to(torch.uint8)
    model = made(kind, size=4, channels=3, levels=256, shake=0.0)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    before = model.bits_per_dim(images).mean().item()
    for _ in range(60):
        optimiser.zero_grad()
        model.losses(images).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    assert model.bits_per_dim(images).mean().item() < before - 0.3
    model.save_pretrained(tmp_path / "model")
    again = type(model).from_pretrained(tmp_path / "model")
    torch.manual_seed(5)
    first = model.bits_per_dim(images).mean().item()
    torch.manual_seed(5)
    assert again.bits_per_dim(images).mean().item() == pytest.approx(first, abs=0.05)


def test_samples_of_a_mixture_and_of_ride_have_the_density_s_moments():
    for model in (made("deep-gmm", size=1, levels=256, shake=0.2), made("ride", size=1, levels=256, shake=0.2)):
        x = torch.linspace(-40, 40, 160_001)
        density = model.log_density(x[:, None, None, None]).exp()
        inside = x.clamp(-1, 1)
        mean = torch.trapezoid(density * inside, x).item()
        deviation = math.sqrt(torch.trapezoid(density * (inside - mean) ** 2, x).item())
        drawn = (model.sample(20_000).float() + 0.5) / 128 - 1
        assert drawn.mean().item() == pytest.approx(mean, abs=0.03)
        assert drawn.std().item() == pytest.approx(deviation, abs=0.03)


def test_settings_out_of_bounds_are_refused():
    with pytest.raises(ValueError, match="hidden must be at least 1, not 0"):
        RIDEConfig(hidden=0)
    with pytest.raises(ValueError, match="channels must be 1 or 3"):
        RungConfig(channels=2)
    for kind in ("conv-draw", "deep-diffusion"):
        with pytest.raises(ValueError, match="even"):
            load(KINDS[kind].model).config_class(image_size=5)
    assert isinstance(made("deep-gmm"), DeepGMM) and isinstance(made("ride"), RIDE)
