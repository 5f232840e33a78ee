"""Aligned face crops with identities, for the face encoder and the portrait model.

Tables `*.parquet` in one folder, with the columns image (a file of 64 x 64 pixels, as bytes or {bytes, path}), identity
(or null), source, inside (share of the crop inside the photo) and descriptor (128 numbers of the face network, made
from the full-size photo). People are split once and for all, by their names: the tenth of them in
`held_out_people.txt` is never trained on, and tested once; another tenth is for choices (validation).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.pictures import PictureError, load_picture
from pixelcnn_core.data.tables import encoded
from pixelcnn_core.files import replacing, user_cache, writable

HELD_OUT_FILE = Path(__file__).parent / "held_out_people.txt"
WIDTH = 128  # numbers in a descriptor
CROP = 64  # height and width of the crops in the tables
INSIDE = 0.98  # share of a crop inside its photo that the portrait model asks for: no mirrored borders
COLUMNS = ["image", "identity", "source", "inside", "descriptor"]


@dataclass
class FaceData:
    """N faces: images uint8 (N, 3, 64, 64), descriptors (N, 128), and one entry of each list per face."""

    images: Tensor
    descriptors: Tensor
    identities: list[str | None]
    sources: list[str]
    inside: Tensor  # (N,)

    def __len__(self) -> int:
        return len(self.images)

    def where(self, keep) -> "FaceData":
        """The faces for which `keep`, a sequence of N bools, is true."""
        return self.where_index([k for k, yes in enumerate(keep) if yes])

    def where_index(self, index: list[int]) -> "FaceData":
        """The faces with these numbers, in this order."""
        return FaceData(self.images[index], self.descriptors[index], [self.identities[k] for k in index],
                        [self.sources[k] for k in index], self.inside[index])


def held_out_people() -> set[str]:
    """The names in the committed list."""
    return set(HELD_OUT_FILE.read_text(encoding="utf-8").splitlines())


def tenth(identity: str) -> int:
    """Which tenth of all names this one falls into, by a hash of the name alone: 0 is for tests (the rule that made the
    list), 1 for validation."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) % 10


def split_of(identity: str | None) -> str:
    """ "train", "validation" or "test"; faces without a name are trained on."""
    return {0: "test", 1: "validation"}.get(tenth(identity), "train") if identity is not None else "train"


def load_faces(folder: str | Path) -> FaceData:
    """All faces of all tables in a folder. Raises DataError."""
    import pyarrow
    import pyarrow.parquet

    paths = sorted(Path(folder).glob("*.parquet"))
    if not paths:
        raise DataError(f"{folder} holds no face tables (*.parquet); give the folder that does with --data")
    images, descriptors, identities, sources, inside = [], [], [], [], []
    for path in paths:
        try:
            table = pyarrow.parquet.read_table(path, columns=COLUMNS).select(COLUMNS)
            for name in ("source", "inside", "descriptor"):
                if None in (values := table[name].to_pylist()):
                    raise DataError(f"row {values.index(None)} of {path} has no {name}: give it one or remove the row")
            identities += table["identity"].cast(pyarrow.string()).to_pylist()
            sources += table["source"].cast(pyarrow.string()).to_pylist()
            inside += table["inside"].cast(pyarrow.float64()).to_pylist()
            descriptors.append(vectors_in(table["descriptor"].to_pylist(), path))
        except (pyarrow.ArrowException, OSError, KeyError) as error:
            raise DataError(f"{path} is damaged or lacks one of the columns {', '.join(COLUMNS)}: {error}") from error
        images += [crop(data, what) for data, what in encoded(table["image"], path)]
    if not images:
        raise DataError(f"the face tables in {folder} hold no faces: a table has one row for each")
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()  # (N, 3, 64, 64)
    return FaceData(pixels, torch.from_numpy(np.concatenate(descriptors)), identities, sources, torch.tensor(inside))


def crop(data: bytes, what: str) -> np.ndarray:
    """An image file as uint8 (64, 64, 3); `what` names it in the DataError."""
    try:
        image = load_picture(data)
    except PictureError as error:
        raise DataError(f"{what} is not a readable image: {error}") from error
    if image.size != (CROP, CROP):
        raise DataError(f"{what} has {image.width} x {image.height} pixels; aligned crops have {CROP} x {CROP}")
    return np.asarray(image)


def vectors_in(rows: list, path: Path) -> np.ndarray:
    """The descriptors of a table as float32 (N, 128). Raises DataError."""
    try:
        vectors = np.array(rows, np.float32).reshape(len(rows), WIDTH)
    except (TypeError, ValueError):
        vectors = np.array([np.nan])
    if not np.isfinite(vectors).all():
        raise DataError(f"the descriptors in {path} are not {WIDTH} finite numbers each")
    return vectors


def split_faces(data: FaceData) -> tuple[FaceData, FaceData]:
    """(faces to train on, faces of the held-out people); faces without a name are trained on."""
    held_out = held_out_people()
    test = [identity in held_out for identity in data.identities]
    return data.where([not t for t in test]), data.where(test)


TOGETHER = 64  # faces that an encoder sees at once
DESCRIPTORS = "descriptors"  # in place of an encoder's folder: the vectors of the tables


def portraits(folder: Path, split: str, size: int, encoder: str) -> ImageData:
    """The faces that lie inside their photos, area-averaged to size x size, each with its condition vector.

    encoder  checkpoint folder of a face encoder, or "descriptors" for those in the tables
    """
    if not encoder:
        raise DataError("the data set 'faces' needs the checkpoint folder of a face encoder, or 'descriptors'")
    if CROP % size:
        raise DataError(f"faces of {CROP} x {CROP} pixels are averaged to a divisor of that size, not to {size}")
    faces = load_faces(folder)
    faces = faces.where([split_of(name) == split for name in faces.identities])
    faces = faces.where((faces.inside > INSIDE).tolist())
    if not len(faces):
        raise DataError(f"the face tables in {folder} hold no faces for {split}: people are split by their names, and "
                        f"a crop must lie inside its photo (above {INSIDE})")
    if split != "train":  # the tables list a person's photos together: mix them, so that the first few are many people
        faces = faces.where_index(np.random.default_rng(0).permutation(len(faces)).tolist())
    vectors, name = condition_vectors_of(faces, encoder)
    labels = torch.full((len(faces),), -1)
    return ImageData(shrink(faces.images, size), labels, (), embeddings=vectors, encoder=name,
                     identities=faces.identities, partners=partners(faces.identities))


def shrink(crops: Tensor, size: int) -> Tensor:
    """Area-averaged crops: uint8 (N, 3, 64, 64) -> uint8 (N, 3, size, size)."""
    return F.avg_pool2d(crops.float(), CROP // size).round().to(torch.uint8)


def condition_vectors_of(faces: FaceData, encoder: str) -> tuple[Tensor, str]:
    """`h` of every face, (N, D), and the name of the network that gave it."""
    from pixelcnn_core.faces.encoder import condition_vectors

    if encoder == DESCRIPTORS:
        from pixelcnn_core.faces.face_network import NAME  # it made the descriptors

        return condition_vectors(F.normalize(faces.descriptors.float(), dim=1)), NAME
    from pixelcnn_core.faces.vggface2 import load_encoder

    model = load_encoder(encoder)
    return condition_vectors(embedded(model, faces.images)), model.fingerprint


def embedded(model, images: Tensor) -> Tensor:
    """The vectors of all faces by one of the encoders, (N, D): minutes for all tables, and so kept in the user's cache
    under a hash of network and faces. A file there that is damaged is made again."""
    digest = hashlib.sha256(model.fingerprint.encode())
    digest.update(images.numpy().tobytes())
    home, name = user_cache(), f"faces-{digest.hexdigest()[:24]}.safetensors"
    if home and (home / name).is_file():
        try:
            kept = load_file(home / name)["vectors"]
            if kept.shape == (len(images), model.config.embedding) and bool(kept.isfinite().all()):
                return kept
        except (SafetensorError, OSError, KeyError):
            pass
    parts = tqdm(images.split(TOGETHER), desc="vectors of the faces", unit=f"{TOGETHER} faces")
    vectors = torch.cat([model.embed(part, TOGETHER) for part in parts])
    if home and writable(home):
        with replacing(home / name) as path:
            save_file({"vectors": vectors}, path)
    return vectors


def partners(identities: list[str | None], count: int = 16) -> Tensor:
    """For every face `count` faces of the same person, (N, count), drawn with repetition; itself where it is alone."""
    photos: dict[str, list[int]] = {}
    for k, name in enumerate(identities):
        photos.setdefault(name if name is not None else f"nobody {k}", []).append(k)
    random, found = np.random.default_rng(0), np.empty((len(identities), count), np.int64)
    for indices in photos.values():
        for k in indices:
            others = [j for j in indices if j != k] or [k]
            found[k] = random.choice(others, count)
    return torch.from_numpy(found)
