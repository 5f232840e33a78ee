"""Inpainting from coarse to fine: what is known stays, what is half known is estimated, and the measurement counts."""

import json

import pytest
import torch

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.classifier import Classifier, ClassifierConfig
from pixelcnn_core.models.upscaler import halved
from pixelcnn_core.restoration import inpainting
from pixelcnn_core.restoration.evaluation import psnr
from pixelcnn_core.sampling.completion import log_weights
from pixelcnn_core.sampling.sample import finish
from tests.conftest import save_small_chain


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A chain of random weights for colour pictures of 16 x 16."""
    save_small_chain(folder := tmp_path_factory.mktemp("chain"))
    return folder


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randint(0, 256, (3, 3, 16, 16), generator=torch.Generator().manual_seed(0)).byte()


def test_half_known_pixels_are_means_of_what_is_known(images):
    known = torch.ones(1, 16, 16, dtype=torch.bool)
    known[:, :2, :2] = False  # a whole coarse pixel
    known[:, 0, 2] = False  # a quarter of one
    known[:, 2:4, 4] = False  # half of one
    known[:, 4:6, 6:8] = torch.tensor([[True, False], [False, False]])  # three quarters of one
    coarse, left = inpainting.half_known(images, known)
    assert left.shape == (1, 8, 8) and (~left).nonzero().tolist() == [[0, 0, 0], [0, 2, 3]]
    assert torch.equal(coarse[:, :, 3:], halved(images)[:, :, 3:]), "as the chain was trained where all is known"
    assert torch.equal(coarse[:, :, 1, 2], images[:, :, 2:4, 5].float().mean(2).round().byte())


@pytest.mark.parametrize("side", [4, 12])
def test_known_pixels_stay_and_the_others_are_drawn(folder, images, side):
    chain, known = Chain.from_pretrained(folder), inpainting.middle_hole(16, side)
    steps = list(inpainting.inpaint(chain, images, known, seed=5))
    assert [max(pictures) for pictures in steps] == [8] + [16] * 16
    filled = steps[-1][16]
    assert torch.equal(filled[:, :, known], images[:, :, known]) and not torch.equal(filled, images)
    coarse, left = inpainting.half_known(images, known[None])
    assert torch.equal(steps[-1][8][:, :, left[0]], coarse[:, :, left[0]])
    again = finish(inpainting.inpaint(chain, images, known, seed=5))
    assert torch.equal(again[16], filled)
    assert not torch.equal(finish(inpainting.inpaint(chain, images, known, seed=6))[16], filled)


def test_the_coarse_picture_is_chosen_by_how_well_it_explains_the_rest(folder, images):
    """More candidates explain the known pixels after the hole better, on average."""
    chain, known = Chain([Chain.from_pretrained(folder).steps[0]]), inpainting.middle_hole(8, 4)
    many = halved(images).repeat(20, 1, 1, 1)
    weights = [log_weights(chain.steps[0], inpainting.best_of(chain, many, known, 0, count), known).mean()
               for count in (1, 16)]
    assert weights[1] > weights[0]


def test_a_hole_that_does_not_fit():
    for side in (0, 16, 20):
        with pytest.raises(ValueError, match="side of the hole"):
            inpainting.middle_hole(16, side)


def test_the_measurement(folder, images, tmp_path, monkeypatch):
    judge = tmp_path / "judge"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Classifier(ClassifierConfig(image_size=16, classes=3, features=8)).save_pretrained(judge)
    data = ImageData(images, torch.tensor([0, 1, 2]), ("a", "b", "c"))
    monkeypatch.setattr(inpainting, "load_data", lambda *_: data)
    found = inpainting.evaluate_inpainting(folder, "nowhere", classifier=judge, images=2, samples=3, hole=6)
    assert json.loads((folder / inpainting.FILE).read_text(encoding="utf-8")) == found
    assert (found["images"], found["samples"], found["hole"]) == (2, 3, 6) and set(found["ways"]) == {
        "diffusion", "coarse to fine"}
    own, known = found["ways"]["coarse to fine"], inpainting.middle_hole(16, 6)
    many = images[:2].repeat_interleave(3, 0)
    drawn = finish(inpainting.inpaint(Chain.from_pretrained(folder), many, known))[16].unflatten(0, (2, 3))
    assert own["psnr_mean"] == pytest.approx(psnr(drawn.double().mean(1), images[:2], ~known, 256), abs=1e-3)
    assert own["psnr_mean"] > own["psnr_sample"] and 0 <= own["class_kept"] <= 1
    assert "psnr_mean" not in found["ways"]["diffusion"], "one repair has no mean of many"
