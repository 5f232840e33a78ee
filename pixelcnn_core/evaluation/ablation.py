"""The ablation study: one setting of a recipe changed at a time, everything else as it was.

Every variant sees the same images in the same order, trains for the same time (on a CPU that of the training thread,
so that other programs cost it little; compiling is not counted), and is scored on the same validation images, as the
answers are for choosing: differences are paired, image by image. Short runs answer what helps early; dropout, depth
and flips pay later if at all.

`ablation.json` is written beside one checkpoint folder per variant; run again on the same folder, it goes on.
"""

from dataclasses import replace
from pathlib import Path

from accelerate import Accelerator

from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.likelihood import score
from pixelcnn_core.evaluation.race import AGAIN, fair_clock
from pixelcnn_core.models.baselines import standard_error
from pixelcnn_core.provenance import count_parameters, origin
from pixelcnn_core.results import read_json, write_json
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe

BASE = "as in the recipe"


def variants(recipe: Recipe) -> dict[str, Recipe]:
    """What changes, in words -> the changed recipe; nothing that the recipe has already."""
    model = recipe.model

    def network(**changes) -> Recipe:
        return replace(recipe, model={**model, **changes})

    features, head = model["features"], model["head_features"]
    changed = {
        "Adam for all weights instead of Muon": replace(recipe, muon=0.0),
        "float32 instead of bfloat16": replace(recipe, bf16=False),
        "without torch.compile": replace(recipe, compile=False),
        "learning rate constant instead of cosine": replace(recipe, cosine=False),
        "weight decay 0.01": replace(recipe, weight_decay=0.01),
        "the last weights instead of their running average (EMA)": replace(recipe, ema=0.0),
        "without flips": replace(recipe, flips=False),
        "dropout 0.1": network(dropout=0.1),
        "without classes": replace(recipe, unconditional=True),
        "with a map of position": network(position=4),
        "5x5 kernels": network(kernel_size=5),
        "twice as deep": network(layers=2 * model["layers"]),
        "wider by half": network(features=features * 3 // 2, head_features=head * 3 // 2),
    }
    return {BASE: recipe, **{words: variant for words, variant in changed.items() if variant != recipe}}


def ablate(recipe: Recipe, data_dir: str | Path, out: str | Path, minutes: float, images: int = 1000) -> dict:
    """Train every variant for `minutes` and score `images` validation images. Returns what ablation.json holds.

    Raises RecipeError, DataError or TrainingError.
    """
    out, accelerator, rows, bits_of = Path(out), Accelerator(), [], {}
    clock, clock_name = fair_clock()
    held_out = load_data(recipe.data, data_dir, "validation", recipe.size).first(images)
    for number, (words, variant) in enumerate(variants(recipe).items()):
        folder = out / f"{number:02d}"
        train(replace(variant, steps=10 ** 6, validate=0, sample=False), data_dir, folder, resume=True,
              max_minutes=minutes, race_clock=clock, go_on=AGAIN)
        model = recipe.model_class.from_pretrained(folder).to(accelerator.device)
        facts = read_json(folder / "training.json")
        data = held_out.unconditional() if variant.unconditional else held_out
        bits_of[words] = score(model, data, True, 100, accelerator)
        difference = bits_of[words] - bits_of[BASE]
        rows.append({"change": words, "parameters": count_parameters(model), "steps": facts["steps"],
                     "images_per_second": round(facts["images"] / facts["seconds"], 1),
                     "bits_per_dim": round(bits_of[words].mean().item(), 4),
                     "difference": round(difference.mean().item(), 4),
                     "difference_standard_error": round(standard_error(difference), 4)})
        result = {"recipe": recipe.to_dict(), "minutes": minutes, "images": len(held_out), "split": "validation",
                  "clock": clock_name, "variants": rows, **origin(accelerator.device)}
        write_json(out / "ablation.json", result)
    return result
