"""The public names: what a user types, and what he gets."""

import math

import numpy as np
import pytest
import torch
import typeguard
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import pixelcnn_core
from pixelcnn_core import (
    Chain,
    Condition,
    GatedPixelCNN,
    Images,
    PixelCNNConfig,
    PlainPixelCNN,
    Truncation,
    Upscaler,
    UpscalerConfig,
    finish,
    fit,
    load_model,
    sample_chain,
    sample_rows,
)
from tests.conftest import small_model

NAMES = ("cat", "dog", "ship")


@pytest.fixture(scope="module")
def model():
    return small_model(classes=3, class_names=NAMES)


@pytest.fixture(scope="module")
def chain():
    small = {"levels": 7, "classes": 3, "class_names": NAMES}
    decoder = {"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 6}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = GatedPixelCNN(PixelCNNConfig(image_size=4, **small, **decoder))
        second = Upscaler(UpscalerConfig(image_size=8, features=6, map_channels=4, decoder=decoder, **small))
        return Chain([first.eval(), second.eval()])


def images_of(model, count: int, size: tuple[int, int] = (5, 5)) -> torch.Tensor:
    shape = (count, model.config.channels, *size)
    return torch.randint(0, model.config.levels, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_everything_public_is_there_and_says_what_it_is():
    assert pixelcnn_core.__version__
    for name in pixelcnn_core.__all__:
        assert getattr(pixelcnn_core, name).__doc__, name


def test_sample_gives_what_the_generator_ends_with(model):
    images = model.sample(["ship", "cat"], n=2, seed=3, temperature=0.9, guidance=2, truncation=Truncation(min_p=0.1))
    rows = sample_rows(model, Condition(label=torch.tensor([2, 2, 0, 0])), seed=3, temperature=0.9, guidance=2,
                       truncation=Truncation(min_p=0.1))
    assert torch.equal(images.tensor, finish(rows)) and images.tensor.dtype == torch.uint8 and len(images) == 4
    in_parts = model.sample(["ship", "cat"], n=2, seed=3, temperature=0.9, guidance=2, batch=3,
                            truncation=Truncation(min_p=0.1))
    assert torch.equal(in_parts.tensor, images.tensor)
    assert len(model.sample(n=3)) == 3 and len(model.sample()) == 1


def test_labels_are_written_as_one_likes(model):
    wanted = model.sample(condition=Condition(label=torch.tensor([1])), n=2).tensor
    for labels in ("dog", 1, [1], ["dog"], np.array([1]), torch.tensor(1)):
        assert torch.equal(model.sample(labels, n=2).tensor, wanted)
    x = images_of(model, 3)
    one = model.bits_per_dim(x, Condition(label=torch.tensor([2, 2, 2])))
    for condition in ("ship", 2, Condition(label=2), ["ship", 2, "ship"], np.array([2, 2, 2])):
        assert torch.equal(model.bits_per_dim(x, condition), one)
    with pytest.raises(ValueError, match="no class is called 'horse'; there are cat, dog, ship"):
        model.sample("horse")
    with pytest.raises(ValueError, match="not both"):
        model.sample("cat", condition=Condition(label=0))


def test_log_prob_is_the_natural_logarithm_of_the_whole_image(model):
    x = images_of(model, 2)
    logits = model(x, "cat").log_softmax(1)  # (B, levels, C, H, W)
    by_hand = logits.gather(1, x[:, None].long()).sum((1, 2, 3, 4))
    torch.testing.assert_close(model.log_prob(x, "cat"), by_hand)
    torch.testing.assert_close(model.bits_per_dim(x, "cat"), -by_hand / math.log(2) / x[0].numel())


def test_what_was_drawn_goes_back_into_a_model(model, chain):
    images = model.sample("dog", n=2)
    assert torch.equal(model.log_prob(images, "dog"), model.log_prob(images.tensor, "dog"))
    mask = torch.arange(25).reshape(5, 5) < 9
    assert torch.equal(model.inpaint(images, mask, "dog").tensor, model.inpaint(images.tensor, mask, "dog").tensor)
    drawn = chain.sample("ship", n=2)
    assert torch.equal(chain.bits(drawn, "ship")[4], chain.bits(drawn.tensor.numpy(), "ship")[4])
    assert repr(drawn) == "Images(2 x 3 x 8 x 8, 7 levels)"


def test_floats_are_refused_with_a_sentence(model, chain):
    for ask in (model.bits_per_dim, model.log_prob, lambda x: model.inpaint(x, torch.ones(5, 5))):
        with pytest.raises(ValueError, match="not fractions: floats in"):
            ask(images_of(model, 2) / 255)
    coarse, fine = chain.sample("ship", n=2).tensor[:, :, ::2, ::2] / 6, torch.rand(1, 3, 8, 8)
    for ask in (lambda: chain.sample("ship", given=coarse), lambda: sample_chain(chain, "ship", given=coarse),
                lambda: sample_chain(chain, "ship", image=fine, known=torch.ones(8, 8, dtype=torch.bool))):
        with pytest.raises(ValueError, match="not fractions: floats in"):
            ask()
    with pytest.raises(ValueError, match="known pixels are whole numbers from 0 to 6"):
        sample_rows(model, "dog", image=torch.rand(1, 3, 5, 5), known=torch.ones(5, 5))


def test_arrays_of_any_integers_are_taken(model, chain):
    images = images_of(model, 2)
    for kind in (np.uint16, np.uint32, np.uint64, np.int8, np.int64):
        assert torch.equal(model.bits_per_dim(images.numpy().astype(kind)), model.bits_per_dim(images))
    coarse = chain.sample("ship", n=2).tensor[:, :, ::2, ::2]
    drawn = chain.sample("ship", given=coarse, n=2, seed=3).tensor
    for given in (coarse.numpy(), Images(coarse, 7), coarse.double(), coarse.numpy().astype(np.uint16)):
        assert torch.equal(chain.sample("ship", given=given, n=2, seed=3).tensor, drawn)
    with typeguard.suppress_type_checks():
        assert torch.equal(chain.sample("ship", given=coarse, n=np.int64(2), seed=np.uint8(3)).tensor, drawn)
    mask = torch.arange(25).reshape(5, 5) < 9
    wanted = model.inpaint(images, mask, "dog").tensor
    for known in (mask.numpy(), mask.numpy().astype(np.uint16), mask.float()):
        assert torch.equal(model.inpaint(images, known, "dog").tensor, wanted)


@pytest.mark.parametrize("size", [(4, 7), (7, 4), (9, 9), (1, 3)])
def test_any_size_is_drawn_alike_by_all_methods(model, size):
    wanted = model.sample("dog", n=2, size=size, method="naive").tensor
    assert wanted.shape == (2, 3, *size)
    for method in ("cached", "fixed point"):
        assert torch.equal(model.sample("dog", n=2, size=size, method=method).tensor, wanted)
    mask = torch.rand(size, generator=torch.Generator().manual_seed(0)) < 0.5
    kept = model.inpaint(wanted, mask, "cat", n=2, seed=5)
    assert torch.equal(kept.tensor[:, :, mask], wanted.repeat_interleave(2, 0)[:, :, mask])
    assert torch.equal(kept.tensor, model.inpaint(wanted, mask.numpy(), "cat", n=2, seed=5, method="naive").tensor)


def test_a_position_map_holds_a_model_to_its_size():
    with pytest.raises(ValueError, match="position map of 5 x 5 pixels"):
        small_model(position=2).sample(size=6)


def test_a_model_without_a_cached_sampler_draws_too(tmp_path):
    plain = small_model(PlainPixelCNN).float()
    assert torch.equal(plain.sample(n=2).tensor, finish(sample_rows(plain, batch=2, method="naive")))
    plain.save_pretrained(tmp_path)
    assert isinstance(load_model(tmp_path), PlainPixelCNN)


def test_a_chain_draws_and_fills_in(chain):
    images = chain.sample("ship", n=3, guidance=[2.0, 1.0], batch=2)
    assert images.tensor.shape == (3, 3, 8, 8)
    coarse = chain.pyramid(images.tensor)[4]
    finer = chain.sample("ship", given=coarse, n=2)
    assert finer.tensor.shape == (6, 3, 8, 8)
    assert torch.equal(finer.tensor[[2]], chain.sample("ship", given=coarse[[1]], n=4).tensor[[2]])
    mask = torch.ones(8, 8, dtype=torch.bool)
    mask[2:6, 3:7] = False
    filled = chain.inpaint(images.tensor, mask, "ship", n=2)
    assert torch.equal(filled.tensor[:, :, mask], images.tensor.repeat_interleave(2, 0)[:, :, mask])
    with pytest.raises(ValueError, match="size is for a single model"):
        chain.sample(size=16)


def test_images_become_pictures_and_files(model, tmp_path):
    images = model.sample([0, 1, 2], n=3)
    pictures = images.to_pil(scale=4)
    assert len(pictures) == 9 and all(p.size == (20, 20) and p.mode == "RGB" for p in pictures)
    assert np.asarray(pictures[0])[0, 0].tolist() == [round(v * 255 / 6) for v in images.tensor[0, :, 0, 0].tolist()]
    with Image.open(images.save(tmp_path / "grid.png", columns=3, scale=1)) as saved:
        assert saved.size == (3 * 5 + 2 * 2, 3 * 5 + 2 * 2)
    assert torch.equal(images[[1, 4]].tensor, images.tensor[[1, 4]]) and len(images[2]) == 1 and len(list(images)) == 9
    for name in ("grid.exe", "nowhere/grid.png"):
        with pytest.raises(ValueError, match="in a folder that is there"):
            images.save(tmp_path / name)


def test_what_does_not_fit_is_refused(model):
    image = images_of(model, 2)
    for wrong in (lambda: model.sample(n=0), lambda: model.sample(size=(3, 0)), lambda: model.sample(given=image),
                  lambda: model.inpaint(image, torch.ones(4, 5)),
                  lambda: model.inpaint(image, torch.ones(5, 5), [0] * 3), lambda: model.bits_per_dim(image[..., :0])):
        with pytest.raises(ValueError):
            wrong()
    for wrong, words in (({"n": 1.5}, "whole numbers of at least 1"), ({"n": "2"}, "whole numbers of at least 1"),
                         ({"batch": 2.0}, "whole numbers of at least 1"), ({"seed": 1.5}, "a seed is a whole number"),
                         ({"seed": "a"}, "a seed is a whole number"), ({"seed": -1}, "a seed is a whole number"),
                         ({"size": 5.0}, "size is one whole number")):
        with typeguard.suppress_type_checks(), pytest.raises(ValueError, match=words):
            model.sample(**wrong)
    with typeguard.suppress_type_checks(), pytest.raises(ValueError, match="a mask is a tensor or an array"):
        model.inpaint(image, "upper half")
    with typeguard.suppress_type_checks(), pytest.raises(ValueError, match=r"as Truncation\(min_p=0.05\), not 0.05"):
        model.sample(truncation=0.05)


def tiny() -> GatedPixelCNN:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GatedPixelCNN(PixelCNNConfig(image_size=4, channels=1, levels=4, features=8, layers=2, head_features=8,
                                            first_kernel_size=3, classes=2, dropout=0.1))


def two_classes() -> tuple[torch.Tensor, torch.Tensor]:
    """Images that are all 0 or all 3, and which."""
    labels = torch.arange(20) % 2
    return (3 * labels)[:, None, None, None].expand(20, 1, 4, 4).to(torch.uint8), labels


def test_fit_learns_from_tensors_and_leaves_the_global_seed_alone():
    images, labels = two_classes()
    model, state = tiny(), torch.get_rng_state()
    losses = fit(model, images, labels, steps=60, batch=10, learning_rate=0.02, progress=False)
    assert torch.equal(torch.get_rng_state(), state) and not model.training and len(losses) == 60
    assert losses[-1] < 0.3 < 1.5 < losses[0]
    assert (model.bits_per_dim(images, 1 - labels) > model.bits_per_dim(images, labels)).all()
    again = tiny()
    assert fit(again, images, labels, steps=60, batch=10, learning_rate=0.02, progress=False) == losses


def test_fit_takes_a_loader():
    images, labels = two_classes()
    loader = DataLoader(TensorDataset(images, labels), batch_size=8)
    model = tiny()
    assert len(fit(model, loader, steps=7, progress=False)) == 7  # more steps than the loader has batches
    assert fit(tiny(), images.numpy(), labels.numpy(), steps=2, progress=False) == \
        fit(tiny(), images, labels, steps=2, progress=False)
    dicts = DataLoader([{"label": int(k)} for k in labels], batch_size=8)
    assert len(fit(model, list(zip(images.split(8), dicts)), steps=2, progress=False)) == 2


def test_fit_says_what_is_wrong():
    images, labels = two_classes()
    for wrong, sentence in (((images.float() / 5, labels), "not fractions"), ((images, labels[:3]), "for 3 images"),
                            (([], None), "gives no batch")):
        with pytest.raises(ValueError, match=sentence):
            fit(tiny(), *wrong, steps=1, progress=False)
    with pytest.raises(ValueError, match="at least 1"):
        fit(tiny(), images, labels, steps=0)
