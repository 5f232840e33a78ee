"""What a prediction can see, found by gradient: the blind spot of section 2.2 (figure 1, right) and its cure.

The logits at one pixel are differentiated with respect to the image: what has no gradient cannot matter. Two questions:

    receptive_field   which pixels can matter at all? Asked of `probe_network`s with random weights, where it depends on
                      nothing but masks, kernels and depth
    sensitivity       how much did each pixel matter? Asked of a trained model and a real image
"""

import functools

import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.plain import PlainPixelCNN

KINDS = {"plain": PlainPixelCNN, "gated": GatedPixelCNN}
KERNEL = 3  # of every layer of a probe network
DRAWS = 3  # random images per question: in a single one a ReLU may be shut that is open in another


@functools.lru_cache(maxsize=128)
def probe_network(kind: str, layers: int, size: int) -> GatedPixelCNN:
    """A narrow grey network of random float64 weights; `kind` is "plain" (one masked stack) or "gated" (two stacks)."""
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    config = PixelCNNConfig(image_size=size, channels=1, levels=2, features=6, layers=layers, head_features=6,
                            kernel_size=KERNEL, first_kernel_size=KERNEL)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return KINDS[kind](config).double().eval().requires_grad_(False)


@functools.lru_cache(maxsize=4096)
def receptive_field(kind: str, layers: int, size: int, row: int, column: int) -> Tensor:
    """The pixels that the prediction at (row, column) depends on in a network of this depth: bool (size, size)."""
    model = probe_network(kind, layers, size)
    x = torch.rand(DRAWS, 1, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    logits = model(x)[:, :, 0, row, column]  # (DRAWS, levels)
    gradient, = torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), x)
    return (gradient != 0).any(0)[0]


def earlier_pixels(size: int, row: int, column: int) -> Tensor:
    """The pixels before (row, column) in raster order, which a prediction may see: bool (size, size)."""
    return torch.arange(size * size).reshape(size, size) < row * size + column


def sensitivity(model: GatedPixelCNN, image: Tensor, row: int, column: int, condition: Condition | None = None
                ) -> Tensor:
    """How much the surprise at (row, column) would change with each pixel, in bits per level: (H, W).

    It is |d -log2 p(x_i | x_<i, h) / d x|, summed over the colours of both pixels; image integers (1, C, H, W). The
    pixel's own colours count: G depends on R, and B on both.
    """
    x = image.to(model.head1.weight.dtype).requires_grad_()
    total = 0
    for bits in model.bits_per_sub_pixel(x, condition)[0, :, row, column]:
        gradient, = torch.autograd.grad(bits, x, retain_graph=True)
        total = total + gradient[0].abs().sum(0)  # (H, W)
    return total
