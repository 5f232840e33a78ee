"""Cached sampling against the definition: the same images from the same uniforms, in float64, in every setting."""

import copy

import pytest
import torch
import typeguard
from conditions import KINDS, example

from pixelcnn_core import Condition, PixelCNNConfig, PlainPixelCNN
from pixelcnn_core.sampling.cached.sampler import CachedSampler
from pixelcnn_core.sampling.sample import finish, invert_cdf, prefix_mask, sample_rows, uniforms_from_seed
from tests.conftest import small_model


def naive(model, condition, batch, **settings):
    return finish(sample_rows(model, condition, batch=batch, method="naive", **settings))


def cached(model, condition, batch, **settings):
    return finish(sample_rows(model, condition, batch=batch, method="cached", **settings))


def by_torch(model, condition, batch, seed, **settings):
    sampler = CachedSampler(model, condition, batch, backend="torch", **settings)
    return finish(sampler.run(uniforms_from_seed(seed, batch, model.config)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 16])
def test_cached_equals_naive(kind, batch):
    model = small_model(**KINDS[kind])
    condition = example(model.config, batch)
    expected = naive(model, condition, batch, seed=3)
    assert torch.equal(cached(model, condition, batch, seed=3), expected)
    assert torch.equal(by_torch(model, condition, batch, seed=3), expected)


@pytest.mark.parametrize("temperature, guidance", [
    (0, 3.0), (0.5, 0.0), (0.5, 1.0), (0.5, 3.0), (2.0, 3.0),
    *(pytest.param(*other, marks=pytest.mark.slow) for other in ((0, 0.0), (0, 1.0), (2.0, 0.0), (2.0, 1.0)))])
def test_temperature_and_guidance(temperature, guidance):
    model = small_model(**KINDS["everything"])
    condition = example(model.config, 3)
    settings = {"seed": 5, "temperature": temperature, "guidance": guidance}
    expected = naive(model, condition, 3, **settings)
    assert torch.equal(cached(model, condition, 3, **settings), expected)
    assert torch.equal(by_torch(model, condition, 3, **settings), expected)


@pytest.mark.parametrize("changes", [
    {"channels": 1, "levels": 2}, {"channels": 1, "levels": 17, "skip": False}, {"skip": False}, {"layers": 1},
    {"kernel_size": 5, "first_kernel_size": 7}, {"levels": 256}, {"image_size": 6}, {"position": 3}])
def test_other_networks(changes):
    model = small_model(**changes)
    expected = naive(model, None, 2, seed=1)
    assert torch.equal(cached(model, None, 2, seed=1), expected)
    assert torch.equal(by_torch(model, None, 2, seed=1), expected)


@pytest.mark.parametrize("backend", ["numba", "torch"])
@pytest.mark.parametrize("what", ["prefix", "whole rows", "scattered pixels", "single colours", "everything"])
def test_known_pixels_are_kept_and_the_rest_drawn_given_them(what, backend):
    model = small_model(classes=4)
    generator = torch.Generator().manual_seed(1)
    image = torch.randint(0, 7, (3, 3, 5, 5), generator=generator, dtype=torch.uint8)
    known = {"prefix": prefix_mask(model.config, 2, 3),
             "whole rows": prefix_mask(model.config, 3, 0),
             "scattered pixels": torch.rand(3, 5, 5, generator=generator) < 0.5,
             "single colours": torch.rand(3, 3, 5, 5, generator=generator) < 0.5,
             "everything": torch.ones(5, 5, dtype=torch.bool)}[what]
    condition = example(model.config, 3)
    expected = naive(model, condition, 3, seed=2, image=image, known=known)
    sampler = CachedSampler(model, condition, 3, backend=backend)
    mask = known[:, None] if known.ndim == 3 else known
    mask = mask.expand(3, 3, 5, 5)
    assert torch.equal(finish(sampler.run(uniforms_from_seed(2, 3, model.config), image, mask)), expected)
    assert torch.equal(cached(model, condition, 3, seed=2, image=image, known=known), expected)
    assert torch.equal(expected[mask], image[mask])
    if what != "everything":
        assert not torch.equal(expected, image)


def test_an_image_does_not_depend_on_its_batch():
    """Bit for bit, in float32 too: batch 1 equals row k of batch 16, however many threads share the batch."""
    model = small_model(**KINDS["everything"], image_size=8).float()
    condition = example(model.config, 16)
    condition = condition.to(torch.float32)
    noise = uniforms_from_seed(0, 16, model.config)
    whole = {}
    for threads in (1, 2, 5):
        sampler = CachedSampler(model, condition, 16, threads=threads)
        finish(sampler.run(noise))
        whole[threads] = sampler.caches
    for threads in (2, 5):
        assert torch.equal(whole[threads].h, whole[1].h)
    for k in (0, 7, 15):
        alone = CachedSampler(model, condition[[k]], 1)
        finish(alone.run(noise[[k]]))
        assert torch.equal(alone.caches.x[0], whole[1].x[k])
        assert torch.equal(alone.caches.v[:, 0], whole[1].v[:, k])
        assert torch.equal(alone.caches.h[:, :, 0], whole[1].h[:, :, k])


def test_uniforms_of_an_image_do_not_depend_on_the_batch():
    config = PixelCNNConfig(image_size=4)
    assert torch.equal(uniforms_from_seed(9, 1, config)[0], uniforms_from_seed(9, 16, config)[0])
    assert not torch.equal(uniforms_from_seed(9, 1, config), uniforms_from_seed(10, 1, config))


def test_same_noise_for_every_class():
    model = small_model(classes=4)
    noise = uniforms_from_seed(0, 1, model.config)
    images = cached(model, Condition(label=torch.arange(4)), None, uniforms=noise)
    for k in range(4):
        assert torch.equal(images[k], cached(model, Condition(label=torch.tensor([k])), None, uniforms=noise)[0])
    assert len(images.unique(dim=0)) > 1


@pytest.mark.parametrize("backend", ["numba", "torch"])
@pytest.mark.parametrize("pixel", [(0, 0), (2, 0), (2, 3), (4, 4)])
def test_edit_and_resume(pixel, backend):
    """After an edit, the run from there equals a run from scratch with everything before it known."""
    row, column = pixel
    model = small_model(classes=4)
    condition, noise = example(model.config, 2), uniforms_from_seed(4, 2, model.config)
    sampler = CachedSampler(model, condition, 2, keep_rows=True, backend=backend)
    edited = finish(sampler.run(noise)).clone()
    edited[:, :, row, column] = 6 - edited[:, :, row, column]
    known = prefix_mask(model.config, row, column)
    known[row, column] = True
    mask = known.expand(2, 3, 5, 5)
    expected = naive(model, condition, 2, uniforms=noise, image=edited, known=known)
    for _ in range(2):  # and again from the caches that the resumed run left behind
        assert torch.equal(finish(sampler.run(noise, edited, mask, start=pixel)), expected)


def test_resuming_recomputes_nothing_that_did_not_change():
    model = small_model()
    sampler = CachedSampler(model, None, 1, keep_rows=True)
    noise = uniforms_from_seed(4, 1, model.config)
    image = finish(sampler.run(noise))
    sampler.caches.h[:3].fill_(float("nan"))  # rows 0 ... 2 of the horizontal stack must not be read again ...
    sampler.caches.h[3, :, :, sampler.config.kernel_size // 2 + 2:].fill_(float("nan"))  # ... nor what follows (3, 2)
    known = prefix_mask(model.config, 3, 2).expand(1, 3, 5, 5)
    assert torch.equal(finish(sampler.run(noise, image, known, start=(3, 2))), image)


def test_resuming_where_nothing_is_cached_is_refused():
    model = small_model()
    noise = uniforms_from_seed(0, 1, model.config)
    with pytest.raises(ValueError, match="only 0 rows"):
        next(CachedSampler(model, None, 1).run(noise, start=(1, 0)))
    sampler = CachedSampler(model, None, 1)
    finish(sampler.run(noise))
    with pytest.raises(ValueError, match="not kept"):
        next(sampler.run(noise, start=(2, 2)))
    with pytest.raises(ValueError, match="5 x 5"):
        next(sampler.run(noise, start=(5, 0)))


@pytest.mark.parametrize("method", ["naive", "cached"])
def test_partial_images_grow_row_by_row_and_closing_stops(method):
    model = small_model()
    steps = sample_rows(model, seed=0, method=method)
    first = next(steps)
    assert first.dtype == torch.uint8 and first.shape == (1, 3, 5, 5)
    assert first[:, :, 1:].eq(0).all()
    second = next(steps)
    assert torch.equal(second[:, :, 0], first[:, :, 0])
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)
    assert len(list(sample_rows(model, seed=0, method=method))) == 5


def test_samples_follow_the_density():
    """Frequencies of all images of a tiny model against their probabilities: a chi-square test with a fixed seed."""
    model = small_model(image_size=2, levels=2, channels=1)
    count = 4096
    images = cached(model, None, count, seed=0).reshape(count, 4).long()
    observed = torch.bincount((images * torch.tensor([8, 4, 2, 1])).sum(1), minlength=16)
    every = torch.tensor([[i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(16)], dtype=torch.uint8)
    with torch.no_grad():
        expected = count * torch.exp2(-4 * model.bits_per_dim(every.reshape(16, 1, 2, 2)))
    chi_square = ((observed - expected) ** 2 / expected).sum()
    assert chi_square < 37.7  # 99.9 % point with 15 degrees of freedom


def test_no_global_random_state_is_touched():
    model = small_model()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    cached(model, None, 2, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_inverse_cdf_at_its_boundaries():
    logits = torch.log(torch.tensor([[0.25, 0.5, 0.25]], dtype=torch.float64))
    levels = [int(invert_cdf(logits, torch.tensor([u], dtype=torch.float64), 1.0)) for u in (0, 0.2, 0.3, 0.7, 0.8)]
    assert levels == [0, 0, 1, 1, 2]
    assert int(invert_cdf(logits, torch.tensor([1 - 1e-17]), 1.0)) == 2
    assert int(invert_cdf(logits, torch.tensor([0.99]), 0)) == 1


@pytest.mark.parametrize("settings, message", [
    ({"temperature": -1.0}, "temperature"), ({"temperature": float("nan")}, "temperature"),
    ({"guidance": float("inf")}, "guidance"), ({"guidance": "2"}, "guidance"), ({"method": "quick"}, "quick"),
    ({"uniforms": torch.ones(1, 3, 5, 5)}, "0, 1"), ({"uniforms": torch.zeros(1, 3, 4, 4)}, "uniforms"),
    ({"known": torch.ones(5, 5)}, "image"),
    ({"known": torch.ones(4, 4), "image": torch.zeros(1, 3, 5, 5)}, "mask"),
    ({"known": torch.ones(5, 5), "image": torch.full((1, 3, 5, 5), 7)}, "0 to 6"),
    ({"known": torch.ones(5, 5), "image": torch.zeros(1, 1, 5, 5)}, "image"),
    ({"condition": Condition(label=torch.zeros(2, dtype=torch.long)), "batch": 3}, "2 images"),
])
def test_what_does_not_fit_is_named_at_once(settings, message):
    condition = settings.pop("condition", None)
    with typeguard.suppress_type_checks(), pytest.raises(ValueError, match=message):
        sample_rows(small_model(classes=4), condition, **settings)


def test_the_plain_pixelcnn_samples_naively_only():
    model = PlainPixelCNN(PixelCNNConfig(image_size=3, levels=4, features=6, layers=2, head_features=6))
    assert finish(sample_rows(model, method="naive")).shape == (1, 3, 3, 3)
    assert torch.equal(finish(sample_rows(model)), finish(sample_rows(model, method="naive")))
    with pytest.raises(ValueError, match="naive"):
        sample_rows(model, method="cached")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU: run the tests on a machine with one")
@pytest.mark.parametrize("kind", KINDS)
def test_gpu_equals_cpu(kind):
    """float64 on both sides: sums in another order differ by about 1e-15, so the images are the same."""
    model = small_model(**KINDS[kind], image_size=8)
    condition = example(model.config, 4)
    settings = {"seed": 1, "guidance": 2.0 if kind != "none" else 1.0}
    expected = cached(model, condition, 4, **settings)
    model = model.cuda()
    assert torch.equal(cached(model, condition, 4, **settings), expected)
    sampler = CachedSampler(model, condition, 4, keep_rows=True)
    noise = uniforms_from_seed(1, 4, model.config)
    image = finish(sampler.run(noise))
    known = prefix_mask(model.config, 3, 2).expand(4, 3, 8, 8)
    assert torch.equal(finish(sampler.run(noise, image, known, start=(3, 2))), image)


def test_arrays_are_taken_and_what_cannot_be_drawn_is_one_sentence():
    model = small_model(image_size=4, classes=3).float()
    image, known = torch.randint(0, 7, (1, 3, 4, 4)), torch.arange(16).reshape(4, 4) < 6
    expected = finish(sample_rows(model, Condition(label=torch.tensor([1, 1])), image=image, known=known))
    again = sample_rows(model, Condition(label=1), batch=2, image=image.numpy(), known=known.numpy())
    assert torch.equal(finish(again), expected)
    for wrong, options, message in ((copy.deepcopy(model).half(), {}, "the weights are torch.float16"),
                                    (copy.deepcopy(model).bfloat16(), {}, "call model.float()"),
                                    (torch.nn.DataParallel(model), {}, "not from a DataParallel: unwrap"),
                                    (model, {"batch": 0}, "at least 1 image, not 0"),
                                    (model, {"seed": -1}, "a seed is a whole number of at least 0, not -1")):
        with pytest.raises(ValueError, match=message), typeguard.suppress_type_checks():  # one is of a wrong type
            sample_rows(wrong, **options)
