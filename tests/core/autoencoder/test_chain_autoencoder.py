"""The auto-encoder through a chain: the code decides the smallest picture, the chain draws the rest; its bits."""

import json

import pytest
import torch
from tiny_runs import tiny_recipe
from typer.testing import CliRunner

from pixelcnn_core.autoencoder.chain_autoencoder import CODES_FILE, ChainAutoEncoder, expected_embedding, read_told
from pixelcnn_core.autoencoder.evaluation import SHOWN, TWIN, mean_squared_error
from pixelcnn_core.autoencoder.model import AutoEncoder, AutoEncoderConfig, MSEAutoEncoder
from pixelcnn_core.cli.main import app
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.models.chain import CHAIN_FILE, Chain
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.classifier import Classifier, ClassifierConfig
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig, halved
from pixelcnn_core.results import merge_results
from pixelcnn_core.sampling.coarse_to_fine import chain_uniforms, sample_chain
from pixelcnn_core.sampling.sample import finish, sample_rows
from pixelcnn_core.sampling.truncation import Truncation
from pixelcnn_core.training.loop import train

DECODER = {"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 6}
NAMES = tuple("0123456789")


def doubled(model):
    for parameter in model.double().eval().parameters():
        parameter.data *= 2
    return model


@pytest.fixture(scope="module")
def model() -> ChainAutoEncoder:
    """A code of 4 numbers for 4 x 4 pixels, and a chain of classes from 4 to 8 pixels."""
    shape = {"channels": 3, "levels": 7}
    told = {"classes": 10, "class_names": NAMES}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        coder = AutoEncoder(AutoEncoderConfig(image_size=4, code=4, features=4, map_channels=3,
                                              decoder={**DECODER, "position": 2}, **shape))
        steps = [GatedPixelCNN(PixelCNNConfig(image_size=4, position=2, **DECODER, **shape, **told)),
                 Upscaler(UpscalerConfig(image_size=8, features=6, map_channels=6, decoder=DECODER, **shape, **told))]
    for step in steps:
        doubled(step)
    return ChainAutoEncoder(doubled(coder), Chain(steps))


def images(count: int, size: int = 8) -> torch.Tensor:
    return torch.randint(0, 7, (count, 3, size, size), generator=torch.Generator().manual_seed(1)).byte()


def test_the_code_is_that_of_the_smallest_picture(model):
    assert torch.equal(model.encode(images(3)), model.coder.encode(halved(images(3))))
    with pytest.raises(ValueError, match="images of shape"):
        model.encode(images(3, 4))


@pytest.mark.parametrize("settings", [{}, {"truncation": Truncation(0.1), "temperature": 0.9}])
def test_what_is_drawn_comes_from_the_code_first_and_from_the_chain_after_it(model, settings):
    """The 8 x 8 picture is the coder's own draw; every finer one is the chain's continuation of it, without a label."""
    codes = model.encode(images(3)).detach()
    moments = list(model.draw(codes, seed=5, **settings))
    assert len(moments) == 4 + 8, "a moment for every row of every size"
    noise = chain_uniforms(5, 3, model.chain)
    with torch.no_grad():
        condition = model.coder.condition(codes)
    small = finish(sample_rows(model.coder.decoder, condition, uniforms=noise[4], **settings))
    large = finish(sample_chain(model.chain, Condition(), batch=3, uniforms=noise, given=small, **settings))[8]
    assert torch.equal(moments[-1][4], small) and torch.equal(moments[-1][8], large)
    assert torch.equal(moments[3][4], small), "the coarse picture is there before the finer one begins"
    assert not torch.equal(finish(model.draw(codes, seed=6))[8], large)


def test_another_code_makes_another_picture_and_the_upper_steps_are_shared(model):
    codes = model.encode(images(2)).detach()
    own, other = (finish(model.draw(z, seed=3)) for z in (codes, codes + 3))
    assert not torch.equal(own[4], other[4])
    upper = model.chain.steps[1]
    before = upper.decoder.head2.weight.clone()
    with torch.no_grad():
        upper.decoder.head2.weight.neg_()
    changed = finish(model.draw(codes, seed=3))
    assert torch.equal(changed[4], own[4]) and not torch.equal(changed[8], own[8])
    with torch.no_grad():
        upper.decoder.head2.weight.copy_(before)


def test_guidance_stresses_the_code_in_the_first_step_only(model):
    codes = model.encode(images(2)).detach()
    with torch.no_grad():
        condition = model.coder.condition(codes)
    noise = chain_uniforms(2, 2, model.chain)
    drawn = finish(model.draw(codes, seed=2, guidance=3.0))
    small = finish(sample_rows(model.coder.decoder, condition, uniforms=noise[4], guidance=3.0))
    assert torch.equal(drawn[4], small)
    assert torch.equal(drawn[8], finish(sample_chain(model.chain, batch=2, uniforms=noise, given=small))[8])


def test_bits_are_those_of_the_small_picture_given_its_code_and_of_the_upper_steps(model):
    x = images(3)
    own, none, chain = model.bits(x), model.bits(x, coded=False), model.chain.bits(x)
    with torch.no_grad():
        expected = model.coder.losses(halved(x)) * 48
        alone = model.coder.decoder.bits_per_dim(halved(x)) * 48
    assert torch.allclose(own[4], expected) and torch.allclose(none[4], alone) and not torch.allclose(own[4], alone)
    assert torch.equal(own[8], chain[8]) and torch.equal(none[8], chain[8])


def test_a_chain_that_does_not_fit_is_refused(model):
    with pytest.raises(ValueError, match="image_size 4, the chain begins with 8"):
        ChainAutoEncoder(model.coder, Chain([GatedPixelCNN(PixelCNNConfig(image_size=8, levels=7, **DECODER))]))
    with pytest.raises(ValueError, match="levels 7, the chain begins with 9"):
        ChainAutoEncoder(model.coder, Chain([GatedPixelCNN(PixelCNNConfig(image_size=4, levels=9, **DECODER))]))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A chain for the digits, 4 -> 8 pixels, what belongs beside an auto-encoder, and one trained for a few steps."""
    folder = tmp_path_factory.mktemp("runs")
    data = load_data("digits", ".", "test")
    shape = {"channels": 1, "levels": data.levels, "classes": 10, "class_names": data.class_names}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        GatedPixelCNN(PixelCNNConfig(image_size=4, **DECODER, **shape)).save_pretrained(folder / "chain" / "4")
        Upscaler(UpscalerConfig(image_size=8, features=6, map_channels=6, decoder=DECODER, **shape)
                 ).save_pretrained(folder / "chain" / "8")
        Classifier(ClassifierConfig.for_data(data, features=8)).save_pretrained(folder / "classifier")
    (folder / "chain" / CHAIN_FILE).write_text(json.dumps({"steps": ["4", "8"]}), encoding="utf-8")
    train(tiny_recipe(name="mse", kind="mse-autoencoder", model={"code": 4, "features": 4}), "nowhere", folder / "mse")
    return folder


def test_evaluation_measures_both_sizes_and_the_twin(runs, monkeypatch):
    """`small` halves the digits, which no data set of the project does: the coder is trained on 4 x 4 pixels."""
    small = {split: halve(load_data("digits", ".", split)) for split in ("train", "test", "validation")}

    def load(name, root, split, size=8, *rest, **more):
        return small[split] if size == 4 else load_data(name, root, split)

    monkeypatch.setattr("pixelcnn_core.training.loop.load_data", load)
    monkeypatch.setattr("pixelcnn_core.evaluation.common.load_data", load)
    monkeypatch.setattr("pixelcnn_core.autoencoder.evaluation.AVERAGED", {"images": 5, "draws": 3})
    trunk = str(runs / "chain" / "4")
    start = train(tiny_recipe(name="start", kind="mse-autoencoder", size=4, model={"code": 4, "features": 4}),
                  "nowhere", runs / "start")
    coder = train(tiny_recipe(name="coder", kind="autoencoder", size=4, trunk=trunk, start=str(start), model={
        "code": 4, "features": 4, "map_channels": 3, "decoder": DECODER}), "nowhere", runs / "coder")
    train(tiny_recipe(name="twin", size=4, trunk=trunk, unconditional=True, model=DECODER), "nowhere", runs / TWIN)
    evaluate = ["evaluate", coder, "--data", "nowhere", "--limit", 20, "--mse", runs / "mse", "--classifier",
             runs / "classifier"]
    done = CliRunner().invoke(app, [str(word) for word in evaluate])
    assert done.exit_code == 0, done.exception
    results, test = json.loads(done.output), small["test"].images[:20]
    with torch.no_grad():
        own = AutoEncoder.from_pretrained(coder).losses(test).mean().item()
        twin = GatedPixelCNN.from_pretrained(runs / TWIN).bits_per_dim(test).mean().item()
    assert results["bits_per_dim_test"] == pytest.approx(own, abs=1e-4)
    assert results["bits_per_dim_twin"] == pytest.approx(twin, abs=1e-4)
    assert results["bits_in_the_code"] == pytest.approx((twin - own) * 16, abs=0.06), "against the twin, 4 x 4 pixels"
    model, large = ChainAutoEncoder.from_pretrained(coder, runs / "chain"), load_data("digits", ".", "test").images[:20]

    def error(images):
        return pytest.approx(mean_squared_error(images, large, 17), abs=1e-5)

    def finer(small):
        return finish(sample_chain(model.chain, given=small, truncation=Truncation(SHOWN["min_p"])))[8]

    assert results["mse"] == error(model.reconstruct(large))
    assert results["shown"]["mse"] == error(model.reconstruct(large, truncation=Truncation(SHOWN["min_p"])))
    assert results["small_picture_given"]["mse"] == error(finer(test))
    assert results["mse_finer"]["mse"] == error(finer(MSEAutoEncoder.from_pretrained(start).reconstruct(test)))
    for found in (results["shown"], results["small_picture_given"], results["mse_finer"]):
        assert 0 <= found["class_kept"] <= 1 and found["sharpness"] > 0
    assert results["mean_of_draws"]["draws"] == 3 and set(results["minutes"]) == {"pixelcnn", "start", "mse"}
    done = CliRunner().invoke(app, ["card", str(coder)])
    assert done.exit_code == 0, done.exception
    card = (coder / "README.md").read_text(encoding="utf-8")
    for words in (f"{results['bits_per_dim_twin']:.3f}", "through a chain", "then the chain", "given the true 8 x 8",
                  f"{results['mean_of_draws']['apart']:.4f} apart", "not recorded"):
        assert (words in card) == (words != "not recorded"), words
    with pytest.raises(CheckpointError, match="does not go with the chain"):
        ChainAutoEncoder.from_pretrained(coder, save_other_chain(runs))

    # of pictures without classes, faces for one, no class is judged
    small = {split: data.unconditional() for split, data in small.items()}
    monkeypatch.setattr("pixelcnn_core.evaluation.common.load_data", lambda *ask, **more: load(*ask).unconditional())
    for file in ("results.json", "README.md"):
        (coder / file).unlink()
    for words in ([*evaluate, "--classifier", runs / "nowhere"], ["card", coder]):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.exception
    found, card = json.loads((coder / "results.json").read_text(encoding="utf-8")), (coder / "README.md").read_text(
        encoding="utf-8")
    assert found["mse"] == results["mse"] and found["shown"]["mse"] == results["shown"]["mse"]
    assert not [key for key in (*found, *found["shown"]) if "class" in key] and "class kept" not in card
    assert "| squared error | sharpness |" in card and f"{found['mse']:.4f}" in card


def halve(data):
    from dataclasses import replace

    return replace(data, images=halved(data.images))


def save_other_chain(folder):
    config = PixelCNNConfig(image_size=4, channels=3, **DECODER)
    GatedPixelCNN(config).save_pretrained(folder / "other" / "4")
    (folder / "other" / CHAIN_FILE).write_text('{"steps": ["4"]}', encoding="utf-8")
    return folder / "other"


@pytest.fixture(scope="module")
def people(model) -> Chain:
    """A chain from 4 to 8 pixels that is told an embedding of 5 numbers."""
    shape = {"channels": 3, "levels": 7, "embedding": 5}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        steps = [GatedPixelCNN(PixelCNNConfig(image_size=4, position=2, **DECODER, **shape)),
                 Upscaler(UpscalerConfig(image_size=8, features=6, map_channels=6, decoder=DECODER, **shape))]
    return Chain([doubled(step) for step in steps])


def test_the_expected_embedding_is_that_of_least_squares():
    random = torch.Generator().manual_seed(0)
    codes, matrix = torch.randn(4000, 4, generator=random), torch.randn(5, 5, generator=random)
    exact = codes @ matrix[:, :-1].T + matrix[:, -1]
    found = expected_embedding(codes, exact + 0.1 * torch.randn(4000, 5, generator=random))
    assert torch.allclose(found.float(), matrix, atol=0.02)
    idle = torch.cat([codes[:, :3], torch.zeros(4000, 1)], 1)
    assert expected_embedding(idle, exact).isfinite().all(), "a number that never moves"


def test_the_upper_steps_are_told_what_is_expected_of_the_code(model, people):
    told = torch.randn(5, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    hinted, codes = ChainAutoEncoder(model.coder, people, told), model.coder.encode(images(2, 4))
    noise, settings = chain_uniforms(3, 2, people), {"guidance": 1.5, "truncation": Truncation(0.1)}
    drawn = finish(hinted.draw(codes, uniforms=noise, **settings))
    h = codes @ told[:, :4].T + told[:, 4]
    assert torch.equal(hinted.embedding(codes), h)
    small = finish(sample_rows(model.coder.decoder, model.coder.condition(codes), uniforms=noise[4], **settings))
    other = {"batch": 2, "uniforms": noise, "given": small, **settings}
    assert torch.equal(drawn[4], small)
    assert torch.equal(drawn[8], finish(sample_chain(people, Condition(embedding=h.float()), **other))[8])
    assert (drawn[8] != finish(sample_chain(people, **other))[8]).any(), "it does say something"
    for wrong in (told[:4], told[:, :4]):
        with pytest.raises(ValueError, match="a code of 4 numbers tells a chain of 5 numbers nothing"):
            ChainAutoEncoder(model.coder, people, wrong)


def test_what_is_told_lies_beside_the_coder_and_belongs_to_its_weights(model, people, tmp_path):
    model.coder.save_pretrained(tmp_path / "coder")
    people.save_pretrained(tmp_path / "people")
    assert ChainAutoEncoder.from_pretrained(tmp_path / "coder", tmp_path / "people").told is None
    merge_results(tmp_path / "coder", {"told": [[0.5] * 5] * 5}, CODES_FILE)
    assert ChainAutoEncoder.from_pretrained(tmp_path / "coder", tmp_path / "people").told.shape == (5, 5)
    (tmp_path / "coder" / CODES_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="damaged"):
        read_told(tmp_path / "coder")
