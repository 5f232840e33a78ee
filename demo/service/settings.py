"""What a visitor can choose in the Classes tab: cleaned, bounded, and written to and from the address bar.

A request may come from a slider, a link or a script, so any value of any type can arrive here. A number out of range
is moved into it and a number that is none becomes the default; a name that does not exist is an error of the visitor.
"""

import math
from dataclasses import dataclass

NO_CLASS = "no class"  # h = 0: the unconditional model that condition dropout trained along with the classes
MAX_IMAGES_PER_CLASS = 16
MAX_IMAGES = 100  # of one request, all classes together
FIRST_CLASSES = 10  # chosen at first, where a model has more
MAX_TEMPERATURE = 2.0
MAX_GUIDANCE = 8.0
MAX_MIN_P = 0.9
MAX_SEED = 2**32 - 1


class UserError(ValueError):
    """Something the visitor can mend; the message is one sentence for them."""


@dataclass(frozen=True)
class Settings:
    """One request. `classes` are names in the order of the model, `images` counts per class."""

    model: str
    classes: tuple[str, ...]
    images: int = 4
    temperature: float = 1.0
    guidance: float = 1.0
    seed: int = 7
    same_noise: bool = False
    min_p: float = 0.0  # values less probable than this share of the likeliest are left out; 0: the paper's sampler

    def query(self) -> dict[str, str]:
        """The settings as the query string of a link, the same keys that `demo/kit/address.py` writes."""
        return {"model": self.model, "classes": ",".join(self.classes), "n": str(self.images),
                "temperature": f"{self.temperature:g}", "guidance": f"{self.guidance:g}", "seed": str(self.seed),
                "noise": "same" if self.same_noise else "own", "min_p": f"{self.min_p:g}"}


def clean_settings(model: str, names: tuple[str, ...], *, classes=None, images=None, temperature=None, guidance=None,
                   seed=None, same_noise=False, min_p=None) -> Settings:
    """Values of any type -> `Settings` within bounds, for a `model` that exists and whose classes are `names`.

    Raises UserError for classes that the model does not have, or for none at all.
    """
    first = names[:FIRST_CLASSES] or (NO_CLASS,)
    chosen = clean_classes(classes, (*names, NO_CLASS)) if classes is not None else first
    return Settings(
        model=model,
        classes=chosen,
        images=int(min(number(images, 1, MAX_IMAGES_PER_CLASS, 4), MAX_IMAGES // len(chosen))),
        temperature=round(number(temperature, 0, MAX_TEMPERATURE, 1), 3),
        guidance=round(number(guidance, 0, MAX_GUIDANCE, 1), 3),
        seed=int(number(seed, 0, MAX_SEED, 7)),
        same_noise=same_noise is True or same_noise in ("same", "true", "True", "1", 1),
        min_p=round(number(min_p, 0, MAX_MIN_P, 0), 3),
    )


def number(value, low: float, high: float, default: float) -> float:
    """Any value -> a float in [low, high]; NaN, None, text that is no number and other types give the default."""
    if isinstance(value, str):
        value = value[:40]
    if not isinstance(value, (int, float, str)):
        return default
    try:
        value = float(value)
    except OverflowError:  # an integer beyond the range of floats
        value = high if value > 0 else low
    except ValueError:
        return default
    return default if math.isnan(value) else min(max(value, low), high)


def clean_sampling(temperature, guidance, min_p, seed, usual_min_p: float = 0.0) -> dict[str, float]:
    """Values of any type -> temperature, guidance, min-p and seed within bounds, by these names."""
    return {"temperature": number(temperature, 0, MAX_TEMPERATURE, 1), "guidance": number(guidance, 0, MAX_GUIDANCE, 1),
            "min_p": number(min_p, 0, MAX_MIN_P, usual_min_p), "seed": int(number(seed, 0, MAX_SEED, 7))}


def clean_classes(value, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names, or a text of names with commas between -> the names without repetition, in the order of `names`."""
    if isinstance(value, str):
        value = split_names(value[:2000], names)
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, (str, int)) for item in value):
        raise UserError(f"Classes are a list of names, not {shorten(value)}.")
    wanted = {str(item).strip() for item in value[:1000]}
    if not wanted:
        raise UserError("Choose at least one class.")
    if unknown := sorted(wanted - set(names)):
        raise UserError(f"This model has no class {shorten(unknown[0])}; it has {', '.join(names)}.")
    return tuple(name for name in names if name in wanted)


def split_names(text: str, names: tuple[str, ...]) -> list[str]:
    """ "cat, big, old dog" -> ["cat", "big, old dog"]: a name may have commas itself, and the longest that fits is
    taken; what is no name stays as it is."""
    parts, found = [part for part in text.split(",") if part.strip()], []
    most = 1 + max((name.count(",") for name in names), default=0)
    while parts:
        words = {length: ",".join(parts[:length]).strip() for length in range(min(most, len(parts)), 0, -1)}
        length = next((length for length, word in words.items() if word in names), 1)
        found.append(words[length])
        parts = parts[length:]
    return found


def shorten(value) -> str:
    """A value as it may be quoted in a message: its repr, cut to 40 characters."""
    text = repr(value[:60] if isinstance(value, (str, list, tuple)) else value)
    return text if len(text) <= 40 else text[:39] + "…"
