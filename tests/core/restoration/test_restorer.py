"""The restorer: what damage looks like, that the map sees everything and the loss only the missing pixels, training."""

import json
import math

import numpy as np
import pytest
import torch
from tiny_runs import tiny_recipe
from typer.testing import CliRunner

from pixelcnn_core.cli.main import app
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.restoration.damage import (
    KINDS,
    damage,
    known_pixels,
    map_planes,
    preset_masks,
    random_damage,
    random_mask,
    visible,
)
from pixelcnn_core.restoration.evaluation import psnr
from pixelcnn_core.restoration.repairs import diffuse, repair
from pixelcnn_core.restoration.restorer import Restorer, RestorerConfig
from pixelcnn_core.sampling.sample import finish, sample_rows
from pixelcnn_core.training.loop import batch_of, train

DECODER = {"features": 12, "layers": 2, "first_kernel_size": 3, "head_features": 12}


def small(**changes) -> Restorer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Restorer(RestorerConfig(**{"image_size": 8, "levels": 7, "features": 6, "map_channels": 4,
                                           "decoder": DECODER, **changes})).double().eval()
        torch.nn.init.normal_(model.map_network.out.weight)  # it starts from zero
    return model


def images(count: int, size: int = 8, levels: int = 7, channels: int = 3) -> torch.Tensor:
    return torch.randint(0, levels, (count, channels, size, size), generator=torch.Generator().manual_seed(1)).byte()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_masked_image_keeps_the_known_pixels_and_nothing_of_the_others():
    x, known = images(2, levels=256), preset_masks(8)["every second pixel"]
    damaged = damage(x, 256, "masked", rng(), known=known)
    assert damaged.shape == (2, map_planes(3), 8, 8)
    assert torch.equal(known_pixels(damaged)[:, 0], known.expand(2, 8, 8))
    assert torch.equal(visible(damaged, 256)[:, :, known], x[:, :, known])
    other = torch.where(known, x, 255 - x)
    assert torch.equal(damage(other, 256, "masked", rng(), known=known), damaged)
    nothing = damage(x, 256, "masked", rng(), known=torch.zeros(8, 8, dtype=torch.bool))
    assert not nothing.any(), "a picture of which nothing is known is a map of zeros"


def test_noise_has_the_asked_strength_and_says_so():
    x = torch.full((4, 3, 32, 32), 128, dtype=torch.uint8)
    damaged = damage(x, 256, "noise", rng(), strength=0.1)
    error = (visible(damaged, 256).double() - 128) / 255
    assert error.std().item() == pytest.approx(0.1, rel=0.05) and abs(error.mean().item()) < 0.005
    assert torch.allclose(damaged[:, 3 + KINDS.index("noise")], torch.tensor(0.1))
    assert not known_pixels(damaged).any()


def test_grey_and_low_resolution_lose_what_they_say():
    x = images(2, levels=256)
    grey = visible(damage(x, 256, "grey", rng()), 256)
    assert (grey == grey[:, :1]).all()
    luma = (x.double() * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)
    assert (grey[:, 0].double() - luma).abs().max() <= 0.51
    blocks = visible(damage(x, 256, "low resolution", rng(), strength=4), 256)
    assert torch.equal(blocks, blocks[:, :, ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3))
    assert (blocks[0, 0, 0, 0] - x[0, 0, :4, :4].double().mean()).abs() <= 0.51
    one_channel = images(2, channels=1, levels=17)
    assert torch.equal(visible(damage(one_channel, 17, "grey", rng()), 17), one_channel)


def test_every_kind_says_which_it_is():
    planes = [damage(images(1), 7, kind, rng(), strength=2 if kind == "low resolution" else 0.1)[0, 3:].amax((1, 2))
              for kind in KINDS]
    assert [(row > 0).nonzero().flatten().tolist() for row in planes] == [[0], [1], [2], [3]]


@pytest.mark.parametrize("kind, options, words", [("scratched", {}, "not 'scratched'"),
                                                  ("low resolution", {"strength": 3}, "factor 3"),
                                                  ("low resolution", {"strength": 1}, "factor 1")])
def test_impossible_damage_is_refused(kind, options, words):
    with pytest.raises(ValueError, match=words):
        damage(images(1), 7, kind, rng(), **options)


@pytest.mark.parametrize("size", [1, 2, 9, 32])
def test_masks_are_of_many_shapes_and_always_leave_something_to_do(size):
    masks = [random_mask(size, size, rng(seed)) for seed in range(60)]
    assert all(mask.shape == (size, size) and not mask.all() for mask in masks)
    if size == 32:
        shares = torch.stack([(~mask).double().mean() for mask in masks])
        assert shares.min() < 0.15 and shares.max() > 0.6
        assert len({mask.numpy().tobytes() for mask in masks}) > 50


def test_damage_depends_on_seed_and_number_only():
    x = images(8)
    whole = random_damage(x, 7, (0, 5), range(8))
    halves = torch.cat([random_damage(x[:4], 7, (0, 5), range(4)), random_damage(x[4:], 7, (0, 5), range(4, 8))])
    assert torch.equal(whole, halves)
    assert not torch.equal(whole, random_damage(x, 7, (0, 6), range(8)))


def test_s_sees_the_whole_picture_and_the_decoder_reads_all_of_s():
    model, known = small(), torch.ones(8, 8, dtype=torch.bool)
    damaged = damage(images(2), 7, "masked", rng(), known=known).double().requires_grad_()
    s = model.condition(damaged).map
    s[0, :, 0, 0].sum().backward()
    assert damaged.grad[0].abs().sum(0)[-1, -1] > 0 and not damaged.grad[1].any()
    logits = model.decoder(images(2), model.condition(damaged.detach()))
    other = damaged.detach().clone()
    other[0, :, -1, -1] += 1  # a known pixel below and to the right of everything
    changed = model.decoder(images(2), model.condition(other))
    assert not torch.equal(logits[0, :, :, 0, 0], changed[0, :, :, 0, 0]), "raster order must not hide it"
    assert torch.equal(logits[1], changed[1])


def test_the_loss_counts_the_missing_pixels_only():
    model, x, known = small(), images(3), preset_masks(8)["lower half"]
    damaged = damage(x, 7, "masked", rng(), known=known)
    bits = model.decoder.bits_per_sub_pixel(x, model.condition(damaged))
    assert torch.allclose(model.losses(x, Condition(map=damaged)), bits[:, :, ~known].flatten(1).mean(1))
    assert torch.allclose(model.bits_of_missing(x, damaged).sum(), bits[:, :, ~known].sum())
    kept = torch.tensor([True, False, True])
    losses = model.losses(x, Condition(map=damaged), kept)
    assert torch.allclose(losses[1], model.decoder.bits_per_dim(x)[1]), "dropped: the whole image, given nothing"
    assert torch.allclose(losses[[0, 2]], model.losses(x, Condition(map=damaged))[[0, 2]])


def test_restoring_keeps_known_pixels_and_is_the_same_cached_sampler():
    model, x, known = small(), images(2), preset_masks(8)["square in the middle"]
    damaged = damage(x, 7, "masked", rng(), known=known)
    drawn = finish(model.restore(damaged, seed=4))
    assert torch.equal(drawn[:, :, known], x[:, :, known])
    with torch.no_grad():
        naive = finish(sample_rows(model.decoder, model.condition(damaged), seed=4, image=x, known=known[None],
                              method="naive"))
    assert torch.equal(drawn, naive)
    grey = finish(model.restore(damage(x, 7, "grey", rng()), seed=4))
    assert grey.shape == x.shape and not torch.equal(grey, finish(model.restore(damaged, seed=4)))


def test_training_starts_from_the_unconditional_model():
    model, x = Restorer(RestorerConfig(image_size=8, levels=7, features=6, map_channels=4, decoder=DECODER)), images(2)
    damaged = damage(x, 7, "grey", rng())
    assert torch.allclose(model.losses(x, Condition(map=damaged)), model.decoder.bits_per_dim(x))
    model.losses(x, Condition(map=damaged)).sum().backward()
    assert model.map_network.out.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("settings, words", [({"features": 0}, "at least 1"), ({"dilations": (1, 0)}, "at least 1"),
                                             ({"decoder": {"features": 7}}, "multiple")])
def test_bad_settings_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        RestorerConfig(**settings)


def test_maps_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="takes maps of shape"):
        small().condition(torch.zeros(1, 6, 8, 8))


def test_repairs_without_a_model():
    flat = torch.full((1, 3, 8, 8), 90, dtype=torch.uint8)
    for kind in KINDS[:1] + KINDS[2:]:
        assert torch.equal(repair(damage(flat, 256, kind, rng()), 256, kind), flat), kind
    noisy = damage(flat, 256, "noise", rng(), strength=0.1)
    missing = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    assert psnr(repair(noisy, 256, "noise"), flat, missing, 256) > psnr(visible(noisy, 256), flat, missing, 256) + 3
    ramp = torch.arange(8).double().expand(1, 1, 8, 8)
    hole = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    hole[..., 2:6, 2:6] = False
    assert torch.allclose(diffuse(ramp * hole, hole), ramp, atol=0.05), "a ramp solves Laplace's equation"


def test_psnr_of_known_errors():
    x, missing = torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    missing[..., 0, 0] = True
    y = x.clone()
    y[:, :, 1:] = 99  # errors at known places do not count
    assert psnr(y, x, missing, 256) == math.inf
    y[:, :, 0, 0] = 51
    assert psnr(y, x, missing, 256) == pytest.approx(20 * math.log10(5))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A few steps on the digits, of which half was lost and done again."""
    folder = tmp_path_factory.mktemp("restorer") / "run"
    recipe = tiny_recipe(name="restorer", kind="restorer", sample=True, model={
        "features": 6, "map_channels": 3, "decoder": {**DECODER, "features": 6, "head_features": 6, "dropout": 0.2}})
    return train(recipe, "nowhere", folder), recipe


def test_what_a_step_sees_is_a_function_of_the_recipe_and_the_step(run):
    _, recipe = run
    data = load_data("digits", ".", "train")
    x, condition, kept = batch_of(recipe, data, 5)
    again, same, _ = batch_of(recipe, data, 5)
    assert torch.equal(condition.map, same.map) and torch.equal(x, again)
    parts = [batch_of(recipe, data, 5, process, 2)[1].map for process in range(2)]
    assert torch.equal(torch.cat(parts), condition.map)
    assert not torch.equal(batch_of(recipe, data, 6)[1].map, condition.map)


def test_training_leaves_a_checkpoint_a_curve_and_samples(run):
    folder, _ = run
    model = Restorer.from_pretrained(folder)
    assert model.config.dilations == RestorerConfig().dilations and model.config.channels == 1
    assert {"bits_per_missing_dim", "bits_per_missing_dim_validation"} <= set(
        (folder / "training.csv").read_text(encoding="utf-8").splitlines()[0].split(","))
    assert list((folder / "samples").glob("*.png"))


def test_evaluation_and_card(run, monkeypatch):
    from pixelcnn_core.restoration import evaluation as restorer_evaluation

    folder, _ = run
    monkeypatch.setattr(restorer_evaluation, "DRAWN", 3)
    monkeypatch.setattr(restorer_evaluation, "SAMPLES", 2)
    done = CliRunner().invoke(app, ["evaluate", str(folder), "--data", "nowhere", "--limit", "5"])
    assert done.exit_code == 0, done.output
    results = json.loads(done.output)
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == results
    assert (results["images"], results["images_drawn"], results["samples"]) == (5, 3, 2)
    case = results["cases"]["right half"]
    model, x = Restorer.from_pretrained(folder), load_data("digits", ".", "test").first(5).images
    known = preset_masks(8)["right half"]
    damaged = damage(x, 17, "masked", rng(), known=known)
    with torch.no_grad():
        bits = model.decoder.bits_per_sub_pixel(x, model.condition(damaged))[:, :, ~known].mean().item()
        raster = model.decoder.bits_per_sub_pixel(x)[:, :, ~known].mean().item()
    assert case["bits_per_missing_dim"] == pytest.approx(bits, abs=1e-3)
    assert case["bits_per_missing_dim_raster"] == pytest.approx(raster, abs=1e-3)
    repaired = repair(damaged[:3], 17, "masked")
    assert case["psnr_baseline"] == pytest.approx(psnr(repaired, x[:3], ~known, 17), abs=0.01)
    assert set(results["cases"]) == {*preset_masks(8), "noise 0.05", "noise 0.2", "grey", "low resolution 2",
                                     "low resolution 4"}
    done = CliRunner().invoke(app, ["card", str(folder)])
    assert done.exit_code == 0, done.output
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "right half" in card and "not recorded" not in card
