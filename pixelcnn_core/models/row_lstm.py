"""PixelRNN with Row LSTM layers, of *Pixel Recurrent Neural Networks* (van den Oord et al., 2016).

A layer walks down the image, one row at a time. The gates of a row are a masked 1 x n convolution of the input along
the row (input-to-state, computed for all rows at once) and a 1 x n convolution of the state of the row above
(state-to-state, the only part that has to wait):

    o, f, i, g = K_is * x_row + K_ss * h_above;   c = sigmoid(f) c_above + sigmoid(i) tanh(g);   h = sigmoid(o) tanh(c)

One layer already reaches the top row, but each row further up is only n // 2 pixels wider on either side. More layers
fill in the left; to the right the context stays this triangle, however deep the network.

References: van den Oord et al., 2016, arXiv 1601.06759, section 3.1 (Row LSTM), 3.3 (residual connections).
"""

import torch
from torch import Tensor, nn

from pixelcnn_core.models.gated import PixelCNNConfig
from pixelcnn_core.models.layers import ColourConv1x1, HorizontalConv
from pixelcnn_core.models.plain import PlainPixelCNN


def hidden_features(config: PixelCNNConfig) -> int:
    """Of an LSTM, F / 2. Raises ValueError where that is none."""
    if config.features < 2:
        raise ValueError(f"an LSTM needs at least 2 features, not {config.features}")
    return config.features // 2


def lstm_step(gates: tuple[Tensor, ...], c: Tensor) -> tuple[Tensor, Tensor]:
    """One step of an LSTM from its four gates before their nonlinearities, (output, forget, input, content), and the
    cell state c, all of one shape: the new h and c."""
    output, forget, enter, content = gates
    c = torch.sigmoid(forget) * c + torch.sigmoid(enter) * torch.tanh(content)
    return torch.sigmoid(output) * torch.tanh(c), c


class RowLSTMBlock(nn.Module):
    """A Row LSTM with F / 2 hidden features, and the 1 x 1 convolution back to F (figure 5 of 1601.06759)."""

    def __init__(self, config: PixelCNNConfig):
        super().__init__()
        features, groups = config.features, config.channels
        self.hidden = hidden_features(config)
        self.input_to_state = HorizontalConv(features, self.hidden, config.kernel_size, groups, "B", parts=4)
        # No mask: the row above is known in all colours. No bias: the input's suffices, and no state is a zero state.
        self.state_to_state = nn.Conv1d(self.hidden, 4 * self.hidden, config.kernel_size,
                                        padding=config.kernel_size // 2, bias=False)
        self.out = ColourConv1x1(self.hidden, features, groups)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """(B, F, H, W) -> (B, F, H, W), to be added to x."""
        h = c = x.new_zeros(len(x), self.hidden, x.shape[3])  # (B, F/2, W)
        rows = []
        for from_input in self.input_to_state(x).permute(2, 0, 1, 3).contiguous():  # (B, 4 F/2, W)
            h, c = lstm_step((from_input + self.state_to_state(h)).chunk(4, 1), c)
            rows.append(h)
        return self.out(torch.stack(rows, 2))  # (B, F/2, H, W) -> (B, F, H, W)


class RowLSTM(PlainPixelCNN):
    """The interface of `GatedPixelCNN` (likelihood, checkpoints, naive sampling), unconditional. `config.layers` counts
    the first masked convolution and the Row LSTM layers."""

    block = RowLSTMBlock
