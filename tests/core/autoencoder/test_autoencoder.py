"""Auto-encoders: gradients, shapes, extreme images, the same sampler, training, evaluation, cards."""

import json

import pytest
import torch
from tiny_runs import tiny_recipe
from typer.testing import CliRunner

from pixelcnn_core.autoencoder.evaluation import SHOWN, codes_of, mean_squared_error, principal_directions, sharpness
from pixelcnn_core.autoencoder.model import AutoEncoder, AutoEncoderConfig, CodeConfig, MSEAutoEncoder, load_start
from pixelcnn_core.cli.main import app
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.gated import TRUNK, GatedPixelCNN
from pixelcnn_core.sampling.sample import finish, sample_rows
from pixelcnn_core.sampling.truncation import Truncation
from pixelcnn_core.training.loop import train

DECODER = {"features": 12, "layers": 2, "first_kernel_size": 3, "head_features": 12}
TINY = {"code": 4, "features": 4}


def small(map_channels: int = 0, **changes) -> AutoEncoder:
    settings = {"image_size": 9, "levels": 7, "map_channels": map_channels, "decoder": DECODER, **TINY, **changes}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoEncoder(AutoEncoderConfig(**settings)).double().eval()
        for parameter in model.parameters():
            parameter.data *= 2
    return model


def images(count: int, size: int = 9, levels: int = 7, channels: int = 3) -> torch.Tensor:
    return torch.randint(0, levels, (count, channels, size, size), generator=torch.Generator().manual_seed(1)).byte()


@pytest.mark.parametrize("map_channels", [0, 5])
def test_encoder_and_decoder_learn_together(map_channels):
    model = small(map_channels)
    model.losses(images(3)).sum().backward()
    unused = {f"decoder.layers.{len(model.decoder.layers) - 1}.out.weight",  # nothing reads the last layer's residual
              f"decoder.layers.{len(model.decoder.layers) - 1}.out.bias"}
    for name, parameter in model.named_parameters():
        assert name in unused or parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("map_channels", [0, 5])
def test_the_code_sees_the_whole_image_and_nothing_of_the_others(map_channels):
    model = small(map_channels)
    x = (images(2).double() / 3 - 1).requires_grad_()
    codes = model.encoder(x)
    assert codes.shape == (2, 4)
    codes[0].square().sum().backward()
    assert (x.grad[0].abs().sum(0) > 0).all(), "a pixel that no number of the code depends on"
    assert not x.grad[1].any()


@pytest.mark.parametrize("map_channels", [0, 5])
def test_without_its_code_an_image_is_scored_by_the_unconditional_decoder(map_channels):
    model, x = small(map_channels), images(4)
    kept = torch.tensor([True, False, True, False])
    losses, own, none = model.losses(x, kept=kept), model.losses(x), model.decoder.bits_per_dim(x)
    assert torch.allclose(losses, torch.where(kept, own, none))
    assert not torch.allclose(own, none)


@pytest.mark.parametrize("map_channels", [0, 5])
def test_reconstructions_come_from_the_same_cached_sampler(map_channels):
    model, x = small(map_channels), images(3)
    condition = model.condition(model.encode(x))
    with torch.no_grad():
        naive = finish(sample_rows(model.decoder, condition, seed=5, method="naive"))
    assert torch.equal(model.reconstruct(x, seed=5), naive)
    assert not torch.equal(model.reconstruct(x, seed=6), naive)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_down_to_one_pixel(size, channels):
    x = images(2, size, channels=channels)
    baseline = MSEAutoEncoder(CodeConfig(image_size=size, levels=7, channels=channels, **TINY)).eval()
    assert baseline.reconstruct(x).shape == x.shape
    model = small(2, image_size=size, channels=channels).float()
    assert model.losses(x).shape == (2,) and torch.isfinite(model.losses(x)).all()


@pytest.mark.parametrize("size", [1, 8, 9])
def test_the_linear_map_is_added_both_ways(size):
    """With the convolutions silent, a code is a linear function of the image, and the answer one of the code."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MSEAutoEncoder(CodeConfig(image_size=size, levels=7, linear=True, **TINY)).double().eval()
    for layer in (model.encoder.out, model.deconvolution.out):
        for parameter in layer.parameters():
            parameter.data.zero_()
    x = images(3, size)
    with torch.no_grad():
        codes = model.scale(x).flatten(1) @ model.encoder.linear.weight.T
        answers = (codes @ model.deconvolution.linear.weight.T).view(x.shape)
        assert torch.allclose(model.encode(x), codes) and torch.allclose(model.deconvolution(codes), answers)
    model.losses(x).sum().backward()
    assert model.encoder.linear.weight.grad.any() and model.deconvolution.linear.weight.grad.any()


@pytest.mark.parametrize("value", [0, 3, 6])
def test_constant_images(value):
    x = torch.full((2, 3, 9, 9), value, dtype=torch.uint8)
    model, baseline = small(5), MSEAutoEncoder(CodeConfig(image_size=9, levels=7, **TINY)).eval()
    for one in (model, baseline):
        codes = one.encode(x)
        assert torch.isfinite(codes).all() and torch.equal(codes[0], codes[1])
        assert torch.isfinite(one.losses(x)).all()
    assert int(baseline.reconstruct(x).max()) < 7


@pytest.mark.parametrize("shape", [(1, 3, 8, 9), (1, 1, 9, 9), (3, 9, 9)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="takes images of shape"):
        small().encode(torch.zeros(shape, dtype=torch.uint8))


def test_the_squared_error_counts_from_black_to_white():
    model = MSEAutoEncoder(CodeConfig(image_size=9, levels=7, **TINY)).eval()
    for parameter in model.deconvolution.out.parameters():
        parameter.data.zero_()
    model.deconvolution.out.bias.data.fill_(-1.0)  # always black
    assert model.losses(torch.full((1, 3, 9, 9), 6).byte()).item() == pytest.approx(1)
    assert model.losses(torch.full((1, 3, 9, 9), 3).byte()).item() == pytest.approx(0.25)


@pytest.mark.parametrize("settings, message", [
    ({"code": 0}, "code must be at least 1"), ({"features": 0}, "features"), ({"decoder": {"features": 7}}, "multiple"),
])
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AutoEncoderConfig(**{"decoder": DECODER, **settings})


def recipe(kind: str, **changes):
    model = {"autoencoder": {**TINY, "map_channels": 3, "decoder": {**DECODER, "features": 6, "head_features": 6}},
             "mse-autoencoder": TINY, "classifier": {"features": 8}}[kind]
    return tiny_recipe(name=kind, kind=kind, model=model, **changes)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A classifier, an MSE auto-encoder, and an auto-encoder that starts from it: a few steps on the digits."""
    folder = tmp_path_factory.mktemp("codes")
    mse = train(recipe("mse-autoencoder", sample=True), "nowhere", folder / "mse-autoencoder-4")
    classifier = train(recipe("classifier", steps=60, sample=True), "nowhere", folder / "classifier")
    both = train(recipe("autoencoder", start=str(mse), sample=True), "nowhere", folder / "autoencoder-4")
    return folder, mse, classifier, both


def test_training_leaves_a_curve_in_the_unit_of_the_model(runs):
    folder, mse, classifier, both = runs
    for run, name in ((mse, "mse"), (classifier, "nats"), (both, "bits_per_dim")):
        header = (run / "training.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        assert {name, f"{name}_validation"} <= set(header)
        assert (run / "training.png").stat().st_size > 1000
    assert list((both / "samples").glob("*.png")) and not (classifier / "samples").exists()


def test_an_auto_encoder_starts_from_the_code_of_the_baseline(runs):
    _, mse, _, _ = runs
    start = MSEAutoEncoder.from_pretrained(mse)
    model = small(3, image_size=8, channels=1, levels=17).float()
    load_start(model, mse)
    assert torch.equal(model.encoder.out.weight, start.encoder.out.weight)
    assert torch.equal(model.deconvolution.enter.weight, start.deconvolution.enter.weight)
    x = images(2, 8, 17, 1)
    with torch.no_grad():
        codes = model.encode(x)
        assert torch.equal(model.condition(codes).map[:, :1], start.deconvolution(codes)), "s begins with its answer"
    assert torch.allclose(model.losses(x), model.decoder.bits_per_dim(x)), "the decoder starts as unconditional"
    model.losses(x).sum().backward()
    terms = (*model.decoder.vector_terms, *model.decoder.map_terms)
    assert all(term.weight.grad.abs().sum() > 0 for term in terms), "and can learn from the code"
    with pytest.raises(CheckpointError, match="a code of 4 numbers"):
        load_start(small(code=5), mse)


def test_the_linear_maps_are_taken_over_with_the_rest(tmp_path):
    baseline = MSEAutoEncoder(CodeConfig(image_size=9, levels=7, linear=True, **TINY))
    baseline.save_pretrained(tmp_path)
    model = small(5, linear=True).float()
    load_start(model, tmp_path)
    start, x = MSEAutoEncoder.from_pretrained(tmp_path), images(2)
    with torch.no_grad():
        codes = model.encode(x)
        assert torch.equal(codes, start.encode(x))
        assert torch.allclose(model.condition(codes).map[:, :3], start.deconvolution(codes), atol=1e-6)
    with pytest.raises(CheckpointError, match="linear besides"):
        load_start(small(5).float(), tmp_path)


def test_a_frozen_trunk_stays_and_the_code_is_still_learnt(runs, tmp_path):
    _, mse, _, _ = runs
    trunk = small(image_size=8, channels=1, levels=17, decoder={**DECODER, "features": 6, "head_features": 6}).decoder
    trunk.float().save_pretrained(tmp_path / "trunk")
    out = train(recipe("autoencoder", start=str(mse), trunk=str(tmp_path / "trunk"), frozen=True), "nowhere",
                tmp_path / "run")
    model, start = AutoEncoder.from_pretrained(out), MSEAutoEncoder.from_pretrained(mse)
    before, after = GatedPixelCNN.from_pretrained(tmp_path / "trunk").state_dict(), model.decoder.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items() if name.startswith(TRUNK))
    assert all(term.weight.any() for term in (*model.decoder.vector_terms, *model.decoder.map_terms))
    assert not torch.equal(model.encoder.out.weight, start.encoder.out.weight)


def test_what_the_start_brought_learns_at_a_rate_of_its_own(runs, tmp_path):
    _, mse, _, _ = runs
    out = train(recipe("autoencoder", start=str(mse), start_rate=0.0), "nowhere", tmp_path / "run")
    model, start = AutoEncoder.from_pretrained(out), MSEAutoEncoder.from_pretrained(mse)
    assert all(torch.equal(p, q) for p, q in zip(model.encoder.parameters(), start.encoder.parameters()))
    assert all(term.weight.any() for term in model.decoder.map_terms), "the rest learns"


def test_evaluation_compares_both_decoders(runs, monkeypatch):
    monkeypatch.setattr("pixelcnn_core.autoencoder.evaluation.AVERAGED", {"images": 5, "draws": 3})
    folder, mse, classifier, both = runs

    def command(*words):
        done = CliRunner().invoke(app, ["evaluate", *map(str, words), "--data", "nowhere", "--limit", "24"])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    judged = command(classifier)
    assert 0 <= judged["accuracy"] <= 1 and set(judged["accuracy_per_class"]) <= set("0123456789")
    alone = command(mse)
    results = command(both, "--mse", mse, "--classifier", classifier)
    assert json.loads((both / "results.json").read_text(encoding="utf-8")) == results
    assert alone["mse"] == results["mse_of_mse_autoencoder"] and alone["sharpness_mse"] == results["sharpness_mse"]
    assert {"class_kept_pixelcnn", "class_kept_mse", "class_accuracy_real", "sharpness_pixelcnn"} <= set(results)
    data = load_data("digits", ".", "test").first(24)
    model = AutoEncoder.from_pretrained(both)
    with torch.no_grad():
        bits = model.losses(data.images).mean().item()
        without = model.decoder.bits_per_dim(data.images).mean().item()
    assert results["bits_per_dim_test"] == pytest.approx(bits, abs=1e-4)
    assert results["bits_per_dim_unconditional"] == pytest.approx(without, abs=1e-4)
    assert results["bits_in_the_code"] == pytest.approx((without - bits) * 64, abs=0.06)
    drawn = model.reconstruct(data.images)
    shown = model.reconstruct(data.images, truncation=Truncation(SHOWN["min_p"]))
    assert results["shown"]["mse"] == pytest.approx(mean_squared_error(shown, data.images, 17), abs=1e-5)
    assert results["mse"] == pytest.approx(mean_squared_error(drawn, data.images, 17), abs=1e-5)
    few, answers = data.images[:5], MSEAutoEncoder.from_pretrained(mse).reconstruct(data.images[:5])
    draws = torch.stack([model.reconstruct(few, seed=1000 * k) for k in (1, 2, 3)]).double()
    expected = {"one": draws - few, "mean": draws.mean(0) - few, "mse_decoder": answers.double() - few,
                "apart": draws.mean(0) - answers}
    assert results["mean_of_draws"] == {"draws": 3, "images": 5, **{
        name: pytest.approx((difference / 16).square().mean().item(), abs=1e-5)
        for name, difference in expected.items()}}
    assert set(results["minutes"]) == {"pixelcnn", "start", "mse"}
    for run in (mse, classifier, both):
        done = CliRunner().invoke(app, ["card", str(run)])
        assert done.exit_code == 0, done.output
        assert "not recorded" not in (run / "README.md").read_text(encoding="utf-8")


def test_the_principal_directions_are_those_of_the_codes(runs):
    _, _, _, both = runs
    model, data = AutoEncoder.from_pretrained(both), load_data("digits", ".", "train").first(300)
    codes = codes_of(model, data.images)
    with torch.no_grad():
        assert torch.allclose(codes, model.encode(data.images).double(), atol=1e-5)
    found = principal_directions(codes)
    directions = torch.tensor(found["directions"], dtype=torch.float64)  # (4, 4)
    along = (codes - codes.mean(0)) @ directions.T
    assert torch.allclose(directions @ directions.T, torch.eye(4, dtype=torch.float64), atol=1e-3)
    assert torch.allclose(along.std(0), torch.tensor(found["deviations"], dtype=torch.float64), atol=1e-3)
    assert found["deviations"] == sorted(found["deviations"], reverse=True)


def test_the_steps_of_the_other_code_follow_the_directions():
    """A second code that is a linear function of the first must be turned by exactly that function."""
    random = torch.Generator().manual_seed(0)
    codes = torch.randn(400, 3, generator=random, dtype=torch.float64) * torch.tensor([3.0, 2.0, 1.0])
    turn = torch.randn(3, 5, generator=random, dtype=torch.float64)
    found = principal_directions(codes, codes @ turn + 7)
    directions, deviations = (torch.tensor(found[name], dtype=torch.float64) for name in ("directions", "deviations"))
    expected = deviations[:, None] * directions @ turn  # (3, 5)
    assert torch.allclose(torch.tensor(found["mse_steps"], dtype=torch.float64), expected, atol=1e-3)


def test_wrong_partners_are_refused(runs, tmp_path):
    folder, mse, classifier, both = runs
    other = train(recipe("mse-autoencoder", steps=1, validate=0), "nowhere", tmp_path / "other")
    MSEAutoEncoder(CodeConfig(image_size=8, channels=1, levels=17, code=7, features=4)).save_pretrained(other)
    words = ["evaluate", str(both), "--data", "nowhere", "--mse", str(other), "--classifier", str(classifier)]
    done = CliRunner().invoke(app, words)
    assert "a code of 4 numbers" in str(done.exception)
    with pytest.raises(CheckpointError, match="does not describe a MSEAutoEncoder"):
        MSEAutoEncoder.from_pretrained(both)


def test_sharpness_of_known_images():
    flat, stripes = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    stripes[..., ::2] = 255
    assert sharpness(flat, 256) == 0
    assert sharpness(stripes, 256) == pytest.approx(1)
