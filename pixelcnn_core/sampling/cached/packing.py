"""The weights of a Gated PixelCNN, rearranged for sampling one colour group of one pixel at a time.

A masked weight is half zeros. Packed per colour group, the zeros are never stored nor multiplied: group g reads the
first rows of a dense matrix. All matrices are (inputs, outputs), so that a product is `x @ w`. The 2F outputs of the
horizontal stack, (2, G, F/G) in the model (tanh half, sigmoid half, each by colour), become (G, 2, F/G): the two
halves of one group side by side.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN


class PackedWeights(NamedTuple):
    """L layers, F features, G = C groups; S inputs, D features of the output network; K kernel size, R = K//2."""

    v_first: Tensor  # (R0, K0 * C, 2F)  first vertical kernel, row by row
    v_rest: Tensor  # (L-1, R+1, K * F, 2F)
    v_bias: Tensor  # (L, 2F)
    link: Tensor  # (L, 2F, 2F)  vertical -> horizontal
    left_first: Tensor  # (R0 * C, 2F)  horizontal taps left of the current pixel
    left_rest: Tensor  # (L-1, R * F, 2F)
    centre_first: Tensor  # (G, C, 2F/G)  the current pixel, mask A: group g uses its first g rows
    centre_rest: Tensor  # (L-1, G, F, 2F/G)  mask B: group g uses its first (g+1) F/G rows
    out: Tensor  # (L, G, F, F/G)
    out_bias: Tensor  # (L, G, F/G)
    skip: Tensor  # (L, G, F, S/G); L = 0 without skip connections
    skip_bias: Tensor  # (G, S/G), summed over the layers
    head1: Tensor  # (G, S, D/G)
    head1_bias: Tensor  # (G, D/G)
    head2: Tensor  # (G, D, levels)
    head2_bias: Tensor  # (G, levels)


def _by_group(weight: Tensor, groups: int) -> Tensor:
    """1x1 kernel (out, in, 1, 1) -> (G, in, out / G)."""
    out, in_ = weight.shape[:2]
    return weight.reshape(groups, out // groups, in_).transpose(1, 2)


def _halves_together(x: Tensor, groups: int) -> Tensor:
    """Last dimension from (2, G, F/G) to (G, 2, F/G)."""
    return x.unflatten(-1, (2, groups, -1)).transpose(-3, -2).flatten(-3)


def _rows(weight: Tensor) -> Tensor:
    """Kernel (out, in, rows, columns) -> (rows, columns * in, out)."""
    return weight.permute(2, 3, 1, 0).flatten(1, 2)


@torch.no_grad()
def pack_weights(model: GatedPixelCNN) -> PackedWeights:
    """Copy the weights of a model into the layout of the cached sampler, on the model's device, in its dtype."""
    groups, layers = model.config.channels, list(model.layers)
    horizontal = [_halves_together(_rows(layer.horizontal.masked_weight())[0], groups) for layer in layers]
    inputs = [layer.horizontal.in_channels for layer in layers]  # C, F, F, ...
    left = [w[:-n] for w, n in zip(horizontal, inputs)]  # (R * in, 2F)
    centre = [w[-n:].unflatten(1, (groups, -1)).transpose(0, 1) for w, n in zip(horizontal, inputs)]  # (G, in, 2F/G)
    features, skip = model.config.features, model.config.skip
    empty = model.head1.weight.new_empty

    def stack(tensors: list[Tensor], *shape: int) -> Tensor:
        return torch.stack(tensors).contiguous() if tensors else empty(0, *shape)

    return PackedWeights(
        v_first=_rows(layers[0].vertical.weight).contiguous(),
        v_rest=stack([_rows(layer.vertical.weight) for layer in layers[1:]], 1, 1, 2 * features),
        v_bias=stack([layer.vertical.bias for layer in layers]),
        link=stack([_halves_together(layer.link.weight[..., 0, 0].T, groups) for layer in layers]),
        left_first=left[0].contiguous(),
        left_rest=stack(left[1:], 1, 2 * features),
        centre_first=centre[0].contiguous(),
        centre_rest=stack(centre[1:], groups, features, 2 * features // groups),
        out=stack([_by_group(layer.out.masked_weight(), groups) for layer in layers]),
        out_bias=stack([layer.out.bias.reshape(groups, -1) for layer in layers]),
        skip=stack([_by_group(layer.skip.masked_weight(), groups) for layer in layers if skip], groups, features, 1),
        skip_bias=sum(layer.skip.bias for layer in layers).reshape(groups, -1) if skip
        else empty(groups, features // groups).zero_(),
        head1=_by_group(model.head1.masked_weight(), groups).contiguous(),
        head1_bias=model.head1.bias.detach().reshape(groups, -1),
        head2=_by_group(model.head2.masked_weight(), groups).contiguous(),
        head2_bias=model.head2.bias.detach().reshape(groups, -1),
    )


@torch.no_grad()
def pack_condition(model: GatedPixelCNN, condition: Condition, batch: int,
                   size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """What is added inside the gates of images of `size` = (H, W), two tensors (L, B, H or 1, W or 1, 2F).

    The first is for the vertical stack; the second, for the horizontal one, includes its bias.
    """
    # One image at a time: a matrix product may round differently with other numbers of rows, and an image must not
    # depend on the batch it is drawn in.
    singles = [model.condition_terms(condition[[k]], 1, size) for k in range(len(condition))]
    terms = [torch.cat(t) for t in zip(*singles)] if singles else model.condition_terms(None, batch, size)
    vertical, horizontal = [], []
    for layer, term in zip(model.layers, terms):
        v_term, h_term = term.permute(0, 2, 3, 1).chunk(2, dim=-1)  # (B or 1, H or 1, W or 1, 2F)
        shape = (batch, *v_term.shape[1:])
        vertical.append(v_term.expand(shape))
        h_term = _halves_together(h_term + layer.horizontal.bias, model.config.channels)
        horizontal.append(h_term.expand(shape))
    return torch.stack(vertical).contiguous(), torch.stack(horizontal).contiguous()
