"""Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon): momentum whose steps are orthogonal matrices.

Younger than the paper, and worth more here than any change of the network: see the table on the card of the CIFAR-10
model. The gradient of a convolution is nearly of low rank: a few directions hold most of its size, and Adam's steps
follow them. Muon replaces the singular values of every step by ones, so that rare directions are learnt as fast as
frequent ones. Steps of one size let the weights grow for as long as the learning rate stays high; weight decay holds
them. It is meant for the matrices between hidden features; what reads the image or the condition, what writes the
logits, and all biases stay with Adam.

Under a colour mask the step is orthogonalised colour by colour: the rows that make group g are one matrix. Their masked
columns have no gradient and so get no step; taken as one matrix, 43 % of a step's norm went to weights that the masks
set to zero.
"""

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Jordan's quintic: steep at 0, so that five rounds are enough
ROUNDS = 5


def hidden_matrices(model: nn.Module) -> dict[tuple[int, int], list[nn.Parameter]]:
    """The weights of `layers` and `head1`, of a classifier's `stages`, that map features to features, not an image's
    channels, by how their rows are laid out: (parts, groups) as in `HorizontalConv`, (1, 1) without a colour mask."""
    found: dict[tuple[int, int], list[nn.Parameter]] = {}
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if name.startswith(("layers.", "head1", "stages.")) and weight is not None and weight.requires_grad \
                and weight.ndim > 1 and weight.shape[1] > model.config.channels:
            found.setdefault(getattr(module, "row_layout", (1, 1)), []).append(weight)
    return found


def orthogonalise(matrices: Tensor) -> Tensor:
    """U V^T for every matrix U S V^T of a stack (N, R, C), roughly: singular values end between 0.7 and 1.2.

    Newton-Schulz iteration: an odd polynomial of a matrix acts on its singular values alone.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """For parameters of two and more dimensions; a convolution counts as the matrix (out, in * height * width).

    A parameter group's `rows` = (parts, groups) says that the rows come in `parts` halves or quarters, each of which
    holds `groups` colours: the rows of one colour are orthogonalised together.
    """

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "rows": (1, 1)})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for parameters in by_shape.values():
                step = torch.stack([self._momentum(p, group["momentum"]).flatten(1) for p in parameters])  # (N, R, C)
                step = self._steps(step, *group["rows"])
                for parameter, part in zip(parameters, step):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(part.reshape(parameter.shape), alpha=-group["lr"])

    @staticmethod
    def _steps(momenta: Tensor, parts: int, colours: int) -> Tensor:
        """Orthogonal steps for momenta (N, R, C), colour by colour."""
        count, rows, columns = momenta.shape
        split = momenta.reshape(count, parts, colours, rows // (parts * colours), columns)
        blocks = split.transpose(1, 2).reshape(count * colours, rows // colours, columns)  # parts of a colour together
        blocks = orthogonalise(blocks) * max(1, rows / colours / columns) ** 0.5
        blocks = blocks.reshape(count, colours, parts, -1, columns).transpose(1, 2)
        return blocks.reshape(count, rows, columns)

    def _momentum(self, parameter: nn.Parameter, decay: float) -> Tensor:
        """The running mean of the gradient, looking one step ahead (Nesterov)."""
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(parameter.grad, 1 - decay)
        return parameter.grad.lerp(state["momentum"], decay)
