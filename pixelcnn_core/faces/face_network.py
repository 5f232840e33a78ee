"""dlib's face recognition network: a face -> 128 numbers that say who it is, the `h` of the portraits (section 3.3).

A residual network of 29 convolutions, trained by its author on three million faces so that photos of one person lie
near each other; 99.38 % on Labeled Faces in the Wild, as he reports. The weights are his and in the public domain.

A descriptor has no fixed length (about 1.46). `embed` leaves it out and gives directions, as the other encoders do:
they interpolate and average well, and tell held-out people apart in 98.3 % of all pairs, as the full descriptors do
(`verify-faces`; within one source of photos the length helps by about a point).

References: King 2009, "Dlib-ml: A Machine Learning Toolkit"; He et al. 2016, "Deep Residual Learning" (the blocks).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from huggingface_hub import load_torch_model
from safetensors import SafetensorError
from torch import Tensor, nn

from pixelcnn_core.faces.chip import CHIP, chips_from_crops
from pixelcnn_core.faces.encoder import fingerprint
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.images import as_images

MEAN = (122.782, 117.001, 104.298)  # of red, green and blue in the training faces
STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))  # features and blocks; all but the first halve the picture
SHA256 = "04c49e42b48bb2b9c874f773f4a358270acaca8493878db51611bfc52e5a108c"  # of its tensors: see `fingerprint`
NAME = f"dlib-resnet {SHA256}"  # the fingerprint of the network as it is published


@dataclass
class FaceNetworkConfig:
    """What `FaceEncoderConfig` says too."""

    embedding: int = 128


class Affine(nn.Module):
    """A batch normalisation whose statistics are frozen into a scale and a shift of each feature."""

    def __init__(self, features: int):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale[:, None, None] + self.shift[:, None, None]


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut without weights: averaged where the picture is halved, else as it is."""

    def __init__(self, in_features: int, features: int, halve: bool):
        super().__init__()
        self.halve = halve
        self.conv1 = nn.Conv2d(in_features, features, 3, stride=2 if halve else 1, padding=0 if halve else 1)
        self.affine1 = Affine(features)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)
        self.affine2 = Affine(features)

    def forward(self, x: Tensor) -> Tensor:
        y = self.affine2(self.conv2(F.relu(self.affine1(self.conv1(x)))))
        if self.halve:
            x = F.avg_pool2d(x, 2)
        size = [max(sides) for sides in zip(x.shape[1:], y.shape[1:])]  # (features, H, W), as large as the larger
        return F.relu(fill(x, size) + fill(y, size))


def fill(x: Tensor, size: list[int]) -> Tensor:
    """(B, F, H, W) -> (B, *size): features, rows and columns that are missing become zeros."""
    features, height, width = (large - small for large, small in zip(size, x.shape[1:]))
    return F.pad(x, (0, width, 0, height, 0, features))


class FaceNetwork(nn.Module):
    """`FaceNetwork.from_pretrained(folder)` loads the bundled one; `embed` takes crops, `embed_chips` chips."""

    def __init__(self) -> None:
        super().__init__()
        self.config = FaceNetworkConfig()
        self.conv, self.affine = nn.Conv2d(3, STAGES[0][0], 7, stride=2), Affine(STAGES[0][0])
        self.blocks, before = nn.Sequential(), STAGES[0][0]
        for stage, (features, blocks) in enumerate(STAGES):
            for block in range(blocks):
                self.blocks.append(Block(before, features, halve=stage > 0 and block == 0))
                before = features
        self.out = nn.Linear(before, self.config.embedding, bias=False)
        self.to(memory_format=torch.channels_last)  # a quarter faster on a CPU

    def forward(self, chips: Tensor) -> Tensor:
        """Chips (B, 3, 150, 150), RGB in [0, 255] -> descriptors (B, 128); one person's lie within about 0.6."""
        x = (chips.float() - chips.new_tensor(MEAN, dtype=torch.float32)[:, None, None]) / 256
        x = F.max_pool2d(F.relu(self.affine(self.conv(x))), 3, stride=2)  # (B, 32, 35, 35)
        return self.out(self.blocks(x).mean((2, 3)))  # (B, 256) -> (B, 128)

    @torch.inference_mode()
    def describe(self, chips: Tensor, together: int = 1) -> Tensor:
        """uint8 chips (B, 3, 150, 150) -> descriptors (B, 128), the same in any batch: each image goes alone, unless
        `together` says how many may go at once.

        Raises ValueError for other shapes and for floats.
        """
        device, chips = self.out.weight.device, as_images(chips, 3, 256)
        if chips.shape[2:] != (CHIP, CHIP):
            raise ValueError(f"chips have {CHIP} x {CHIP} pixels, not {chips.shape[2]} x {chips.shape[3]}")
        return torch.cat([self(part.to(device)) for part in chips.split(together)]).cpu()

    def embed_chips(self, chips: Tensor, together: int = 1) -> Tensor:
        """uint8 chips (B, 3, 150, 150) -> the direction of their descriptors, unit vectors (B, 128)."""
        return F.normalize(self.describe(chips, together), dim=1)

    def embed(self, crops: Tensor, together: int = 1) -> Tensor:
        """uint8 aligned crops (B, 3, 64, 64) -> unit vectors (B, 128)."""
        return self.embed_chips(chips_from_crops(crops), together)

    @property
    def fingerprint(self) -> str:
        """ "name sha256": what a portrait model that was trained with this network remembers of it."""
        return fingerprint("dlib-resnet", self)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "FaceNetwork":
        """The network in a folder of safetensors shards with their index. Raises CheckpointError."""
        network = cls()
        try:
            load_torch_model(network, folder, strict=True)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(f"{folder} does not hold the face network: {str(error).splitlines()[0]}") from error
        digest = network.fingerprint.split()[1]
        if digest != SHA256:
            raise CheckpointError(f"{folder} is damaged or holds another network: the SHA-256 of its weights begins "
                                  f"with {digest[:8]}, not with {SHA256[:8]}")
        return network.eval()
