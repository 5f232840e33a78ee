"""`--init` for fine-tuning: what fits is loaded, what other classes add is zero at first, and the rest is said."""

import pytest
import torch

from pixelcnn_core import GatedPixelCNN
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
