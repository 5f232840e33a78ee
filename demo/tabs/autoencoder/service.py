"""Auto-encoders for the page: a picture becomes a code, a code becomes pictures by two decoders (section 3.4).

For each code size m there are two checkpoints: a PixelCNN auto-encoder, whose decoder is sampled in the turns of a
`Service`, and the one trained by squared error, whose decoder gives its one answer at once. Each has a code of its own.
Pictures and codes stay in memory.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from demo.service.bridge import Progress, Service, to_arrays
from demo.service.settings import UserError, number
from pixelcnn_core.autoencoder.model import AutoEncoder, CodeModel, MSEAutoEncoder
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.interpolation import between
from pixelcnn_core.sampling.sample import sample, uniforms_from_seed

FOLDER = Path(__file__).parents[2] / "assets" / "autoencoders"
SHAPE = {"image_size": 32, "channels": 3, "levels": 256}  # of the page's pictures


@dataclass(frozen=True)
class CodeInfo:
    """One code size, read without loading a model. `pixelcnn_steps` and `mse_steps`, (k, m), turn each code by one
    standard deviation along the largest principal directions; k is 0 where `evaluate` was not run."""

    code: int
    pixelcnn: Path
    mse: Path
    results: dict
    pixelcnn_steps: np.ndarray
    mse_steps: np.ndarray

    @property
    def directions(self) -> int:
        return len(self.pixelcnn_steps)

    @property
    def shown(self) -> tuple[float, float]:
        """Temperature and guidance that the page opens with: those that `evaluate` measured beside 1 and 1."""
        shown = self.results.get("shown", {})
        return shown.get("temperature", 1.0), shown.get("guidance", 1.0)


class CodeService:
    """The pairs of auto-encoders below `folder`; sampling takes the turns of `service`."""

    def __init__(self, service: Service, folder: Path | str | None = None):
        self.service = service
        self.folder = Path(folder or os.environ.get("PIXELCNN_AUTOENCODERS") or FOLDER)
        self.infos = find_pairs(self.folder)
        self._models: dict[Path, CodeModel] = {}
        self._loading = threading.Lock()

    @property
    def sizes(self) -> list[int]:
        """The code sizes m of which both auto-encoders exist."""
        return list(self.infos)

    def info(self, m) -> CodeInfo:
        """Any value -> the code size it names. Raises UserError."""
        info = self.infos.get(int(number(m, 0, 1e6, 0)))
        if info is None:
            raise UserError(f"There is no auto-encoder with this code; choose one of {', '.join(map(str, self.sizes))} "
                            "numbers.")
        return info

    def load(self, kind: type[CodeModel], folder: Path) -> CodeModel:
        """A checkpoint; loaded once, whoever asks first. Raises UserError."""
        with self._loading:
            if folder not in self._models:
                try:
                    self._models[folder] = kind.from_pretrained(folder).to(self.service.device)
                except CheckpointError as error:
                    raise UserError(f"The auto-encoder {folder.name} cannot be loaded: its files are missing or "
                                    "damaged.") from error
            return self._models[folder]

    def pixelcnn(self, m) -> AutoEncoder:
        return self.load(AutoEncoder, self.info(m).pixelcnn)

    def mse(self, m) -> MSEAutoEncoder:
        return self.load(MSEAutoEncoder, self.info(m).mse)

    @torch.no_grad()
    def code(self, model: CodeModel, picture: np.ndarray, steps: np.ndarray, edits: Sequence[float] = ()) -> Tensor:
        """The code of a picture uint8 (H, W, 3), moved by `edits` deviations along the directions: (m,)."""
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]  # (1, 3, H, W)
        moved = sum((float(edit) * step for edit, step in zip(edits, steps)), np.zeros(model.config.code))
        code = model.encode(image.to(self.service.device))[0]  # (m,)
        return code + torch.from_numpy(moved).to(code)

    def best_guess(self, m, picture: np.ndarray, edits: Sequence[float] = ()) -> np.ndarray:
        """What the MSE decoder makes of a code: uint8 (H, W, 3). Raises UserError."""
        model = self.mse(m)
        return self._decode(model, self.code(model, picture, self.info(m).mse_steps, edits)[None])[0]

    def best_guesses(self, m, start: np.ndarray, end: np.ndarray, columns: int) -> np.ndarray:
        """The same on the straight way between the codes of two pictures: uint8 (columns, H, W, 3)."""
        model = self.mse(m)
        return self._decode(model, between(*self._ends(model, start, end), columns, "linear"))

    def decodings(self, m, picture: np.ndarray, count: int, edits: Sequence[float], seed: int, temperature: float,
                  guidance: float) -> Iterator[Progress]:
        """`count` draws for the code of a picture, `images` (1, count, H, W, 3). Raises Busy and UserError."""
        def codes(model: AutoEncoder) -> Tensor:
            return self.code(model, picture, self.info(m).pixelcnn_steps, edits)[None].repeat(count, 1)  # (count, m)

        return self._draw(m, codes, 1, count, seed, temperature, guidance)

    def path(self, m, start: np.ndarray, end: np.ndarray, columns: int, rows: int, same_noise: bool, seed: int,
             temperature: float, guidance: float) -> Iterator[Progress]:
        """Draws on the straight way between two codes: `images` (columns, rows, H, W, 3). With `same_noise` only the
        code differs along a row. Raises Busy and UserError."""
        def codes(model: AutoEncoder) -> Tensor:
            way = between(*self._ends(model, start, end), columns, "linear")  # (columns, m)
            return way.repeat_interleave(rows, 0)  # (columns * rows, m)

        return self._draw(m, codes, columns, rows if same_noise else columns * rows, seed, temperature, guidance)

    @torch.no_grad()
    def bits(self, m, picture: np.ndarray) -> tuple[float, float]:
        """-log2 p of a picture per dimension: given its own code, and given none. Raises UserError."""
        model = self.pixelcnn(m)
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].repeat(2, 1, 1, 1)  # (2, 3, H, W)
        given, alone = model.losses(image.to(self.service.device), kept=torch.tensor([True, False],
                                                                                     device=self.service.device))
        return float(given), float(alone)

    def _ends(self, model: CodeModel, start: np.ndarray, end: np.ndarray) -> tuple[Tensor, Tensor]:
        return tuple(self.code(model, picture, np.zeros((0, 0))).cpu() for picture in (start, end))

    def _decode(self, model: MSEAutoEncoder, codes: Tensor) -> np.ndarray:
        return to_arrays(model.decode(codes), 1, model.config.levels)[0]

    def _draw(self, m, codes, groups: int, noises: int, seed: int, temperature: float, guidance: float
              ) -> Iterator[Progress]:
        """Sample the decoder for the rows of `codes(model)`; `noises` different ones, used again for each group."""
        info = self.info(m)

        def begin(decoder: GatedPixelCNN) -> Iterator[Tensor]:
            model = self.pixelcnn(info.code)
            with torch.no_grad():
                condition = model.condition(codes(model).to(self.service.device))
            noise = uniforms_from_seed(seed, noises, decoder.config).repeat(len(condition) // noises, 1, 1, 1)
            return sample(decoder, condition, uniforms=noise, temperature=temperature, guidance=guidance)

        return self.service.serve(lambda: self.pixelcnn(info.code).decoder, begin, groups)


def find_pairs(folder: Path) -> dict[int, CodeInfo]:
    """The code sizes of which `folder` holds both kinds of checkpoint, smallest first, by their config.json."""
    found: dict[tuple[str, int], Path] = {}
    for path in sorted(folder.glob("*/config.json")):
        config = read_json(path)
        if all(config.get(key) == value for key, value in SHAPE.items()):
            found[config.get("model_type"), config.get("code")] = path.parent
    pairs = {}
    for (kind, code), pixelcnn in found.items():
        if kind == AutoEncoder.__name__ and (mse := found.get((MSEAutoEncoder.__name__, code))):
            steps = read_steps(pixelcnn, code)
            pairs[code] = CodeInfo(code, pixelcnn, mse, read_results(pixelcnn), *steps)
    return dict(sorted(pairs.items()))


def read_steps(folder: Path, code: int) -> tuple[np.ndarray, np.ndarray]:
    """From `codes.json`: one deviation along each direction, for the PixelCNN's code and for the MSE's, each (k, m)."""
    stored, empty = read_results(folder, "codes.json"), np.zeros((0, code))
    try:
        directions, deviations, mse_steps = (np.asarray(stored[key], float)
                                             for key in ("directions", "deviations", "mse_steps"))
        steps = directions * deviations[:, None]  # (k, m)
    except (KeyError, TypeError, ValueError, IndexError):
        return empty, empty
    return (steps, mse_steps) if steps.shape == mse_steps.shape == (len(steps), code) else (empty, empty)
