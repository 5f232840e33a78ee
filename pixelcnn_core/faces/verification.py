"""How well vectors tell people apart: pairs of photos, the same person or two, as on Labeled Faces in the Wild.

`verify_faces` answers what `h` should be. A descriptor of the face network can be compared by its distance, as its
author does, or by its direction alone; and it can come from the full-size photo or from the 64 x 64 crop.

Reference: Huang et al. 2007, "Labeled Faces in the Wild" (ten folds, the threshold fitted on nine).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor

from pixelcnn_core.device import choose_device
from pixelcnn_core.faces.chip import chips_from_crops
from pixelcnn_core.faces.encoder import FaceEncoder
from pixelcnn_core.faces.face_network import FaceNetwork
from pixelcnn_core.faces.tables import FaceData, load_faces, split_faces
from pixelcnn_core.provenance import count_parameters, origin
from pixelcnn_core.results import check_results, merge_results

FOLDS = 10


@dataclass
class Pairs:
    """Indices of two faces each, (P,), and whether they show the same person, bool (P,)."""

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray


def verification_pairs(data: FaceData, count: int) -> Pairs:
    """`count` pairs of the same person and as many of two people, drawn at random."""
    random, people = np.random.default_rng(0), {}
    for index, identity in enumerate(data.identities):
        people.setdefault(identity, []).append(index)
    several = [faces for faces in people.values() if len(faces) > 1]
    if len(people) < 2 or not several:
        raise ValueError(f"{len(people)} people, {len(several)} of them with two photos, are too few for pairs")
    same = np.array([random.choice(several[random.integers(len(several))], 2, replace=False) for _ in range(count)])
    groups = list(people.values())
    different = np.array([[random.choice(groups[k]) for k in random.choice(len(groups), 2, replace=False)]
                          for _ in range(count)])
    both = np.concatenate([same, different])
    order = random.permutation(len(both))
    return Pairs(both[order, 0], both[order, 1], (np.arange(len(both)) < count)[order])


def cosine(first: Tensor, second: Tensor) -> Tensor:
    """How alike unit vectors (P, D) are: (P,)."""
    return (first * second).sum(1)


def nearness(first: Tensor, second: Tensor) -> Tensor:
    """How near to each other vectors (P, D) of any length are, their distance with a minus: (P,)."""
    return -(first - second).norm(dim=1)


def verification(vectors: Tensor, pairs: Pairs, alike: Callable[[Tensor, Tensor], Tensor] = cosine
                 ) -> tuple[float, float]:
    """(accuracy, area under the ROC curve): the threshold on `alike` is fitted on nine folds of ten."""
    score = alike(vectors[pairs.first], vectors[pairs.second]).numpy()  # (P,)
    fold = np.arange(len(score)) % FOLDS
    hits = []
    for k in range(FOLDS):
        fit, test = fold != k, fold == k
        candidates = np.sort(score[fit])[::max(1, fit.sum() // 400)]
        right = [((score[fit] > t) == pairs.same[fit]).mean() for t in candidates]
        hits.append(((score[test] > candidates[int(np.argmax(right))]) == pairs.same[test]).mean())
    return float(np.mean(hits)), float(roc_auc_score(pairs.same, score))


def verify_faces(data_dir: str | Path, network: str | Path, encoder: str | Path, count: int = 3000) -> dict:
    """Verification of held-out people, `2 * count` pairs: by the descriptors' distance, by their direction, and by the
    distilled encoder; in all and by source. Raises CheckpointError, DataError or ResultsError.

    The numbers go into results.json of the folder `network`; returns all that it now holds.
    """
    begun, device = time.perf_counter(), choose_device()
    check_results(network)  # before the work
    model = FaceNetwork.from_pretrained(network).to(device)
    small = FaceEncoder.from_pretrained(encoder, map_location=device)
    people = split_faces(load_faces(data_dir))[1]
    crops = model.describe(chips_from_crops(people.images))  # (N, 128)
    ways = {"crops_distance": (crops, nearness), "crops_direction": (F.normalize(crops, dim=1), cosine),
            "photos_distance": (people.descriptors, nearness),
            "photos_direction": (F.normalize(people.descriptors, dim=1), cosine),
            "distilled_encoder": (small.embed(people.images), cosine)}

    def measure(chosen: list[int], pairs: Pairs) -> dict:
        rows = {"pairs": len(pairs.same)}
        for way, (vectors, alike) in ways.items():
            accuracy, auc = verification(vectors[chosen], pairs, alike)
            rows[way] = {"accuracy": round(accuracy, 4), "auc": round(auc, 4)}
        return rows

    everybody = list(range(len(people)))
    pairs = verification_pairs(people, count)
    results = {"parameters": count_parameters(model), "people": len(set(people.identities)), "photos": len(people),
               **measure(everybody, pairs), "distances": distances(crops, people.descriptors, pairs),
               "likeness": likeness_ranges(F.normalize(people.descriptors, dim=1), F.normalize(crops, dim=1), pairs),
               "by_source": {}}
    for source in sorted(set(people.sources)):
        chosen = [k for k in everybody if people.sources[k] == source]
        results["by_source"][source] = measure(chosen, verification_pairs(people.where_index(chosen), count // 2))
    return merge_results(network, results | origin(device, begun))


def distances(crops: Tensor, photos: Tensor, pairs: Pairs) -> dict[str, float]:
    """Mean lengths and distances of descriptors (N, 128) made from crops and from photos."""
    apart = -nearness(photos[pairs.first], photos[pairs.second])  # (P,)
    directions = F.normalize(photos, dim=1)
    turned = -nearness(directions[pairs.first], directions[pairs.second])  # (P,)
    means = {"length": photos.norm(dim=1), "crop_to_photo": -nearness(crops, photos), "same_person": apart[pairs.same],
             "two_people": apart[~pairs.same], "same_person_direction": turned[pairs.same],
             "two_people_direction": turned[~pairs.same]}
    return {name: round(values.mean().item(), 4) for name, values in means.items()}


def likeness_ranges(photos: Tensor, crops: Tensor, pairs: Pairs) -> dict[str, dict[str, float]]:
    """The scale on which the likeness of a portrait is read: cosines of one photo and the 64 x 64 crop of another.

    photos, crops: unit vectors (N, D). A portrait is compared in just this way: its own 64 x 64 pixels with a
    full-size photo. 5th, 50th and 95th percentile over pairs of one person and of two people.
    """
    alike = cosine(photos[pairs.first], crops[pairs.second]).numpy()  # (P,)
    return {name: {f"p{percent}": round(float(np.percentile(alike[chosen], percent)), 4) for percent in (5, 50, 95)}
            for name, chosen in (("same_person", pairs.same), ("two_people", ~pairs.same))}
