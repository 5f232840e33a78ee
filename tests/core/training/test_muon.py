"""Muon: what it takes, what its steps look like, and that it learns. (test_training.py kills a run with it.)"""

import csv

import pytest
import torch
from tiny_runs import tiny_recipe

from pixelcnn_core import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.muon import Muon, hidden_matrices, orthogonalise
from pixelcnn_core.training.start import make_optimisers


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 6, 20), (2, 20, 6)])
def test_all_singular_values_come_near_one(shape):
    """Except those that were 0, and with the singular vectors left alone: the result is the polar factor, roughly."""
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = orthogonalise(matrices)
    assert found.shape == matrices.shape
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3 and values.max() < 1.3
    inside = u.mT @ found @ v.mT  # diagonal if the singular vectors are the same
    assert torch.allclose(inside, torch.diag_embed(inside.diagonal(dim1=1, dim2=2)), atol=1e-4)


def test_a_step_does_not_depend_on_the_size_of_the_gradient():
    steps = []
    for size in (1e-3, 1.0, 1e3):
        weight = torch.nn.Parameter(torch.zeros(6, 4, 1, 3))
        weight.grad = size * torch.randn(6, 4, 1, 3, generator=torch.Generator().manual_seed(1))
        Muon([weight], lr=0.1).step()
        steps.append(weight.detach())
    assert steps[0].norm() > 0.1
    for other in steps[1:]:
        assert torch.allclose(other, steps[0], atol=1e-4)


def test_weight_decay_shrinks_the_weights_whatever_the_gradient():
    before, after = torch.full((4, 4), 2.0), []
    for decay in (0.0, 0.5):
        weight = torch.nn.Parameter(before.clone())
        weight.grad = torch.zeros(4, 4)
        Muon([weight], lr=0.1, weight_decay=decay).step()
        after.append(weight.detach())
    assert torch.equal(after[0], before)
    assert torch.allclose(after[1], before * (1 - 0.1 * 0.5))


def test_equal_shapes_are_stacked_but_do_not_mix():
    generator = torch.Generator().manual_seed(2)
    gradients = [torch.randn(5, 7, generator=generator) for _ in range(2)]

    def stepped(which):
        weights = [torch.nn.Parameter(torch.zeros(5, 7)) for _ in which]
        for weight, index in zip(weights, which):
            weight.grad = gradients[index].clone()
        Muon(weights, lr=1.0).step()
        return [weight.detach() for weight in weights]

    together = stepped([0, 1])
    assert torch.allclose(together[0], stepped([0])[0], atol=1e-6)
    assert torch.allclose(together[1], stepped([1])[0], atol=1e-6)


def named_matrices() -> tuple[GatedPixelCNN, dict[str, tuple[int, int]]]:
    """A small model, and the row layout of every matrix that Muon takes, by name."""
    model = GatedPixelCNN(PixelCNNConfig(image_size=8, features=6, layers=2, head_features=6, classes=3, position=2))
    names = {id(p): name for name, p in model.named_parameters()}
    return model, {names[id(p)]: rows for rows, group in hidden_matrices(model).items() for p in group}


def test_it_takes_what_maps_features_to_features():
    assert named_matrices()[1] == {
        "layers.0.link.weight": (1, 1), "layers.0.out.weight": (1, 3), "layers.0.skip.weight": (1, 3),
        "layers.1.vertical.weight": (1, 1), "layers.1.horizontal.weight": (2, 3), "layers.1.link.weight": (1, 1),
        "layers.1.out.weight": (1, 3), "layers.1.skip.weight": (1, 3), "head1.weight": (1, 3)}


def test_no_step_lands_on_weights_that_a_mask_sets_to_zero():
    model, rows = named_matrices()
    x = torch.randint(256, (4, 3, 8, 8), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    model.bits_per_dim(x).mean().backward()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for layout, group in hidden_matrices(model).items():
        Muon([{"params": group, "rows": layout}], lr=0.1).step()
    masked = 0
    for name in rows:
        module = model.get_submodule(name.removesuffix(".weight"))
        step = module.weight.detach() - before[name]
        if hasattr(module, "mask") and module.weight.grad is not None:  # nothing reads the last layer's output
            hidden = module.mask.expand_as(step) == 0
            masked += int(hidden.sum())
            assert step[hidden].abs().max() < 1e-6 < step[~hidden].abs().mean()
    assert masked


def test_the_rows_of_one_colour_are_one_matrix():
    """Of a layer with two halves of three colours the rows r0 r1 g0 g1 b0 b1 | r2 ...: r0, r1, r2, r3 go together."""
    weight = torch.nn.Parameter(torch.zeros(12, 10))
    weight.grad = torch.randn(12, 10, generator=torch.Generator().manual_seed(4))
    Muon([{"params": [weight], "rows": (2, 3)}], lr=1.0).step()
    for colour in range(3):
        rows = [2 * colour, 2 * colour + 1, 6 + 2 * colour, 7 + 2 * colour]
        alone = torch.nn.Parameter(torch.zeros(4, 10))
        alone.grad = weight.grad[rows].clone()
        Muon([alone], lr=1.0).step()
        assert torch.allclose(weight[rows], alone, atol=1e-6)


def test_every_weight_has_one_optimiser():
    recipe = tiny_recipe(muon=4.0)
    model = GatedPixelCNN(recipe.config(load_data("digits", ".", "train")))
    adam, muon = make_optimisers(model, recipe)
    taken = [id(p) for optimiser in (adam, muon) for group in optimiser.param_groups for p in group["params"]]
    assert sorted(taken) == sorted(id(p) for p in model.parameters())
    assert isinstance(muon, Muon) and {group["share"] for group in muon.param_groups} == {4.0}
    assert len(make_optimisers(model, tiny_recipe())) == 1


def test_it_learns(tmp_path):
    out = train(tiny_recipe(muon=4.0, steps=60), "nowhere", tmp_path / "run")
    with (out / "training.csv").open(encoding="utf-8") as file:
        first, *_, last = csv.DictReader(file)
    assert float(last["bits_per_dim"]) < float(first["bits_per_dim"]) < 4.0  # log2 17 = 4.09 for one that knows nothing
