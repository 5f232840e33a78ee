"""What several verbs of the command line share: arguments, the bundled face networks, and how results are told."""

import json
from pathlib import Path
from typing import Annotated

import typer

CheckpointArgument = Annotated[str, typer.Argument(help="checkpoint folder or Hugging Face Hub id")]
DataOption = Annotated[Path, typer.Option(help="folder of the data set")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="write the numbers to this file")]
ENCODER = Path("demo/assets/face_encoder")  # distilled from the network
NETWORK = Path("demo/assets/face_network")


def report(results: dict, json_file: Path | None) -> None:
    """Print the results, and write them to a file if one is named."""
    text = json.dumps(results, indent=2)
    typer.echo(text)
    if json_file:
        json_file.write_text(text + "\n", encoding="utf-8")
