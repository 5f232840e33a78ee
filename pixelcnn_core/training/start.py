"""Where a run begins: the model of a recipe with its first weights, their running average, and the optimisers."""

import torch
from torch import nn

from pixelcnn_core.autoencoder.model import load_start
from pixelcnn_core.models.gated import load_trunk, trunk_parameters
from pixelcnn_core.training.muon import Muon, hidden_matrices
from pixelcnn_core.training.recipe import MODELS, Recipe
from pixelcnn_core.training.state import Run, TrainingError


def start(recipe: Recipe, config, init: str | None, device: torch.device) -> Run:
    """A run at step 0: random weights by the recipe's seed, those of `init`, or what the recipe starts from.

    Raises TrainingError, or CheckpointError where the weights to start from cannot be loaded.
    """
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = MODELS[recipe.kind](config)
    if init:
        trained = type(model).from_pretrained(init)
        if trained.config != config:
            raise TrainingError(f"{init} is a model of another shape than recipe {recipe.name}")
        model.load_state_dict(trained.state_dict())
    else:
        if recipe.trunk:
            load_trunk(getattr(model, "decoder", model), recipe.trunk)
        if recipe.start:
            load_start(model, recipe.start)
    if recipe.frozen:
        for parameter in trunk_parameters(getattr(model, "decoder", model)):
            parameter.requires_grad_(False)
    model = model.to(device, memory_format=torch.channels_last)
    average = type(model)(config).to(device, memory_format=torch.channels_last).eval()
    average.load_state_dict(model.state_dict())
    return Run(model, average, make_optimisers(model, recipe))


def make_optimisers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Adam for all weights, or Muon for the matrices inside the layers and Adam for the rest.

    `share` is what a group gets of the learning rate. For an encoder that was trained before it is small: Adam's steps
    are of one size however small the gradient, and what a new decoder asks of the code is noise at first.
    """
    matrices = hidden_matrices(getattr(model, "decoder", model)) if recipe.muon else {}
    rest = {id(p) for p in model.parameters()} - {id(p) for group in matrices.values() for p in group}
    terms = {id(p) for name, p in model.named_parameters() if "vector_terms." in name} if recipe.h_rate != 1 else set()
    brought = {id(p) for name, p in model.named_parameters() if recipe.start and not name.startswith("decoder.")}
    groups = [{"params": [p for p in model.parameters() if id(p) in members], "share": share}
              for members, share in ((rest - brought - terms, 1.0), (brought, recipe.start_rate),
                                     (terms - brought, recipe.h_rate)) if members]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, rate, betas=(0.9, 0.99), weight_decay=decay)]
    if matrices:
        optimisers.append(Muon([{"params": group, "rows": rows, "share": recipe.muon}
                                for rows, group in matrices.items()], rate, weight_decay=decay))
    return optimisers
