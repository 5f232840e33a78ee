"""facenet-pytorch's InceptionResnetV1 with its published VGGFace2 weights, behind the interface of `FaceEncoder`.

The weights (107 MB) are fetched once, on request, or read from a file; either way they are loaded as plain tensors
(`weights_only`) and every one must fit. What is downloaded must have the published file's SHA-256.
"""

import hashlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.hub import download_url_to_file, get_dir

from pixelcnn_core.device import choose_device
from pixelcnn_core.faces.encoder import Encoder, FaceEncoder
from pixelcnn_core.faces.face_network import FaceNetwork
from pixelcnn_core.models.checkpoint import CheckpointError, locate
from pixelcnn_core.results import read_json

NAME = "vggface2"
URL = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt"
SHA256 = "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b"
SIZE = 160  # pixels: what the network was trained on


@dataclass
class InceptionConfig:
    """What `FaceEncoderConfig` says too."""

    embedding: int = 512


class InceptionEncoder:
    """512 numbers of unit length for a uint8 crop (3, 64, 64), which is enlarged to 160 x 160 first."""

    def __init__(self, weights: dict[str, Tensor], digest: str):
        from facenet_pytorch import InceptionResnetV1

        self.config, self.fingerprint = InceptionConfig(), f"{NAME} {digest}"
        self.network = InceptionResnetV1(pretrained=None, classify=False).eval()
        # the classifier of its 8631 training people is not part of the embedding
        own = {name: tensor for name, tensor in weights.items() if not name.startswith("logits.")}
        self.network.load_state_dict(own)

    @torch.inference_mode()
    def embed(self, crops: Tensor, together: int = 1) -> Tensor:
        """uint8 crops (B, 3, 64, 64) -> unit vectors (B, 512), the same in any batch: each image goes alone, unless
        `together` says how many may go at once."""
        large = F.interpolate(crops.cpu().float(), size=(SIZE, SIZE), mode="bicubic", align_corners=False).clamp(0, 255)
        return torch.cat([self.network((part - 127.5) / 128) for part in large.split(together)])


def load_encoder(source: str | Path) -> Encoder:
    """A face encoder: a checkpoint folder, "vggface2" (fetched on first use), or a .pt file of those weights.

    It works on the device of `choose_device`, Inception on the CPU; what it is given and gives lies on the CPU. Raises
    CheckpointError with one sentence for a file that is missing, damaged, swapped or of another network.
    """
    if str(source) == NAME:
        return read_vggface2(fetch_vggface2(), expected=SHA256)
    if str(source).endswith(".pt"):
        return read_vggface2(Path(source))
    source = locate(source)
    if read_json(Path(source) / "config.json").get("model_type") == FaceNetwork.__name__:
        return FaceNetwork.from_pretrained(source).to(choose_device())
    return FaceEncoder.from_pretrained(str(source), map_location=choose_device())


def fetch_vggface2(url: str = URL, expected: str = SHA256) -> Path:
    """The weights in torch's cache, downloaded with a progress bar if they are not there yet. Raises CheckpointError
    where they cannot be fetched."""
    path = Path(get_dir()) / "checkpoints" / Path(url).name
    if not path.is_file():
        os.makedirs(path.parent, exist_ok=True)
        try:
            download_url_to_file(url, str(path), hash_prefix=expected)  # to a temporary file, checked, then moved
        except RuntimeError as error:
            raise CheckpointError(f"what {url} gave is not the published file: {error}") from error
        except OSError as error:
            raise CheckpointError(f"{url} could not be fetched ({error}): download it yourself, and give the path of "
                                  "the .pt file as the encoder") from error
    return path


def read_vggface2(path: Path, expected: str | None = None) -> InceptionEncoder:
    """The encoder in a .pt file; with `expected`, only if that is its SHA-256."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    if expected and digest != expected:
        raise CheckpointError(f"{path} is damaged or another file: its SHA-256 begins with {digest[:8]}, not with "
                              f"{expected[:8]}; delete it to fetch it again")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(weights, dict):
            raise TypeError(f"it holds a {type(weights).__name__}")
        return InceptionEncoder(weights, digest)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, AttributeError, TypeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"{path} does not hold weights of InceptionResnetV1: {first}") from error
