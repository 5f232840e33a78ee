"""The command line: `python -m pixelcnn_core VERB --help`. Wrong input ends with one sentence and exit code 1 or 2."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pixelcnn_core.cli import faces, ladder, restoration, sampling
from pixelcnn_core.cli.options import (
    CLASSIFIER,
    NETWORK,
    CheckpointArgument,
    DataOption,
    JsonOption,
    MinutesOption,
    configuration,
    kind_of,
    located,
    report,
    with_options,
)
from pixelcnn_core.kinds import load
from pixelcnn_core.training.stop import TrainingStopped

app = typer.Typer(help="Gated PixelCNN: train, evaluate, sample and time models. Models run on a GPU where there is "
                  "one; the environment variable PIXELCNN_DEVICE names another device, as cpu or cuda:1.",
                  no_args_is_help=True,
                  add_completion=False, pretty_exceptions_enable=False)

BASELINES = Path("demo/assets/autoencoders")  # with mse-autoencoder-10 and -100, of whole pictures
COLOUR_MODEL = "demo/assets/models/cifar10"
ModelOption = Annotated[str, typer.Option(help="checkpoint folder or Hub id; a file needs the model that made it")]


@app.command()
def train(recipe: Annotated[str, typer.Argument(help="name of a recipe, or a .json file")],
          data: DataOption, out: Annotated[Path, typer.Option(help="checkpoint folder to write")],
          resume: Annotated[bool, typer.Option("--resume", help="go on from the state in --out")] = False,
          overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the run or the model in --out, and what "
                                                  "was measured of it")] = False,
          init: Annotated[str | None, typer.Option(help="start from the weights of this checkpoint")] = None,
          max_minutes: MinutesOption = None,
          download: Annotated[bool, typer.Option(help="download CIFAR-10 into --data first")] = False) -> None:
    """Train a recipe. Ctrl-C saves and stops, a kill loses at most two minutes; --resume goes on. Of a chain, as
    portraits-chain-cpu, every step that is missing or unfinished is trained, each for --max-minutes; with
    --overwrite all of them."""
    from pixelcnn_core.training.chain import chain_recipes, train_chain
    from pixelcnn_core.training.loop import train
    from pixelcnn_core.training.recipe import load_recipe

    if chain_recipes(recipe):
        if init:
            raise ValueError("--init is for one step of a chain: name its recipe")
        chain = train_chain(recipe, data, out, overwrite=overwrite, max_minutes=max_minutes, download=download)
        typer.echo(f"chain: {chain}")
        return
    train(load_recipe(recipe), data, out, resume=resume, overwrite=overwrite, init=init, max_minutes=max_minutes,
          download=download)
    typer.echo(f"checkpoint: {out}")


@app.command()
def evaluate(checkpoint: CheckpointArgument, data: DataOption,
             limit: Annotated[int | None, typer.Option(min=1, help="score so many images of each split")] = None,
             mse: Annotated[Path | None, typer.Option(help="for an auto-encoder: the one with squared error")] = None,
             classifier: Annotated[Path, typer.Option(help="for an auto-encoder: the judge")] = CLASSIFIER,
             json_file: JsonOption = None) -> None:
    """Bits per dimension on test and training images, with and without the condition; a face encoder's verification;
    what an auto-encoder's code keeps; a classifier's accuracy; how well a restorer restores; the bits of a chain's
    steps."""
    kind = kind_of(checkpoint)
    if not kind.evaluation:
        raise ValueError(f"{checkpoint} has a command of its own that measures it: see --help")
    if mse is None and (code := configuration(checkpoint).get("code")):
        mse = BASELINES / f"mse-autoencoder-{code}"
    report(with_options(load(kind.evaluation), checkpoint, data, limit=limit, mse_checkpoint=mse,
                        classifier=classifier), json_file)


app.command()(faces.distill)
app.command()(faces.identity)
app.command(name="verify-faces")(faces.verify_faces)


app.command()(restoration.inpainting)
app.command()(sampling.quality)
app.command()(sampling.sample)
app.command()(ladder.ladder)


@app.command(context_settings={"allow_extra_args": True})
def benchmark(context: typer.Context, checkpoint: CheckpointArgument,
              batch: Annotated[list[int], typer.Option(help="batch sizes: --batch 1 16 64")] = (1, 16, 64),
              repeats: Annotated[int, typer.Option(min=1, help="take the median of so many runs")] = 5,
              json_file: JsonOption = None) -> None:
    """Time one forward pass and the three samplers (naive, cached, fixed point) in one run; of a chain every step."""
    from pixelcnn_core.evaluation.benchmark import benchmark

    try:
        sizes = [*batch, *(int(extra) for extra in context.args)]  # "--batch 1 16 64" leaves 16 and 64 over
    except ValueError as error:
        raise ValueError(f"batch sizes are whole numbers, not {' '.join(context.args)}") from error
    if min(sizes) < 1:
        raise ValueError(f"batch sizes must be at least 1, not {min(sizes)}")
    report(benchmark(checkpoint, sizes, repeats), json_file)


@app.command()
def compress(image: Annotated[Path, typer.Argument(help="PNG or other image, of any size")],
             file: Annotated[Path, typer.Argument(help="coded file to write")],
             model: ModelOption = COLOUR_MODEL) -> None:
    """Code an image without loss with the model's probabilities.

    Kept are the pixels, upright, and the colour profile; what else can be seen and cannot be kept (more than 8 bits,
    transparency, further frames, CMYK) is refused. EXIF and other texts are left out.
    """
    from pixelcnn_core.codec.files import compress_file
    from pixelcnn_core.models.gated import GatedPixelCNN

    done = compress_file(GatedPixelCNN.from_pretrained(model), image, file)
    typer.echo(f"{done.raw:,} bytes of pixels -> {done.size:,} bytes, {8 * done.size / done.raw:.3f} bits per "
               f"dimension: {file}")
    if done.left_out:
        typer.echo(f"left out: {', '.join(done.left_out)}")


@app.command()
def decompress(file: Annotated[Path, typer.Argument(help="coded file")],
               image: Annotated[Path, typer.Argument(help=".png, or another format without loss")],
               model: ModelOption = COLOUR_MODEL) -> None:
    """Decode a file of `compress`: exactly the pixels that were coded, or an error."""
    from pixelcnn_core.codec.files import decompress_file
    from pixelcnn_core.models.gated import GatedPixelCNN

    height, width = decompress_file(GatedPixelCNN.from_pretrained(model), file, image)
    typer.echo(f"{width} x {height} pixels, checksum right: {image}")


@app.command(name="compress-table")
def compress_table(data: DataOption, checkpoint: CheckpointArgument = COLOUR_MODEL,
                   images: Annotated[int, typer.Option(min=1, help="so many test images")] = 100,
                   json_file: JsonOption = None) -> None:
    """Bytes and seconds of the codec on test images, beside PNG and lossless WebP."""
    from pixelcnn_core.codec.table import compress_table

    report(compress_table(checkpoint, data, images), json_file)


@app.command()
def race(data: DataOption, out: Annotated[Path, typer.Option(help="folder for race.json, race.csv, race.png and the "
                                                             "checkpoints")],
         minutes: Annotated[float, typer.Option(min=0.01, help="training time of each model")] = 4.0,
         data_set: Annotated[str, typer.Option("--set", help="digits, cifar10-grey16, or cifar10 (for a GPU)")]
         = "digits",
         download: Annotated[bool, typer.Option(help="download CIFAR-10 into --data first")] = False) -> None:
    """PixelCNN, Row LSTM, Diagonal BiLSTM and Gated PixelCNN with equal parameters, data order and time."""
    from pixelcnn_core.evaluation.race import race
    from pixelcnn_core.training.recipe import load_recipe

    race(load_recipe(f"race-{data_set}"), data, out, minutes, download=download)
    typer.echo(f"race: {out / 'race.json'}")


@app.command()
def ablate(recipe: Annotated[str, typer.Argument(help="recipe of a PixelCNN, by name or path")], data: DataOption,
           out: Annotated[Path, typer.Option(help="folder for ablation.json and the checkpoints")],
           minutes: Annotated[float, typer.Option(min=0.01, help="training time of each variant")] = 3.0,
           images: Annotated[int, typer.Option(min=2, help="validation images")] = 1000) -> None:
    """What helps likelihood: change one setting of a recipe at a time and train for the same time."""
    from pixelcnn_core.evaluation.ablation import ablate
    from pixelcnn_core.training.recipe import load_recipe

    report(ablate(load_recipe(recipe), data, out, minutes, images), None)


@app.command(name="training-speed")
def training_speed(recipe: Annotated[str, typer.Argument(help="recipe, by name or path")], data: DataOption,
                   steps: Annotated[int, typer.Option(min=1, help="take the median of so many steps")] = 10,
                   json_file: JsonOption = None) -> None:
    """Images per second in training, the share of the device's matrix rate, and where the time goes."""
    from pixelcnn_core.evaluation.training_speed import training_speed
    from pixelcnn_core.training.recipe import load_recipe

    report(training_speed(load_recipe(recipe), data, steps), json_file)


@app.command()
def baselines(data: DataOption,
              data_set: Annotated[str, typer.Option("--set", help="a data set without a face encoder")] = "cifar10",
              json_file: JsonOption = None) -> None:
    """Bits per dimension of a uniform and of a Gaussian density, fitted to all training images, on all test images."""
    from pixelcnn_core.data.loaders import load_data
    from pixelcnn_core.models.baselines import score_baselines
    from pixelcnn_core.provenance import commit, cpu_name, versions

    training, test = load_data(data_set, data, "train"), load_data(data_set, data, "test")
    report({"data": data_set, "images_train": len(training), "images_test": len(test),
            "baselines": score_baselines(training, test), "hardware": cpu_name(), "versions": versions(),
            "commit": commit()}, json_file)


@app.command()
def card(checkpoint: Annotated[Path, typer.Argument(help="checkpoint folder", callback=located)],
         encoder: Annotated[Path, typer.Option(help="for portraits: their face network")] = NETWORK,
         photo: Annotated[list[Path], typer.Option(help="for portraits: photos of faces; for an auto-encoder: "
                                                   "any pictures, for the grid")] = ()
         ) -> None:
    """Write the model card (README.md, samples.png) of a checkpoint from its own files."""
    kind = kind_of(checkpoint)
    if not kind.card:
        raise ValueError(f"{checkpoint} is one step of a chain: the card is that of the chain's folder")

    def portraits(chain, settings):
        from pixelcnn_core.faces.card import portrait_rows
        from pixelcnn_core.faces.vggface2 import load_encoder

        return portrait_rows(chain, load_encoder(encoder), photo, 8, **settings)

    path = with_options(load(kind.card), checkpoint, pictures=photo, portraits=portraits if photo else None)
    typer.echo(f"card: {path}")


def main() -> None:
    """Run the command line; errors meant for people are printed without a traceback."""
    try:
        app()
    except (ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except TrainingStopped as stop:
        typer.echo(str(stop), err=True)
        sys.exit(128 + stop.signal)
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        sys.exit(130)
