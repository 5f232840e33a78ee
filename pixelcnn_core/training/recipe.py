"""A recipe: one small JSON file that says everything about a training run, so that anyone can run it again."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.kinds import KINDS, load
from pixelcnn_core.models.checkpoint import one_line
from pixelcnn_core.models.config import check_settings

FOLDER = Path(__file__).parent / "recipes"
TRAINED = tuple(name for name, kind in KINDS.items() if kind.recipe)  # the kinds that a recipe can name


class RecipeError(ValueError):
    """A recipe that does not exist or does not make sense; the message is one sentence."""


@dataclass
class Recipe:
    """What to train, on what, and how. `model` holds settings of the configuration of its `kind`, `PixelCNNConfig` for
    a PixelCNN; the data set adds the rest."""

    name: str
    about: str  # what it is for, on which hardware, for how long
    data: str  # a data set of data/loaders.py
    steps: int
    batch: int  # images per step, over all processes
    learning_rate: float
    kind: str = "pixelcnn"  # or another of TRAINED
    model: dict = field(default_factory=dict)
    size: int = 32  # height and width, for data sets that come in larger sizes
    encoder: str = ""  # checkpoint folder of the face encoder, for portraits
    unconditional: bool = False  # leave out the classes or embeddings of the data set
    trunk: str = ""  # checkpoint folder of a PixelCNN whose layers and head are the start
    frozen: bool = False  # the trunk stays as it is; what a condition adds to it, and makes the condition, is trained
    start: str = ""  # checkpoint folder of an MSE auto-encoder whose code is the start of an auto-encoder's
    start_rate: float = 1.0  # share of the learning rate at which what came from `start` is trained on
    muon: float = 0.0  # learning rate of Muon over that of Adam, for the matrices inside the layers; 0: Adam for all
    weight_decay: float = 0.0  # per step, times the learning rate
    warm_up: int = 200  # steps
    cosine: bool = True  # the learning rate falls to zero by the end; otherwise it stays
    clip: float = 1.0  # largest norm of the gradient
    ema: float = 0.999  # decay of the running average of the weights, per step
    condition_dropout: float = 0.1  # share of images trained without their condition
    h_rate: float = 1.0  # share of the learning rate for the matrices that read h
    embedding_noise: float = 0.0  # standard deviation of what is added to every number of an embedding
    other_photos: float = 0.0  # share of faces that get the embedding of another photo of the person
    smaller_noise: float = 0.0  # for an upscaler: largest standard deviation of the noise on the smaller picture
    flips: bool = False  # mirror half of the images
    shifts: int = 0  # move the images by up to so many pixels each way, with mirrored borders: for a classifier
    seed: int = 0
    bf16: bool = False  # bfloat16 autocast, where the device has it
    compile: bool = False  # torch.compile
    validate: int = 512  # validation images scored while training, of a race also test images at its end; 0: none
    sample: bool = True  # draw a grid of samples per epoch

    def __post_init__(self) -> None:
        try:
            check_settings(self, steps=(1, 10 ** 9), batch=(1, 10 ** 6), size=(1, 256), seed=(0, 2 ** 32 - 1),
                           warm_up=(0, 10 ** 9), validate=(0, 10 ** 9), learning_rate=(0, 10 ** 9), clip=(0, 10 ** 9),
                           weight_decay=(0, 10 ** 3), muon=(0, 10 ** 6), start_rate=(0, 10 ** 3), h_rate=(0, 10 ** 3),
                           embedding_noise=(0, 10 ** 3), smaller_noise=(0, 10 ** 3), other_photos=(0, 1),
                           shifts=(0, 256))
        except ValueError as error:
            raise RecipeError(f"recipe {one_line(self.name)}: {error}") from error
        if self.kind not in TRAINED:
            raise RecipeError(f"recipe {self.name}: kind must be one of {', '.join(TRAINED)}, not {self.kind!r}")
        if self.start and not KINDS[self.kind].start:
            raise RecipeError(f"recipe {self.name}: a model of kind {self.kind} starts from no other kind: leave "
                              "start out")
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise RecipeError(f"recipe {self.name}: {name} must be above 0, not {getattr(self, name)}")
        for name in ("ema", "condition_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"recipe {self.name}: {name} must be in [0, 1), not {getattr(self, name)}")

    @property
    def model_class(self) -> type:
        """The class of its kind, loaded when it is asked for."""
        return load(KINDS[self.kind].model)

    def config(self, data: ImageData):
        """The model's configuration, completed by what the data set says. Raises RecipeError."""
        try:
            return self.model_class.config_class.for_data(data, **self.model)
        except TypeError as error:
            raise RecipeError(f"recipe {self.name}: a setting of model is unknown, or comes from the data set: "
                              f"{one_line(error)}") from error
        except ValueError as error:
            raise RecipeError(f"recipe {self.name}: {error}") from error

    def to_dict(self) -> dict:
        return asdict(self)


def recipe_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load_recipe(name_or_path: str) -> Recipe:
    """A recipe of the project by name, or any JSON file by path. Raises RecipeError."""
    path = FOLDER / f"{name_or_path}.json" if name_or_path in recipe_names() else Path(name_or_path)
    if path.suffix != ".json" or not path.is_file():
        raise RecipeError(f"no recipe is called {name_or_path!r}; there are {', '.join(recipe_names())}, "
                          "or give the path of a .json file")
    try:
        stored = json.loads(path.read_text(encoding="utf-8-sig"))  # with or without the mark that Windows begins with
    except (OSError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path} is not valid JSON: {one_line(error)}") from error
    known = {f.name for f in fields(Recipe)}
    if not isinstance(stored, dict):
        raise RecipeError(f"{path} is no recipe: it holds no table of settings")
    if unknown := sorted(set(stored) - known):
        raise RecipeError(f"{path} has settings that no recipe has: {one_line(', '.join(unknown))}")
    try:
        return Recipe(**{"name": path.stem, **stored})
    except TypeError as error:
        raise RecipeError(f"{path} is incomplete: {error}") from error
