"""The verb that measures inpainting."""

from pathlib import Path
from typing import Annotated

import typer

from pixelcnn_core.cli.options import CLASSIFIER, CheckpointArgument, DataOption, JsonOption, located, report

CHAIN = "demo/assets/models/cifar10-chain"
SINGLE, RESTORER = Path("demo/assets/models/cifar10"), Path("demo/assets/restorer")


def inpainting(data: DataOption, chain: CheckpointArgument = CHAIN,
               single: Annotated[Path, typer.Option(help="model of one size that looks only back")] = SINGLE,
               restorer: Annotated[Path, typer.Option(help="restorer that looks everywhere")] = RESTORER,
               classifier: Annotated[Path, typer.Option(help="the judge")] = CLASSIFIER,
               images: Annotated[int, typer.Option(min=1, help="so many validation images")] = 100,
               samples: Annotated[int, typer.Option(min=1, help="completions of each")] = 16,
               hole: Annotated[int, typer.Option(min=1, help="side of the hole in the middle")] = 12,
               json_file: JsonOption = None) -> None:
    """Fill a hole by a chain, a single model, the restorer and diffusion: PSNR, and the class kept. Writes
    inpainting.json beside the chain."""
    from pixelcnn_core.restoration.inpainting import evaluate_inpainting

    found = evaluate_inpainting(chain, data, classifier=located(classifier), single=located(single),
                                restorer=located(restorer), images=images, samples=samples, hole=hole)
    report(found, json_file)
