"""One row of cached sampling in plain torch operations: for GPUs, and the readable twin of `numba_rows.py`.

On a GPU the hundreds of tiny kernels of a pixel would each wait for Python. So the two steps of a row, the vertical
stack and the W per-pixel steps of the horizontal stack, are captured once in CUDA graphs that read and write fixed
buffers; each further row is two graph launches. Same draws as on the CPU, up to rounding: float32 sums are added in
another order there, so a uniform that falls within about 1e-6 of a boundary can give the neighbouring level.
"""

import torch
from torch import Tensor

from pixelcnn_core.models.images import scaled
from pixelcnn_core.sampling.cached.buffers import RowTask
from pixelcnn_core.sampling.inversion import guided, invert_cdf


class TorchRows:
    """The two steps of a row for a `CachedSampler`, on any device."""

    def __init__(self, sampler):
        self.w, self.caches, self.config = sampler.weights, sampler.caches, sampler.config
        self.copies, self.temperature, self.guidance = sampler.copies, sampler.temperature, sampler.guidance
        self.truncation = sampler.truncation
        self.reach0, self.reach = self.config.first_kernel_size // 2, self.config.kernel_size // 2
        c, caches = self.config, self.caches
        # Fixed buffers of the current row, so that a captured graph can be replayed for every row.
        self.x_rows = caches.x[:, :self.reach0 + 1].clone()  # (N, R0 + 1, W + 2 R0, C): rows above, and this one
        self.v_rows = caches.v[:, :, :self.reach + 1].clone()  # (L-1, N, R + 1, W + 2 R, F)
        self.h_row = caches.h[0].clone()  # (L, N, W + R, F)
        self.v_condition, self.h_condition = caches.v_condition[:, :, 0].clone(), caches.h_condition[:, :, 0].clone()
        batch, self.width = sampler.batch, sampler.size[1]
        self.task = RowTask(torch.zeros(batch, self.width, c.channels, dtype=torch.uint8, device=sampler.device),
                            torch.zeros(batch, self.width, c.channels, dtype=torch.bool, device=sampler.device),
                            torch.zeros(batch, self.width, c.channels, dtype=torch.float64, device=sampler.device))
        self.use_graphs = sampler.device.type == "cuda"
        self.graphs: dict[str, torch.cuda.CUDAGraph] = {}

    def _replay(self, name: str, step) -> None:
        """Run `step` directly, or, on a GPU, through a CUDA graph captured at its first use."""
        if not self.use_graphs:
            step()
            return
        with torch.cuda.device(self.x_rows.device):  # streams and graphs belong to the current one
            if name not in self.graphs:
                side = torch.cuda.Stream()
                side.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(side):
                    step()  # warm-up: the libraries allocate their workspaces outside the capture
                torch.cuda.current_stream().wait_stream(side)
                self.graphs[name] = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self.graphs[name]):
                    step()
            self.graphs[name].replay()

    def vertical(self, row: int) -> None:
        """Vertical stack, link and condition of one row."""
        caches = self.caches
        self.x_rows.copy_(caches.x[:, row:row + self.reach0 + 1])
        self.v_rows.copy_(caches.v[:, :, row:row + self.reach + 1])
        for own, all_rows in ((self.v_condition, caches.v_condition), (self.h_condition, caches.h_condition)):
            if all_rows.shape[2] > 1:
                own.copy_(all_rows[:, :, row])  # (L, N, W, 2F)
        self._replay("vertical", self._vertical)
        caches.v[:, :, row + self.reach].copy_(self.v_rows[:, :, self.reach])

    def _vertical(self) -> None:
        size, reach = self.width, self.reach
        for layer in range(self.config.layers):
            if layer == 0:
                patches = self.x_rows[:, :self.reach0].unfold(2, 2 * self.reach0 + 1, 1)  # (N, R0, W, C, K0)
                weight = self.w.v_first.flatten(0, 1)
            else:
                patches = self.v_rows[layer - 1].unfold(2, 2 * reach + 1, 1)  # (N, R + 1, W, F, K)
                weight = self.w.v_rest[layer - 1].flatten(0, 1)
            patches = patches.permute(0, 2, 1, 4, 3).flatten(2)  # (N, W, rows * K * in)
            v_pre = patches @ weight + self.w.v_bias[layer]  # (N, W, 2F)
            self.caches.row[layer] = v_pre @ self.w.link[layer] + self.h_condition[layer]
            if layer + 1 < self.config.layers:
                a, b = (v_pre + self.v_condition[layer]).chunk(2, dim=-1)
                self.v_rows[layer, :, reach, reach:reach + size] = torch.tanh(a) * torch.sigmoid(b)

    def horizontal(self, row: int, first_column: int, task: RowTask) -> None:
        """Horizontal stack and draws of one row from `first_column` on: fills task.values."""
        caches, kept = self.caches, self.caches.h[min(row, len(self.caches.h) - 1)]
        for own, given in zip(self.task, task):
            own.copy_(given)
        if first_column:
            self.h_row.copy_(kept)
            for column in range(first_column, self.width):
                self._pixel(column)
        else:
            self._replay("horizontal", lambda: [self._pixel(column) for column in range(self.width)])
        kept.copy_(self.h_row)
        task.values.copy_(self.task.values)
        caches.x[:, row + self.reach0].copy_(self.x_rows[:, self.reach0])

    def _pixel(self, column: int) -> None:
        """All colours of one pixel: left taps of all layers at once, then group by group through the layers."""
        w, config = self.w, self.config
        groups, layers, features = config.channels, config.layers, config.features
        part, both = features // groups, 2 * features // groups
        pre = self.caches.row[:, :, column].clone()  # (L, N, 2F)
        x_row = self.x_rows[:, self.reach0]  # (N, W + 2 R0, C)
        pre[0] += x_row[:, column:column + self.reach0].flatten(1) @ w.left_first
        if layers > 1:
            left = self.h_row[:-1, :, column:column + self.reach].flatten(2)  # (L-1, N, R * F)
            pre[1:] = torch.baddbmm(pre[1:], left, w.left_rest)
        gated = pre.new_zeros(layers, pre.shape[1], features)
        h = self.h_row[:, :, column + self.reach]  # (L, N, F), a view
        pixel = x_row[:, column + self.reach0]  # (N, C), a view
        skip, hidden = [], []
        for g in range(groups):
            mine, upto = slice(g * part, (g + 1) * part), (g + 1) * part
            for layer in range(layers):
                x = pre[layer, :, g * both:(g + 1) * both]  # (N, 2F/G)
                if layer:
                    x = torch.addmm(x, h[layer - 1, :, :upto], w.centre_rest[layer - 1, g, :upto])
                elif g:
                    x = torch.addmm(x, pixel[:, :g], w.centre_first[g, :g])
                a, b = x.chunk(2, dim=1)
                gated[layer, :, mine] = torch.tanh(a) * torch.sigmoid(b)
                out = torch.addmm(w.out_bias[layer, g], gated[layer, :, :upto], w.out[layer, g, :upto])
                h[layer, :, mine] = out + h[layer - 1, :, mine] if layer else out
            if config.skip:
                total = torch.bmm(gated[:, :, :upto], w.skip[:, g, :upto]).sum(0) + w.skip_bias[g]  # (N, S/G)
            else:
                total = h[-1, :, mine]
            skip.append(torch.relu(total))
            hidden.append(torch.relu(_dense(skip, w.head1[g], w.head1_bias[g])))
            logits = _dense(hidden, w.head2[g], w.head2_bias[g])  # (N, levels)
            if self.copies == 2:
                logits = guided(logits[::2], logits[1::2], self.guidance)  # (B, levels)
            drawn = invert_cdf(logits, self.task.uniforms[:, column, g], self.temperature, self.truncation)
            value = torch.where(self.task.known[:, column, g], self.task.values[:, column, g], drawn.to(torch.uint8))
            self.task.values[:, column, g] = value
            pixel[:, g] = scaled(value.to(pixel.dtype), config.levels).repeat_interleave(self.copies)


def _dense(parts: list[Tensor], weight: Tensor, bias: Tensor) -> Tensor:
    """The colour groups computed so far, (N, n) each, times the rows of `weight` that group g may read."""
    x = torch.cat(parts, dim=1)
    return torch.addmm(bias, x, weight[:x.shape[1]])

