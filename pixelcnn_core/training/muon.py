"""Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon): momentum whose steps are orthogonal matrices.

Younger than the paper, and worth more here than any change of the network: see the table on the card of the CIFAR-10
model. The gradient of a convolution is nearly of low rank: a few directions hold most of its size, and Adam's steps
follow them. Muon replaces the singular values of every step by ones, so that rare directions are learnt as fast as
frequent ones. Steps of one size let the weights grow for as long as the learning rate stays high; weight decay holds
them. It is meant for the matrices between hidden features; what reads the image or the condition, what writes the
logits, and all biases stay with Adam.
"""

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Jordan's quintic: steep at 0, so that five rounds are enough
ROUNDS = 5


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The weights of `layers` and `head1` that map features to features, not an image's channels."""
    channels = model.config.channels
    return [parameter for name, parameter in model.named_parameters()
            if name.startswith(("layers.", "head1.")) and parameter.ndim > 1 and parameter.shape[1] > channels
            and parameter.requires_grad]


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
    """For parameters of two and more dimensions; a convolution counts as the matrix (out, in * height * width)."""

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for parameters in by_shape.values():
                step = torch.stack([self._momentum(p, group["momentum"]).flatten(1) for p in parameters])  # (N, R, C)
                _, rows, columns = step.shape
                step = orthogonalise(step) * max(1, rows / columns) ** 0.5
                for parameter, part in zip(parameters, step):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(part.reshape(parameter.shape), alpha=-group["lr"])

    def _momentum(self, parameter: nn.Parameter, decay: float) -> Tensor:
        """The running mean of the gradient, looking one step ahead (Nesterov)."""
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(parameter.grad, 1 - decay)
        return parameter.grad.lerp(state["momentum"], decay)
