"""The model card of a chain, from its own files: what each step is, its bits, and what was measured of the whole."""

from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

from pixelcnn_core.cards.card import duration, shown_classes, write_page, write_picture
from pixelcnn_core.cards.tables import quality_section, sampling_section, tried_section
from pixelcnn_core.device import choose_device
from pixelcnn_core.figures import labelled_grid
from pixelcnn_core.models.chain import Chain, chain_steps
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.provenance import recipe_of, training_so_far
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.coarse_to_fine import by_step, draw_batches
from pixelcnn_core.sampling.truncation import Truncation

CARD = """---
library_name: pixelcnn
license: mit
tags: [pixelcnn, image-generation]
---

# {name}

{data}, coarse to fine: {count} Conditional PixelCNNs (van den Oord et al., 2016,
[arXiv 1606.05328](https://arxiv.org/abs/1606.05328)), each given the picture of half the size as a spatial map
(equation 5), and {told} as `h` (equation 4).

| pixels | parameters | training | bits per dimension | bits of a picture | of them, what `h` saves |
| --- | --- | --- | --- | --- | --- |
{steps}

{bits}

![Samples](samples.png)

The samples are unselected: seed {seed}, temperature {temperature:g}, guidance {guidance:g} in all steps
but the finest, min-p {min_p:g} in all but the coarsest{coarsest}{unjudged}.
{likeness}{quality}{tried}{sampling}
## Use

```python
from pixelcnn_core import Chain{imported}

chain = Chain.from_pretrained("{folder}")
images = chain.sample({condition}, seed=0)  # images.tensor: uint8 (N, 3, {size}, {size})
images.save("samples.png")
```

Train a step again: `python -m pixelcnn_core train {recipe} --data DATA --out RUN`; all of them, what is missing or
unfinished: `python -m pixelcnn_core train {chain} --data DATA --out RUN`.

## Limits

{limits}

What it draws is what the data set shows, with its biases. Images drawn from the model may resemble training images.
"""

BITS = """On {images:,} test images. The smaller picture is the mean of every 2 x 2 pixels, a function of the larger
one: so the sum, {total:,.0f} bits or {per_dim:.3f} per dimension, is *at most* what a picture needs, and does not stand
beside the likelihoods of single models without that word."""

LIKENESS = """
## Likeness

{people} people whom the chain was never trained on, {portraits:,} portraits, each matched with {gallery} people by its
vector. Real photos are other photos of the same people in {size} x {size} pixels.

| judge | rank 1 of portraits | of real photos | chance |
| --- | --- | --- | --- |
{judges}

Two portraits of one person are {direction:.3f} apart in the eyes of the first judge, two real photos
{direction_real:.3f}; in pixels, of 255, {pixels:.0f} and {pixels_real:.0f}: truncation makes light and backgrounds
alike.
Temperature {temperature:g}, guidance {guidance:g}, min-p {min_p:g}, chosen on other people (validation).
"""

CURVE = """
How the settings were chosen, on {people} validation people: likeness against variety. Two real photos of one person are
{real:.3f} apart; where portraits are less, the setting is not taken.

| guidance | min-p | rank 1 | two portraits of one person apart |
| --- | --- | --- | --- |
{rows}
"""

GIVEN = """
Which step loses the person? On {people} validation people and {portraits:,} portraits a row, drawn from the vector
alone, or with the source photo itself as the picture of some size, so that only the finer steps can go wrong:

| begins with | rank 1 |
| --- | --- |
{rows}
"""

LIMITS = """The training budget was that of one CPU core ({minutes} in all). {seen}"""
SEEN = {"faces": "A portrait has the hair, the glasses, the skin and the sex of the person more often than the\n"
                 "features that one knows somebody by: the table says how often. It is an invention, not fit for\n"
                 "identifying, verifying or judging anyone.",
        "cifar10": "Some classes are recognised at once, others are not; the accuracy of the judge says how often.",
        "imagenet32classes": "Scenes and what has a colour of its own are recognised at once, many animals by colour\n"
                             "and outline. Guidance exaggerates what tells classes apart, and the judge goes by it."}
NAMES = {"faces": "Portraits", "cifar10": "CIFAR-10", "imagenet32classes": "32 classes of ImageNet"}
UNJUDGED = {"guidance": 3.0, "min_p": 0.05}  # for classes that no classifier has judged: chosen by eye


def write_chain_card(folder: str | Path, portraits: Callable[[Chain, dict], Image.Image] | None = None,
                     seed: int = 0) -> Path:
    """Write README.md and samples.png of a chain; what draws portraits is given with the settings for it.

    Raises CheckpointError and OSError.
    """
    folder = Path(folder)
    chain, names = Chain.from_pretrained(folder).to(choose_device()), chain_steps(folder)
    recipe, results = recipe_of(folder), read_results(folder)
    measured = results.get("identity") or read_results(folder, "quality.json")  # drawn with these settings
    unjudged = chain.config.classes and not measured
    measured = UNJUDGED if unjudged else measured
    chosen = {"temperature": measured.get("temperature", 1.0), "guidance": measured.get("guidance", 1.0),
              "min_p": measured.get("truncation", measured).get("min_p", 0.05)}
    how = {"temperature": chosen["temperature"],
           **by_step(chain, chosen["guidance"], Truncation(min_p=chosen["min_p"]))}
    config, scale = chain.config, max(1, 64 // chain.size)
    if config.classes:
        shown = shown_classes(config.class_names)
        labels = torch.tensor([config.class_names.index(name) for name in shown]).repeat_interleave(8)
        images = draw_batches(chain, Condition(label=labels), seed, **how)
        write_picture(folder / "samples.png", labelled_grid(images, shown, config.levels, scale))
    elif portraits:
        write_picture(folder / "samples.png", portraits(chain, how))
    minutes = sum(training_so_far(folder / name)["seconds"] for name in names)
    size = chain.size
    data = recipe.get("data", "")
    text = CARD.format(
        name=folder.name, data=NAMES.get(data, data),
        count=len(names), told="the direction of a face's descriptor" if config.embedding else "the class",
        steps="\n".join(step_row(folder / name, results.get("steps", {}).get(str(pixels), {}), pixels)
                        for name, pixels in zip(names, chain.sizes)),
        bits=BITS.format(images=results["images_test"], total=results["bits_at_most"],
                         per_dim=results["bits_per_dim_at_most"]) if "steps" in results else "Not evaluated.",
        seed=seed, **{key: chosen[key] for key in ("temperature", "guidance", "min_p")},
        coarsest=f", where it is {chain.coarsest_min_p:g}" if chain.coarsest_min_p else "",
        unjudged=" (chosen by eye)" if unjudged else "",
        likeness=likeness_section(results), quality=quality_section(folder), tried=tried_section(folder),
        sampling=sampling_section(folder), folder=folder.name,
        condition="condition=Condition(embedding=h)" if config.embedding else f"range({config.classes})", size=size,
        imported=", Condition" if config.embedding else "",
        recipe=recipe.get("name", "RECIPE"), chain=recipe.get("name", "").replace(f"-{size}", ""),
        limits=LIMITS.format(minutes=duration(minutes), seen=SEEN.get(data, "")))
    return write_page(folder / "README.md", text)


def step_row(folder: Path, measured: dict, pixels: int) -> str:
    facts, total = read_json(folder / "training.json"), training_so_far(folder)
    bits = (f"{measured['bits_per_dim']:.3f} | {measured['bits']:,.0f} | {measured['condition_is_worth_bits']:.1f}"
            if measured else "not measured | | ")
    parameters = f"{measured['parameters']:,}" if measured else ""
    speed = f" ({total['images'] / total['seconds']:.0f} a second)" if total["seconds"] else ""
    return (f"| {pixels} x {pixels} | {parameters} | {duration(total['seconds'])}, {total['images']:,} images{speed}; "
            f"{facts.get('hardware', 'not recorded')} | {bits} |")


def likeness_section(results: dict) -> str:
    """The tables of likeness, where it was measured."""
    identity = results.get("identity")
    if not identity:
        return ""
    judges = [identity, *([identity["second"]] if "second" in identity else [])]
    rows = "\n".join(f"| {judge['judge']} | {judge['rank1']:.3f} | {judge['rank1_real']:.3f} | "
                     f"{identity['rank1_chance']:.3f} |" for judge in judges)
    given = results.get("identity_given", [])
    started = "\n".join((f"| {row['given']} x {row['given']} pixels of the photo" if row["given"] else "| the vector")
                        + f" | {row['rank1']:.3f} ± {row['rank1_standard_error']:.3f} |" for row in given)
    text = LIKENESS.format(judges=rows, min_p=identity["truncation"]["min_p"],
                           **{key: identity[key] for key in ("people", "portraits", "gallery", "size", "temperature",
                                                             "guidance")},
                           **{key: identity["diversity"][key] for key in ("direction", "direction_real",
                                                                         "pixels", "pixels_real")})
    if curve := [row for row in results.get("identity_curve", []) if "diversity" in row]:
        text += CURVE.format(people=curve[0]["people"], real=curve[0]["diversity"]["direction_real"], rows="\n".join(
            f"| {row['guidance']:g} | {row['min_p']:g} | {row['rank1']:.3f} | {row['diversity']['direction']:.3f} |"
            for row in curve))
    if given:
        text += GIVEN.format(rows=started, people=given[0]["people"], portraits=given[0]["portraits"])
    return text
