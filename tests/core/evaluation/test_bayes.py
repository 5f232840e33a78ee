"""Bayes' rule: the posterior of a model's own classes, without underflow, and its accuracy in evaluate."""

import pytest
import torch
from tiny_runs import tiny_recipe

from pixelcnn_core import Condition, GatedPixelCNN
from pixelcnn_core.cards.card import write_card
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.bayes import bits_given_classes, posterior
from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.results import read_results
from pixelcnn_core.training.loop import train
from tests.conftest import small_model


def images(count: int, levels: int = 7, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, levels, (count, 3, 5, 5), generator=torch.Generator().manual_seed(seed),
                         dtype=torch.uint8)


def test_bits_are_those_of_the_whole_image_given_each_class():
    model, x = small_model(classes=4), images(3)
    bits = bits_given_classes(model, x)
    assert bits.shape == (3, 4) and bits.dtype == torch.float64
    for k in range(4):
        with torch.no_grad():
            expected = model.bits_per_dim(x, Condition(label=torch.full((3,), k))) * 75
        assert torch.allclose(bits[:, k], expected.double())
    with pytest.raises(ValueError, match="class"):
        bits_given_classes(small_model(), x)


def test_the_posterior_is_bayes_rule():
    """Against the plain formula, on a model whose probabilities do not underflow."""
    model = small_model(classes=3, image_size=2, levels=3, channels=1)
    x = images(4, 3)[:, :1, :2, :2]
    bits = bits_given_classes(model, x)
    p = torch.exp2(-bits)  # (B, classes)
    assert torch.allclose(posterior(bits), p / p.sum(1, keepdim=True))


def test_nothing_underflows():
    bits = torch.tensor([[11000.0, 11001.0, 12500.0], [9000.0, 9000.0, 9000.0]], dtype=torch.float64)
    assert torch.allclose(posterior(bits), torch.tensor([[2 / 3, 1 / 3, 0], [1 / 3, 1 / 3, 1 / 3]]).double())


def test_evaluate_tells_how_often_it_is_right(tmp_path):
    folder = train(tiny_recipe(validate=0), "nowhere", tmp_path / "tiny")
    results = evaluate(folder, "nowhere", limit=60, batch=17)
    model, data = GatedPixelCNN.from_pretrained(folder), load_data("digits", ".", "test").first(60)
    right = posterior(bits_given_classes(model, data.images)).argmax(1) == data.labels
    assert results["bayes_images"] == 60
    assert results["bayes_accuracy"] == pytest.approx(right.double().mean().item(), abs=1e-4)
    assert 0 < results["bayes_accuracy"] < 1
    assert f"| class found by Bayes' rule | {results['bayes_accuracy']:.1%} of 60 test images |" in \
        write_card(folder, per_class=1).read_text(encoding="utf-8")
    assert read_results(folder)["bayes_accuracy"] == results["bayes_accuracy"]
