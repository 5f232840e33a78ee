"""What the Inside tab asks of the core: the distributions of every sub-pixel, what each sees, what an edit changes.

Images are uint8 (H, W, 3), at the size of the model; places are (row, column).
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from demo.kit.pictures import all_bundled, kept_for, shrink
from demo.service.bridge import Progress, Service
from demo.service.drawing import to_array, to_tensor
from demo.service.settings import NO_CLASS, UserError, shorten
from pixelcnn_core.evaluation.receptive_field import sensitivity
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.sampling.fixed_point import settled_after
from pixelcnn_core.sampling.noise import uniforms_for
from pixelcnn_core.sampling.sample import prefix_mask, sample_rows, uniforms_from_seed
from pixelcnn_core.sampling.truncation import PAPER, Truncation

KEPT = 16  # bundled pictures, each told a class, whose distributions are kept, 3 MB each
MIN_P = 0.2  # of the samples: without it one unlikely value leads the rest of a small model's picture astray


@dataclass(frozen=True)
class Trace:
    """How a model sees a picture, sub-pixel by sub-pixel; bits are -log2 of probabilities.

    odds      (H, W, 3, 256): p(value | all earlier sub-pixels, class)
    surprise  (H, W, 3): bits of the value that the picture has
    entropy   (H, W, 3): bits, the mean of the surprise over all values
    rank      (H, W, 3): 1 where the picture has the likeliest value
    """

    odds: np.ndarray
    surprise: np.ndarray
    entropy: np.ndarray
    rank: np.ndarray


class InsideService:
    """Looks into the first colour model of a `Service`."""

    def __init__(self, service: Service):
        self.service, self.model_name = service, service.colour_name

    @functools.cached_property
    def trace(self) -> Callable[[bytes, str], Trace]:
        return kept_for(map(self.fit, all_bundled()), KEPT, self._trace)

    @property
    def size(self) -> int:
        return self.service.info(self.model_name).image_size

    @property
    def kernel(self) -> int:
        """The side of the first masked convolution."""
        return GatedPixelCNN.inspect(self.service.folder / self.model_name)[0].first_kernel_size

    @property
    def labels(self) -> tuple[str, ...]:
        return (*self.service.info(self.model_name).classes, NO_CLASS)

    def fit(self, picture: np.ndarray) -> np.ndarray:
        """A picture at the size of the model."""
        return shrink(Image.fromarray(picture), self.size)

    def draw(self, label: str, seed: int) -> Iterator[Progress]:
        """A sample of a class: the image of the Classes tab that has the same noise for every class."""
        self.condition(label)
        return self.service.stream(self.service.settings(self.model_name, classes=[label], images=1, seed=seed,
                                                         same_noise=True, min_p=MIN_P))

    def condition(self, label, batch: int = 1) -> Condition:
        """The condition for a class, any value. Raises UserError."""
        if label not in self.labels:
            raise UserError(f"There is no class {shorten(label)}; choose one of {', '.join(self.labels)}.")
        number = -1 if label == NO_CLASS else self.labels.index(label)
        return Condition(label=torch.full((batch,), number)) if len(self.labels) > 1 else Condition()

    def look(self, image: np.ndarray, label: str) -> Trace:
        """All distributions of a picture, from one forward pass. Raises UserError for another class."""
        self.condition(label)
        return self.trace(image.tobytes(), label)

    def _trace(self, pixels: bytes, label: str) -> Trace:
        condition, model = self.condition(label), self.service.model(self.model_name)
        image = np.frombuffer(pixels, np.uint8).reshape(self.size, self.size, 3)
        with torch.inference_mode():
            logits = model(to_tensor(image).to(self.service.device), condition.to(self.service.device))[0]
        log_p = torch.log_softmax(logits.cpu().double(), 0).permute(2, 3, 1, 0)  # (256, 3, H, W) -> (H, W, 3, 256)
        chosen = log_p.gather(3, torch.from_numpy(image.astype(np.int64))[..., None])  # (H, W, 3, 1)
        bits = -log_p / np.log(2)
        return Trace(odds=log_p.exp().float().numpy(), surprise=(-chosen[..., 0] / np.log(2)).numpy(),
                     entropy=(log_p.exp() * bits).sum(3).numpy(), rank=1 + (log_p > chosen).sum(3).numpy())

    def influence(self, image: np.ndarray, label: str, place: tuple[int, int]) -> np.ndarray:
        """How much each pixel mattered to the prediction at `place` in the trained model: (H, W), bits per level."""
        model = self.service.model(self.model_name)
        found = sensitivity(model, to_tensor(image).to(self.service.device), *place,
                            self.condition(label).to(self.service.device))
        return found.cpu().numpy()

    def edit(self, shown: "Shown", place: tuple[int, int], colour: tuple[int, int, int]) -> Iterator[Progress]:
        """Redraw all after `place` twice with the same noise, as it is and in another colour: `images` (2, 1, H, W, 3).

        What was painted before stays, also below. Raises Busy, UserError.
        """
        condition, row, column = self.condition(shown.label, 2), *place
        pair = to_tensor(shown.image).repeat(2, 1, 1, 1)  # (2, 3, H, W)
        pair[1, :, row, column] = torch.tensor(colour, dtype=torch.uint8)

        def start(model: GatedPixelCNN) -> Iterator[torch.Tensor]:
            known = prefix_mask(model.config, row, column + 1) | torch.from_numpy(shown.painted)
            return sample_rows(model, condition, batch=2, image=pair, known=known, **self._thrown(model, shown))

        return self.service.serve(self.model_name, start, 2)

    def _thrown(self, model: GatedPixelCNN, shown: "Shown") -> dict:
        """What draws a picture: a sample has the noise of its seed, and min-p; any other picture gets noise that would
        have drawn it, from the whole distributions."""
        if shown.sampled:
            return {"uniforms": uniforms_from_seed(shown.seed, 1, model.config), "truncation": Truncation(min_p=MIN_P)}
        return {"uniforms": uniforms_for(model, to_tensor(shown.original), self.condition(shown.label, 1), shown.seed),
                "truncation": PAPER}

    def settle(self, shown: "Shown") -> Iterator["Progress | Settled"]:
        """The picture by fixed-point (Jacobi) iteration: a `Progress` for each pass, at the end what it came to; not
        where the time was over before. Raises Busy, UserError."""
        condition, passes = self.condition(shown.label, 1), []

        def start(model: GatedPixelCNN) -> Iterator[torch.Tensor]:
            for drawn in sample_rows(model, condition, batch=1, image=to_tensor(shown.image), method="fixed point",
                                     known=torch.from_numpy(shown.painted), **self._thrown(model, shown)):
                passes.append(drawn.cpu().clone())
                yield drawn

        late = False
        for progress in self.service.serve(self.model_name, start, 1, steps=shown.image.size):
            late = progress.state == "out of time"
            yield progress
        if passes and not late:
            yield Settled(to_array(passes[-1]), settled_after(passes)[0].amax(0).numpy(), len(passes))


@dataclass(frozen=True)
class Settled:
    """A picture (H, W, 3) drawn by fixed-point iteration; after which of `passes` each pixel was right for good,
    (H, W)."""

    image: np.ndarray
    settled: np.ndarray
    passes: int


@dataclass(frozen=True)
class Shown:
    """The picture on the canvas, (H, W, 3), what the model was told, and whether the noise of `seed` drew it; what it
    was before anything was `painted`, and where that is, bool (H, W)."""

    image: np.ndarray
    label: str
    seed: int
    sampled: bool
    original: np.ndarray
    painted: np.ndarray

    @classmethod
    def new(cls, image: np.ndarray, label: str, seed: int, sampled: bool) -> "Shown":
        return cls(image, label, seed, sampled, image, np.zeros(image.shape[:2], bool))

    def unpainted(self) -> "Shown":
        return Shown.new(self.original, self.label, self.seed, self.sampled)

    def after(self, image: np.ndarray, place: tuple[int, int]) -> "Shown":
        """With one more pixel painted."""
        painted = self.painted.copy()
        painted[place] = True
        return replace(self, image=image, painted=painted)
