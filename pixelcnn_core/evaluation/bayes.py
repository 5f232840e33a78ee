"""A class-conditional density is a classifier, by Bayes' rule: p(k | x) = p(x | k) p(k) / sum over j of p(x | j) p(j).

The prior is uniform. Densities of images are far below the smallest float, so everything stays in bits, -log2 p, and
sums over classes go through log-sum-exp. A few hundred bits between two classes are nothing beside the thousands that
an image has, and yet make the posterior nearly certain: it is well ordered rather than well calibrated.

References: van den Oord et al., 2016, arXiv 1606.05328, section 2.3 (equation 3: p(x | h)).
"""

import math

import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN


@torch.inference_mode()
def bits_given_classes(model: GatedPixelCNN, images: Tensor) -> Tensor:
    """-log2 p(x | k) of whole images for every class k: uint8 (B, C, H, W) -> float64 (B, classes).

    Raises ValueError for a model without classes.
    """
    if not model.config.classes:
        raise ValueError("Bayes' rule needs a model that is conditioned on a class")
    columns = []
    for k in range(model.config.classes):
        label = torch.full((len(images),), k, device=images.device)
        columns.append(model.bits_per_sub_pixel(images, Condition(label=label)).double().sum(dim=(1, 2, 3)))
    return torch.stack(columns, dim=1)


def posterior(bits: Tensor) -> Tensor:
    """p(k | x) under a uniform prior, from bits (B, classes): (B, classes), rows sum to 1."""
    return torch.softmax(-bits * math.log(2), dim=1)
