"""The gated layer of the PixelCNN: two masked stacks and a gate (sections 2.1 and 2.2, figure 2, equation 2).

A pixel may depend on the rows above it and on the pixels to its left, and, inside one pixel,
G may depend on R, and B on R and G. Two stacks share that work:

* the *vertical stack* sees every row above the current one and nothing of the current row. It
  needs no mask at all, only a shift by one row in the first layer; so its receptive field has no
  blind spot, in any layer, also far up and to the right.
* the *horizontal stack* sees the current row to the left, and takes in the vertical stack through
  a 1x1 convolution. Its feature maps are split into one group per colour channel, in the order
  R, G, B, everywhere in the network: group g may read groups <= g of the same pixel (mask B),
  in the first layer only channels < g (mask A).

The convolutions are cropped instead of masked wherever a whole row or column of the kernel would
be zero: an n x n vertical kernel keeps its upper rows, a 1 x n horizontal kernel its left taps.

References: van den Oord et al., 2016, arXiv 1606.05328: section 2 (masks, the order R, G, B), 2.1 (gates), 2.2 (two
stacks, no blind spot).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def colour_mask(out_features: int, in_features: int, groups: int, mask_type: str) -> Tensor:
    """Which input feature of a pixel may feed which output feature of the same pixel.

    Features are laid out as `groups` equal blocks (R, G, B). Mask "A" lets group g read groups < g,
    mask "B" groups <= g. Returns a float tensor of zeros and ones, (out_features, in_features).
    Raises ValueError for another type of mask, or features that do not split into the groups.
    """
    if mask_type not in ("A", "B"):
        raise ValueError(f"mask_type is 'A' or 'B', not {mask_type!r}")
    for name, size in (("out_features", out_features), ("in_features", in_features)):
        if size % groups:
            raise ValueError(f"{name} = {size} cannot be split into {groups} equal colour groups")
    out_group = torch.arange(out_features) // (out_features // groups)
    in_group = torch.arange(in_features) // (in_features // groups)
    reads = torch.gt if mask_type == "A" else torch.ge
    return reads(out_group[:, None], in_group[None, :]).float()


def gate(x: Tensor) -> Tensor:
    """tanh(first half of the features) * sigmoid(second half): equation 2. (B, 2F, H, W) -> (B, F, H, W)."""
    a, b = x.chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


class ColourConv1x1(nn.Conv2d):
    """1x1 convolution whose output group g reads input groups <= g: mask B inside one pixel."""

    def __init__(self, in_features: int, out_features: int, groups: int):
        super().__init__(in_features, out_features, 1)
        self.register_buffer("mask", colour_mask(out_features, in_features, groups, "B")[..., None, None],
                             persistent=False)
        self.row_layout = (1, groups)  # parts and colour groups of the output features

    def masked_weight(self) -> Tensor:
        """The weights that do something, zeros elsewhere: (out, in, 1, 1)."""
        return self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.masked_weight(), self.bias)


class VerticalConv(nn.Conv2d):
    """The n x n masked convolution of the vertical stack, cropped to the rows it may see.

    Mask A (first layer): rows r - n//2 ... r - 1. Mask B (later layers): rows r - n//2 ... r, where
    row r of the *features* only knows pixels of rows above r.
    """

    def __init__(self, in_features: int, out_features: int, kernel_size: int, mask_type: str):
        self.shift = mask_type == "A"
        rows = kernel_size // 2 + (not self.shift)
        super().__init__(in_features, out_features, (rows, kernel_size))
        self.reach = kernel_size // 2

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (self.reach, self.reach, self.reach, 0))  # (B, F, H + reach, W + 2 reach)
        if self.shift:
            x = x[:, :, :-1]  # row r of the output then ends at row r - 1 of the input
        return F.conv2d(x, self.weight, self.bias)


class HorizontalConv(nn.Conv2d):
    """The 1 x n masked convolution of the horizontal stack: n//2 pixels to the left, and the current one by colour.

    The output features come in two halves (tanh and sigmoid of the gate; an LSTM has four parts), each split into
    colour groups.
    """

    def __init__(self, in_features: int, out_features: int, kernel_size: int, groups: int, mask_type: str,
                 parts: int = 2):
        super().__init__(in_features, parts * out_features, (1, kernel_size // 2 + 1))
        self.reach = kernel_size // 2
        self.row_layout = (parts, groups)
        mask = torch.ones_like(self.weight)
        mask[:, :, 0, -1] = colour_mask(out_features, in_features, groups, mask_type).repeat(parts, 1)
        self.register_buffer("mask", mask, persistent=False)

    def masked_weight(self) -> Tensor:
        """The weights that do something, zeros elsewhere: (parts * out, in, 1, n // 2 + 1)."""
        return self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (self.reach, 0, 0, 0)), self.masked_weight(), self.bias)


class GatedLayer(nn.Module):
    """One layer of figure 2: (v, h) -> (v, h, skip).

    Mask type A makes it the first layer: it reads the image itself on both sides, and has no residual
    connection. `skip` is the layer's contribution to the output network, or None without skip connections.
    """

    def __init__(self, in_features: int, features: int, kernel_size: int, groups: int, mask_type: str,
                 skip_features: int = 0, dropout: float = 0.0):
        super().__init__()
        self.vertical = VerticalConv(in_features, 2 * features, kernel_size, mask_type)
        self.horizontal = HorizontalConv(in_features, features, kernel_size, groups, mask_type)
        self.link = nn.Conv2d(2 * features, 2 * features, 1, bias=False)  # vertical -> horizontal, before the gate
        self.out = ColourConv1x1(features, features, groups)
        self.skip = ColourConv1x1(features, skip_features, groups) if skip_features else None
        self.residual = mask_type == "B"
        self.dropout = nn.Dropout(dropout)

    def forward(self, v: Tensor, h: Tensor, v_condition: Tensor | float = 0.0,
                h_condition: Tensor | float = 0.0) -> tuple[Tensor, Tensor, Tensor | None]:
        """v, h: (B, in_features, H, W); conditions: what equations 4 and 5 add, (B, 2F, H or 1, W or 1)."""
        v_pre = self.vertical(v)  # (B, 2F, H, W)
        h_pre = self.horizontal(h) + self.link(v_pre)  # (B, 2F, H, W)
        v = gate(v_pre + v_condition)  # (B, F, H, W)
        gated = self.dropout(gate(h_pre + h_condition))  # (B, F, H, W)
        h = self.out(gated) + h if self.residual else self.out(gated)
        return v, h, self.skip(gated) if self.skip is not None else None
