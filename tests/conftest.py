"""What several tests share: the place of the shared data, and small models with random weights.

The process that only hands out the tests reads this file too, and waits for it: torch and the core are imported where
they are used.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typeguard

if TYPE_CHECKING:
    from pixelcnn_core import GatedPixelCNN

# Calls of the core are held to their annotations; but those of the command line, which typer makes.
typeguard.config.forward_ref_policy = typeguard.ForwardRefPolicy.IGNORE  # names that only type checkers import
typeguard.install_import_hook([f"pixelcnn_core.{room}" for room in (
    "kinds", "files", "figures", "device", "models", "results", "provenance", "data", "sampling", "training",
    "evaluation", "cards", "faces", "autoencoder", "restoration", "codec")])


@pytest.fixture(scope="session", autouse=True)
def threads() -> None:
    """Two processes share the machine; threads that wait for each other take many times as long."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1 if "PYTEST_XDIST_WORKER" in os.environ else 2)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared research data, named by the environment variable PIXELCNN_SHARED."""
    path = os.environ.get("PIXELCNN_SHARED")
    if not path or not Path(path).is_dir():
        pytest.skip("needs research data: set PIXELCNN_SHARED to the folder that holds data/cifar10 and the like")
    return Path(path)


def small_model(kind: "type[GatedPixelCNN] | None" = None, **changes) -> "GatedPixelCNN":
    """A float64 model with random weights, large enough that every connection matters; a Gated PixelCNN, or of a kind
    that has the same configuration."""
    import torch

    from pixelcnn_core import GatedPixelCNN, PixelCNNConfig

    config = PixelCNNConfig(**{"image_size": 5, "levels": 7, "features": 12, "layers": 3, "head_features": 24,
                               "first_kernel_size": 3, **changes})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = (kind or GatedPixelCNN)(config).double().eval()
        for parameter in model.parameters():
            parameter.data *= 2
    return model


def save_small_chain(folder: Path, **decoder) -> None:
    """A chain of random weights for colour pictures of 16 x 16, without a condition; `decoder` changes its networks."""
    import torch

    from pixelcnn_core import GatedPixelCNN, PixelCNNConfig
    from pixelcnn_core.models.chain import CHAIN_FILE
    from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig

    decoder = {"features": 6, "layers": 2, "head_features": 12, **decoder}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        GatedPixelCNN(PixelCNNConfig(image_size=8, **decoder)).save_pretrained(folder / "8")
        Upscaler(UpscalerConfig(image_size=16, features=6, map_channels=6, decoder=decoder)).save_pretrained(
            folder / "16")
    (folder / CHAIN_FILE).write_text(json.dumps({"steps": ["8", "16"]}), encoding="utf-8")
