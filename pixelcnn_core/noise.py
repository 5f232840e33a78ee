"""The noise that would have drawn a given picture: sampling by inversion, run backwards.

`sampling.py` gives each sub-pixel a uniform number u and takes the value whose interval of the cumulative distribution
holds u. Given the picture instead, every u in that interval would have drawn it. So a photo gets noise of its own, and
"the same noise, one pixel changed" can be asked of any picture.
"""

import torch
from torch import Tensor

from pixelcnn_core.conditioning import Condition
from pixelcnn_core.model import GatedPixelCNN
from pixelcnn_core.sampling import uniforms_from_seed

EDGE = 0.05  # of an interval is left out at either end: samplers in float32 may round its ends differently


@torch.no_grad()
def uniforms_for(model: GatedPixelCNN, image: Tensor, condition: Condition | None = None, seed: int = 0) -> Tensor:
    """Noise with which `sample(model, condition, uniforms=...)` draws exactly this image at temperature 1.

    image integers (B, C, H, W) in [0, levels) -> float64 in [0, 1), (B, C, H, W). `seed` chooses the place inside each
    interval. A float32 sampler cannot hit an interval that is narrower than its own rounding: after a value of a
    photo that the model held for nearly impossible (below about 2^-20) it may go other ways.
    """
    device = model.head1.weight.device
    logits = model(image.to(device), condition.to(device) if condition else None).double().cpu()  # (B, levels, C, H, W)
    cdf = torch.softmax(logits, 1).cumsum(1)
    cdf = cdf / cdf[:, -1:]
    value = image.cpu().long()[:, None]  # (B, 1, C, H, W)
    high = cdf.gather(1, value)[:, 0]
    low = torch.where(value == 0, 0.0, cdf.gather(1, (value - 1).clamp(min=0)))[:, 0]
    inside = EDGE + (1 - 2 * EDGE) * uniforms_from_seed(seed, len(image), model.config)
    return (low + inside * (high - low)).clamp(max=1 - 2 ** -53)
