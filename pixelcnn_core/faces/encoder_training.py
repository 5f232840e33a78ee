"""Distillation: the compact face encoder learns a teacher's descriptors, and is measured by verification.

The teacher's descriptors share a large common part; its mean over the training faces is subtracted before they are
brought to unit length, so that a cosine of 0 means "no more alike than any two people". Two losses: the cosine between
student and teacher for each face, and the squared difference between the tables of cosines within a batch (relational
distillation), which is what verification uses.

References: Hinton et al., 2015, arXiv 1503.02531 (distillation); Park et al., 2019, arXiv 1904.05068 (relational).
"""

import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import PartialState
from torch import Tensor
from tqdm import tqdm

from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.device import choose_device
from pixelcnn_core.faces.encoder import FaceEncoder, FaceEncoderConfig
from pixelcnn_core.faces.tables import FaceData, load_faces, split_faces
from pixelcnn_core.faces.verification import verification, verification_pairs
from pixelcnn_core.files import replacing
from pixelcnn_core.models.checkpoint import WEIGHTS_FILE
from pixelcnn_core.provenance import count_parameters, origin
from pixelcnn_core.results import merge_results, write_json
from pixelcnn_core.training.state import TrainingError, check_minutes, clear, lock
from pixelcnn_core.training.stop import StopSignals, TrainingStopped


def teacher_vectors(data: FaceData, mean: Tensor) -> Tensor:
    """Centred descriptors of unit length: (N, 128)."""
    return F.normalize(data.descriptors - mean, dim=1)


def jitter(images: Tensor, random: np.random.Generator) -> Tensor:
    """Flips, shifts up to 3 pixels with the edge repeated, and brightness, contrast and colour: uint8 -> [-1, 1]."""
    x = images.float() / 127.5 - 1
    if random.random() < 0.5:
        x = x.flip(3)
    dy, dx = random.integers(0, 7, 2)
    x = F.pad(x, (3, 3, 3, 3), mode="replicate")[:, :, dy:dy + images.shape[2], dx:dx + images.shape[3]]
    gain = torch.from_numpy(random.uniform(0.75, 1.25, (len(x), 3, 1, 1))).to(x)
    shift = torch.from_numpy(random.uniform(-0.15, 0.15, (len(x), 1, 1, 1))).to(x)
    return (x * gain + shift).clamp(-1, 1)


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Both (B, 128), unit length."""
    cosine = 1 - (student * teacher).sum(1).mean()
    relations = F.mse_loss(student @ student.T, teacher @ teacher.T)
    return cosine + 3 * relations


def train_encoder(data_dir: str | Path, out: str | Path, *, epochs: int = 12, batch: int = 128, rate: float = 2e-3,
                  max_minutes: float | None = None, seed: int = 0, config: FaceEncoderConfig | None = None,
              overwrite: bool = False) -> Path:
    """Distil the descriptors of the training people into a FaceEncoder; write the checkpoint folder `out`.

    The checkpoint is written every 500 steps, and training.csv beside it (loss: a mean over those steps).
    overwrite  replace the model in `out`, and what was measured of it
    Raises DataError, TrainingError, and TrainingStopped after Ctrl-C or SIGTERM, when the weights so far are saved.
    """
    check_minutes(max_minutes)
    out = Path(out)
    train, _ = split_faces(load_faces(data_dir))
    if len(train) < batch:
        raise DataError(f"{data_dir} has {len(train)} faces to train on, fewer than one batch of {batch}")
    out.mkdir(parents=True, exist_ok=True)
    with lock(out, PartialState()), StopSignals() as stop:
        if (out / WEIGHTS_FILE).exists() and not overwrite:
            raise TrainingError(f"{out} already holds a trained model: --overwrite replaces it and what was measured "
                                "of it, or choose another --out")
        if overwrite:
            clear(out)
        step = take_steps(train, out, epochs, batch, rate, max_minutes, seed, config or FaceEncoderConfig(), stop)
    if stop.signal:
        raise TrainingStopped(f"stopped after step {step:,}, and saved in {out}: this training cannot be resumed",
                              stop.signal)
    return out


def take_steps(train: FaceData, out: Path, epochs: int, batch: int, rate: float, max_minutes: float | None, seed: int,
               config: FaceEncoderConfig, stop: StopSignals) -> int:
    """Train until the epochs or the minutes are over, or somebody asks to stop; returns the number of steps."""
    device = choose_device()
    target = teacher_vectors(train, train.descriptors.mean(0)).to(device)
    images = train.images.to(device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = FaceEncoder(config).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-3)
    steps, begun = epochs * (len(train) // batch), time.monotonic()
    losses, rows, step = [], [], 0
    model.train()
    for _ in (bar := tqdm(range(steps), desc="face encoder", unit="step")):
        progress = max(step / steps, (time.monotonic() - begun) / 60 / max_minutes if max_minutes else 0)
        if step and (stop.signal or progress >= 1):
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * progress))
        random = np.random.default_rng((seed, step))
        index = torch.from_numpy(random.integers(0, len(train), batch))
        loss = distillation_loss(model(jitter(images[index], random)), target[index])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise TrainingError(f"training diverged: at step {step} the loss is {losses[-1]}; {out} holds what was "
                                "saved before, if anything was; a smaller rate may help")
        if step % 500 == 0:
            rows.append({"step": step, "seconds": round(time.monotonic() - begun, 1), "images": step * batch,
                         "loss": round(float(np.mean(losses)), 4)})
            losses = []
            bar.set_postfix_str(f"loss {rows[-1]['loss']:.3f}")
            model.save_pretrained(out)
            write_rows(out / "training.csv", rows)
    model.eval().save_pretrained(out)
    write_json(out / "training.json", {"steps": step, "images": step * batch,
                                       "seconds": round(time.monotonic() - begun, 1), "max_minutes": max_minutes,
                                       **origin(device)})
    return step


def write_rows(path: Path, rows: list[dict]) -> None:
    """A table as CSV. Raises OSError with a sentence that names it."""
    with replacing(path) as place, place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def evaluate_encoder(checkpoint: str | Path, data_dir: str | Path, count: int = 3000) -> dict:
    """Verification of held-out people, student and teacher on the same pairs, in all and by source."""
    model = FaceEncoder.from_pretrained(checkpoint, map_location=choose_device())
    train, test = split_faces(load_faces(data_dir))
    student, teacher = model.embed(test.images), teacher_vectors(test, train.descriptors.mean(0))
    results: dict = {"parameters": count_parameters(model), "people": len(set(test.identities))}
    for source in (None, *sorted(set(test.sources))):
        chosen = [k for k in range(len(test)) if source in (None, test.sources[k])]
        part = test.where([source in (None, s) for s in test.sources])
        pairs = verification_pairs(part, count if source is None else count // 2)
        accuracy, auc = verification(student[chosen], pairs)
        accuracy_teacher, auc_teacher = verification(teacher[chosen], pairs)
        numbers = {"verification_accuracy": round(accuracy, 4), "auc": round(auc, 4),
                   "verification_accuracy_teacher": round(accuracy_teacher, 4), "auc_teacher": round(auc_teacher, 4),
                   "pairs": len(pairs.same)}
        if source is None:
            results |= numbers
        else:
            results.setdefault("by_source", {})[source] = numbers
    return merge_results(checkpoint, results | origin(model.out.weight.device))
