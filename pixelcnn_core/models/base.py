"""What every model has: a configuration, checkpoints, a loss; and what every model has that draws.

    model = Model(config)                        `config_class`, one dataclass; `config_class.for_data(data)` makes it
    Model.from_pretrained(folder or Hub id)      and `save_pretrained`, `push_to_hub`: `checkpoint.py`
    model.losses(images, condition, kept) -> (B,)     what training makes small, called `loss_name` in its log

A new model derives from `Model`, and gets a row in `kinds.py`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from pixelcnn_core.device import exact_float32
from pixelcnn_core.models.checkpoint import Checkpoint
from pixelcnn_core.models.conditioning import Condition, Labels

if TYPE_CHECKING:
    import numpy as np

    from pixelcnn_core.sampling.images import Images
    from pixelcnn_core.sampling.truncation import Truncation


class Model(Checkpoint, nn.Module):
    """The base of all models. `losses` is theirs to write. On a GPU none multiplies in TF32: `exact_float32`."""

    config_class: type
    loss_name: str

    def _apply(self, fn, recurse: bool = True):
        """What `to`, `cuda` and `from_pretrained` go through: so does every model that is scored or drawn from."""
        moved = super()._apply(fn, recurse)
        if any(parameter.is_cuda for parameter in self.parameters()):
            exact_float32()
        return moved

    def losses(self, images: Tensor, condition: Condition | None = None, kept: Tensor | None = None) -> Tensor:
        """What training makes small, of every image (B, C, H, W), without its condition where `kept` is False: (B,)."""
        raise NotImplementedError


class Drawing:
    """`sample` and `inpaint`, of a single PixelCNN and of a chain. The work is done in the room `sampling`."""

    def sample(self, labels: Labels | None = None, *, condition: Condition | None = None, n: int | None = None,
               seed: int = 0, temperature: float | Sequence[float] = 1.0, guidance: float | Sequence[float] = 1.0,
               truncation: "Truncation | Sequence[Truncation] | None" = None, size: int | tuple[int, int] | None = None,
               given: "Tensor | np.ndarray | Images | None" = None, batch: int = 100,
               method: str | None = None) -> "Images":
        """Draw new images by ancestral sampling: `Images`, whose `.tensor` is uint8 (N, C, H, W), on the CPU.

        labels       names or numbers of classes: model.sample(["cat", "ship"], n=4) draws four of each, in this order
        condition    instead of labels: a `Condition` with an embedding or a map, too
        n            images for each entry of the condition; 1 by default
        seed         the same seed gives the same images; image k is the same in any batch
        temperature  logits are divided by it; below 1 is safer and plainer, 0 takes the most probable level
        guidance     classifier-free guidance: 1 is the model, above 1 stresses the condition
        truncation   min-p, top-p (nucleus) or top-k: Truncation(min_p=0.05); none in the paper
        size         height and width, one number or two; default: what the model was trained on. Not for a chain
        given        for a chain: smaller pictures, integers (N or 1, C, s, s), of which only the finer ones are drawn:
                     super-resolution. temperature, guidance and truncation may then be a sequence, one for each step
        batch        at most so many images at once
        method       "cached", "naive" or "fixed point": the same images (`sampling/sample.py`); default: cached, or
                     naive for a model that is no Gated PixelCNN
        Raises ValueError for anything that does not fit.
        """
        from pixelcnn_core.sampling.images import sample_images

        return sample_images(self, labels, condition=condition, n=n, seed=seed, temperature=temperature,
                             guidance=guidance, truncation=truncation, size=size, given=given, batch=batch,
                             method=method)

    def inpaint(self, image: "Tensor | np.ndarray | Images", known: "Tensor | np.ndarray",
                labels: Labels | None = None, *, condition: Condition | None = None, n: int = 1, seed: int = 0,
                temperature: float | Sequence[float] = 1.0, guidance: float | Sequence[float] = 1.0,
                truncation: "Truncation | Sequence[Truncation] | None" = None, batch: int = 100,
                method: str | None = None) -> "Images":
        """Fill in the pixels that are not known (inpainting): `Images` of uint8 (N * n, C, H, W).

        image        integers (C, H, W) or (N, C, H, W), or `Images`
        known        bool (H, W) or (N, H, W): True where the pixel stays as it is
        n            completions of each image; the rest as in `sample`
        A single PixelCNN draws in raster order, and a missing pixel sees only what is above it and to its left:
        `sampling/completion.py` weighs its completions by what they ignored. A chain sees all of a smaller picture.
        """
        from pixelcnn_core.sampling.images import inpaint_images

        return inpaint_images(self, image, known, labels, condition=condition, n=n, seed=seed, temperature=temperature,
                              guidance=guidance, truncation=truncation, batch=batch, method=method)
