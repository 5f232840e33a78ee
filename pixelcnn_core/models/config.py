"""What configurations share: how a data set completes them, and what they may hold: every setting of its field's type,
every number between its bounds.

A `config.json` may come from anywhere. Without this a string, a huge number or a thousand layers would end in a
traceback from deep inside, or fill the memory, before anybody has compared them with the weights.
"""

import reprlib
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, get_args, get_origin

if TYPE_CHECKING:
    from pixelcnn_core.data.image_data import ImageData

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", dict: "a table of settings",
         tuple: "a list"}
LONGEST = 100_000  # entries of a list: there are no more classes
TEXT = 1000  # characters of a name


class ImageSettings:
    """The base of the configurations of models of images: dataclasses that have image_size, channels and levels."""

    @classmethod
    def for_data(cls, data: "ImageData", **settings):
        """The configuration for a data set, which gives the shape of the images and, to the models that have a field
        for it, what they are conditioned on."""
        _, channels, size, _ = data.images.shape
        told = {"image_size": size, "channels": channels, "levels": data.levels, "classes": len(data.class_names),
                "class_names": data.class_names, "encoder": data.encoder,
                "embedding": 0 if data.embeddings is None else data.embeddings.shape[1]}
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in told.items() if name in known}, **settings)

    def to_dict(self) -> dict:
        """The settings as config.json has them: tuples are lists."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def check_settings(config, **bounds: tuple[float, float]) -> None:
    """Raises ValueError where a setting of the dataclass `config` has another type than its field, or lies outside of
    its (low, high) in `bounds`, which hold for every number of a list. Lists become tuples; nothing else changes."""
    for field in fields(config):
        name, value = field.name, getattr(config, field.name)
        kind = get_origin(field.type) or field.type
        if kind is tuple:
            if type(value) not in (list, tuple) or len(value) > LONGEST:
                raise ValueError(f"{name} must be a list, not {reprlib.repr(value)}")
            setattr(config, name, tuple(value))
            for entry in value:
                check_value(f"each of {name}", entry, get_args(field.type)[0], bounds.get(name))
        else:
            check_value(name, value, kind, bounds.get(name))


def check_value(name: str, value, kind: type, bounds: tuple[float, float] | None) -> None:
    """One setting; `kind` float takes whole numbers too, and true is no number."""
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise ValueError(f"{name} must be {WORDS[kind]}, not {reprlib.repr(value)}")
    if kind is str and len(value) > TEXT:
        raise ValueError(f"{name} must have at most {TEXT} characters, not {len(value)}")
    if bounds and not bounds[0] <= value <= bounds[1]:
        wanted = f"at least {bounds[0]}" if value < bounds[0] else f"at most {bounds[1]}"
        raise ValueError(f"{name} must be {wanted}, not {reprlib.repr(value)}")
