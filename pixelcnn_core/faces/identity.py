"""Does a new portrait show the same person? Portraits of people never seen in training are embedded again and matched.

Every held-out person gives one source photo; its embedding stands in a gallery and conditions the portraits. A probe (a
portrait, or for comparison another real photo of that person at the model's resolution) is matched against the person's
own source and those of `gallery - 1` other people. rank1 is the share of probes that are closest to their own source,
auc the area under the ROC curve of the cosines. Chance is 1 / gallery and 0.5.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor
from tqdm import tqdm

from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.device import choose_device
from pixelcnn_core.faces.encoder import check_encoder, condition_vectors, embed_small
from pixelcnn_core.faces.tables import CROP, INSIDE, FaceData, load_faces, split_faces
from pixelcnn_core.faces.vggface2 import load_encoder
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.results import merge_results, read_results
from pixelcnn_core.sampling.sample import finish, sample

BATCH = 64  # portraits drawn at once


@dataclass
class Probes:
    """`vectors` (N, D), each of person number `person` (N,)."""

    vectors: Tensor
    person: np.ndarray


def match(probes: Probes, sources: Tensor, gallery: int, seed: int = 0) -> tuple[float, float]:
    """(rank1, auc) of probes against their own source and `gallery - 1` others, drawn by `seed`; sources: (P, D)."""
    cosine = (probes.vectors @ sources.T).numpy()  # (N, P)
    random, own, others = np.random.default_rng(seed), [], []
    for row, person in zip(cosine, probes.person):
        strangers = np.delete(np.arange(len(sources)), person)
        others.append(row[random.choice(strangers, gallery - 1, replace=False)])
        own.append(row[person])
    own, others = np.array(own), np.stack(others)  # (N,), (N, gallery - 1)
    same = np.r_[np.ones(own.size), np.zeros(others.size)]
    return float((own > others.max(1)).mean()), float(roc_auc_score(same, np.r_[own, others.ravel()]))


def draw_portraits(model: GatedPixelCNN, sources: Tensor, count: int, temperature: float, guidance: float,
                   seed: int) -> Tensor:
    """`count` portraits for each source (P, D): uint8 (P * count, 3, H, W)."""
    vectors = condition_vectors(sources).repeat_interleave(count, 0)
    drawn = []
    for start in tqdm(range(0, len(vectors), BATCH), desc="portraits", unit="batch"):
        condition = Condition(embedding=vectors[start:start + BATCH])
        drawn.append(finish(sample(model, condition, seed=seed + start, temperature=temperature,
                                   guidance=guidance)).cpu())
    return torch.cat(drawn)


@functools.lru_cache(maxsize=1)  # a curve measures the same people again and again
def choose_people(data_dir: str | Path, people: int) -> tuple[FaceData, np.ndarray, np.ndarray, Tensor]:
    """(held-out faces, index of each person's source, number of the person on the other photos, their index)."""
    _, held_out = split_faces(load_faces(data_dir))
    held_out = held_out.where((held_out.inside > INSIDE).tolist())
    photos: dict[str, list[int]] = {}
    for index, name in enumerate(held_out.identities):
        photos.setdefault(name, []).append(index)
    # people with several photos first: they give the ceiling
    names = sorted(photos, key=lambda name: (-min(len(photos[name]), 2), name))[:people]
    sources = np.array([photos[name][0] for name in names])
    others = [(person, index) for person, name in enumerate(names) for index in photos[name][1:9]]
    return held_out, sources, np.array([p for p, _ in others]), torch.tensor([i for _, i in others])


def identity(checkpoint: str | Path, data_dir: str | Path, encoder: str | Path, *, people: int = 200,
             portraits: int = 8, gallery: int = 100, temperature: float = 1.0, guidance: float = 1.0,
             seed: int = 0) -> dict:
    """Match portraits of held-out people. Raises CheckpointError, DataError or ResultsError.

    Where `checkpoint` is a folder, the numbers go into its results.json under "identity".
    """
    read_results(checkpoint)  # a damaged file is found before the work
    results = match_portraits(checkpoint, data_dir, encoder, people=people, portraits=portraits, gallery=gallery,
                              temperature=temperature, guidance=guidance, seed=seed)
    merge_results(checkpoint, {"identity": results})
    return results


def match_portraits(checkpoint: str | Path, data_dir: str | Path, encoder: str | Path, *, people: int, portraits: int,
                    gallery: int, temperature: float, guidance: float, seed: int) -> dict:
    """What `identity` measures. Raises CheckpointError or DataError."""
    face_encoder = load_encoder(encoder)
    model = GatedPixelCNN.from_pretrained(checkpoint, map_location=choose_device())
    check_encoder(model, face_encoder)
    held_out, sources, person, others = choose_people(data_dir, people)
    people = len(sources)
    if not len(others) or people < 2:
        raise DataError(f"{people} held-out people, {len(set(person))} with two photos, are too few to match")
    gallery = min(gallery, people)
    size = model.config.image_size
    vectors = face_encoder.embed(held_out.images[sources])  # (P, D)
    drawn = draw_portraits(model, vectors, portraits, temperature, guidance, seed)
    real = F.avg_pool2d(held_out.images[others].float(), CROP // size).round().to(torch.uint8)
    new = Probes(embed_small(face_encoder, drawn), np.repeat(np.arange(people), portraits))
    rank1, auc = match(new, vectors, gallery, seed)
    rank1_real, auc_real = match(Probes(embed_small(face_encoder, real), person), vectors, gallery, seed)
    return {"rank1": round(rank1, 4), "rank1_real": round(rank1_real, 4), "rank1_chance": round(1 / gallery, 4),
               "auc": round(auc, 4), "auc_real": round(auc_real, 4), "people": people, "portraits": len(drawn),
               "people_real": len(set(person)), "photos_real": len(others), "gallery": gallery,
               "temperature": temperature, "guidance": guidance, "seed": seed}


def identity_curve(checkpoint: str | Path, data_dir: str | Path, encoder: str | Path, *, temperatures: Sequence[float],
                   guidances: Sequence[float], people: int = 100, portraits: int = 4, seed: int = 0) -> dict:
    """Measure every pair of temperature and guidance, and choose the one with the best rank1 (then auc).

    Where `checkpoint` is a folder, results.json gets "identity_curve" and "identity_chosen", and "identity" stays.
    """
    read_results(checkpoint)
    curve = []
    for temperature in temperatures:
        for guidance in guidances:
            row = match_portraits(checkpoint, data_dir, encoder, people=people, portraits=portraits, gallery=people,
                                  temperature=temperature, guidance=guidance, seed=seed)
            curve.append({key: row[key] for key in ("temperature", "guidance", "rank1", "auc", "rank1_real",
                                                    "rank1_chance", "people", "portraits")})
    best = max(curve, key=lambda row: (row["rank1"], row["auc"]))
    measured = {"identity_curve": curve, "identity_chosen": {key: best[key] for key in ("temperature", "guidance")}}
    merge_results(checkpoint, measured)
    return measured
