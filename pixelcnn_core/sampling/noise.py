"""The noise that would have drawn a given picture: sampling by inversion, run backwards.

`sample.py` gives each sub-pixel a uniform number u and takes the value whose interval of the cumulative distribution
holds u. Given the picture instead, every u in that interval would have drawn it. So a photo gets noise of its own, and
"the same noise, one pixel changed" can be asked of any picture.
"""

import copy
from collections import deque

import numpy as np
import torch
from torch import Tensor

from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.sampling.cached.sampler import CachedSampler
from pixelcnn_core.sampling.sample import uniforms_from_seed

EDGE = 0.05  # of an interval is left out at either end: another sampler may round its ends differently


@torch.no_grad()
def uniforms_for(model: GatedPixelCNN, image: Tensor, condition: Condition | None = None, seed: int = 0) -> Tensor:
    """Noise with which `sample_rows(model, condition, uniforms=...)` draws exactly this image at temperature 1.

    image integers (B, C, H, W) in [0, levels) -> float64 in [0, 1), (B, C, H, W). `seed` chooses the place inside each
    interval. The intervals are those of the cached sampler on the CPU, to the last bit: it misses only values that the
    model held for impossible (below about 2^-50), whose interval holds no float64. A sampler that adds up in another
    order, in float32, may miss those below about 2^-20. After a miss all later pixels may go other ways.
    """
    model = model if model.head1.weight.device.type == "cpu" else copy.deepcopy(model).cpu()
    given, every = image.cpu().long().numpy(), np.arange(len(image))
    place = EDGE + (1 - 2 * EDGE) * uniforms_from_seed(seed, len(image), model.config).numpy()
    noise = np.empty(given.shape)

    def choose(logits: np.ndarray, row: int, column: int, channel: int) -> np.ndarray:
        value, where = given[:, channel, row, column], (slice(None), channel, row, column)
        weights = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))  # (B, levels)
        cdf = np.pad(weights.cumsum(1), ((0, 0), (1, 0)))  # (B, 1 + levels): from 0
        low, high = cdf[every, value], cdf[every, value + 1]
        noise[where] = (low + place[where] * (high - low)) / cdf[:, -1]
        return value

    deque(CachedSampler(model, condition, len(image)).decide(choose), maxlen=0)
    return torch.from_numpy(noise).clamp(max=1 - 2 ** -53)
