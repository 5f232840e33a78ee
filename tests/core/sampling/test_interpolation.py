"""Paths between two condition vectors."""

import pytest
import torch

from pixelcnn_core.sampling.interpolation import between


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_ends_are_the_two_vectors(path):
    a, b = torch.tensor([3.0, 0, 0]), torch.tensor([0, 0.0, 1])
    steps = between(a, b, 5, path)
    assert steps.shape == (5, 3)
    assert torch.allclose(steps[0], a, atol=1e-6) and torch.allclose(steps[-1], b, atol=1e-6)


def test_a_great_circle_keeps_the_length_and_the_speed():
    a, b = torch.nn.functional.normalize(torch.randn(2, 16, generator=torch.Generator().manual_seed(0)), dim=1)
    steps = between(a, b, 9)
    assert torch.allclose(steps.norm(dim=1), torch.ones(9), atol=1e-5)
    angles = (steps[1:] * steps[:-1]).sum(1).arccos()
    assert torch.allclose(angles, angles[0].expand(8), atol=1e-4)
    assert between(a, b, 9, "linear")[4].norm() < 0.95


def test_the_same_and_opposite_directions_go_straight():
    a = torch.tensor([1.0, 0])
    for b in (a, -a, torch.zeros(2)):
        assert torch.allclose(between(a, b, 3), between(a, b, 3, "linear"))


def test_what_makes_no_path_is_named():
    a = torch.zeros(3)
    for arguments, words in (((a, a, 1), "at least 2 steps"), ((a, torch.zeros(4), 3), "one size"),
                             ((a, a, 3, "round"), "one of")):
        with pytest.raises(ValueError, match=words):
            between(*arguments)
