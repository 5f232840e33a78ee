"""Faces for the page: a photo becomes crops and embeddings; embeddings become new portraits (section 3.3).

Photos, crops and embeddings stay in memory: an uploaded file is read once and deleted two seconds later (one that was
never read, after ten minutes), and nothing else is written.

The two bundled photos are looked at once, by `python -m demo.make_assets`: what was found lies in `examples.json`
beside them, so that the page opens on it, and draws it, without a detector.
"""

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from demo.service.bridge import Progress, Service
from demo.service.drawing import Model, arranged, draw_rows, noise_of, to_tensor
from demo.service.images import ImageError, load_image
from demo.service.settings import UserError
from pixelcnn_core.faces.alignment import FaceError, align, find_faces
from pixelcnn_core.faces.chip import chip_from_photo
from pixelcnn_core.faces.encoder import FaceEncoder, check_encoder, condition_vectors, embed_small
from pixelcnn_core.faces.face_network import NAME, FaceNetwork
from pixelcnn_core.faces.likeness import likest
from pixelcnn_core.faces.vggface2 import load_encoder
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.results import RESULTS_FILE, ResultsError, read_measured
from pixelcnn_core.sampling.interpolation import between
from pixelcnn_core.sampling.truncation import Truncation

ASSETS = Path(__file__).parents[1] / "assets"
EXAMPLES = {"Eileen Collins": ASSETS / "faces" / "eileen_collins.jpg",
            "Grace Hopper": ASSETS / "faces" / "grace_hopper.jpg"}
MAX_FACES = 12  # of one photo, or of several that are averaged
MIN_P = 0.05  # keeps nearly all pictures from derailing
STATE_SECONDS = 3600  # faces of a page that was left open are forgotten after this time


YOURS = "your photo"
THUMB = 480  # pixels: the longer side of a photo as the page shows it


@dataclass(frozen=True, eq=False)
class FoundFace:
    """One face of a photo.

    crop       uint8 (64, 64, 3): aligned
    chip       uint8 (150, 150, 3): what the face network saw
    embedding  (D,) of unit length: who it is
    photo      uint8 (h, w, 3): the whole photo, small; the same array for all its faces
    box        left, top, right, bottom, as shares of the photo's width and height; `landmarks` (5, 2) likewise
    name       of the person, or "your photo"
    """

    crop: np.ndarray
    chip: np.ndarray
    embedding: np.ndarray
    photo: np.ndarray
    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    probability: float
    inside: float
    name: str = YOURS


@functools.lru_cache(maxsize=2)
def loaded(folder: Path | str) -> FaceEncoder:
    """The face network of a folder, once for all tabs."""
    return load_encoder(folder)


class FaceService:
    """Finding, embedding and drawing faces with the portrait model of a `Service`, in its turns."""

    def __init__(self, service: Service, folder: Path | str | None = None):
        self.service = service
        self.folder = folder or os.environ.get("PIXELCNN_ENCODER") or ASSETS / "face_network"

    @property
    def model_name(self) -> str | None:
        return next(iter(self.service.portrait_names), None)

    @property
    def encoder(self) -> FaceEncoder:
        try:
            return loaded(self.folder)
        except (CheckpointError, ResultsError) as error:
            raise UserError("The face encoder cannot be loaded: its files are missing or damaged.") from error

    def faces(self, source, name: str = YOURS) -> list[FoundFace]:
        """Whatever `load_image` takes -> the faces in it, the largest first. Raises UserError."""
        try:
            photo = load_image(source)
            found = find_faces(photo, MAX_FACES)
        except (ImageError, FaceError) as error:
            raise UserError(str(error)) from error
        pixels, small = np.asarray(photo), thumb(photo)
        chips = np.stack([chip_from_photo(pixels, face.landmarks) for face in found])  # (N, 150, 150, 3)
        if isinstance(self.encoder, FaceNetwork):  # it reads the photo itself, and sees more than the crop holds
            vectors = self.encoder.embed_chips(to_tensor(chips)).numpy()
        else:
            vectors = self.encoder.embed(to_tensor(np.stack([face.crop for face in found]))).numpy()
        return [FoundFace(face.crop, chip, vector, small, tuple(np.divide(face.box, photo.size * 2).tolist()),
                          face.landmarks / photo.size, face.probability, face.inside, name)
                for face, chip, vector in zip(found, chips, vectors)]

    def example(self, name: str) -> FoundFace:
        """The face of a bundled photo, as it was found before where that still holds. Raises UserError."""
        if Path(self.folder) == ASSETS / "face_network" and (known := stored_example(name)):
            return known
        return self.faces(EXAMPLES[name], name)[0]

    @functools.cached_property
    def scale(self) -> dict | None:
        """How alike photos of one person, and of two people, are by the bundled face network; None if not measured."""
        try:
            measured = read_measured(self.folder, RESULTS_FILE).get("likeness")
            return {who: [measured[who][key] for key in ("p5", "p50", "p95")] for who in ("same_person", "two_people")}
        except (ResultsError, KeyError, TypeError, AttributeError):
            return None

    def portraits(self, embedding: np.ndarray, count: int, seed: int, baseline: bool = False, **settings
                  ) -> Iterator[Progress]:
        """`count` portraits of one person, `images` (1, count, H, W, C); `settings`: temperature, guidance, min_p.

        baseline  one more is drawn, last: of nobody, without h, with the noise of the first
        Raises Busy and UserError.
        """
        vectors = np.repeat(embedding[None], count, 0)  # (count, D)
        if baseline:
            vectors = np.concatenate([vectors, np.zeros_like(vectors[:1])])
        return self._draw(vectors, count, 1, seed, **settings)  # the last gets the first noise again

    def path(self, start: np.ndarray, end: np.ndarray, columns: int, rows: int, path: str, seed: int,
             **settings) -> Iterator[Progress]:
        """Portraits between two people, each row with its own noise: `images` (columns, rows, H, W, C)."""
        vectors = between(torch.from_numpy(start), torch.from_numpy(end), columns, path).numpy()
        return self._draw(vectors.repeat(rows, 0), rows, columns, seed, **settings)  # row r, noise r

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

    def _draw(self, embeddings: np.ndarray, noises: int, groups: int, seed: int, *, temperature: float,
              guidance: float, min_p: float = 0.0) -> Iterator[Progress]:
        """Pictures of `embeddings` (N, D), of which number k gets the noise number k modulo `noises`. Raises UserError
        also where the portrait model belongs to another encoder."""
        if self.model_name is None:
            raise UserError("There is no portrait model: train one with `python -m pixelcnn_core train "
                            "portraits-chain-cpu --data faces --out demo/assets/models/portraits-chain`.")

        def begin(model: Model) -> Iterator[torch.Tensor]:
            try:
                check_encoder(model, self.encoder)
            except CheckpointError as error:
                raise UserError(f"The portrait model cannot be used: {error}.") from error
            condition = Condition(embedding=condition_vectors(torch.from_numpy(embeddings)))
            which = torch.arange(len(embeddings)) % noises
            noise = arranged(noise_of(model, seed, noises), lambda numbers: numbers[which])  # (N, C, H, W)
            return draw_rows(model, condition, noise, temperature=temperature, guidance=guidance,
                             truncation=Truncation(min_p=min_p))

        return self.service.serve(self.model_name, begin, groups)

    def alike(self, images: np.ndarray, embedding: np.ndarray) -> np.ndarray:
        """The likeness of finished portraits (N, H, W, 3) to the source: cosines (N,)."""
        return (self._vectors(images) @ torch.from_numpy(embedding)).numpy()

    def likest(self, images: np.ndarray, embedding: np.ndarray, of: int) -> np.ndarray:
        """For every place the likest of its `of` portraits: `images` (of * n, H, W, 3) -> (n, H, W, 3)."""
        return images[likest(self._vectors(images), torch.from_numpy(embedding), of).numpy()]

    def _vectors(self, images: np.ndarray) -> torch.Tensor:
        return embed_small(self.encoder, to_tensor(images))  # (N, D)


def thumb(photo: Image.Image) -> np.ndarray:
    """A photo as the page shows it: uint8 (h, w, 3), at most THUMB on its longer side."""
    part = min(1.0, THUMB / max(photo.size))
    return np.asarray(photo.resize([max(1, round(side * part)) for side in photo.size], Image.Resampling.BOX))


FOUND = ASSETS / "faces" / "examples.json"


def write_examples(faces: FaceService) -> None:
    """Look at the bundled photos, and keep what was found in `examples.json`."""
    people = {}
    for name, path in EXAMPLES.items():
        face = faces.faces(path, name)[0]
        people[name] = {"box": np.round(face.box, 4).tolist(), "landmarks": np.round(face.landmarks, 5).tolist(),
                        "probability": round(face.probability, 4), "inside": round(face.inside, 4),
                        "embedding": np.round(face.embedding, 6).tolist()}
    facts = {"network": faces.encoder.fingerprint, "people": people, "command": "python -m demo.make_assets"}
    FOUND.write_text(json.dumps(facts) + "\n", encoding="utf-8")


@functools.cache
def stored_example(name: str) -> FoundFace | None:
    """What `write_examples` kept of a bundled photo; None where it is not that of the bundled network, or damaged."""
    try:
        facts = json.loads(FOUND.read_text(encoding="utf-8"))
        known = facts["people"][name]
        if facts["network"] != NAME:
            return None
        photo = load_image(EXAMPLES[name])
        landmarks, pixels = np.array(known["landmarks"], np.float64), np.asarray(photo)  # (5, 2)
        embedding = np.array(known["embedding"], np.float32)
        crop, _ = align(pixels, landmarks * photo.size)
        return FoundFace(crop, chip_from_photo(pixels, landmarks * photo.size), embedding / np.linalg.norm(embedding),
                         thumb(photo), tuple(known["box"]), landmarks, known["probability"], known["inside"], name)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def average(faces: list[FoundFace]) -> np.ndarray:
    """The direction between the embeddings of one person's photos: (D,) of unit length."""
    mean = np.mean([face.embedding for face in faces], 0)
    return (mean / max(np.linalg.norm(mean), 1e-9)).astype(np.float32)


def rows_shown(progress: Progress, sizes: tuple[int, ...]) -> int:
    """How many rows of the pictures there are to see: of a chain's first size, too, those to come are empty paper."""
    first = progress.row <= sizes[0] == progress.images.shape[2]
    return progress.row if first else progress.shown_rows


def published(results: dict) -> dict:
    """The settings with which the likeness of test people was measured, where it was."""
    identity = results.get("identity", {})
    return {**{key: identity[key] for key in ("temperature", "guidance") if key in identity},
            **{key: value for key, value in identity.get("truncation", {}).items() if key == "min_p"}}


def default_settings(results: dict) -> tuple[float, float, float]:
    """(temperature, guidance, min-p): chosen on validation people, or those that the likeness was published for."""
    chosen = results.get("identity_chosen") or published(results)
    return chosen.get("temperature", 1.0), chosen.get("guidance", 1.0), chosen.get("min_p", MIN_P)
