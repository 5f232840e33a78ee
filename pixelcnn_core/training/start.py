"""Where a run begins: the model of a recipe with its first weights, their running average, and the optimisers."""

import sys

import torch
from accelerate import PartialState
from torch import nn

from pixelcnn_core.kinds import KINDS, load
from pixelcnn_core.models.classifier import Classifier
from pixelcnn_core.models.gated import load_trunk, trunk_parameters
from pixelcnn_core.training.muon import Muon, hidden_matrices
from pixelcnn_core.training.recipe import Recipe
from pixelcnn_core.training.state import Run, TrainingError


def start(recipe: Recipe, config, init: str | None, device: torch.device) -> Run:
    """A run at step 0: random weights by the recipe's seed, those of `init`, or what the recipe starts from.

    Raises TrainingError, or CheckpointError where the weights to start from cannot be loaded.
    """
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = recipe.model_class(config)
    if init:
        if new := load_what_fits(model, init):
            PartialState().print(f"{recipe.name}: started from {init}; {new}", file=sys.stderr)
    else:
        if recipe.trunk:
            load_trunk(getattr(model, "decoder", model), recipe.trunk)
        if recipe.start:
            load(KINDS[recipe.kind].start)(model, recipe.start)
    if recipe.frozen:
        for parameter in trunk_parameters(getattr(model, "decoder", model)):
            parameter.requires_grad_(False)
    model = model.to(device, memory_format=torch.channels_last)
    average = type(model)(config).to(device, memory_format=torch.channels_last).eval()
    average.load_state_dict(model.state_dict())
    return Run(model, average, make_optimisers(model, recipe))


@torch.no_grad()
def load_what_fits(model: nn.Module, folder: str) -> str:
    """Start from the weights of another checkpoint of the same layers, for fine-tuning on other classes.

    What other classes, or an embedding of another network, add inside the gates is zero at first: training starts from
    the likelihood of the unconditional model. Returns a sentence that says what is new, "" where nothing is. Raises
    TrainingError where the layers differ, and CheckpointError.
    """
    trained = type(model).from_pretrained(folder)
    was, now = trained.config, model.config
    if was == now:
        model.load_state_dict(trained.state_dict())
        return ""

    def same(*names: str) -> bool:
        return all(getattr(was, name, None) == getattr(now, name, None) for name in names)

    same_classes, same_embedding = same("classes", "class_names"), same("embedding", "encoder")
    start, own, misfits, new_map = trained.state_dict(), model.state_dict(), [], False
    new_head = () if same_classes or not isinstance(model, Classifier) else ("out.weight", "out.bias")
    for name, tensor in own.items():
        found = start.get(name)
        if "vector_terms." in name:  # (out, classes + embedding)
            tensor.zero_()
            if found is not None and same_classes and now.classes:
                tensor[:, :now.classes] = found[:, :was.classes]
            if found is not None and same_embedding and now.embedding:
                tensor[:, now.classes:] = found[:, was.classes:]
        elif name in new_head:
            tensor.zero_()
        elif found is not None and found.shape == tensor.shape:
            tensor.copy_(found)
        elif "position_terms." in name:
            tensor.zero_()
        elif "map_network.vector_map" in name or "map_network.read_map" in name:
            new_map = True  # as a new model has it: what reads it is zero
        else:
            misfits.append(name)
    if misfits:
        raise TrainingError(f"{folder} is a model of another shape: {misfits[0]} is not there, or has other numbers of "
                            "features; give the recipe the \"model\" of its recipe.json")
    new = []
    if not same_classes and now.classes:
        named = ", ".join(now.class_names[:5]) + (", ..." if now.classes > 5 else "")
        new.append(f"the last layer, of {now.classes} classes ({named})" if new_head else
                   f"what {now.classes} classes add in every layer ({named})")
    if not same_embedding and now.embedding:
        new.append("what the embedding adds in every layer")
    if new_map:
        new.append("the map made of h")
    return f"new, and zero at first: {' and '.join(new)}" if new else "all weights are taken over"


def make_optimisers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Adam for all weights, or Muon for the matrices inside the layers and Adam for the rest.

    `share` is what a group gets of the learning rate. For an encoder that was trained before it is small: Adam's steps
    are of one size however small the gradient, and what a new decoder asks of the code is noise at first.
    """
    matrices = hidden_matrices(getattr(model, "decoder", model)) if recipe.muon else {}
    rest = {id(p) for p in model.parameters()} - {id(p) for group in matrices.values() for p in group}
    terms = {id(p) for name, p in model.named_parameters() if "vector_" in name} if recipe.h_rate != 1 else set()
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
