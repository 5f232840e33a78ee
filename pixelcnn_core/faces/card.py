"""The model cards of the portrait model, the face network and the face encoder, put together from their own files."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image

from pixelcnn_core.cards.card import again, duration, on_gpu
from pixelcnn_core.data.pictures import load_picture
from pixelcnn_core.device import choose_device
from pixelcnn_core.faces.alignment import find_faces
from pixelcnn_core.faces.encoder import FaceEncoder, check_encoder, condition_vectors
from pixelcnn_core.faces.face_network import FaceNetwork
from pixelcnn_core.faces.tables import CROP
from pixelcnn_core.faces.vggface2 import load_encoder
from pixelcnn_core.figures import image_grid
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.provenance import count_parameters, training_so_far
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.coarse_to_fine import draw
from pixelcnn_core.sampling.truncation import Truncation

NOT_FOR = """Not for identifying, verifying or judging anyone. The photos it learnt from are mostly of public figures
from the web, unevenly distributed over sex, age, skin colour and country, and it does not work equally well for
everybody."""

PORTRAITS = """---
library_name: pixelcnn
license: mit
tags: [pixelcnn, image-generation]
---

# {name}

A Gated PixelCNN (van den Oord et al., 2016, [arXiv 1606.05328](https://arxiv.org/abs/1606.05328), section 3.3) that
draws portraits of the person whose face embedding it is given. {about}

| | |
| --- | --- |
| parameters | {parameters:,} |
| layers, features per stack | {layers}, {features} |
| images | {size} x {size}, {channels} channels, {levels} levels |
| condition | {embedding} numbers from the encoder `{encoder}` |
| training | {steps:,} steps of {batch} images, {minutes} |
| trained on | {hardware} |
| bits per dimension, people never seen, right embedding | {test} |
| with the embedding of somebody else | {wrong} |
| without an embedding | {unconditional} |
| bits per dimension, training images | {train} |
| evaluated on | {images} |

## Is it the same person?

{identity}

![Source and new portraits](samples.png)

Each row: the crop of a photo that the model never saw, and eight unselected portraits (seed 0, temperature
{temperature:g}, guidance {guidance:g}). Photos: `demo/assets/faces`.

Run again: {again}, then `python -m pixelcnn_core evaluate RUN --data DATA` and `identity RUN --data DATA --curve`.

## Limits

{limits}

{not_for}
"""

IDENTITY = """Portraits of {people} people never seen in training were embedded again and matched against {gallery}
people ({portraits} portraits, temperature {temperature:g}, guidance {guidance:g}). Rank 1 is the share that is closest
to its own source.

| | rank 1 | AUC |
| --- | --- | --- |
| new portraits | {rank1:.3f} | {auc:.3f} |
| other real photos of {people_real} of them, at the same resolution | {rank1_real:.3f} | {auc_real:.3f} |
| chance | {rank1_chance:.3f} | 0.500 |
"""

SECOND = """| new portraits, judged by `{judge}` | {rank1:.3f} | {auc:.3f} |
| real photos, judged by it | {rank1_real:.3f} | {auc_real:.3f} |

The portraits were drawn from the vectors of the first judge; the second one had no part in them.
"""

DIVERSITY = """
Two portraits of one person are {direction:.2f} apart in the eyes of the first judge (two real photos:
{direction_real:.2f}), and differ by {pixels:.0f} of 255 levels in pixels (real photos: {pixels_real:.0f}).
"""

CURVE = """
Temperature and guidance were chosen by this measure, on {people} other people and {portraits} portraits for each pair:

| temperature | guidance | rank 1 | AUC |
| --- | --- | --- | --- |
{rows}
"""

ENCODER = """---
library_name: pixelcnn
license: mit
tags: [face-embedding]
---

# face_encoder

A compact residual network: 64 x 64 aligned crop in, {embedding} numbers of unit length out. It was trained to give the
descriptors of a larger network (dlib's ResNet, public domain), and stands in for it here: the conditioning vectors of
the portrait model.

| | |
| --- | --- |
| parameters | {parameters:,} |
| training | {training} |
| people, none of them seen in training | {people} |
| verification accuracy, {pairs:,} pairs, 10-fold | {verification_accuracy:.3f} |
| the teacher on the same pairs | {verification_accuracy_teacher:.3f} |
| AUC | {auc:.3f} |
| the teacher's AUC | {auc_teacher:.3f} |

Half of the pairs show the same person. By source of the photos:

| source | pairs | accuracy | teacher |
| --- | --- | --- | --- |
{sources}

`python -m pixelcnn_core distill --data DATA --out RUN` trains it, `python -m pixelcnn_core evaluate RUN --data DATA`
measures it.

## Limits

The accuracy differs between sources, and is below the teacher's: {gap:.1f} points over all pairs.

{not_for}
"""

NETWORK = """---
license: cc0-1.0
tags: [face-embedding]
---

# face_network

dlib's face recognition network: a face in, 128 numbers out that say who it is. Their direction is the conditioning
vector `h` of the portraits (`pixelcnn_core/faces/face_network.py`).

| | |
| --- | --- |
| author | Davis E. King |
| source | `dlib_face_recognition_resnet_model_v1.dat` of [dlib-models](https://github.com/davisking/dlib-models), as \
packaged in [face_recognition_models](https://github.com/ageitgey/face_recognition_models) 0.3.0 |
| licence | public domain, [CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/) |
| accuracy on Labeled Faces in the Wild, by its author | 99.38 % |
| parameters | {parameters:,}, in half precision |
| input | chip of 150 x 150 pixels, RGB |

The numbers of the original file in half precision, under the names of `face_network.py`, in two shards with an index.
Descriptors differ from dlib's by less than 0.002; two photos of one person are {same_person:.2f} apart on average,
those of two people {two_people:.2f}.

## Who is who

{people} people whom no model here was trained on, {photos:,} photos, {pairs:,} pairs, half of them of one person; ten
folds. Of a *photo* the chip was cut by dlib itself; a *crop* has 64 x 64 pixels.

| | accuracy | AUC |
| --- | --- | --- |
{ways}

By source of the photos, accuracy:

| source | pairs | crops, distance | crops, direction | photos, distance | photos, direction | distilled encoder |
| --- | --- | --- | --- | --- | --- | --- |
{sources}

`h` is the direction: descriptor / length x the square root of 128, which interpolates and averages well. Over all pairs
that makes no difference; within one source the length (about {length:.2f}), which is left out, helps a little.

`python -m pixelcnn_core verify-faces --data DATA` measures again and writes this page.

## Limits

{not_for}
"""

WAYS = {"crops_distance": "crops, distance of descriptors", "crops_direction": "crops, direction",
        "photos_distance": "photos, distance of descriptors", "photos_direction": "photos, direction",
        "distilled_encoder": "crops, the compact encoder distilled from it (`face_encoder`)"}

WEAK = """The training budget was that of two CPU cores: {images:,} images. Portraits have the layout and colours of a
face; how far they keep the person is measured above."""


def write_portrait_card(folder: str | Path, encoder: str | Path, photos: Sequence[Path] = (), count: int = 8) -> Path:
    """Write README.md of a portrait model, and samples.png if photos are given. Raises CheckpointError, FaceError."""
    folder = Path(folder)
    model, config = (loaded := GatedPixelCNN.from_pretrained(folder, map_location=choose_device())), loaded.config
    recipe, results = read_json(folder / "recipe.json"), read_results(folder)
    facts, total = read_json(folder / "training.json"), training_so_far(folder)
    chosen = results.get("identity_chosen", {"temperature": 1.0, "guidance": 1.0})
    if photos:
        how = {"temperature": chosen["temperature"], "guidance": chosen["guidance"],
               "truncation": Truncation(min_p=chosen.get("min_p", 0.0))}
        portrait_rows(model, load_encoder(encoder), photos, count, **how).save(folder / "samples.png", optimize=True)

    def measured(key: str) -> str:
        return f"{results[key]:.3f}" if key in results else "not measured"

    name = recipe.get("name", folder.name)
    (folder / "README.md").write_text(PORTRAITS.format(
        name=name, about=recipe.get("about", ""), parameters=count_parameters(model), layers=config.layers,
        features=config.features, size=config.image_size, channels=config.channels, levels=config.levels,
        embedding=config.embedding, encoder=config.encoder[:24], steps=total["steps"], batch=recipe.get("batch", "?"),
        minutes=duration(total["seconds"]), hardware=facts.get("hardware", "not recorded"),
        test=measured("bits_per_dim_test"), wrong=measured("bits_per_dim_test_wrong_embedding"),
        unconditional=measured("bits_per_dim_test_unconditional"), train=measured("bits_per_dim_train"),
        images=f"{results['images']:,} photos" if "images" in results else "not evaluated",
        identity=identity_text(results), again=again(name, facts), not_for=NOT_FOR,
        temperature=chosen["temperature"], guidance=chosen["guidance"],
        limits=WEAK.format(images=total["images"]) if not on_gpu(facts) else "A portrait is 32 pixels wide at most."),
        encoding="utf-8")
    return folder / "README.md"


def identity_text(results: dict) -> str:
    """The measured identity as Markdown tables."""
    if "identity" not in results:
        return "Not measured."
    found = results["identity"]
    text = IDENTITY.format(**found)
    if "second" in found:
        text += SECOND.format(**found["second"])
    if "diversity" in found:
        text += DIVERSITY.format(**found["diversity"])
    if curve := results.get("identity_curve"):
        rows = "\n".join(f"| {row['temperature']:g} | {row['guidance']:g} | {row['rank1']:.3f} | {row['auc']:.3f} |"
                         for row in curve)
        text += CURVE.format(rows=rows, people=curve[0]["people"],
                             portraits=curve[0]["portraits"] // curve[0]["people"])
    return text


def portrait_rows(model: GatedPixelCNN | Chain, encoder: FaceEncoder | FaceNetwork, photos: Sequence[Path], count: int,
                  **settings) -> Image.Image:
    """One row per photo: the crop that the encoder sees, at the size of the model, and `count` portraits."""
    check_encoder(model, encoder)
    size, rows = model.size if isinstance(model, Chain) else model.config.image_size, []
    for photo in photos:
        crop = torch.from_numpy(find_faces(load_picture(photo))[0].crop).permute(2, 0, 1)[None]  # (1, 3, 64, 64)
        vector = condition_vectors(encoder.embed(crop))
        drawn = draw(model, Condition(embedding=vector.repeat(count, 1)), 0, **settings)
        rows += [F.avg_pool2d(crop.float(), CROP // size).round().byte(), drawn]
    return image_grid(torch.cat(rows), count + 1, model.config.levels, scale=max(1, 128 // size))


def write_network_card(folder: str | Path) -> Path:
    """Write README.md of the face network after `verify_faces`. Raises ValueError where it was not measured."""
    folder = Path(folder)
    results = read_json(folder / "results.json")
    if "people" not in results:
        raise ValueError(f"{folder} was not measured: python -m pixelcnn_core verify-faces --data DATA")
    ways = "\n".join(f"| {name} | {results[way]['accuracy']:.3f} | {results[way]['auc']:.4f} |"
                     for way, name in WAYS.items())
    sources = "\n".join(f"| {name} | {row['pairs']:,} | "
                        + " | ".join(f"{row[way]['accuracy']:.3f}" for way in WAYS) + " |"
                        for name, row in results["by_source"].items())
    numbers = {key: results[key] for key in ("parameters", "people", "photos", "pairs")}
    (folder / "README.md").write_text(NETWORK.format(ways=ways, sources=sources, not_for=NOT_FOR, **numbers,
                                                     **results["distances"]), encoding="utf-8")
    return folder / "README.md"


def write_encoder_card(folder: str | Path) -> Path:
    """Write README.md of a face encoder that was evaluated. Raises KeyError where a number is missing."""
    folder, encoder = Path(folder), FaceEncoder.from_pretrained(folder)
    results, facts = read_results(folder), read_json(folder / "training.json")
    if "verification_accuracy" not in results:
        raise ValueError(f"{folder} was not evaluated: python -m pixelcnn_core evaluate {folder} --data DATA")
    total = training_so_far(folder)
    training = f"{total['steps']:,} steps, {duration(total['seconds'])} on {facts.get('hardware', 'a CPU')}"
    sources = "\n".join(f"| {name} | {row['pairs']:,} | {row['verification_accuracy']:.3f} | "
                        f"{row['verification_accuracy_teacher']:.3f} |" for name, row in results["by_source"].items())
    gap = 100 * (results["verification_accuracy_teacher"] - results["verification_accuracy"])
    (folder / "README.md").write_text(ENCODER.format(
        **{key: results[key] for key in ("people", "pairs", "verification_accuracy", "verification_accuracy_teacher",
                                         "auc", "auc_teacher")},
        embedding=encoder.config.embedding, parameters=results["parameters"], training=training, sources=sources,
        gap=gap, not_for=NOT_FOR), encoding="utf-8")
    return folder / "README.md"
