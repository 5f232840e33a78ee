"""The model cards of the face network and of the compact face encoder, put together from their own files, and the
picture of portraits on the card of a chain."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from pixelcnn_core.cards.card import duration, write_page
from pixelcnn_core.data.pictures import load_picture
from pixelcnn_core.faces.alignment import find_faces
from pixelcnn_core.faces.encoder import Encoder, FaceEncoder, check_encoder, condition_vectors
from pixelcnn_core.faces.tables import shrink
from pixelcnn_core.figures import image_grid
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.provenance import training_so_far
from pixelcnn_core.results import RESULTS_FILE, read_json, read_measured, read_results
from pixelcnn_core.sampling.coarse_to_fine import draw_batches

NOT_FOR = """Not for identifying, verifying or judging anyone. The photos it learnt from are mostly of public figures
from the web, unevenly distributed over sex, age, skin colour and country, and it does not work equally well for
everybody."""

ENCODER = """---
library_name: pixelcnn
license: mit
tags: [face-embedding]
---

# face_encoder

A compact residual network: 64 x 64 aligned crop in, {embedding} numbers of unit length out. It was trained to give the
descriptors of a larger network (dlib's ResNet, public domain). The portraits are drawn from the vectors of that one;
this one has no part in them, and judges beside it how like the person they are.

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

The likeness of a portrait is the cosine between a photo and the 64 x 64 pixels of the portrait. Between a photo and the
crop of another one it is {same[p5]:.2f} to {same[p95]:.2f} for one person, {strangers[p5]:.2f} to {strangers[p95]:.2f}
for two people, in nine pairs of ten.

`python -m pixelcnn_core verify-faces --data DATA` measures again and writes this page.

## Limits

{not_for}
"""

WAYS = {"crops_distance": "crops, distance of descriptors", "crops_direction": "crops, direction",
        "photos_distance": "photos, distance of descriptors", "photos_direction": "photos, direction",
        "distilled_encoder": "crops, the compact encoder distilled from it (`face_encoder`)"}


def portrait_rows(chain: Chain, encoder: Encoder, photos: Sequence[Path], count: int,
                  **settings) -> Image.Image:
    """One row per photo: its aligned crop at the size of the chain, and `count` portraits."""
    check_encoder(chain, encoder)
    rows = []
    for photo in photos:
        crop = torch.from_numpy(find_faces(load_picture(photo))[0].crop).permute(2, 0, 1)[None]  # (1, 3, 64, 64)
        vector = condition_vectors(encoder.embed(crop))
        drawn = draw_batches(chain, Condition(embedding=vector.repeat(count, 1)), 0, **settings)
        rows += [shrink(crop, chain.size), drawn]
    return image_grid(torch.cat(rows), count + 1, chain.config.levels, scale=max(1, 128 // chain.size))


def write_network_card(folder: str | Path) -> Path:
    """Write README.md of the face network after `verify_faces`. Raises ValueError where it was not measured."""
    folder = Path(folder)
    results = read_measured(folder, RESULTS_FILE)
    if "likeness" not in results:
        raise ValueError(f"{folder} was not measured: python -m pixelcnn_core verify-faces --data DATA")
    ways = "\n".join(f"| {name} | {results[way]['accuracy']:.3f} | {results[way]['auc']:.4f} |"
                     for way, name in WAYS.items())
    sources = "\n".join(f"| {name} | {row['pairs']:,} | "
                        + " | ".join(f"{row[way]['accuracy']:.3f}" for way in WAYS) + " |"
                        for name, row in results["by_source"].items())
    numbers = {key: results[key] for key in ("parameters", "people", "photos", "pairs")}
    alike = {"same": results["likeness"]["same_person"], "strangers": results["likeness"]["two_people"]}
    return write_page(folder / "README.md", NETWORK.format(ways=ways, sources=sources, not_for=NOT_FOR, **numbers,
                                                           **alike, **results["distances"]))


def write_encoder_card(folder: str | Path) -> Path:
    """Write README.md of a face encoder that was evaluated. Raises ValueError where it was not."""
    folder, encoder = Path(folder), FaceEncoder.from_pretrained(folder)
    results, facts = read_results(folder), read_json(folder / "training.json")
    if "verification_accuracy" not in results:
        raise ValueError(f"{folder} was not evaluated: python -m pixelcnn_core evaluate {folder} --data DATA")
    total = training_so_far(folder)
    training = f"{total['steps']:,} steps, {duration(total['seconds'])} on {facts.get('hardware', 'a CPU')}"
    sources = "\n".join(f"| {name} | {row['pairs']:,} | {row['verification_accuracy']:.3f} | "
                        f"{row['verification_accuracy_teacher']:.3f} |" for name, row in results["by_source"].items())
    gap = 100 * (results["verification_accuracy_teacher"] - results["verification_accuracy"])
    return write_page(folder / "README.md", ENCODER.format(
        **{key: results[key] for key in ("people", "pairs", "verification_accuracy", "verification_accuracy_teacher",
                                         "auc", "auc_teacher")},
        embedding=encoder.config.embedding, parameters=results["parameters"], training=training, sources=sources,
        gap=gap, not_for=NOT_FOR))
