"""The kinds of model, in one table: a new model is one file and one row here.

A row names the model's class and, where it has them, what draws its sheet of samples while it is trained, what measures
it and what writes its card. They are named by their place, "file:name", and imported when they are asked for: so the
table stands below all rooms, and names the wings without loading them.

A class has what `models/base.py` says. The others are functions:

    preview(model, held-out ImageData) -> PIL image          evaluation(checkpoint, data folder, ...) -> dict of results
    card(checkpoint folder, ...) -> path of the README.md    ... is any of the command's options, by name
    told(recipe, images, condition, levels, step, share) -> Condition    what training tells it, if more than the data
                                                                         set does: `training/batches.py`
    start(model, checkpoint folder)    loads the weights that a recipe's `start` names, of another kind of model
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass


def load(place: str) -> type | Callable:
    """What is called `name` in "room.file:name" of this package."""
    file, name = place.split(":")
    return getattr(importlib.import_module(f"pixelcnn_core.{file}"), name)


@dataclass(frozen=True)
class Kind:
    model: str
    preview: str = ""
    evaluation: str = ""
    card: str = ""
    told: str = ""
    start: str = ""
    recipe: bool = True  # whether `train` trains it: a recipe can name it


LIKELIHOOD, CARD = "evaluation.likelihood:evaluate", "cards.card:write_card"
KINDS = {
    "pixelcnn": Kind("models.gated:GatedPixelCNN", "training.samples:samples", LIKELIHOOD, CARD),
    "upscaler": Kind("models.upscaler:Upscaler", "training.samples:enlargements", LIKELIHOOD,
                     told="training.batches:smaller_picture"),
    "classifier": Kind("models.classifier:Classifier", "", "autoencoder.evaluation:evaluate_classifier",
                       "autoencoder.card:write_classifier_card"),
    "chain": Kind("models.chain:Chain", "", "evaluation.chain_bits:evaluate_chain", "cards.chain_card:write_chain_card",
                  recipe=False),
    # the paper's rivals, of section 3.1 and table 1
    "plain": Kind("models.plain:PlainPixelCNN", "training.samples:samples", LIKELIHOOD, CARD),
    "row-lstm": Kind("models.row_lstm:RowLSTM", "training.samples:samples", LIKELIHOOD, CARD),
    "diagonal-bilstm": Kind("models.diagonal_lstm:DiagonalBiLSTM", "training.samples:samples", LIKELIHOOD, CARD),
    # the other rows of table 1: `python -m pixelcnn_core ladder` measures them
    "nice": Kind("models.ladder.nice:NICE"),
    "deep-diffusion": Kind("models.ladder.diffusion:DeepDiffusion"),
    "draw": Kind("models.ladder.draw:DRAW"),
    "deep-gmm": Kind("models.ladder.deep_gmm:DeepGMM"),
    "conv-draw": Kind("models.ladder.conv_draw:ConvDRAW"),
    "ride": Kind("models.ladder.ride:RIDE"),
    # the wings
    "autoencoder": Kind("autoencoder.model:AutoEncoder", "training.samples:reconstructions",
                        "autoencoder.evaluation:evaluate_autoencoder", "autoencoder.card:write_autoencoder_card",
                        start="autoencoder.model:load_start"),
    "mse-autoencoder": Kind("autoencoder.model:MSEAutoEncoder", "training.samples:reconstructions",
                            "autoencoder.evaluation:evaluate_mse", "autoencoder.card:write_autoencoder_card"),
    "restorer": Kind("restoration.restorer:Restorer", "restoration.card:restorations",
                     "restoration.evaluation:evaluate_restorer", "restoration.card:write_restorer_card",
                     told="restoration.damage:damaged_selves"),
    "face-encoder": Kind("faces.encoder:FaceEncoder", "", "faces.encoder_training:evaluate_encoder",
                         "faces.card:write_encoder_card", recipe=False),
    "face-network": Kind("faces.face_network:FaceNetwork", "", "", "faces.card:write_network_card", recipe=False),
}


def kind_named(model_class: str) -> Kind | None:
    """The row of a class, by its name as in config.json; None for one that is not in the table."""
    return next((kind for kind in KINDS.values() if kind.model.endswith(f":{model_class}")), None)
