"""Chains: each step is causal and sees the whole smaller picture; what is drawn, given, kept, and scored."""

import json
import math

import pytest
import torch

from pixelcnn_core import CheckpointError, Condition, GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.chain import CHAIN_FILE, Chain
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig, halved
from pixelcnn_core.sampling.coarse_to_fine import by_step, chain_uniforms, preview, sample_chain
from pixelcnn_core.sampling.sample import finish
from pixelcnn_core.sampling.truncation import PAPER, Truncation

DECODER = {"features": 12, "layers": 2, "first_kernel_size": 3, "head_features": 24}


def double(kind, config):
    """A model with PyTorch's own random weights, always the same, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind(config).double().eval()


def upscaler(size: int, **settings) -> Upscaler:
    return double(Upscaler, UpscalerConfig(image_size=size, levels=7, features=6, map_channels=5, decoder=DECODER,
                                           **settings))


def first_step(**settings) -> GatedPixelCNN:
    return double(GatedPixelCNN, PixelCNNConfig(image_size=4, levels=7, position=2, **DECODER, **settings))


@pytest.fixture(scope="module")
def chain():
    """4 -> 8 -> 16 pixels; the last step takes no class, as one that is shared with another chain."""
    return Chain([first_step(classes=3), upscaler(8, classes=3), upscaler(16)])


LABELS = Condition(label=torch.tensor([0, 2]))


def random_images(size: int, count: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randint(7, (count, 3, size, size), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_a_smaller_picture_is_the_mean_of_every_two_by_two_pixels():
    picture = torch.tensor([[0, 1, 10, 20], [2, 3, 30, 41]], dtype=torch.uint8).expand(1, 3, 2, 4)
    assert halved(picture)[0, 0].tolist() == [[2, 25]]  # 1.5 and 25.25, rounded to even and down


@pytest.mark.parametrize("size", [8, 16, 32])
def test_every_step_is_causal(size):
    """By gradient in float64: the logits of a sub-pixel know all earlier ones' colours, none of its own or later."""
    step = upscaler(size, classes=3)
    x = torch.rand(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    told = step.condition(random_images(size // 2, 1), Condition(label=torch.tensor([1])))
    step.decoder.scale_input = lambda image: image  # floats, so that there is a gradient
    try:
        logits = step.decoder(x, told)
    finally:
        del step.decoder.scale_input
    row, column = size // 2, size // 2
    for channel in range(3):
        gradient, = torch.autograd.grad(logits[0, :, channel, row, column].square().sum(), x, retain_graph=True)
        order = torch.arange(size * size * 3).reshape(size, size, 3).permute(2, 0, 1)  # raster order, R, G, B
        assert (gradient[0][order >= order[channel, row, column]] == 0).all()
        assert gradient[0, :, row, column - 1].abs().min() > 0


@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_the_first_pixel_depends_on_the_whole_smaller_picture(size):
    step = upscaler(size)
    smaller = torch.rand(1, 3, size // 2, size // 2, dtype=torch.float64, requires_grad=True)
    logits = step.decoder(torch.zeros(1, 3, size, size, dtype=torch.uint8), step.condition(smaller * 6))
    gradient, = torch.autograd.grad(logits[0, :, 0, 0, 0].square().sum(), smaller)
    assert (gradient.abs().sum(1) > 0).all()


def test_h_reaches_every_step_that_takes_it(chain):
    images = random_images(16)
    given, other, none = (chain.bits(images, condition) for condition in
                          (LABELS, Condition(label=torch.tensor([1, 1])), None))
    for size in (4, 8):
        assert (given[size] != other[size]).all() and (given[size] != none[size]).all()
    assert torch.equal(given[16], other[16])


def test_bits_are_those_of_each_step(chain):
    images = random_images(16)
    bits = chain.bits(images, LABELS)
    assert list(bits) == [4, 8, 16] and all(value.shape == (2,) for value in bits.values())
    middle = halved(images)
    assert torch.allclose(bits[4], chain.steps[0].bits_per_dim(halved(middle), LABELS) * 48)
    by_hand = chain.steps[1].decoder.bits_per_dim(middle, chain.steps[1].condition(halved(middle), LABELS)) * 192
    assert torch.allclose(bits[8], by_hand)


def test_a_step_is_normalised():
    """Brute force: of an image of 2 x 2 pixels and 2 grey levels, all 16 probabilities sum to 1."""
    config = UpscalerConfig(image_size=2, channels=1, levels=2, features=4, map_channels=3,
                            decoder={"features": 4, "layers": 2, "first_kernel_size": 3, "head_features": 4})
    step = double(Upscaler, config)
    images = torch.tensor([[k >> bit & 1 for bit in range(4)] for k in range(16)]).reshape(16, 1, 2, 2).byte()
    bits = step.bits_per_dim(images, smaller=torch.ones(16, 1, 1, 1)) * 4
    assert math.isclose((2 ** -bits).sum().item(), 1, rel_tol=1e-9)


def test_all_sizes_are_drawn_one_after_another(chain):
    seen = list(sample_chain(chain, LABELS, seed=1))
    assert len(seen) == 4 + 8 + 16
    assert [list(pictures) for pictures in seen] == [[4]] * 4 + [[4, 8]] * 8 + [[4, 8, 16]] * 16
    for size, picture in seen[-1].items():
        assert picture.shape == (2, 3, size, size) and picture.dtype == torch.uint8
    assert not seen[4][8][:, :, 1:].any()


def test_cached_equals_naive_with_guidance_temperature_and_truncation(chain):
    settings = {"seed": 3, "temperature": [0.9, 1.0, 0.8], "guidance": [2.0, 1.5, 3.0],
                "truncation": [Truncation(min_p=0.1), Truncation(), Truncation(top_k=3)]}
    expected = finish(sample_chain(chain, LABELS, method="naive", **settings))
    found = finish(sample_chain(chain, LABELS, **settings))
    for size, picture in expected.items():
        assert torch.equal(found[size], picture), size


def test_guidance_stresses_h_and_keeps_the_smaller_picture(chain):
    """Guidance 0 ignores h, and so draws what the chain draws without a condition from the same smaller picture."""
    short = Chain(chain.steps[:2])
    mosaic = random_images(4)
    ignoring = finish(sample_chain(short, LABELS, given=mosaic, guidance=0.0, seed=2))
    without = finish(sample_chain(short, batch=2, given=mosaic, seed=2))
    assert torch.equal(ignoring[8], without[8])


def test_one_setting_is_told_to_the_steps_that_it_is_for(chain):
    """Guidance to all but the finest, truncation to all but the coarsest, whose own min-p is at most the chain's."""
    cut = Truncation(min_p=0.4, top_k=3)
    assert by_step(chain.steps[0], 2.0, cut) == {"guidance": 2.0, "truncation": cut}
    assert by_step(chain, 2.0, cut) == {"guidance": [2.0, 2.0, 1.0], "truncation": [PAPER, cut, cut]}
    freer = Chain(chain.steps, coarsest_min_p=0.3)
    assert by_step(freer, 1.0, cut)["truncation"] == [Truncation(min_p=0.3), cut, cut]
    assert by_step(freer)["truncation"] == [PAPER] * 3, "the paper's sampler stays it"
    plain = [finish(sample_chain(chain, Condition(label=1), batch=3, seed=4, **how))
             for how in ({}, by_step(chain, 1.0, cut))]
    assert torch.equal(plain[0][4], plain[1][4]) and not torch.equal(plain[0][8], plain[1][8])


def test_the_coarsest_min_p_stays_with_the_chain(chain, tmp_path):
    Chain(chain.steps, coarsest_min_p=0.3).save_pretrained(tmp_path)
    assert Chain.from_pretrained(tmp_path).coarsest_min_p == 0.3


def test_a_given_picture_is_the_start(chain):
    whole = finish(sample_chain(chain, LABELS, seed=5))
    for size in (4, 8):
        rest = finish(sample_chain(chain, LABELS, given=whole[size], seed=5))
        assert list(rest) == [s for s in (4, 8, 16) if s > size] and torch.equal(rest[16], whole[16])
    other = finish(sample_chain(chain, LABELS, given=whole[8], seed=6))
    assert not torch.equal(other[16], whole[16])


def test_an_image_does_not_depend_on_its_batch(chain):
    pair = finish(sample_chain(chain, LABELS, seed=7))
    noise = {size: value[1:] for size, value in chain_uniforms(7, 2, chain).items()}
    alone = finish(sample_chain(chain, LABELS[1:], uniforms=noise))
    assert torch.equal(pair[16][1:], alone[16])


def test_known_pixels_stay_at_every_size(chain):
    image, known = random_images(16, 1), torch.ones(16, 16, dtype=torch.bool)
    known[4:9, 6:10] = False
    drawn = finish(sample_chain(chain, LABELS, image=image, known=known, seed=1))
    assert torch.equal(drawn[16][:, :, known], image.expand(2, -1, -1, -1)[:, :, known])
    small = halved(image)
    assert torch.equal(drawn[8][:, :, :2], small[:, :, :2].expand(2, -1, -1, -1))
    assert not torch.equal(drawn[16], image.expand(2, -1, -1, -1))


def test_the_preview_fills_rows_to_come_from_the_smaller_picture(chain):
    pictures = finish(sample_chain(chain, LABELS, seed=1))
    shown = preview(pictures, row=3)
    assert torch.equal(shown[:, :, :4], pictures[16][:, :, :4])
    assert torch.equal(shown[:, :, 4::2, ::2], pictures[8][:, :, 2:])
    assert torch.equal(preview(pictures), pictures[16])


def test_a_chain_is_a_folder_of_checkpoints(chain, tmp_path):
    for step, name in zip(chain.steps, ("a/4", "a/8", "b/16")):
        step.save_pretrained(tmp_path / name)
    (tmp_path / "a" / CHAIN_FILE).write_text(json.dumps({"steps": ["4", "8", "../b/16"]}), encoding="utf-8")
    loaded = Chain.from_pretrained(tmp_path / "a")
    assert loaded.sizes == [4, 8, 16] and loaded.config.classes == 3
    assert Chain.from_pretrained(tmp_path / "a", size=8).sizes == [4, 8]
    assert finish(sample_chain(loaded, LABELS))[16].shape == (2, 3, 16, 16)
    loaded.save_pretrained(tmp_path / "whole")
    again = Chain.from_pretrained(tmp_path / "whole")
    for step, kept in zip(loaded.steps, again.steps, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(step.state_dict().values(), kept.state_dict().values()))


@pytest.mark.parametrize("content, sentence", [
    ("{", "does not name the steps"), ('{"steps": []}', "does not name the steps"), ('{"steps": [1]}', "does not name"),
    ("[]", "does not name the steps"), ('{"steps": ["4"], "coarsest_min_p": true}', "a number from 0 to 1, not True"),
    ('{"steps": ["8"]}', "is not a chain: a chain begins|does not describe a Gated"),
    ('{"steps": ["4", "nowhere"]}', "there is no nowhere/config.json in it")])
def test_a_damaged_chain_is_one_sentence(chain, tmp_path, content, sentence):
    for step, name in zip(chain.steps, ("4", "8")):
        step.save_pretrained(tmp_path / name)
    (tmp_path / CHAIN_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=sentence):
        Chain.from_pretrained(tmp_path)


def test_steps_that_do_not_fit_are_refused(chain):
    with pytest.raises(ValueError, match="begins with a GatedPixelCNN"):
        Chain(chain.steps[1:])
    with pytest.raises(ValueError, match="after the step of 4 pixels comes an Upscaler to 8"):
        Chain([chain.steps[0], chain.steps[2]])
    with pytest.raises(ValueError, match="other classes than the first"):
        Chain([first_step(classes=2), upscaler(8, classes=3)])


@pytest.mark.parametrize("settings, sentence", [
    ({"given": random_images(5)}, "goes on from 4 x 4, 8 x 8 pixels"), ({"given": random_images(16)}, "goes on from"),
    ({"temperature": [1.0, 1.0]}, "has 3 steps, 2 settings were given"), ({"temperature": -1.0}, "temperature must be"),
    ({"guidance": float("nan")}, "guidance must be"), ({"uniforms": {4: torch.zeros(2, 3, 4, 4)}}, "no noise for the"),
    ({"image": random_images(16)}, "needs both the image and the mask"),
    ({"image": random_images(8), "known": torch.ones(8, 8)}, "image and mask have shapes"),
    ({"batch": 3}, "the condition is for 2 images, the batch has 3")])
def test_what_does_not_fit_is_refused_before_any_work(chain, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        sample_chain(chain, LABELS, **settings)


@pytest.mark.parametrize("settings, sentence", [
    ({"image_size": 10 ** 9}, "image_size must be at most 256"), ({"image_size": 9}, "image_size must be even"),
    ({"features": "48"}, "features must be a whole number, not '48'"), ({"features": True}, "must be a whole number"),
    ({"map_channels": 3}, "map_channels must be above the 3 channels"),
    ({"vector_map": 8}, "vector_map is 8, but there is no class"), ({"decoder": []}, "decoder must be a table"),
    ({"decoder": {"layers": 10 ** 6}}, "layers must be at most 200"), ({"decoder": {"width": 3}}, "width")])
def test_odd_configurations_are_one_sentence(settings, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        UpscalerConfig(**settings)
