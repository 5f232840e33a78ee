"""The plain PixelCNN of *Pixel Recurrent Neural Networks* (van den Oord et al., 2016): the baseline.

One stack of masked n x n convolutions with ReLU, two in a residual block. It is causal, but it has a *blind spot*:
whatever the depth, a wedge of earlier pixels up and to the right never reaches the prediction (figure 1 of the
paper, right), because a chain of masked steps moves at most n//2 columns to the right for each row it descends.
Kept to be compared with, and to make the blind spot visible.

References: van den Oord et al., 2016, arXiv 1601.06759, section 3.5 (PixelCNN); arXiv 1606.05328, section 2.2 (the
blind spot).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn_core.models.conditioning import as_condition
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.layers import ColourConv1x1, colour_mask


class MaskedConv2d(nn.Conv2d):
    """n x n convolution that reads the rows above, the pixels to the left, and the current pixel by colour."""

    def __init__(self, in_features: int, out_features: int, kernel_size: int, groups: int, mask_type: str):
        super().__init__(in_features, out_features, kernel_size, padding=kernel_size // 2)
        mask, middle = torch.zeros_like(self.weight), kernel_size // 2
        mask[:, :, :middle] = 1
        mask[:, :, middle, :middle] = 1
        mask[:, :, middle, middle] = colour_mask(out_features, in_features, groups, mask_type)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class ConvolutionBlock(nn.Module):
    """ReLU, masked n x n convolution, ReLU, 1 x 1 convolution: what a block adds to the features."""

    def __init__(self, config: PixelCNNConfig):
        super().__init__()
        features, groups = config.features, config.channels
        self.conv = MaskedConv2d(features, features, config.kernel_size, groups, "B")
        self.out = ColourConv1x1(features, features, groups)

    def forward(self, h: Tensor, image: Tensor) -> Tensor:
        """h (B, F, H, W) -> (B, F, H, W). The image itself, (B, C, H, W), is of use to other kinds of block only."""
        return self.out(F.relu(self.conv(F.relu(h))))


class PlainPixelCNN(GatedPixelCNN):
    """Same interface as `GatedPixelCNN` (likelihood, checkpoints, naive sampling), unconditional: a masked convolution
    and residual blocks. The PixelRNNs of `row_lstm.py` and `diagonal_lstm.py` differ in the block alone."""

    block = ConvolutionBlock

    def __init__(self, config: PixelCNNConfig):
        if config.classes or config.embedding or config.map_channels or config.position:
            raise ValueError(f"{type(self).__name__} is unconditional, as the models of 2016 were")
        nn.Module.__init__(self)
        self.config = config
        groups, features = config.channels, config.features
        self.first = MaskedConv2d(groups, features, config.first_kernel_size, groups, "A")
        self.blocks = nn.ModuleList(self.block(config) for _ in range(config.layers - 1))
        self.dropout = nn.Dropout(config.dropout)
        self.head1 = ColourConv1x1(features, config.head_features, groups)
        self.head2 = ColourConv1x1(config.head_features, groups * config.levels, groups)

    def _channel_logits(self, x: Tensor, condition=None) -> Tensor:
        if len(as_condition(condition)):
            raise ValueError(f"{type(self).__name__} is unconditional, as the models of 2016 were")
        if x.ndim != 4 or x.shape[1] != self.config.channels:
            raise ValueError(f"images have shape (B, {self.config.channels}, H, W), not {tuple(x.shape)}")
        image = self.scale_input(x)
        h = self.first(image)
        for block in self.blocks:
            h = h + self.dropout(block(h, image))
        return self.head2(F.relu(self.head1(F.relu(h))))
