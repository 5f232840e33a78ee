"""Starting from another model: `--init` for fine-tuning, and a recipe's trunk. What is new is zero at first."""

from dataclasses import replace

import pytest
import torch
from tiny_runs import tiny_recipe

from pixelcnn_core import Condition, GatedPixelCNN
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.classifier import Classifier, ClassifierConfig
from pixelcnn_core.models.gated import load_trunk
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig
from pixelcnn_core.provenance import training_so_far
from pixelcnn_core.results import read_json
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.start import load_what_fits
from pixelcnn_core.training.state import TrainingError
from tests.conftest import small_model


def test_fine_tuning_on_other_classes_starts_from_the_unconditional_likelihood(tmp_path):
    before = small_model(classes=3, class_names=("a", "b", "c"), dropout=0.1).float()
    before.save_pretrained(tmp_path / "before")
    before = GatedPixelCNN.from_pretrained(tmp_path / "before")  # as half precision has it
    x = torch.randint(0, 7, (2, 3, 5, 5), generator=torch.Generator().manual_seed(0))
    for changes, new in (({"classes": 2, "class_names": ("red", "blue")}, "2 classes add in every layer (red, blue)"),
                         ({"classes": 3, "class_names": ("a", "b", "d")}, "(a, b, d)"),
                         ({"classes": 1, "class_names": ("a",), "embedding": 4}, "and what the embedding adds"),
                         ({}, ""), ({"position": 2, "dropout": 0.1}, "")):
        after = small_model(**changes).float()
        said = load_what_fits(after, str(tmp_path / "before"))
        assert new in said
        assert torch.equal(after.bits_per_dim(x), before.bits_per_dim(x))
        if changes.get("classes"):
            assert torch.equal(after.bits_per_dim(x, 0), before.bits_per_dim(x))  # its class says nothing yet
    same = small_model(classes=3, class_names=("a", "b", "c"), dropout=0.5).float()
    assert load_what_fits(same, str(tmp_path / "before")) == "all weights are taken over"
    assert torch.equal(same.bits_per_dim(x, "b"), before.bits_per_dim(x, "b"))
    with pytest.raises(TrainingError, match="layers.3.* is not there"):
        load_what_fits(small_model(layers=4).float(), str(tmp_path / "before"))


def test_a_classifier_learns_other_classes_on_the_features_that_it_has(tmp_path):
    config = ClassifierConfig(image_size=8, classes=2, class_names=("a", "b"), features=8)
    Classifier(config).save_pretrained(tmp_path)
    before = Classifier.from_pretrained(tmp_path)  # as half precision has it
    x = torch.randint(0, 256, (4, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    for names in ("abc", "xy"):
        after = Classifier(replace(config, classes=len(names), class_names=tuple(names))).eval()
        said = load_what_fits(after, str(tmp_path))
        assert said == f"new, and zero at first: the last layer, of {len(names)} classes ({', '.join(names)})"
        assert torch.equal(after.features(x), before.features(x))
        assert torch.equal(after.probabilities(x), torch.full((4, len(names)), 1 / len(names)))
    with pytest.raises(TrainingError, match="is a model of another shape"):
        load_what_fits(Classifier(replace(config, features=16)), str(tmp_path))


def test_a_trunk_is_the_start_and_what_is_new_begins_at_zero(tmp_path):
    """Other classes and a map of position: at first the likelihood is that of the trunk without its condition; the
    first steps then move them."""
    trunk = small_model(image_size=8, channels=1, levels=17, classes=3).float()
    trunk.save_pretrained(tmp_path / "trunk")
    trunk = GatedPixelCNN.from_pretrained(tmp_path / "trunk")
    model = small_model(image_size=8, channels=1, levels=17, classes=10, position=3).float()
    load_trunk(model, tmp_path / "trunk")
    images = load_data("digits", ".", "test").images[:4]
    for label in (0, 9):
        bits = model.bits_per_dim(images, Condition(label=torch.full((4,), label)))
        assert torch.equal(bits, trunk.bits_per_dim(images))
    shape = {"features": 12, "layers": 3, "head_features": 24, "first_kernel_size": 3}
    out = train(tiny_recipe(trunk=str(tmp_path / "trunk"), model={**shape, "position": 3}), "nowhere", tmp_path / "out")
    trained = GatedPixelCNN.from_pretrained(out)
    for terms in (trained.vector_terms, trained.position_terms):
        assert all(term.weight.abs().max() > 0 for term in terms)
    with pytest.raises(CheckpointError, match="layers of another shape"):
        load_trunk(small_model(image_size=8, channels=1, levels=17, layers=4), tmp_path / "trunk")


def test_a_trained_step_of_a_chain_is_given_a_map_made_of_h(tmp_path):
    """At first it draws nothing; once it is read, it says other things for other h, and nothing for none."""
    settings = {"image_size": 8, "levels": 7, "features": 6, "map_channels": 5, "classes": 3,
                "decoder": {"features": 12, "layers": 2, "first_kernel_size": 3, "head_features": 24}}
    Upscaler(UpscalerConfig(**settings)).save_pretrained(tmp_path / "before")
    before = Upscaler.from_pretrained(tmp_path / "before")
    after = Upscaler(UpscalerConfig(**settings, vector_map=2))
    assert load_what_fits(after, str(tmp_path / "before")) == "new, and zero at first: the map made of h"
    x = torch.randint(0, 7, (2, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    assert torch.equal(after.bits_per_dim(x, Condition(label=torch.tensor([0, 2]))),
                       before.bits_per_dim(x, Condition(label=torch.tensor([0, 2]))))
    torch.nn.init.ones_(after.map_network.read_map.weight)
    first, second = (after.map_network(torch.zeros(1, 3, 4, 4), h) - before.map_network(torch.zeros(1, 3, 4, 4), h)
                     for h in torch.eye(3)[:2, None])
    assert first.abs().max() > 0 and not torch.allclose(first, second)
    assert torch.equal(after.bits_per_dim(x), before.bits_per_dim(x))


def test_a_run_that_goes_on_still_says_what_it_began_from(tmp_path):
    first = train(tiny_recipe(steps=3), "nowhere", tmp_path / "first")
    out = train(tiny_recipe(steps=2), "nowhere", tmp_path / "out", init=str(first))
    facts = read_json(out / "training.json")["before"]
    assert facts["steps"] == 3
    train(tiny_recipe(steps=4), "nowhere", out, resume=True)
    assert read_json(out / "training.json")["before"] == facts and training_so_far(out)["steps"] == 7
