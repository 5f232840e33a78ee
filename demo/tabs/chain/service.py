"""The chains for the page: pictures of all sizes, other details for one coarse picture, and where the bits are."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from demo.service.bridge import Progress, Service, to_arrays
from demo.service.drawing import draw_rows, noise_of, rows_of, to_array, to_tensor
from demo.service.settings import UserError
from pixelcnn_core.faces.encoder import condition_vectors
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.upscaler import halved
from pixelcnn_core.sampling.truncation import Truncation


@dataclass(frozen=True)
class Scales:
    """A moment of a request: the page's progress, and the pictures of every size so far, {size: uint8 (n, size, size,
    C)}, the one that was given included; of the last one `rows` are drawn."""

    progress: Progress
    pictures: dict[int, np.ndarray]
    rows: int

    @property
    def state(self) -> str:
        return self.progress.state


class ChainService:
    """Drawing with the chains of a `Service`, in its turns."""

    def __init__(self, service: Service):
        self.service = service

    @property
    def names(self) -> list[str]:
        return self.service.chain_names

    def sizes(self, name: str) -> tuple[int, ...]:
        return self.service.info(name).sizes

    def check(self, name: str, size: int) -> None:
        """Raises UserError for a size that the chain does not go on from."""
        if size not in self.sizes(name)[:-1]:
            raise UserError(f"This chain goes on from {', '.join(map(str, self.sizes(name)[:-1]))} pixels, not {size}.")

    def told(self, name: str, who, embedding: np.ndarray | None = None) -> Condition:
        """`h` of one picture: a class by its name, or a face by its embedding; nothing for anything else."""
        info = self.service.info(name)
        if info.embedding and embedding is not None:
            return Condition(embedding=condition_vectors(torch.from_numpy(embedding)[None]))
        if isinstance(who, str) and who in info.classes:
            return Condition(label=torch.tensor([info.classes.index(who)]))
        return Condition()

    def smaller(self, name: str, picture: np.ndarray, size: int) -> np.ndarray:
        """A picture, uint8 (s, s, 3), averaged down to one of the sizes that the chain goes on from. Raises
        UserError."""
        self.check(name, size)
        found = to_tensor(picture)
        while found.shape[-1] > size:
            found = halved(found)
        return to_array(found)

    def imagine(self, name: str, condition: Condition, start: np.ndarray | None, count: int, seed: int, *,
                temperature: float, min_p: float, guidance: float) -> Iterator[Scales]:
        """`count` pictures of one condition, from nothing or all from one start, uint8 (s, s, 3).

        Raises Busy and UserError.
        """
        given = None if start is None else to_tensor(start)  # (1, C, s, s)
        if given is not None:
            self.check(name, given.shape[-1])
        kept: dict[int, torch.Tensor] = {}

        several = condition[[0] * count] if len(condition) else condition

        def begin(chain: Chain) -> Iterator[torch.Tensor]:
            return draw_rows(chain, several, noise_of(chain, seed, count), temperature=temperature,
                             guidance=guidance, truncation=Truncation(min_p=min_p), given=given, keep=kept)

        steps = rows_of(self.service.model(name), given)
        for progress in self.service.serve(name, begin, 1, steps=steps):
            if given is not None:
                kept.setdefault(given.shape[-1], given.expand(count, -1, -1, -1))
            last = max(kept, default=0)
            before = sum(size for size in self.sizes(name) if (start is None or size > len(start)) and size < last)
            yield Scales(progress, {size: to_arrays(kept[size], 1, 256)[0] for size in sorted(kept)},
                         progress.row - before)

    def bits(self, name: str, picture: np.ndarray, condition: Condition) -> dict[int, float]:
        """Bits of every step of one finished picture, uint8 (S, S, 3)."""
        chain = self.service.model(name)
        with self.service.turn():
            found = chain.bits(to_tensor(picture).to(self.service.device), condition.to(self.service.device))
        return {size: float(value) for size, value in found.items()}


def enlarged(picture: np.ndarray, size: int) -> np.ndarray:
    """Bicubic interpolation, what super-resolution is compared with: uint8 (s, s, 3) -> (size, size, 3)."""
    large = F.interpolate(to_tensor(picture).float(), size=(size, size), mode="bicubic", align_corners=False)
    return to_array(large.round().clamp(0, 255).byte())
