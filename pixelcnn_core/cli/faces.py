"""The verbs of the portraits: the face networks, and how like the person a portrait is."""

from pathlib import Path
from typing import Annotated

import typer

from pixelcnn_core.cli.options import (
    ENCODER,
    NETWORK,
    CheckpointArgument,
    DataOption,
    JsonOption,
    MinP,
    MinutesOption,
    located,
    report,
)


def distill(data: DataOption, out: Annotated[Path, typer.Option(help="checkpoint folder to write")],
            epochs: Annotated[int, typer.Option(min=1)] = 12,
            max_minutes: MinutesOption = None,
            overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the model in --out, and what was "
                                                    "measured of it")] = False) -> None:
    """Train the compact face encoder on the descriptors of a teacher network."""
    from pixelcnn_core.faces.encoder_training import train_encoder

    written = train_encoder(data, out, epochs=epochs, max_minutes=max_minutes, overwrite=overwrite)
    typer.echo(f"checkpoint: {written}")


def verify_faces(data: DataOption,
                 network: Annotated[Path, typer.Option(help="folder of the face network", callback=located)] = NETWORK,
                 encoder: Annotated[Path, typer.Option(help="folder of the compact encoder")] = ENCODER,
                 json_file: JsonOption = None) -> None:
    """How well the face network tells held-out people apart; writes its results.json and card."""
    from pixelcnn_core.faces.card import write_network_card
    from pixelcnn_core.faces.verification import verify_faces

    report(verify_faces(data, network, encoder), json_file)
    write_network_card(network)


def identity(checkpoint: CheckpointArgument, data: DataOption,
             encoder: Annotated[Path, typer.Option(help="checkpoint folder of its face encoder")] = NETWORK,
             second: Annotated[Path | None, typer.Option(help="another one, that judges beside it")] = ENCODER,
             people: Annotated[int, typer.Option(min=2)] = 200,
             portraits: Annotated[int, typer.Option(min=1, help="for each of them")] = 8,
             temperature: Annotated[float, typer.Option(min=0)] = 1.0,
             guidance: Annotated[float, typer.Option()] = 1.0,
             min_p: MinP = 0.0,
             curve: Annotated[bool, typer.Option(help="first choose temperature, guidance and min-p on validation "
                                                 "people: a grid on fewer portraits")] = False,
             given: Annotated[bool, typer.Option("--given", help="of a chain also: from the source photo itself at "
                                                 "every smaller size, on validation people")] = False,
             json_file: JsonOption = None) -> None:
    """Draw portraits of held-out people, embed them again, and match them with 100 people."""
    from pixelcnn_core.faces.identity import identity, identity_curve, identity_given
    from pixelcnn_core.sampling.truncation import Truncation

    if curve:
        chosen = identity_curve(checkpoint, data, encoder, temperatures=(1.0,), guidances=(2.0, 4.0),
                                min_ps=(0.05, 0.2, 0.4, 0.6), people=min(people, 100),
                                portraits=min(portraits, 2))["identity_chosen"]
        temperature, guidance, min_p = (chosen[key] for key in ("temperature", "guidance", "min_p"))

    if given:
        identity_given(checkpoint, data, encoder, people=min(people, 100), temperature=temperature, guidance=guidance,
                       truncation=Truncation(min_p=min_p))
    report(identity(checkpoint, data, encoder, second, people=people, portraits=portraits, temperature=temperature,
                    guidance=guidance, truncation=Truncation(min_p=min_p)), json_file)
