"""The exact cached sampler: every activation of the network is computed once per image.

* When a row starts, the vertical stack of that row depends only on finished rows: it is computed for the whole row,
  with its 1x1 link into the horizontal stack and all condition terms.
* Inside the row the horizontal stack advances pixel by pixel, and inside a pixel colour by colour: the R features of
  all layers, sample R; then only the G features, sample G; then only B. The output network runs for one colour only.

So the arithmetic of a whole sample is that of one forward pass, less the masked zeros, instead of C * H * W passes.
This file owns the order of events, and `buffers.py` says what is kept; one row's arithmetic is in `numba_rows.py`
(compiled with Numba) and `torch_rows.py` (plain torch operations; on a GPU, a CUDA graph).

References: Ramachandran et al., 2017, "Fast generation for convolutional autoregressive models", arXiv 1704.06001
(the caches; there of a PixelCNN++, and with the masked zeros).
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.images import scaled
from pixelcnn_core.sampling.cached.buffers import Caches, RowTask
from pixelcnn_core.sampling.cached.compile_cache import announce
from pixelcnn_core.sampling.cached.packing import pack_condition, pack_weights
from pixelcnn_core.sampling.truncation import PAPER, Truncation


def has_stacks(model) -> bool:
    """Whether a model is made of the two stacks of figure 2, which can be cached; those of 2016 are not."""
    return isinstance(model, GatedPixelCNN) and hasattr(model, "layers")


class CachedSampler:
    """Draws one batch of images with caches; `run` can be called again from any pixel after an edit.

    truncation, unconditional: see `sample_rows`
    size         (H, W) of the images; default: what the model was trained on
    backend      "numba" (CPU), "torch" (any device); default: numba on the CPU
    keep_rows    keep the horizontal features of every row, so that `run(start=...)` can resume inside any row
    threads      CPU threads for the numba backend, over the images of the batch
    """

    def __init__(self, model: GatedPixelCNN, condition: Condition | None, batch: int, *, temperature: float = 1.0,
                 guidance: float = 1.0, truncation: Truncation = PAPER, unconditional: Condition | None = None,
                 size: tuple[int, int] | None = None, backend: str | None = None, keep_rows: bool = False,
                 threads: int | None = None):
        if not has_stacks(model):
            raise ValueError(f"the cached sampler is for the GatedPixelCNN; use method='naive' for "
                             f"{type(model).__name__}")
        self.config, self.batch, self.temperature, self.guidance = model.config, batch, temperature, guidance
        self.truncation, self.size = truncation, size or (model.config.image_size,) * 2
        self.copies = 1 if guidance == 1 else 2
        self.device = model.head1.weight.device
        if model.head1.weight.dtype not in (torch.float32, torch.float64):
            raise ValueError("images are drawn in float32 or float64, the weights are "
                             f"{model.head1.weight.dtype}: call model.float() first")
        if self.device.type == "mps":
            raise ValueError("Apple's GPU has no float64, in which noise and probabilities are compared: move the "
                             "model to the CPU")
        self.weights = pack_weights(model)
        self.caches = self._allocate(model, condition or Condition(), unconditional, keep_rows)
        self.keep_rows = keep_rows
        self.backend = backend or ("numba" if self.device.type == "cpu" else "torch")
        if self.backend == "numba":
            import numba

            from pixelcnn_core.sampling.cached.numba_rows import (
                NumbaRows,  # compiles for seconds at first use: not at import
            )
            announce(numba.config.CACHE_DIR)
            self.rows = NumbaRows(self, threads or min(torch.get_num_threads(), batch))
        elif self.backend == "torch":
            from pixelcnn_core.sampling.cached.torch_rows import TorchRows
            self.rows = TorchRows(self)
        else:
            raise ValueError(f"backend is 'numba' or 'torch', not {backend!r}")
        self.finished_rows = 0

    def _allocate(self, model: GatedPixelCNN, condition: Condition, unconditional: Condition | None,
                  keep_rows: bool) -> Caches:
        c, like = self.config, model.head1.weight
        n, (height, width) = self.batch * self.copies, self.size
        reach0, reach = c.first_kernel_size // 2, c.kernel_size // 2

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=like.dtype, device=like.device)

        v_condition, h_condition = pack_condition(model, condition.to(like.device), self.batch, self.size)
        if self.copies == 2:  # image b has the streams 2b (with the condition) and 2b + 1 (without: h = 0, s = 0)
            if unconditional is None:
                unconditional = condition.drop(torch.zeros(max(len(condition), 1), dtype=torch.bool))
            without = pack_condition(model, unconditional.to(like.device), self.batch, self.size)
            v_condition, h_condition = (torch.stack(pair, dim=2).flatten(1, 2)
                                        for pair in zip((v_condition, h_condition), without))
        return Caches(x=zeros(n, height + reach0, width + 2 * reach0, c.channels),
                      v=zeros(c.layers - 1, n, height + reach, width + 2 * reach, c.features),
                      h=zeros(height if keep_rows else 1, c.layers, n, width + reach, c.features),
                      row=zeros(c.layers, n, width, 2 * c.features),
                      v_condition=v_condition, h_condition=h_condition)

    @torch.inference_mode()
    def run(self, uniforms: Tensor, image: Tensor | None = None, known: Tensor | None = None,
            start: tuple[int, int] = (0, 0)) -> Iterator[Tensor]:
        """Yield the batch, uint8 (B, C, H, W), after each row from `start` = (row, column) on.

        uniforms  (B, C, H, W) float64 in [0, 1);  image, known: uint8 and bool (B, C, H, W), the given pixels
        start     resume here: all earlier pixels are those of the previous run and of `image`, and their caches are
                  still valid. Needs keep_rows=True unless the column is 0.
        Raises ValueError where the caches do not reach `start`.
        """
        first_row, first_column = start
        (height, width), shape = self.size, tuple(uniforms.shape)
        if not (0 <= first_row < height and 0 <= first_column < width):
            raise ValueError(f"start must be a pixel of the {height} x {width} image, not {start}")
        needed_rows = first_row + (first_column > 0)
        if needed_rows > self.finished_rows or (first_column and not self.keep_rows):
            raise ValueError(f"cannot resume at {start}: only {self.finished_rows} rows are in the cache"
                             f"{'' if self.keep_rows else ', and rows are not kept'}")
        if image is None:
            image, known = torch.zeros(shape, dtype=torch.uint8), torch.zeros(shape, dtype=torch.bool)
        if start != (0, 0):
            known = known.clone()
            known[:, :, first_row, :first_column] = True
        x = torch.where(known, image, 0).to(torch.uint8)  # (B, C, H, W), on the CPU
        x[:, :, :first_row] = image[:, :, :first_row]
        for row in range(first_row, height):
            known_row = known[:, :, row]
            task = RowTask(*(t.permute(0, 2, 1).contiguous().to(self.device)  # (B, W, C)
                             for t in (x[:, :, row], known_row, uniforms[:, :, row])))
            column = first_column if row == first_row else 0
            skip_row = bool(known_row.all()) and not self.keep_rows  # nothing to draw: the row only feeds later ones
            if not (skip_row and row == height - 1):
                self.rows.vertical(row)
            if not skip_row:
                self.rows.horizontal(row, column, task)
                x[:, :, row] = task.values.permute(0, 2, 1)
            self._store(row, x)
            self.finished_rows = row + 1
            partial = x.clone()
            partial[:, :, row + 1:] = 0
            yield partial

    @torch.inference_mode()
    def decide(self, choose: Callable[[np.ndarray, int, int, int], np.ndarray]) -> Iterator[Tensor]:
        """Let `choose(logits, row, column, channel)` decide every sub-pixel in order; yields the batch like `run`.

        logits (B, levels) belong to the caller only until it returns the values, integers (B,). Without guidance, and
        with the numba backend only: there the logits of an image are the same bits whatever the batch, the threads
        and the process. Raises ValueError.
        """
        if self.copies == 2 or self.backend != "numba":
            raise ValueError("a caller can decide the values only without guidance and with the numba backend")
        x = torch.zeros(self.batch, self.config.channels, *self.size, dtype=torch.uint8)

        def decided(logits: np.ndarray, row: int, column: int, channel: int) -> np.ndarray:
            values = choose(logits, row, column, channel)
            x[:, channel, row, column] = torch.from_numpy(values)
            return values

        for row in range(self.size[0]):
            self.rows.vertical(row)
            self.rows.decide(row, decided)
            self._store(row, x)
            self.finished_rows = row + 1
            yield x.clone()

    def _store(self, row: int, x: Tensor) -> None:
        """Put a finished row of the image, scaled as the network reads it, into the cache of every stream."""
        reach0, width = self.config.first_kernel_size // 2, self.size[1]
        values = x[:, :, row].permute(0, 2, 1).to(self.device).repeat_interleave(self.copies, 0)  # (N, W, C)
        self.caches.x[:, row + reach0, reach0:reach0 + width] = scaled(values.to(self.caches.x.dtype),
                                                                       self.config.levels)

