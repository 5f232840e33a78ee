"""The auto-encoder of section 3.4 through a chain: a code for the smallest picture, which the chain then draws finer.

    z = encoder(x8)                         m numbers for the 8 x 8 picture, from that picture
    p(x8 | z) p(x16 | x8) p(x32 | x16)      a Conditional PixelCNN told z, then the upper steps of a chain as they are

Encoder and first step are an `AutoEncoder` of 8 x 8 pixels, trained end to end by bits per dimension. The code says
what is in the picture and where; the texture, which ten numbers cannot hold anyway, is the chain's to invent. The upper
steps are those of a chain that was trained before, asked without a label, so they cost nothing more. Where that chain
knows faces by an embedding h, they are told the h that is expected of the code, by least squares: h = A (z, 1). The
encoder loses nothing by reading only x8: whatever else is in the picture says no more about x8 than x8 itself.

As in a chain, bits are "at most" figures: those of x8 given its code, and those of the upper steps.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn_core.autoencoder.model import AutoEncoder
from pixelcnn_core.models.chain import CHAIN_FILE, Chain
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.provenance import recipe_of
from pixelcnn_core.results import read_results
from pixelcnn_core.sampling.coarse_to_fine import Pictures, chain_uniforms, sample_chain
from pixelcnn_core.sampling.sample import finish, sample_rows
from pixelcnn_core.sampling.truncation import PAPER, Truncation

CODES_FILE = "codes.json"  # beside a coder: what `evaluate` found in the codes of many images
RIDGE = 1e-3  # of the codes' mean variance: keeps the least squares solvable where numbers of the code are idle


class ChainAutoEncoder:
    """`coder` codes pictures of the chain's smallest size, the chain's other steps make them large.

    told   (E, m + 1), of `expected_embedding`: what embedding the upper steps are told for a code; None: none
    Raises ValueError for parts that do not fit.
    """

    def __init__(self, coder: AutoEncoder, chain: Chain, told: Tensor | None = None):
        for name, value in (("image_size", chain.sizes[0]), ("channels", chain.config.channels),
                            ("levels", chain.config.levels)):
            if getattr(coder.config, name) != value:
                raise ValueError(f"the auto-encoder has {name} {getattr(coder.config, name)}, "
                                 f"the chain begins with {value}")
        if told is not None and told.shape != (chain.config.embedding, coder.config.code + 1):
            raise ValueError(f"a code of {coder.config.code} numbers tells a chain of {chain.config.embedding} numbers "
                             f"nothing by a matrix of {' x '.join(map(str, told.shape))}")
        self.coder, self.chain, self.told = coder, chain, told

    @classmethod
    def from_pretrained(cls, folder: str | Path, chain: str | Path, **options) -> "ChainAutoEncoder":
        """An auto-encoder of the smallest picture, with the chain in another folder. Raises CheckpointError."""
        try:
            return cls(AutoEncoder.from_pretrained(folder, **options), Chain.from_pretrained(chain, **options),
                       read_told(folder))
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

    def embedding(self, codes: Tensor) -> Tensor | None:
        """What the upper steps are told for codes (B, m): the embedding (B, E) that is expected of them, or None."""
        if self.told is None:
            return None
        told = self.told.to(codes)
        return codes @ told[:, :-1].T + told[:, -1]

    def draw(self, codes: Tensor, *, seed: int = 0, uniforms: dict[int, Tensor] | None = None, temperature: float = 1.0,
             guidance: float = 1.0, truncation: Truncation = PAPER) -> Iterator[Pictures]:
        """Pictures for codes (B, m): {size: uint8 (B, C, size, size)} of all sizes so far, after every row.

        Guidance stresses the code in the first step, and what is told of it in the others. The rest as in
        `sample_chain`.
        """
        smallest = self.chain.sizes[0]
        settings = {"temperature": temperature, "guidance": guidance, "truncation": truncation}
        noise = chain_uniforms(seed, len(codes), self.chain) if uniforms is None else uniforms
        with torch.no_grad():
            condition = self.coder.condition(codes.to(self.coder.encoder.out.weight))
        for coarse in sample_rows(self.coder.decoder, condition, uniforms=noise[smallest], **settings):
            yield {smallest: coarse}
        for finer in self.finer(coarse, codes, uniforms=noise, **settings):
            yield {smallest: coarse, **finer}

    def finer(self, small: Tensor, codes: Tensor, **settings) -> Iterator[Pictures]:
        """What the upper steps make of small pictures (B, C, s, s), told what is expected of codes (B, m)."""
        h = self.embedding(codes)
        return sample_chain(self.chain, None if h is None else Condition(embedding=h.float()), batch=len(small),
                            given=small, **settings)

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


def expected_embedding(codes: Tensor, embeddings: Tensor) -> Tensor:
    """The matrix (E, m + 1) that makes of codes (N, m), with a 1 behind them, embeddings (N, E) with the least squared
    error; a little shrunk."""
    x = torch.cat([codes, torch.ones(len(codes), 1)], dim=1).double()
    shrunk = torch.full((x.shape[1],), RIDGE * len(x) * codes.double().var(0).mean().item(), dtype=torch.float64)
    shrunk[-1] = 0  # not the mean
    return torch.linalg.solve(x.T @ x + shrunk.diag(), x.T @ embeddings.double()).T


def read_told(folder: str | Path) -> Tensor | None:
    """`expected_embedding` as it is kept beside a coder; None where it is not, or not of these weights. Raises
    CheckpointError where the file is damaged."""
    try:
        told = read_results(folder, CODES_FILE).get("told")
        return None if told is None else torch.tensor(told)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{Path(folder) / CODES_FILE} is damaged: {error}") from error


def chain_of(checkpoint: str | Path) -> Path:
    """The folder of the chain whose first step a code was trained from, as its recipe says. Raises CheckpointError."""
    folder = Path(recipe_of(checkpoint).get("trunk", "")).parent
    if not (folder / CHAIN_FILE).is_file():
        raise CheckpointError(f"{checkpoint} codes the smallest picture of a chain, and its recipe names none that "
                              "is here")
    return folder
