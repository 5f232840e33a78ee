"""The kinds of condition that the tests go through, with a model configuration and a batch for each."""

import torch

from pixelcnn_core import Condition

KINDS = {
    "none": {},
    "class": {"classes": 4},
    "embedding": {"embedding": 5},
    "map": {"map_channels": 2},
    "everything": {"classes": 4, "embedding": 5, "map_channels": 2},
}


def example(config, batch: int) -> Condition:
    """A random condition of the kind that `config` takes; image k gets the same one in any batch."""
    size = config.image_size

    def random(*shape: int) -> torch.Tensor:
        return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
                            for k in range(batch)])

    return Condition(label=torch.arange(batch) % config.classes if config.classes else None,
                     embedding=random(config.embedding) if config.embedding else None,
                     map=random(config.map_channels, size, size) if config.map_channels else None)
