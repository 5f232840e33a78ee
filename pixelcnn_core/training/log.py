"""What a training run writes beside its weights: the loss curve as CSV and PNG, and a grid of samples per epoch."""

import csv
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.files import replacing
from pixelcnn_core.training.samples import sample_sheet

EVERY = 50  # steps between two rows of the curve


class TrainingLog:
    """training.csv, training.png and samples/ of one run. A resumed run cuts the rows after its step first."""

    def __init__(self, folder: Path, step: int, loss_name: str = "bits_per_dim"):
        self.folder, self.path, self.name = folder, folder / "training.csv", loss_name
        self.held_out = f"{loss_name}_validation"
        self.rows: list[dict] = []
        if step and self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                self.rows = [self._columns(row) for row in csv.DictReader(file) if int(row["step"]) <= step]
        self.losses: list[Tensor] = []  # since the last row
        self.batch, self.rate = 0, 0.0  # of the latest step
        self.started: tuple[int, float] | None = None

    def _columns(self, row: dict) -> dict:
        """A row with the columns of this version: files of earlier ones can be gone on with."""
        return {name: row.get(name, "") for name in ("step", "seconds", "images", self.name, self.held_out,
                                                     "learning_rate", "images_per_second")}

    def step(self, run, loss: Tensor, batch: int, rate: float, last: bool = False) -> float | None:
        """Remember a step's loss; every 50 steps, and at the last one, write their mean as a row
        and return it."""
        self.losses.append(loss)
        self.batch, self.rate = batch, rate
        self.started = self.started or (run.step - 1, run.seconds)
        return None if run.step % EVERY and not last else self._row(run)

    def _row(self, run) -> float:
        mean = torch.stack(self.losses).mean().item()
        steps, seconds = run.step - self.started[0], run.seconds - self.started[1]
        self.rows.append(self._columns({
            "step": run.step, "seconds": f"{run.seconds:.1f}", "images": run.step * self.batch,
            self.name: f"{mean:.4f}", "learning_rate": f"{self.rate:.3g}",
            "images_per_second": f"{steps * self.batch / seconds:.1f}" if seconds else ""}))
        self.losses, self.started = [], (run.step, run.seconds)
        self._write()
        return mean

    def _write(self) -> None:
        with replacing(self.path) as path, path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)

    @torch.no_grad()
    def validate(self, run, data: ImageData, count: int) -> None:
        """Score the averaged weights on the first `count` held-out images, in this step's row; plot the curve."""
        if not count:
            return
        if self.losses:
            self._row(run)
        device, losses = next(run.average.parameters()).device, []
        for start in range(0, min(count, len(data)), 64):
            part = slice(start, min(start + 64, count))
            losses.append(run.average.losses(data.images[part].to(device), data.condition(part).to(device)))
        self.rows[-1][self.held_out] = f"{torch.cat(losses).mean().item():.4f}"
        self._write()
        self._plot()

    def _plot(self) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        axes.plot([int(r["step"]) for r in self.rows], [float(r[self.name]) for r in self.rows],
                  lw=0.8, label="training batches")
        scored = [r for r in self.rows if r[self.held_out]]
        axes.plot([int(r["step"]) for r in scored], [float(r[self.held_out]) for r in scored],
                  "o-", ms=3, label="validation images, averaged weights")
        axes.set(xlabel="step", ylabel=self.name.replace("_", " "))
        late = [float(r[self.name]) for r in self.rows[len(self.rows) // 20:]]
        spread = max(late) - min(late) + 1e-3
        axes.set_ylim(min(late) - 0.2 * spread, max(late) + 0.5 * spread)
        axes.legend()
        with replacing(self.folder / "training.png") as path:
            figure.savefig(path, dpi=120)

    def sample_grid(self, run, data: ImageData, epoch: int) -> None:
        """samples/epoch-NNN.png, always from the same noise: see `sample_sheet`."""
        if (sheet := sample_sheet(run.average, data)) is None:
            return
        folder = self.folder / "samples"
        folder.mkdir(exist_ok=True)
        with replacing(folder / f"epoch-{epoch:03d}.png") as path:
            sheet.save(path)
