"""PixelRNN with Diagonal BiLSTM layers, of *Pixel Recurrent Neural Networks* (van den Oord et al., 2016).

A layer sweeps the image along its diagonals, from the upper left corner and from the upper right one. To do so the
image is *skewed*: row r moves r places to the right. A diagonal is then a column, and the neighbours above and to the
left of its pixels lie in the column before it, where a convolution of size 2 finds them:

    pixel (r, c) is in column r + c; its left neighbour (r, c - 1) and the one above, (r - 1, c), in column r + c - 1

The right-to-left sweep sees pixels to the right. Its output is moved down by one row, so that they all lie above: the
left-to-right sweep knows everything above and to the left, the other one everything above and to the right.

Beyond the paper: since it is moved down, the right-to-left sweep may read whole pixels, and here it does (the image is
a second input). With masked features only, a row's last pixel would be unknown to most of the row below.
Both sweeps run in one loop, as two groups of a grouped convolution.

References: van den Oord et al., 2016, arXiv 1601.06759, section 3.2 (Diagonal BiLSTM), 3.3 (residual connections).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.gated import PixelCNNConfig
from pixelcnn_core.models.layers import ColourConv1x1, HorizontalConv
from pixelcnn_core.models.plain import PlainPixelCNN
from pixelcnn_core.models.row_lstm import hidden_features, lstm_step


def skew(x: Tensor) -> Tensor:
    """Move row r by r places to the right, zeros elsewhere: (..., H, W) -> (..., H, W + H - 1)."""
    height, width = x.shape[-2:]
    x = F.pad(x, (0, height)).flatten(-2)  # rows of W + H, one after another; read as rows of W + H - 1 they drift
    return x[..., :-height].unflatten(-1, (height, width + height - 1))


def unskew(x: Tensor) -> Tensor:
    """The inverse of `skew`: (..., H, W + H - 1) -> (..., H, W)."""
    height, skewed = x.shape[-2:]
    return F.pad(x.flatten(-2), (0, height)).unflatten(-1, (height, skewed + 1))[..., :skewed + 1 - height]


class DiagonalBlock(nn.Module):
    """A Diagonal BiLSTM with F / 2 hidden features each way, and the 1 x 1 convolution back to F."""

    def __init__(self, config: PixelCNNConfig):
        super().__init__()
        features, groups = config.features, config.channels
        self.hidden = hidden = hidden_features(config)
        self.from_left = HorizontalConv(features, hidden, 1, groups, "B", parts=4)
        self.from_right = nn.Conv2d(features + config.channels, 4 * hidden, 1)  # no mask: it is moved down by a row
        # No mask either: both neighbours are known in all colours. No bias: outside of the image the state stays zero.
        self.state_to_state = nn.Conv1d(2 * hidden, 8 * hidden, 2, groups=2, bias=False)
        self.out = ColourConv1x1(hidden, features, groups)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """x (B, F, H, W), image (B, C, H, W) -> (B, F, H, W), to be added to x."""
        sweeps = torch.cat([self.from_left(x), self.from_right(torch.cat([x, image], 1)).flip(3)], 1)
        h = x.new_zeros(len(x), 2 * self.hidden, x.shape[2])  # (B, 2 F/2, H)
        c = h.unflatten(1, (2, self.hidden))  # (B, 2, F/2, H)
        diagonals = []
        for from_input in skew(sweeps).permute(3, 0, 1, 2).contiguous():  # (B, 2 * 4 F/2, H)
            gates = from_input + self.state_to_state(F.pad(h, (1, 0)))  # of the diagonal before: rows r - 1 and r
            h, c = lstm_step(gates.unflatten(1, (2, 4, self.hidden)).unbind(2), c)
            h = h.flatten(1, 2)  # (B, 2, F/2, H) -> (B, 2 F/2, H)
            diagonals.append(h)
        from_left, from_right = unskew(torch.stack(diagonals, 3)).chunk(2, 1)  # (B, F/2, H, W) each
        moved_down = F.pad(from_right.flip(3), (0, 0, 1, 0))[:, :, :-1]
        return self.out(from_left + moved_down)


class DiagonalBiLSTM(PlainPixelCNN):
    """The interface of `GatedPixelCNN` (likelihood, checkpoints, naive sampling), unconditional. `config.layers` counts
    the first masked convolution and the Diagonal BiLSTM layers."""

    block = DiagonalBlock
