"""The likeness of a portrait model, a single one or a chain, measured and kept in its results.json.

Test people give the published figure; temperature and guidance are chosen on validation people, who were not trained on
either.
"""

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from pixelcnn_core.device import choose_device
from pixelcnn_core.faces.encoder import check_encoder
from pixelcnn_core.faces.likeness import BATCH, Draw, choose_people, likeness
from pixelcnn_core.faces.tables import shrink
from pixelcnn_core.faces.vggface2 import load_encoder
from pixelcnn_core.models.chain import Chain, load_model
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.results import check_results, merge_results
from pixelcnn_core.sampling.coarse_to_fine import by_step, sample_chain
from pixelcnn_core.sampling.sample import finish, sample_rows
from pixelcnn_core.sampling.truncation import PAPER, Truncation

Portraitist = GatedPixelCNN | Chain
people_of = functools.lru_cache(maxsize=1)(choose_people)  # a curve measures the same people again and again


def drawing(model: Portraitist, given: Tensor | None = None, **settings) -> Draw:
    """The function that draws with a model; settings as in `sample_rows` or `sample_chain`: temperature, guidance, ...

    given  for a chain: the picture to start from of every portrait, in the order of drawing
    """
    starts = iter(()) if given is None else iter(given.split(BATCH))

    def draw(h: Tensor, seed: int) -> Tensor:
        condition = Condition(embedding=h)
        if isinstance(model, Chain):
            pictures = sample_chain(model, condition, seed=seed, given=next(starts, None), **settings)
            return finish(pictures)[model.size]
        return finish(sample_rows(model, condition, seed=seed, **settings))

    return draw


def measure(model: Portraitist, data_dir: str | Path, encoder: str | Path, second: str | Path | None = None, *,
            split: str = "validation", people: int = 200, portraits: int = 8, gallery: int = 100,
            temperature: float | Sequence[float] = 1.0, guidance: float | Sequence[float] = 1.0,
            truncation: Truncation | Sequence[Truncation] = PAPER, seed: int = 0, given: int = 0) -> dict:
    """`likeness` of portraits drawn with these settings, which stand in the results too; for a chain each may be a
    sequence with one for every size; one guidance leaves out the finest step, one truncation the coarsest.

    given  for a chain: start from the source photo itself at this size, 0: from `h` alone
    Raises CheckpointError or DataError.
    """
    network = load_encoder(encoder)
    check_encoder(model, network)
    chosen = people_of(data_dir, split, people)
    start = shrink(chosen.sources.images, given).repeat_interleave(portraits, 0) if given else None
    draw = drawing(model, start, temperature=temperature, **by_step(model, guidance, truncation))
    numbers = likeness(draw, chosen, network, load_encoder(second) if second else None,
                       portraits=portraits, gallery=gallery, seed=seed)
    cuts = [vars(cut) for cut in truncation] if isinstance(truncation, Sequence) else vars(truncation)
    return {"split": split, **numbers, "temperature": temperature, "guidance": guidance, "truncation": cuts}


def identity(checkpoint: str | Path, data_dir: str | Path, encoder: str | Path, second: str | Path | None = None, *,
             split: str = "test", **settings) -> dict:
    """`measure` a checkpoint on test people; results.json of its folder keeps the numbers as "identity".

    Raises CheckpointError, DataError, ResultsError.
    """
    check_results(checkpoint)  # what cannot be merged later ends here
    results = measure(load_model(checkpoint).to(choose_device()), data_dir, encoder, second, split=split, **settings)
    if split == "test":
        merge_results(checkpoint, {"identity": results})
    return results


def identity_curve(checkpoint: str | Path, data_dir: str | Path, encoder: str | Path, *, temperatures: Sequence[float],
                   guidances: Sequence[float], min_ps: Sequence[float] = (0.0,), people: int = 100, portraits: int = 4,
                   seed: int = 0) -> dict:
    """Measure every combination of temperature, guidance and min-p on validation people, and choose the one with the
    best rank1 (then auc) among those whose portraits of one person differ as much as two real photos do: truncation
    makes portraits alike, and one good portrait drawn again and again is no answer.

    results.json of its folder gets "identity_curve" and "identity_chosen", and "identity" stays.
    """
    check_results(checkpoint)
    model, curve = load_model(checkpoint).to(choose_device()), []
    for temperature, guidance, min_p in itertools.product(temperatures, guidances, min_ps):
        row = measure(model, data_dir, encoder, people=people, portraits=portraits, gallery=people,
                      temperature=temperature, guidance=guidance, truncation=Truncation(min_p=min_p), seed=seed)
        curve.append({"temperature": temperature, "guidance": guidance, "min_p": min_p,
                      **{key: row[key] for key in ("rank1", "auc", "rank1_real", "rank1_chance", "people",
                                                   "portraits", "diversity")}})
    varied = [row for row in curve if row["diversity"]["direction"] >= row["diversity"]["direction_real"]]
    best = max(varied or curve, key=lambda row: (row["rank1"], row["auc"]))
    measured = {"identity_curve": curve,
                "identity_chosen": {key: best[key] for key in ("temperature", "guidance", "min_p")}}
    merge_results(checkpoint, measured)
    return measured


def identity_given(checkpoint: str | Path, data_dir: str | Path, encoder: str | Path, *, people: int = 100,
                   portraits: int = 2, **settings) -> list[dict]:
    """Which step of a chain loses the person? `measure` on validation people, once from `h` alone and then from the
    source photo itself at every smaller size, so that only the finer steps can go wrong; results.json keeps it as
    "identity_given". Raises CheckpointError, DataError, ResultsError.
    """
    check_results(checkpoint)
    model = Chain.from_pretrained(checkpoint).to(choose_device())
    rows = [{"given": size, **measure(model, data_dir, encoder, people=people, portraits=portraits, given=size,
                                      **settings)} for size in (0, *model.sizes[:-1])]
    kept = ("given", "rank1", "rank1_standard_error", "auc", "rank1_chance", "people", "portraits")
    rows = [{key: row[key] for key in kept} for row in rows]
    merge_results(checkpoint, {"identity_given": rows})
    return rows
