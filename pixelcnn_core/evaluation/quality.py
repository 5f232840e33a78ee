"""Sample quality besides likelihood, in the eyes of a classifier that was trained on real images only (classifier.py).

* accuracy: how often a sample drawn for a class is taken for that class;
* Fréchet distance (Heusel et al., 2017) between Gaussians fitted to the classifier's pooled features of samples and of
  test images. It depends on the network and on the number of images: no other paper's FID may be set beside it;
* precision and recall (Kynkäänniemi et al., 2019): the share of samples that lie among the test images, and of test
  images that lie among the samples, by balls that reach to the third neighbour.

The test images are halved. One half is the reference; as many images of the other half as there are samples are
measured in the samples' place: what real images would get, the floor of the distance. `quality.json` is written here.

References: Heusel et al., 2017, arXiv 1706.08500, section 4 (Fréchet distance); Kynkäänniemi et al., 2019, arXiv
1904.06991, section 2 (precision and recall).
"""

import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.device import choose_device
from pixelcnn_core.models.chain import Chain, load_model
from pixelcnn_core.models.classifier import Classifier
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.upscaler import halved
from pixelcnn_core.provenance import origin, trained_on
from pixelcnn_core.results import check_results, merge_results
from pixelcnn_core.sampling.coarse_to_fine import by_step, draw_batches
from pixelcnn_core.sampling.truncation import PAPER, Truncation

QUALITY_FILE = "quality.json"
NEIGHBOURS = 3
# the settings of the curve: temperature, guidance, min-p
CURVE = [(temperature, guidance, min_p) for temperature, min_p in ((0.8, 0.0), (0.9, 0.0), (1.0, 0.0), (1.0, 0.05),
                                                                     (1.0, 0.1)) for guidance in (1.0, 1.5, 3.0)]
CHAIN_CURVE = [(1.0, guidance, min_p) for guidance in (1.0, 2.0, 3.5, 5.0) for min_p in (0.0, 0.05, 0.1, 0.2)]
CURVE_SHARE = 0.25  # of the samples per class, at each point of the curve
BATCH = 100


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Squared 2-Wasserstein distance of the Gaussians fitted to the rows of a (N, D) and b (M, D)."""
    a, b = a.double(), b.double()
    root, other = symmetric_root(a.T.cov()), b.T.cov()
    # tr (C_a C_b)^1/2 through a symmetric matrix with the same eigenvalues: no complex roots, any rank
    overlap = torch.linalg.eigvalsh(root @ other @ root).clamp(min=0).sqrt().sum()
    distance = (a.mean(0) - b.mean(0)).square().sum() + root.square().sum() + other.trace() - 2 * overlap
    return max(0.0, distance.item())


def symmetric_root(matrix: Tensor) -> Tensor:
    """The square root of a positive semi-definite matrix; eigenvalues that rounding made negative count as 0."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def precision_recall(real: Tensor, drawn: Tensor) -> tuple[float, float]:
    """Share of `drawn` (M, D) inside the balls of `real` (N, D), and the reverse. Raises ValueError for few rows."""
    if min(len(real), len(drawn)) <= NEIGHBOURS:
        raise ValueError(f"precision and recall with {NEIGHBOURS} neighbours need more than {NEIGHBOURS} images of "
                         f"either kind, not {len(real)} and {len(drawn)}")
    one, other = real.double().numpy(), drawn.double().numpy()
    return share_inside(other, one), share_inside(one, other)


def share_inside(points: np.ndarray, centres: np.ndarray) -> float:
    """Share of the points inside a ball around any centre, which reaches to the centre's NEIGHBOURS-th neighbour."""
    nearest, _ = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(centres).kneighbors()  # a point is not its own neighbour
    inside = pairwise_distances(points, centres) <= nearest[:, -1]  # (points, centres)
    return inside.any(1).mean().item()


def draw_classes(model: GatedPixelCNN | Chain, per_class: int, seed: int, **settings) -> tuple[Tensor, Tensor]:
    """`per_class` samples of every class: uint8 (N, C, H, W) and their classes (N,). The seed fixes all noise."""
    labels = torch.arange(model.config.classes).repeat_interleave(per_class)
    return draw_batches(model, Condition(label=labels), seed, batch=BATCH, **settings), labels


@torch.inference_mode()
def features_of(classifier: Classifier, images: Tensor) -> Tensor:
    """The classifier's pooled features of uint8 images (N, C, H, W), on the CPU: (N, D). Images of twice the size
    that it was trained on, or more, are halved first."""
    device, features = classifier.out.weight.device, []
    for part in images.split(BATCH):
        while part.shape[-1] >= 2 * classifier.config.image_size:
            part = halved(part)
        features.append(classifier.features(part.to(device)).cpu())
    return torch.cat(features)


@torch.inference_mode()
def recognised(classifier: Classifier, features: Tensor, labels: Tensor) -> Tensor:
    """Whether images with these features (N, D) are taken for the classes of `labels`: (N,) floats, 0 or 1."""
    return (classifier.out(features.to(classifier.out.weight.device)).argmax(1).cpu() == labels).float()


def distances(reference: Tensor, features: Tensor) -> dict[str, float]:
    """Of features (N, D) to those of the reference; precision and recall with as many of the reference."""
    precision, recall = precision_recall(reference[:len(features)], features)
    return {"frechet": round(frechet_distance(reference, features), 4), "precision": round(precision, 4),
            "recall": round(recall, 4)}


def quality(checkpoint: str | Path, data_dir: str | Path, classifier: str | Path, *, per_class: int = 100,
            curve: bool = False, temperature: float = 1.0, guidance: float = 1.0, seed: int = 0,
            truncation: Truncation = PAPER, limit: int | None = None, split: str = "test") -> dict:
    """Judge `per_class` samples of every class by a single model or a chain, beside the (first `limit`) test images.

    split  "validation" to choose settings; then nothing is written
    curve  first a grid of settings, with fewer samples, beside validation images; that of the lowest Fréchet distance
           is then measured in place of those given. A single model's has temperatures or min-ps and guidances, a
           chain's guidances and min-ps (`by_step` says at which steps)
    Returns the results and, where `checkpoint` is a folder, writes them to its quality.json.
    Raises CheckpointError, DataError or ResultsError.
    """
    begun, device = time.perf_counter(), choose_device()
    if split == "test":
        check_results(checkpoint, QUALITY_FILE)
    model, judge = load_model(checkpoint).to(device), Classifier.from_pretrained(classifier).to(device)
    config, recipe = model.config, trained_on(checkpoint)
    if not config.classes or config.class_names != judge.config.class_names:
        raise DataError(f"the classifier {classifier} knows other classes than {checkpoint}")
    size = model.size if isinstance(model, Chain) else config.image_size

    def real_images(split: str) -> tuple[Tensor, Tensor]:
        data = load_data(recipe["data"], data_dir, split, size).first(limit)
        order = torch.from_numpy(np.random.default_rng(seed).permutation(len(data)))
        return features_of(judge, data.images[order]), data.labels[order]

    real, real_labels = real_images(split)
    if (count := per_class * config.classes) > len(real) // 2:
        raise DataError(f"{count} samples need as many {split} images in each half: there are {len(real)} in all")

    def drawn(n: int, temperature: float, guidance: float, truncation: Truncation, real: Tensor
              ) -> tuple[dict, Tensor]:
        reference, others = real.chunk(2)
        images, labels = draw_classes(model, n, seed, temperature=temperature, **by_step(model, guidance, truncation))
        features = features_of(judge, images)
        right = recognised(judge, features, labels)
        return {"temperature": temperature, "guidance": guidance, "min_p": truncation.min_p, "images": len(images),
                "accuracy": round(right.mean().item(), 4), **distances(reference, features),
                "real": distances(reference, others[:len(images)])}, right

    results = {}
    if curve:
        few = max(1, round(CURVE_SHARE * per_class))
        validation, _ = real_images("validation")
        points = [drawn(few, t, w, Truncation(min_p=p), validation)[0]
                  for t, w, p in (CHAIN_CURVE if isinstance(model, Chain) else CURVE)]
        best, results = min(points, key=lambda point: point["frechet"]), {"curve": points}
        temperature, guidance, truncation = best["temperature"], best["guidance"], Truncation(min_p=best["min_p"])
    judged, right = drawn(per_class, temperature, guidance, truncation, real)
    results |= judged
    shares = right.unflatten(0, (-1, per_class)).mean(1).tolist()  # (classes,)
    results |= {"accuracy_per_class": {name: round(share, 4) for name, share in zip(config.class_names, shares)},
                "accuracy_real": round(recognised(judge, real, real_labels).mean().item(), 4),
                "top_p": truncation.top_p, "top_k": truncation.top_k, "split": split,
                "seed": seed, "neighbours": NEIGHBOURS, "features": real.shape[1],
                "reference_images": len(real.chunk(2)[0])}
    results |= {"classifier": str(classifier), "recipe": recipe.get("name"), **origin(device, begun)}
    return merge_results(checkpoint, results, QUALITY_FILE) if split == "test" else results
