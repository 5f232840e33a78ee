"""The verb that measures every row of the paper's table 1."""

from pathlib import Path
from typing import Annotated

import typer

from pixelcnn_core.cli.options import DataOption


def ladder(data: DataOption,
           out: Annotated[Path, typer.Option(help="folder for ladder.json, ladder.csv, samples/ and runs/; what is "
                                                  "finished in it is not trained again")],
           minutes: Annotated[float, typer.Option(min=0.001, help="training time of each model, on one core")] = 2.0,
           seeds: Annotated[int, typer.Option(min=1, help="train each so often")] = 3,
           size: Annotated[int, typer.Option(help="of CIFAR-10: 16, or 32 (for a GPU)")] = 16,
           images: Annotated[int, typer.Option(min=2, help="test images")] = 1000,
           only: Annotated[list[str], typer.Option(help="this rung alone, by name; again for more")] = (),
           download: Annotated[bool, typer.Option(help="download CIFAR-10 into --data first")] = False) -> None:
    """Every row of the paper's table 1: NICE, Deep Diffusion, DRAW, Deep GMM, Conv DRAW, RIDE, the PixelCNNs, the
    PixelRNNs and a chain, for equal minutes on the same images."""
    from pixelcnn_core.evaluation.ladder import ladder

    ladder(data, out, minutes, seeds, size=size, images=images, only=tuple(only), download=download)
    typer.echo(f"ladder: {out / 'ladder.json'}")
