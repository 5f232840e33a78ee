"""Does a new portrait show the same person? Portraits of people never seen in training are embedded again and matched.

Every person gives one source photo: its vector conditions the portraits, and the photo stands in a gallery. A probe, a
portrait or for comparison another real photo of that person at the same size, is matched against the person's own
source and those of `gallery - 1` others. rank1 is the share of probes that are nearest to their own source, auc the
area under the ROC curve of the cosines; by chance they are 1 / gallery and 0.5. The network that gave the vectors
judges, and may be pleased by what pleases nobody else: so may a second one that the portraits never depended on.

Portraits that all look alike would be recognised too. Diversity is how far two portraits of one person are from each
other, beside two real photos of one person: in the eyes of the network (distance of unit vectors) and in pixels.

Whatever draws portraits can be measured: it is a function of `h` and a seed.

References: van den Oord et al., 2016, arXiv 1606.05328, section 3.3 (figure 4: portraits of new people).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor
from tqdm import tqdm

from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.faces.encoder import Encoder, condition_vectors, embed_small, shorten
from pixelcnn_core.faces.face_network import FaceNetwork
from pixelcnn_core.faces.tables import INSIDE, FaceData, load_faces, shrink, split_of

Draw = Callable[[Tensor, int], Tensor]  # (h (B, D), seed) -> uint8 portraits (B, 3, S, S)

BATCH = 64  # portraits drawn at once
PHOTOS = 4  # real photos of one person beside the source, at most


@dataclass
class Probes:
    """`vectors` (N, D) of unit length, each of person number `person` (N,)."""

    vectors: Tensor
    person: np.ndarray


@dataclass
class People:
    """P people: a source photo of each, and M other photos of person number `person` (M,)."""

    sources: FaceData
    photos: FaceData
    person: np.ndarray

    def __len__(self) -> int:
        return len(self.sources)


def choose_people(data_dir: str | Path, split: str, count: int) -> People:
    """`count` people of a split, those with several photos first: they give the ceiling. Raises DataError.

    split  "validation" for choices, "test" for what is published
    """
    faces = load_faces(data_dir)
    keep = [split_of(name) == split and inside > INSIDE for name, inside in zip(faces.identities, faces.inside)]
    faces = faces.where(keep)
    photos: dict[str, list[int]] = {}
    for index, name in enumerate(faces.identities):
        photos.setdefault(name, []).append(index)
    names = sorted(photos, key=lambda name: (-min(len(photos[name]), 2), name))[:count]
    others = [(person, index) for person, name in enumerate(names) for index in photos[name][1:1 + PHOTOS]]
    if not others or len(names) < 2:
        raise DataError(f"{len(names)} people of the {split} split, {len({p for p, _ in others})} with two photos, "
                        "are too few to match")
    return People(faces.where_index([photos[name][0] for name in names]),
                  faces.where_index([index for _, index in others]), np.array([person for person, _ in others]))


def source_vectors(people: People, encoder: Encoder) -> Tensor:
    """What the portraits are given of each source, unit vectors (P, D): of the face network those of the tables, which
    it made from the full-size photos, else the encoder's."""
    if isinstance(encoder, FaceNetwork):
        return F.normalize(people.sources.descriptors, dim=1)
    return encoder.embed(people.sources.images)


def match(probes: Probes, sources: Tensor, gallery: int, seed: int = 0) -> dict[str, float]:
    """rank1, its standard error (over people) and auc of probes against their own source and `gallery - 1` others,
    drawn by `seed`; sources: unit vectors (P, D)."""
    cosine = (probes.vectors @ sources.T).numpy()  # (N, P)
    random, own, others = np.random.default_rng(seed), [], []
    for row, person in zip(cosine, probes.person):
        strangers = np.delete(np.arange(len(sources)), person)
        others.append(row[random.choice(strangers, gallery - 1, replace=False)])
        own.append(row[person])
    own, others = np.array(own), np.stack(others)  # (N,), (N, gallery - 1)
    hit = own > others.max(1)  # (N,)
    same = np.r_[np.ones(own.size), np.zeros(others.size)]
    # probes of one person hit or miss together: the error of a mean over people, each with its number of probes
    off = np.bincount(probes.person, hit - hit.mean())  # (P or fewer,)
    return {"rank1": float(hit.mean()), "rank1_standard_error": float(np.sqrt((off ** 2).sum()) / len(hit)),
            "auc": float(roc_auc_score(same, np.r_[own, others.ravel()]))}


def likest(vectors: Tensor, source: Tensor, of: int) -> Tensor:
    """Keep the likest of `of` portraits: for each of B places the number of the candidate nearest to the source, (B,).

    vectors: unit vectors (of * B, D), candidate c of place k at c * B + k; source: (D,). A choice by likeness, for
    looking at; `likeness` measures every portrait that was drawn.
    """
    alike = (vectors @ source).unflatten(0, (of, -1))  # (of, B)
    places = alike.shape[1]
    return alike.argmax(0) * places + torch.arange(places)


def draw_all(draw: Draw, vectors: Tensor, count: int, seed: int) -> Tensor:
    """`count` portraits for each unit vector (P, D): uint8 (P * count, 3, S, S)."""
    h = condition_vectors(vectors).repeat_interleave(count, 0)
    return torch.cat([draw(h[start:start + BATCH], seed + start).cpu()
                      for start in tqdm(range(0, len(h), BATCH), desc="portraits", unit="batch")])


def spread(values: Tensor, person: np.ndarray) -> float:
    """Mean distance of two items of one person, each person counting once; values (N, D)."""
    means = []
    for number in np.unique(person):
        own = np.flatnonzero(person == number)
        if len(own) > 1:
            first, second = map(list, zip(*combinations(own, 2)))
            means.append((values[first] - values[second]).norm(dim=1).mean().item())
    return float(np.mean(means)) if means else 0.0


def likeness(draw: Draw, people: People, encoder: Encoder, second: Encoder | None = None, *, portraits: int = 8,
             gallery: int = 100, seed: int = 0) -> dict:
    """Draw `portraits` of every person and match them; the same for the people's other photos at the same size.

    encoder, second  the network whose vectors the portraits are drawn from, and one that judges beside it
    Returns rank1, auc, ... of portraits and (`_real`) of photos by the first network, those by the second one under
    "second", and "diversity": "direction" as the first network sees it, "pixels" as root mean square of 255.
    """
    gallery, numbers = min(gallery, len(people)), np.repeat(np.arange(len(people)), portraits)
    drawn = draw_all(draw, source_vectors(people, encoder), portraits, seed)  # (P * portraits, 3, S, S)
    size = drawn.shape[-1]
    photos = shrink(people.photos.images, size)
    every_photo = torch.cat([photos, shrink(people.sources.images, size)])  # (M + P, 3, S, S)
    every_person = np.r_[people.person, np.arange(len(people))]
    results: dict = {"size": size, "people": len(people), "portraits": len(drawn), "gallery": gallery, "seed": seed,
                     "people_real": len(set(people.person)), "photos_real": len(photos),
                     "rank1_chance": round(1 / gallery, 4)}
    for judge in filter(None, (encoder, second)):
        vectors, real = embed_small(judge, drawn), embed_small(judge, every_photo)
        sources = judge.embed(people.sources.images)  # (P, D)
        found = {"judge": shorten(judge.fingerprint), **match(Probes(vectors, numbers), sources, gallery, seed)}
        found |= {f"{name}_real": value for name, value in
                  match(Probes(real[:len(photos)], people.person), sources, gallery, seed).items()}
        if judge is encoder:
            results |= rounded(found)
            results["diversity"] = rounded({
                "direction": spread(vectors, numbers), "direction_real": spread(real, every_person),
                "pixels": pixel_spread(drawn, numbers), "pixels_real": pixel_spread(every_photo, every_person)})
        else:
            results["second"] = rounded(found)
    return results


def pixel_spread(images: Tensor, person: np.ndarray) -> float:
    """`spread` of images (N, C, H, W) in levels: the root of the mean square over all sub-pixels."""
    return spread(images.flatten(1).float(), person) / images[0].numel() ** 0.5


def rounded(numbers: dict) -> dict:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in numbers.items()}
