"""Faces for the page: a photo becomes crops and embeddings; embeddings become new portraits (section 3.3).

Photos, crops and embeddings stay in memory: an uploaded file is read once and deleted two seconds later (one that was
never read, after ten minutes), and nothing else is written.
"""

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from demo.service.bridge import Progress, Service
from demo.service.drawing import Model, arranged, draw_rows, noise_of
from demo.service.images import ImageError, load_image
from demo.service.settings import UserError
from pixelcnn_core.faces.alignment import FaceError, find_faces
from pixelcnn_core.faces.chip import chip_from_photo
from pixelcnn_core.faces.encoder import FaceEncoder, check_encoder, condition_vectors, embed_small
from pixelcnn_core.faces.face_network import FaceNetwork
from pixelcnn_core.faces.vggface2 import load_encoder
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.results import ResultsError
from pixelcnn_core.sampling.interpolation import between
from pixelcnn_core.sampling.truncation import Truncation

ASSETS = Path(__file__).parents[1] / "assets"
EXAMPLES = {"Eileen Collins": ASSETS / "faces" / "eileen_collins.jpg",
            "Grace Hopper": ASSETS / "faces" / "grace_hopper.jpg"}
MAX_FACES = 12  # of one photo, or of several that are averaged
MIN_P = 0.05  # keeps nearly all pictures from derailing
STATE_SECONDS = 3600  # faces of a page that was left open are forgotten after this time


@dataclass(frozen=True)
class FoundFace:
    """`crop` uint8 (64, 64, 3), what the encoder saw; `embedding` (D,) of unit length; `probability` of MTCNN."""

    crop: np.ndarray
    embedding: np.ndarray
    probability: float
    inside: float


class FaceService:
    """Finding, embedding and drawing faces with the portrait model of a `Service`, in its turns."""

    def __init__(self, service: Service, folder: Path | str | None = None):
        self.service = service
        self.folder = folder or os.environ.get("PIXELCNN_ENCODER") or ASSETS / "face_network"

    @property
    def model_name(self) -> str | None:
        return next(iter(self.service.portrait_names), None)

    @functools.cached_property
    def encoder(self) -> FaceEncoder:
        try:
            return load_encoder(self.folder)
        except (CheckpointError, ResultsError) as error:
            raise UserError("The face encoder cannot be loaded: its files are missing or damaged.") from error

    def faces(self, source) -> list[FoundFace]:
        """Whatever `load_image` takes -> the faces in it, the largest first. Raises UserError."""
        try:
            photo = load_image(source)
            found = find_faces(photo, MAX_FACES)
        except (ImageError, FaceError) as error:
            raise UserError(str(error)) from error
        if isinstance(self.encoder, FaceNetwork):  # it reads the photo itself, and sees more than the crop holds
            chips = np.stack([chip_from_photo(np.asarray(photo), face.landmarks) for face in found])
            vectors = self.encoder.embed_chips(torch.from_numpy(chips).permute(0, 3, 1, 2)).numpy()
        else:
            crops = torch.from_numpy(np.stack([face.crop for face in found])).permute(0, 3, 1, 2)  # (N, 3, 64, 64)
            vectors = self.encoder.embed(crops).numpy()
        return [FoundFace(face.crop, vector, face.probability, face.inside) for face, vector in zip(found, vectors)]

    def portraits(self, embedding: np.ndarray, count: int, seed: int, **settings) -> Iterator[Progress]:
        """`count` portraits of one person, `images` (1, count, H, W, C); `settings`: temperature, guidance, min_p.

        Raises Busy and UserError.
        """
        return self._draw(np.repeat(embedding[None], count, 0), None, 1, seed, **settings)

    def path(self, start: np.ndarray, end: np.ndarray, columns: int, rows: int, path: str, seed: int,
             **settings) -> Iterator[Progress]:
        """Portraits between two people, each row with its own noise: `images` (columns, rows, H, W, C)."""
        vectors = between(torch.from_numpy(start), torch.from_numpy(end), columns, path).numpy()
        return self._draw(vectors.repeat(rows, 0), rows, columns, seed, **settings)

    def class_path(self, model: str, start: str, end: str, columns: int, rows: int, path: str, seed: int,
                   temperature: float, guidance: float, min_p: float = 0.0) -> Iterator[Progress]:
        """The same between two classes of a class-conditional model: mixtures of their one-hot vectors."""
        names = self.service.info(model).classes
        if start not in names or end not in names:
            raise UserError(f"Choose two classes of {model}: {', '.join(names)}.")
        one_hot = torch.eye(len(names))
        label = between(one_hot[names.index(start)], one_hot[names.index(end)], columns, path)  # (columns, classes)
        condition = Condition(label=label.repeat_interleave(rows, 0))

        def begin(loaded: Model):
            noise = arranged(noise_of(loaded, seed, rows), lambda numbers: numbers.repeat(columns, 1, 1, 1))
            return draw_rows(loaded, condition, noise, temperature=temperature, guidance=guidance,
                             truncation=Truncation(min_p=min_p))

        return self.service.serve(model, begin, columns)

    def _draw(self, embeddings: np.ndarray, same_noise_every: int | None, groups: int, seed: int, *,
              temperature: float, guidance: float, min_p: float = 0.0) -> Iterator[Progress]:
        condition = Condition(embedding=condition_vectors(torch.from_numpy(embeddings)))

        def begin(model: Model):
            self.check(model)
            different = same_noise_every or len(embeddings)
            noise = arranged(noise_of(model, seed, different),
                             lambda numbers: numbers.repeat(len(embeddings) // different, 1, 1, 1))  # (N, C, H, W)
            return draw_rows(model, condition, noise, temperature=temperature, guidance=guidance,
                             truncation=Truncation(min_p=min_p))

        if self.model_name is None:
            raise UserError("There is no portrait model: train one with `python -m pixelcnn_core train "
                            "portraits-chain-cpu --data faces --out demo/assets/models/portraits-chain`.")
        return self.service.serve(self.model_name, begin, groups)

    def check(self, model: Model) -> None:
        """Raises UserError if the portrait model belongs to another encoder."""
        try:
            check_encoder(model, self.encoder)
        except CheckpointError as error:
            raise UserError(f"The portrait model cannot be used: {error}.") from error

    def judge(self, images: np.ndarray, embedding: np.ndarray) -> list[tuple[float, float]]:
        """(cosine with the source, bits per dimension given the source) of finished portraits (N, H, W, 3)."""
        model = self.service.model(self.model_name)
        batch = torch.from_numpy(images).permute(0, 3, 1, 2)  # (N, 3, H, W)
        source = torch.from_numpy(embedding)
        cosine = embed_small(self.encoder, batch) @ source
        condition = Condition(embedding=condition_vectors(source[None]).repeat(len(batch), 1))
        batch, condition = batch.to(self.service.device), condition.to(self.service.device)
        with torch.inference_mode():
            if isinstance(model, Chain):  # at most
                bits = sum(model.bits(batch, condition).values()) / batch[0].numel()
            else:
                bits = model.bits_per_dim(batch, condition)
        return [(float(c), float(b)) for c, b in zip(cosine, bits)]


def average(faces: list[FoundFace]) -> np.ndarray:
    """The direction between the embeddings of one person's photos: (D,) of unit length."""
    mean = np.mean([face.embedding for face in faces], 0)
    return (mean / max(np.linalg.norm(mean), 1e-9)).astype(np.float32)


def published(results: dict) -> dict:
    """The settings with which the likeness of test people was measured, where it was."""
    identity = results.get("identity", {})
    return {**{key: identity[key] for key in ("temperature", "guidance") if key in identity},
            **{key: value for key, value in identity.get("truncation", {}).items() if key == "min_p"}}


def default_settings(results: dict) -> tuple[float, float, float]:
    """(temperature, guidance, min-p): chosen on validation people, or those that the likeness was published for."""
    chosen = results.get("identity_chosen") or published(results)
    return chosen.get("temperature", 1.0), chosen.get("guidance", 1.0), chosen.get("min_p", MIN_P)
