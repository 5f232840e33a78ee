"""What a configuration may hold: every setting of its field's type, every number between its bounds.

A `config.json` may come from anywhere. Without this a string, a huge number or a thousand layers would end in a
traceback from deep inside, or fill the memory, before anybody has compared them with the weights.
"""

import reprlib
from dataclasses import fields
from typing import get_args, get_origin

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", dict: "a table of settings",
         tuple: "a list"}
LONGEST = 100_000  # entries of a list: there are no more classes
TEXT = 1000  # characters of a name


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
