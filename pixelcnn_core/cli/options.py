"""What several verbs of the command line share: arguments, the bundled checkpoints, and how results are told."""

import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pixelcnn_core.files import check_target, replacing
from pixelcnn_core.kinds import KINDS, Kind, kind_named
from pixelcnn_core.models.chain import is_chain
from pixelcnn_core.models.checkpoint import CONFIG_FILE, CheckpointError, find_file, locate
from pixelcnn_core.results import read_json


def writable(path: Path | None) -> Path | None:
    """A file that can be written: found before the work. Raises ValueError."""
    if path:
        check_target(path)
    return path


def located(checkpoint: str | Path | None) -> str | Path | None:
    """The bundled checkpoints are found from any folder."""
    return checkpoint and type(checkpoint)(locate(checkpoint))


CheckpointArgument = Annotated[str, typer.Argument(help="checkpoint folder or Hugging Face Hub id", callback=located)]
DataOption = Annotated[Path, typer.Option(help="folder of the data set")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="write the numbers to this file", callback=writable)]
MinutesOption = Annotated[float | None, typer.Option(help="decay and stop within this time")]
MinP = Annotated[float, typer.Option(min=0, max=1, help="leave out levels below this share of the likeliest; 0: none")]
CLASSIFIER = Path("demo/assets/classifier")
ENCODER = Path("demo/assets/face_encoder")  # distilled from the network
NETWORK = Path("demo/assets/face_network")


def report(results: dict, json_file: Path | None) -> None:
    """Print the results, and write them to a file if one is named; of several processes, the first one does."""
    if int(os.environ.get("RANK", 0)) > 0:  # set by torchrun and `accelerate launch`
        return
    text = json.dumps(results, indent=2)
    typer.echo(text)
    if json_file:
        with replacing(json_file) as path:
            path.write_text(text + "\n", encoding="utf-8")


def configuration(checkpoint: str | Path) -> dict:
    """The config.json of a checkpoint in a folder or on the Hub; empty for a chain, and for what is no checkpoint.

    Raises ResultsError where it is damaged.
    """
    try:
        return read_json(find_file(checkpoint, CONFIG_FILE))
    except CheckpointError:
        return {}


def kind_of(checkpoint: str | Path) -> Kind:
    """The kind of model that a folder or a Hub id holds; that of a PixelCNN for what is no checkpoint, whose loader
    says what is wrong. Raises ResultsError where its config.json is damaged."""
    if is_chain(checkpoint):
        return KINDS["chain"]
    return kind_named(str(configuration(checkpoint).get("model_type"))) or KINDS["pixelcnn"]


def with_options(function: Callable, *arguments, **options):
    """Calls a function of the table of kinds with those of a command's options that it has parameters for."""
    known = inspect.signature(function).parameters
    return function(*arguments, **{name: value for name, value in options.items() if name in known})


def find_classes(text: str, names: tuple[str, ...]) -> dict[int, str]:
    """ "cat, 5" -> {3: "cat", 5: "dog"}; all classes for an empty text. Raises ValueError naming an unknown class.

    A name may have commas itself: the longest one that fits is taken.
    """
    if not text.strip():
        return dict(enumerate(names))
    parts, chosen = text.split(","), {}
    while parts:
        for length in range(len(parts), 0, -1):
            if (word := ",".join(parts[:length]).strip()) in names:
                chosen[names.index(word)] = word
                break
        else:
            if not (word.isdecimal() and int(word) < len(names)):
                raise ValueError(f"no class is called {word!r}; there are {', '.join(names)}")
            chosen[int(word)] = names[int(word)]
        parts = parts[length:]
    return chosen
