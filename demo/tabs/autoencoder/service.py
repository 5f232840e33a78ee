"""Auto-encoders for the page: a picture becomes a code, a code becomes pictures by two decoders (section 3.4).

For each code size m there are two checkpoints: a PixelCNN auto-encoder, whose decoder is sampled in the turns of a
`Service`, and the one trained by squared error, whose decoder gives its one answer at once. Each has a code of its own.
A PixelCNN auto-encoder of smaller pictures is the first step of one of the service's chains, which draws them finer;
it goes before one of whole pictures. What a code saves is counted beside a twin that never had one, where it lies with
them. Pictures and codes stay in memory.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from demo.kit.panels import mean_picture
from demo.service.bridge import Progress, Service, to_arrays
from demo.service.drawing import arranged, noise_of, previews, to_array, to_tensor
from demo.service.settings import UserError, number
from demo.tabs.autoencoder.subjects import FOLDER, Subject, photos
from pixelcnn_core.autoencoder.chain_autoencoder import ChainAutoEncoder, read_told
from pixelcnn_core.autoencoder.evaluation import TWIN
from pixelcnn_core.autoencoder.model import AutoEncoder, CodeModel, MSEAutoEncoder
from pixelcnn_core.models.checkpoint import CONFIG_FILE, Checkpoint, CheckpointError
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.provenance import recipe_of
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.interpolation import between
from pixelcnn_core.sampling.sample import sample_rows, uniforms_from_seed
from pixelcnn_core.sampling.truncation import Truncation

COLOURS = {"channels": 3, "levels": 256}  # of the page's pictures


@dataclass(frozen=True)
class CodeInfo:
    """One code size, read without loading a model. `pixelcnn_steps` and `mse_steps`, (k, m), turn each code by one
    standard deviation along the largest principal directions; k is 0 where `evaluate` was not run. `mean` is that of
    many codes, (m,). `chain` names the chain that draws what was decoded finer, empty for whole pictures, and `told` is
    what a code tells it."""

    code: int
    pixelcnn: Path
    mse: Path
    results: dict
    pixelcnn_steps: np.ndarray
    mse_steps: np.ndarray
    mean: np.ndarray
    chain: str = ""
    told: Tensor | None = None

    @property
    def directions(self) -> int:
        return len(self.pixelcnn_steps)

    @property
    def shown(self) -> tuple[float, float, float]:
        """Temperature, guidance and min-p that the page opens with: those that `evaluate` measured beside the paper's
        sampler."""
        shown = self.results.get("shown", {})
        return shown.get("temperature", 1.0), shown.get("guidance", 1.0), shown.get("min_p", 0.0)


class CodeService:
    """The pairs of auto-encoders of one subject below `folder`; sampling takes the turns of `service`."""

    def __init__(self, service: Service, folder: Path | str | None = None, subject: Subject | None = None):
        self.service, self.subject = service, subject or photos(service)
        self.folder = Path(folder or os.environ.get("PIXELCNN_AUTOENCODERS") or FOLDER) / self.subject.part
        self.infos = find_pairs(self.folder, service, self.subject.size)
        self._models: dict[Path, Checkpoint] = {}
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

    def load(self, kind: type[Checkpoint], folder: Path) -> Checkpoint:
        """A checkpoint; loaded once, whoever asks first. Raises UserError."""
        with self._loading:
            if folder not in self._models:
                try:
                    self._models[folder] = kind.from_pretrained(folder).to(self.service.device)
                except CheckpointError as error:
                    raise UserError(f"The auto-encoder {folder.name} cannot be loaded: its files are missing or "
                                    "damaged.") from error
            return self._models[folder]

    def pixelcnn(self, m) -> AutoEncoder | ChainAutoEncoder:
        info = self.info(m)
        model = self.load(AutoEncoder, info.pixelcnn)
        if not info.chain:
            return model
        return ChainAutoEncoder(model, self.service.model(info.chain), info.told)

    def mse(self, m) -> MSEAutoEncoder:
        return self.load(MSEAutoEncoder, self.info(m).mse)

    def twin(self, size: int) -> GatedPixelCNN | None:
        """The decoder of pictures of `size` that never had a code; None where there is none."""
        folder = self.folder / TWIN
        fits = (folder / CONFIG_FILE).is_file() and read_json(folder / CONFIG_FILE).get("image_size") == size
        return self.load(GatedPixelCNN, folder) if fits else None

    def coded(self, m, picture: np.ndarray) -> Tensor:
        """What of a picture uint8 (H, W, 3) the code stands for: (1, 3, H, W), or the smallest size of the chain."""
        image, info = to_tensor(picture), self.info(m)
        return self.service.model(info.chain).pyramid(image)[self.service.info(info.chain).sizes[0]] if info.chain \
            else image

    def small(self, m, picture: np.ndarray) -> np.ndarray | None:
        """The small picture that the code stands for, uint8 (h, w, 3); None where it stands for all of it."""
        return to_array(self.coded(m, picture)) if self.info(m).chain else None

    @torch.no_grad()
    def code(self, model: CodeModel | ChainAutoEncoder, picture: np.ndarray, steps: np.ndarray,
             edits: Sequence[float] = ()) -> Tensor:
        """The code of a picture uint8 (H, W, 3), moved by `edits` deviations along the directions: (m,)."""
        moved = sum((float(edit) * step for edit, step in zip(edits, steps)), np.zeros(model.config.code))
        code = model.encode(to_tensor(picture).to(self.service.device))[0]  # (m,)
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
                  guidance: float, min_p: float = 0.0) -> Iterator[Progress]:
        """`count` draws for the code of a picture, `images` (1, count, H, W, 3). Raises Busy and UserError."""
        def codes(model: AutoEncoder) -> Tensor:
            return self.code(model, picture, self.info(m).pixelcnn_steps, edits)[None].repeat(count, 1)  # (count, m)

        return self._draw(m, codes, 1, count, seed, temperature, guidance, min_p)

    def mean_of_draws(self, m, picture: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
        """The mean of `count` draws of the paper's sampler for one picture's code: uint8 (H, W, 3)."""
        *_, last = self.decodings(m, picture, count, [], seed, 1.0, 1.0)
        return mean_picture(last.images[0])

    def bars(self, m, picture: np.ndarray, edits: Sequence[float] = ()) -> np.ndarray:
        """The PixelCNN's code of a picture, (m,), as deviations from the mean code, of which 1 is a typical one: the
        root mean square over the largest directions."""
        info = self.info(m)
        code = self.code(self.pixelcnn(m), picture, info.pixelcnn_steps, edits).cpu().numpy() - info.mean
        typical = float((info.pixelcnn_steps ** 2).sum() / info.code) ** 0.5
        return code / (typical or max(1e-9, float(np.abs(code).max())))

    def path(self, m, start: np.ndarray, end: np.ndarray, columns: int, rows: int, same_noise: bool, seed: int,
             temperature: float, guidance: float, min_p: float = 0.0) -> Iterator[Progress]:
        """Draws on the straight way between two codes: `images` (columns, rows, H, W, 3). With `same_noise` only the
        code differs along a row. Raises Busy and UserError."""
        def codes(model: AutoEncoder) -> Tensor:
            way = between(*self._ends(model, start, end), columns, "linear")  # (columns, m)
            return way.repeat_interleave(rows, 0)  # (columns * rows, m)

        return self._draw(m, codes, columns, rows if same_noise else columns * rows, seed, temperature, guidance, min_p)

    @torch.no_grad()
    def bits(self, m, picture: np.ndarray) -> tuple[float, float]:
        """-log2 p of a picture, in bits of the whole: given its own code, and without one, by the twin where there is
        one. Through a chain those of its smallest size, which is all that the code decides. Raises UserError."""
        model, image = self.load(AutoEncoder, self.info(m).pixelcnn), self.coded(m, picture).to(self.service.device)
        given, without = model.losses(image), self.twin(image.shape[-1]) or model.decoder
        return float(given * image[0].numel()), float(without.bits_per_dim(image) * image[0].numel())

    def _ends(self, model: CodeModel, start: np.ndarray, end: np.ndarray) -> tuple[Tensor, Tensor]:
        return tuple(self.code(model, picture, np.zeros((0, 0))).cpu() for picture in (start, end))

    def _decode(self, model: MSEAutoEncoder, codes: Tensor) -> np.ndarray:
        return to_arrays(model.decode(codes), 1, model.config.levels)[0]

    def _draw(self, m, codes, groups: int, noises: int, seed: int, temperature: float, guidance: float, min_p: float
              ) -> Iterator[Progress]:
        """Sample the decoder for the rows of `codes(model)`; `noises` different ones, used again for each group."""
        info, how = self.info(m), {"temperature": temperature, "guidance": guidance, "truncation": Truncation(min_p)}

        def begin(model: AutoEncoder | ChainAutoEncoder) -> Iterator[Tensor]:
            with torch.no_grad():
                z = codes(model).to(self.service.device)

            def again(numbers: Tensor) -> Tensor:
                return numbers.repeat(len(z) // noises, 1, 1, 1)

            if isinstance(model, ChainAutoEncoder):
                noise = arranged(noise_of(model.chain, seed, noises), again)
                return previews(model.draw(z, uniforms=noise, **how))
            noise = again(uniforms_from_seed(seed, noises, model.decoder.config))
            with torch.no_grad():
                return sample_rows(model.decoder, model.condition(z), uniforms=noise, **how)

        steps = sum(self.service.info(info.chain).sizes) if info.chain else self.subject.size
        return self.service.serve(lambda: self.pixelcnn(info.code), begin, groups, steps=steps)


def find_pairs(folder: Path, service: Service, size: int) -> dict[int, CodeInfo]:
    """The code sizes of which `folder` holds both kinds of checkpoint for pictures of `size` pixels, smallest first, by
    their config.json."""
    found: dict[tuple[str, int], Path] = {}
    chains: dict[int, tuple[Path, str]] = {}
    for path in sorted(folder.glob("*/config.json")):
        config = read_json(path)
        if any(config.get(key) != value for key, value in COLOURS.items()):
            continue
        if config.get("image_size") == size:
            found[config.get("model_type"), config.get("code")] = path.parent
        elif config.get("model_type") == AutoEncoder.__name__ and (
                name := chain_for(path.parent, (config.get("image_size"), size), service)):
            chains[config.get("code")] = (path.parent, name)
    pairs = {}
    for (kind, code), mse in found.items():
        if kind != MSEAutoEncoder.__name__:
            continue
        pixelcnn, chain = chains.get(code) or (found.get((AutoEncoder.__name__, code)), "")
        if pixelcnn:
            pairs[code] = CodeInfo(code, pixelcnn, mse, read_results(pixelcnn), *read_steps(pixelcnn, code), chain,
                                   read_told(pixelcnn) if chain else None)
    return dict(sorted(pairs.items()))


def chain_for(folder: Path, ends: tuple[int, int], service: Service) -> str:
    """The chain that draws the pictures of an auto-encoder finer, from the first to the last of these sizes: the one it
    was trained from, or any of pictures without a face; empty without one."""
    trunk = Path(recipe_of(folder).get("trunk") or "").parent.name
    fit = [name for name in service.chain_names if (info := service.info(name)) and (
        info.sizes[0], info.sizes[-1], info.channels, info.levels) == (*ends, *COLOURS.values())]
    return trunk if trunk in fit else next((name for name in fit if not service.info(name).embedding), "")


def read_steps(folder: Path, code: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From `codes.json`: one deviation along each direction, for the PixelCNN's code and for the MSE's, each (k, m);
    and the mean code (m,)."""
    stored, empty = read_results(folder, "codes.json"), np.zeros((0, code))
    try:
        directions, deviations, mse_steps, mean = (np.asarray(stored[key], float) for key in (
            "directions", "deviations", "mse_steps", "mean"))
        steps = directions * deviations[:, None]  # (k, m)
    except (KeyError, TypeError, ValueError, IndexError):
        return empty, empty, np.zeros(code)
    fits = steps.shape == mse_steps.shape == (len(steps), code) and mean.shape == (code,)
    return (steps, mse_steps, mean) if fits else (empty, empty, np.zeros(code))
