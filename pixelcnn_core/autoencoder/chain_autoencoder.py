"""The auto-encoder of section 3.4 through a chain: a code for the smallest picture, which the chain then draws finer.

    z = encoder(x8)                         m numbers for the 8 x 8 picture, from that picture
    p(x8 | z) p(x16 | x8) p(x32 | x16)      a Conditional PixelCNN told z, then the upper steps of a chain as they are

Encoder and first step are an `AutoEncoder` of 8 x 8 pixels, trained end to end by bits per dimension. The code says
what is in the picture and where; the texture, which ten numbers cannot hold anyway, is the chain's to invent. The upper
steps are those of a chain that was trained before, asked without a label, so they cost nothing more. The encoder
loses nothing by reading only x8: whatever else is in the picture says no more about x8 than x8 itself.

As in a chain, bits are "at most" figures: those of x8 given its code, and those of the upper steps.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn_core.autoencoder.model import AutoEncoder
from pixelcnn_core.models.chain import CHAIN_FILE, Chain
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.provenance import recipe_of
from pixelcnn_core.sampling.coarse_to_fine import Pictures, chain_uniforms, sample_chain
from pixelcnn_core.sampling.sample import finish, sample_rows
from pixelcnn_core.sampling.truncation import PAPER, Truncation


class ChainAutoEncoder:
    """`coder` codes pictures of the chain's smallest size, the chain's other steps make them large. Raises ValueError
    for two that do not fit."""

    def __init__(self, coder: AutoEncoder, chain: Chain):
        for name, value in (("image_size", chain.sizes[0]), ("channels", chain.config.channels),
                            ("levels", chain.config.levels)):
            if getattr(coder.config, name) != value:
                raise ValueError(f"the auto-encoder has {name} {getattr(coder.config, name)}, "
                                 f"the chain begins with {value}")
        self.coder, self.chain = coder, chain

    @classmethod
    def from_pretrained(cls, folder: str | Path, chain: str | Path, **options) -> "ChainAutoEncoder":
        """An auto-encoder of the smallest picture, with the chain in another folder. Raises CheckpointError."""
        try:
            return cls(AutoEncoder.from_pretrained(folder, **options), Chain.from_pretrained(chain, **options))
        except CheckpointError:
            raise
        except ValueError as error:
            raise CheckpointError(f"{folder} does not go with the chain in {chain}: {error}") from error

    @property
    def config(self):
        """That of the coder; its image_size is the chain's smallest."""
        return self.coder.config

    @property
    def size(self) -> int:
        """Height and width of the pictures that go in and come out."""
        return self.chain.size

    def encode(self, images: Tensor) -> Tensor:
        """uint8 (B, C, S, S) of the chain's largest size -> codes (B, m). Raises ValueError for another shape."""
        return self.coder.encode(self.chain.pyramid(images)[self.chain.sizes[0]])

    def draw(self, codes: Tensor, *, seed: int = 0, uniforms: dict[int, Tensor] | None = None, temperature: float = 1.0,
             guidance: float = 1.0, truncation: Truncation = PAPER) -> Iterator[Pictures]:
        """Pictures for codes (B, m): {size: uint8 (B, C, size, size)} of all sizes so far, after every row.

        Guidance stresses the code, so it steers the first step alone: no other one reads it. The rest as in
        `sample_chain`.
        """
        smallest, settings = self.chain.sizes[0], {"temperature": temperature, "truncation": truncation}
        noise = chain_uniforms(seed, len(codes), self.chain) if uniforms is None else uniforms
        with torch.no_grad():
            condition = self.coder.condition(codes.to(self.coder.encoder.out.weight))
        for coarse in sample_rows(self.coder.decoder, condition, uniforms=noise[smallest], guidance=guidance,
                                  **settings):
            yield {smallest: coarse}
        for finer in sample_chain(self.chain, batch=len(codes), uniforms=noise, given=coarse, **settings):
            yield {smallest: coarse, **finer}

    @torch.no_grad()
    def reconstruct(self, images: Tensor, seed: int = 0, **settings) -> Tensor:
        """One new picture for the code of each: uint8 (B, C, S, S). `settings` as in `draw`."""
        device = self.coder.encoder.out.weight.device
        return finish(self.draw(self.encode(images.to(device)), seed=seed, **settings))[self.size]

    @torch.no_grad()
    def bits(self, images: Tensor, coded: bool = True) -> dict[int, Tensor]:
        """-log2 p of every size, {size: (B,)} bits of whole pictures; of the smallest given its code, or none."""
        smallest = self.chain.sizes[0]
        picture = self.chain.pyramid(images)[smallest]
        kept = torch.full((len(images),), coded, device=images.device)
        return {**self.chain.bits(images), smallest: self.coder.losses(picture, kept=kept) * picture[0].numel()}


def chain_of(checkpoint: str | Path) -> Path:
    """The folder of the chain whose first step a code was trained from, as its recipe says. Raises CheckpointError."""
    folder = Path(recipe_of(checkpoint).get("trunk", "")).parent
    if not (folder / CHAIN_FILE).is_file():
        raise CheckpointError(f"{checkpoint} codes the smallest picture of a chain, and its recipe names none that "
                              "is here")
    return folder
