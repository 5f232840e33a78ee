"""Sample quality: distances of known Gaussians, identical and far sets, a judge that knows and one that guesses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelcnn_core import Condition, GatedPixelCNN
from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.quality import (
    draw_classes,
    features_of,
    frechet_distance,
    precision_recall,
    quality,
    recognised,
)
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.classifier import Classifier, ClassifierConfig
from pixelcnn_core.sampling.sample import finish, sample_rows, uniforms_from_seed


def normal(count: int, dimensions: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dimensions)))


def test_the_distance_of_known_gaussians():
    """|m_a - m_b|^2 + sum (s_a - s_b)^2 where both covariances are diagonal; rotations change nothing."""
    x = normal(4000, 3)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T  # exactly white
    a, b = x * torch.tensor([1.0, 2.0, 3.0]), x * torch.tensor([2.0, 2.0, 0.5]) + torch.tensor([1.0, 0.0, -2.0])
    assert frechet_distance(a, b) == pytest.approx(5 + 1 + 0 + 6.25, abs=1e-6)
    turn, _ = torch.linalg.qr(normal(3, 3, seed=1))
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(12.25, abs=1e-6)


def test_the_distance_when_covariances_do_not_commute():
    a, b = normal(500, 4) @ normal(4, 4, 1), normal(500, 4, 2) @ normal(4, 4, 3)
    product = np.linalg.eigvals((a.T.cov() @ b.T.cov()).numpy())  # the definition, by a general eigenvalue problem
    expected = ((a.mean(0) - b.mean(0)).square().sum() + a.T.cov().trace() + b.T.cov().trace()).item()
    assert frechet_distance(a, b) == pytest.approx(expected - 2 * np.sqrt(product.astype(complex)).real.sum(), rel=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)


def test_identical_and_rank_deficient_sets_have_distance_zero():
    x = normal(20, 64)  # fewer rows than dimensions
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(torch.ones(5, 3), torch.ones(5, 3)) == 0
    assert frechet_distance(x, x + 1) == pytest.approx(64, rel=1e-5)


def test_precision_and_recall_of_sets_that_overlap_in_a_known_way():
    x = normal(200, 5)
    assert precision_recall(x, x) == (1, 1)
    assert precision_recall(x, x + 100) == (0, 0)
    clusters = torch.cat([x, x + 100])
    assert precision_recall(clusters, x.repeat(2, 1) + 1e-6) == (1, 0.5)  # good samples of one half only
    assert precision_recall(x.repeat(2, 1) + 1e-6, clusters) == (0.5, 1)  # and the reverse
    with pytest.raises(ValueError, match="need more than 3 images of either kind, not 200 and 3"):
        precision_recall(x, x[:3])


DIGITS = Path(__file__).parents[3] / "demo" / "assets" / "models" / "digits"


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """A classifier of the digits: random filters, and an output layer fitted by least squares."""
    data, folder = load_data("digits", ".", "train"), tmp_path_factory.mktemp("judge")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        classifier = Classifier(ClassifierConfig.for_data(data, features=32)).eval()
    features = features_of(classifier, data.images).double()
    mean, spread = features.mean(0), features.std(0)
    inputs = torch.cat([(features - mean) / spread, torch.ones(len(data), 1)], 1)  # (N, D + 1)
    weights = torch.linalg.lstsq(inputs, torch.eye(10).double()[data.labels]).solution  # (D + 1, classes)
    scaled = weights[:-1] / spread[:, None]
    classifier.out.weight.data, classifier.out.bias.data = scaled.T.float(), (weights[-1] - mean @ scaled).float()
    classifier.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    """A copy of the bundled model of the digits."""
    return shutil.copytree(DIGITS, tmp_path_factory.mktemp("painter") / "digits")


def test_the_judge_knows_real_digits_and_shuffled_labels_are_chance(judge):
    classifier, test = Classifier.from_pretrained(judge), load_data("digits", ".", "test")
    features = features_of(classifier, test.images)
    assert recognised(classifier, features, test.labels).mean() > 0.7
    shuffled = test.labels[torch.from_numpy(np.random.default_rng(0).permutation(len(test)))]
    assert recognised(classifier, features, shuffled).mean() == pytest.approx(0.1, abs=0.06)
    with torch.inference_mode():
        assert torch.allclose(classifier.out(features).softmax(1), classifier.probabilities(test.images), atol=1e-5)


def test_larger_images_are_halved_for_the_judge(judge):
    classifier, images = Classifier.from_pretrained(judge), load_data("digits", ".", "test").images[:5]
    large = images.repeat_interleave(4, 2).repeat_interleave(4, 3)  # (5, 1, 32, 32)
    assert torch.equal(features_of(classifier, large), features_of(classifier, images))
    assert not torch.equal(features_of(classifier, large[..., 1:, 1:]), features_of(classifier, images))


def test_samples_are_those_of_their_class_and_seed(painter):
    model = GatedPixelCNN.from_pretrained(painter)
    images, labels = draw_classes(model, 11, 5)  # 110 images: two batches
    assert images.shape == (110, 1, 8, 8) and labels.bincount().tolist() == [11] * 10
    noise = uniforms_from_seed(5, 110, model.config)
    last = finish(sample_rows(model, Condition(label=labels[-1:]), uniforms=noise[-1:]))
    assert torch.equal(images[-1:], last)


def test_a_model_is_judged_and_the_file_is_written(judge, painter):
    results = quality(painter, ".", judge, per_class=14, curve=True)
    assert json.loads((painter / "quality.json").read_text(encoding="utf-8")) == results
    assert results["images"] == 140 and results["reference_images"] == 149
    assert results["accuracy"] == pytest.approx(np.mean(list(results["accuracy_per_class"].values())), abs=1e-3)
    assert results["accuracy_real"] > 0.7 and results["accuracy"] > 0.5
    assert 0.3 < results["precision"] <= 1 and 0.3 < results["recall"] <= 1
    best = min(results["curve"], key=lambda point: point["frechet"])
    assert all(results[key] == best[key] for key in ("temperature", "guidance", "min_p")), "the best is measured"
    points = {(point["temperature"], point["guidance"], point["min_p"]): point for point in results["curve"]}
    assert len(points) == 15 and all(point["images"] == 40 for point in points.values())
    assert points[0.8, 3.0, 0]["accuracy"] >= points[1.0, 1.0, 0]["accuracy"], "guidance stresses the class"
    assert points[0.8, 3.0, 0]["recall"] < points[1.0, 1.0, 0]["recall"], "at the price of variety"


def test_an_untrained_model_is_found_out(tmp_path, judge, painter):
    shutil.copy(painter / "recipe.json", tmp_path)
    GatedPixelCNN(GatedPixelCNN.from_pretrained(painter).config).save_pretrained(tmp_path)
    trained, untrained = quality(painter, ".", judge, per_class=10), quality(tmp_path, ".", judge, per_class=10)
    assert untrained["accuracy"] < 0.3 < trained["accuracy"]
    assert untrained["frechet"] > 2 * trained["frechet"]
    assert untrained["precision"] < 0.2


def test_what_cannot_be_judged_is_said(tmp_path, judge, painter):
    with pytest.raises(DataError, match="1000 samples need as many test images in each half: there are 297"):
        quality(painter, ".", judge)
    config = ClassifierConfig(image_size=8, channels=1, levels=17, classes=2, class_names=("a", "b"), features=8)
    Classifier(config).save_pretrained(tmp_path / "other")
    with pytest.raises(DataError, match="knows other classes"):
        quality(painter, ".", tmp_path / "other", per_class=2)
    with pytest.raises(CheckpointError, match="no config.json"):
        quality(painter, ".", tmp_path)
