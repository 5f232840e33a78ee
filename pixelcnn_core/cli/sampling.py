"""The verbs that draw: a grid of samples, and how good they are in the eyes of a classifier."""

from pathlib import Path
from typing import Annotated

import typer

from pixelcnn_core.cli.options import (
    CLASSIFIER,
    CheckpointArgument,
    DataOption,
    JsonOption,
    MinP,
    find_classes,
    report,
    writable,
)

Temperature = Annotated[float, typer.Option(min=0)]
Guidance = Annotated[float, typer.Option(help="classifier-free; 1 is the model itself")]
TopP = Annotated[float, typer.Option(max=1, help="keep the fewest levels that hold this probability; 1: all")]
TopK = Annotated[int, typer.Option(min=0, help="keep the so many likeliest levels; 0: all")]


def sample(checkpoint: CheckpointArgument,
           out: Annotated[Path, typer.Option(help="image file to write", callback=writable)] = Path("grid.png"),
           classes: Annotated[str, typer.Option(help="names or numbers with commas between; default: all")] = "",
           n: Annotated[int, typer.Option(min=1, max=256, help="images per class")] = 8,
           seed: Annotated[int, typer.Option(min=0)] = 0,
           temperature: Temperature = 1.0, guidance: Guidance = 1.0, min_p: MinP = 0.0, top_p: TopP = 1.0,
           top_k: TopK = 0,
           scale: Annotated[int, typer.Option(min=1, max=32, help="enlarge every pixel")] = 4) -> None:
    """Draw a grid of new images, one row per class, as in figure 3 of the paper."""
    import torch

    from pixelcnn_core.device import choose_device
    from pixelcnn_core.figures import image_grid, labelled_grid
    from pixelcnn_core.files import replacing
    from pixelcnn_core.models.chain import load_model
    from pixelcnn_core.models.conditioning import Condition
    from pixelcnn_core.sampling.coarse_to_fine import by_step, draw_batches
    from pixelcnn_core.sampling.truncation import Truncation

    if out.suffix.lower() not in (".png", ".webp", ".jpg", ".jpeg"):
        raise ValueError(f"--out must be a .png, .webp or .jpg file, not {out}")
    model = load_model(checkpoint).to(choose_device())
    config = model.config
    if not config.classes and (classes or guidance != 1):
        raise ValueError(f"{checkpoint} has no classes: --classes and --guidance have no meaning")
    how = {"temperature": temperature, **by_step(model, guidance, Truncation(min_p, top_p, top_k))}
    if config.embedding:
        typer.echo("drawn without a face: the page draws portraits of a person", err=True)
    if not config.classes:
        images = draw_batches(model, Condition(), seed, count=n, **how)
        picture = image_grid(images, min(n, 8), config.levels, scale)
    else:
        chosen = find_classes(classes, config.class_names or tuple(str(k) for k in range(config.classes)))
        labels = torch.tensor(list(chosen)).repeat_interleave(n)
        images = draw_batches(model, Condition(label=labels), seed, **how)
        picture = labelled_grid(images, tuple(chosen.values()), config.levels, scale)
    with replacing(out) as path:
        picture.save(path)
    typer.echo(f"{len(images)} images: {out}")


def quality(checkpoint: CheckpointArgument, data: DataOption,
            classifier: Annotated[Path, typer.Option(help="checkpoint folder of the judge")] = CLASSIFIER,
            per_class: Annotated[int, typer.Option(min=1, help="samples of every class")] = 100,
            temperature: Temperature = 1.0, guidance: Guidance = 1.0, min_p: MinP = 0.0, top_p: TopP = 1.0,
            top_k: TopK = 0,
            curve: Annotated[bool, typer.Option(help="first choose the settings on validation images, by the "
                                                "Fréchet distance")] = False,
            validation: Annotated[bool, typer.Option("--validation", help="beside validation images, to choose "
                                                     "settings: nothing is written to the checkpoint")] = False,
            json_file: JsonOption = None) -> None:
    """Sample quality in the eyes of a classifier: accuracy, Fréchet distance, precision and recall."""
    from pixelcnn_core.evaluation.quality import quality
    from pixelcnn_core.sampling.truncation import Truncation

    report(quality(checkpoint, data, classifier, per_class=per_class, temperature=temperature, guidance=guidance,
                   truncation=Truncation(min_p, top_p, top_k), curve=curve,
                   split="validation" if validation else "test"), json_file)
