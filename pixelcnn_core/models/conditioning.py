"""What an image can be conditioned on: section 2.3, equations 3 to 5.

A `Condition` carries any of a class label, an embedding vector and a spatial map. Labels become a one-hot
vector; label and embedding together are the global vector `h` (equation 4), the map is `s` (equation 5).
"No condition" is h = 0 and s = 0. The terms V^T h and V * s have no bias, so they then vanish: a model trained
with condition dropout holds the conditional and the unconditional model in one set of weights, which
classifier-free guidance needs.

References: van den Oord et al., 2016, arXiv 1606.05328, section 2.3; Ho and Salimans, 2022, arXiv 2207.12598.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Condition:
    """A batch of conditions; every given field has the batch size as its first dimension.

    label:     (B,) integers in [0, classes), or -1 for "no class"; or (B, classes) floats, a mixture of classes
    embedding: (B, D) floats; a row of zeros is "no embedding"
    map:       (B, M, H, W) floats; zeros are "no map"

    Arrays and lists become tensors, integers of any width int64. What is for one image, as `label=3`, fits a batch of
    any size. Raises ValueError for other shapes, and for what are no numbers.
    """

    label: Tensor | None = None
    embedding: Tensor | None = None
    map: Tensor | None = None

    def __post_init__(self) -> None:
        for name, value in self._given().items():
            object.__setattr__(self, name, as_batch(name, value))
        sizes = {name: len(value) for name, value in self._given().items()}
        if len(set(sizes.values()) - {1}) > 1:
            raise ValueError(f"the parts of a condition have different batch sizes: {sizes}")
        for name, value in self._given().items():
            if len(value) != (size := max(sizes.values())):
                object.__setattr__(self, name, value.expand(size, *value.shape[1:]))

    def _given(self) -> dict:
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}

    def __len__(self) -> int:
        """Batch size; 0 for an empty condition, which fits any batch."""
        return max((len(value) for value in self._given().values()), default=0)

    def __getitem__(self, index) -> "Condition":
        """The same condition for some images of the batch: a slice, a list or an index tensor."""
        return Condition(**{name: value[index] for name, value in self._given().items()})

    def expand(self, batch: int) -> "Condition":
        """The condition of a batch: itself, or that of one image for all of them. Raises ValueError."""
        if len(self) in (0, batch):
            return self
        if len(self) != 1:
            raise ValueError(f"the condition is for {len(self)} images, the batch has {batch}")
        return Condition(**{name: value.expand(batch, *value.shape[1:]) for name, value in self._given().items()})

    def to(self, *args, **kwargs) -> "Condition":
        """Move every part, as `Tensor.to` does; a floating-point dtype leaves integer labels alone."""
        moved = {name: value.to(*args, **kwargs) for name, value in self._given().items()}
        if "label" in moved and not self.label.is_floating_point():
            moved["label"] = moved["label"].long()
        return Condition(**moved)

    def drop(self, keep: Tensor) -> "Condition":
        """Remove the condition (h = 0, s = 0) of the images where `keep`, (B,) bool, is False."""
        label, embedding, map_ = self.label, self.embedding, self.map
        if label is not None:
            label = label * keep[:, None] if label.ndim == 2 else torch.where(keep, label, -1)
        if embedding is not None:
            embedding = embedding * keep[:, None]  # (B, D)
        if map_ is not None:
            map_ = map_ * keep[:, None, None, None]  # (B, M, H, W)
        return Condition(label, embedding, map_)


Labels = int | str | Sequence[int | str] | Tensor | np.ndarray  # numbers or names of classes
ConditionLike = Condition | Labels | None  # what a caller may say of the images
DIMENSIONS = {"label": 1, "embedding": 2, "map": 4}  # of a batch


def as_batch(name: str, value) -> Tensor:
    """A part of a condition, perhaps no tensor, or only that of one image, as the tensor of a batch; whole numbers as
    int64: narrow and unsigned ones neither hold -1 nor can be scattered. Raises ValueError."""
    try:
        value = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be a tensor, an array or a list of numbers, not {type(value).__name__}") \
            from error
    if value.dtype == torch.bool or value.is_complex() or value.ndim < DIMENSIONS[name] - 1:
        raise ValueError(f"{name} has {DIMENSIONS[name]} dimensions and holds numbers, not "
                         f"{tuple(value.shape)} of {value.dtype}")
    if not value.is_floating_point() and value.dtype != torch.int64:
        unsigned, value = value.dtype == torch.uint64, value.long()
        if unsigned and bool((value < 0).any()):  # above 2^63 - 1; the largest would have become -1, "no class"
            raise ValueError(f"{name} holds numbers that are too large")
    return value if value.ndim >= DIMENSIONS[name] else value[None]


def expect_finite(what: str, value: Tensor) -> None:
    """Raises ValueError where a part of a condition holds NaN or an infinity. Not of what a network makes in training,
    which its loss judges; and a compiled training step does not wait for the device."""
    if not torch.compiler.is_compiling() and not value.requires_grad and not bool(torch.isfinite(value).all()):
        raise ValueError(f"{what} holds values that are not finite")


def as_condition(given: ConditionLike, class_names: tuple[str, ...] = ()) -> Condition:
    """A condition from what a caller gave: itself, nothing, or labels: numbers or names of classes, one or several.

    as_condition("cat", names), as_condition([3, "dog"], names), as_condition(numpy.array([3, 5]))
    Raises ValueError for what is no label, and names the classes where one is unknown.
    """
    if given is None or isinstance(given, Condition):
        return given or Condition()
    if isinstance(given, (list, tuple)) and any(isinstance(label, str) for label in given):
        given = [class_number(label, class_names) for label in given]
    return Condition(label=class_number(given, class_names) if isinstance(given, str) else given)


def class_number(label: str | int, class_names: tuple[str, ...]) -> int:
    """The number of a class given by its name, or by itself. Raises ValueError."""
    if not isinstance(label, str):
        return label
    if label not in class_names:
        known = f"there are {', '.join(class_names)}" if class_names else "the model has no names for its classes"
        raise ValueError(f"no class is called {label!r}; {known}")
    return class_names.index(label)


def global_vector(condition: Condition, batch: int, classes: int, embedding: int, like: Tensor) -> Tensor | None:
    """The vector `h` of equation 4: one-hot label, then embedding: (batch, classes + embedding); None without either.

    `like` gives dtype and device. Raises ValueError where the condition does not fit the model.
    """
    if not classes and condition.label is not None:
        raise ValueError("a class label was given, but the model has no classes")
    if not embedding and condition.embedding is not None:
        raise ValueError("an embedding was given, but the model is not conditioned on one")
    condition, parts = condition.expand(batch), []
    if classes:
        one_hot = torch.zeros(batch, classes + 1, dtype=like.dtype, device=like.device)
        if condition.label is not None and condition.label.is_floating_point():
            if condition.label.shape != (batch, classes):
                raise ValueError(f"a mixture of classes has shape {tuple(condition.label.shape)}, "
                                 f"the model needs {(batch, classes)}")
            expect_finite("a mixture of classes", condition.label)
            one_hot[:, :classes] = condition.label
        elif condition.label is not None:
            label = condition.label.to(like.device)
            # looking at the values waits for the device: a compiled training step goes without
            out_of_range = not torch.compiler.is_compiling() and bool(((label < -1) | (label >= classes)).any())
            if label.shape != (batch,) or out_of_range:
                raise ValueError(f"labels are {batch} integers from 0 to {classes - 1} (-1: no class), "
                                 f"not {label.flatten().tolist()[:8]}")
            one_hot.scatter_(1, label[:, None] % (classes + 1), 1.0)  # -1 falls into the extra column
        parts.append(one_hot[:, :classes])
    if embedding:
        vector = condition.embedding
        if vector is None:
            vector = torch.zeros(batch, embedding)
        if vector.shape != (batch, embedding):
            raise ValueError(f"the embedding has shape {tuple(vector.shape)}, the model needs {(batch, embedding)}")
        expect_finite("the embedding", vector)
        parts.append(vector.to(like))
    return torch.cat(parts, dim=1) if parts else None  # (batch, classes + embedding)


def spatial_map(condition: Condition, batch: int, channels: int, size: tuple[int, int], like: Tensor) -> Tensor | None:
    """The map `s` of equation 5: (batch, channels, H, W), or None where the model has none.

    `like` gives dtype and device. Raises ValueError where the condition does not fit the model.
    """
    if not channels:
        if condition.map is not None:
            raise ValueError("a spatial map was given, but the model is not conditioned on one")
        return None
    condition = condition.expand(batch)
    if condition.map is None:
        return torch.zeros(batch, channels, *size, dtype=like.dtype, device=like.device)
    if condition.map.shape != (batch, channels, *size):
        raise ValueError(f"the spatial map has shape {tuple(condition.map.shape)}, "
                         f"the model needs {(batch, channels, *size)}")
    expect_finite("the spatial map", condition.map)
    return condition.map.to(like)


def position_map(frequencies: int, size: tuple[int, int], like: Tensor) -> Tensor:
    """Where every pixel is, as a map `s` that is the same for all images: (1, frequencies ** 2, H, W).

    The products of the lowest cosines down and across (the basis of JPEG). Convolutions do not know where they are;
    in aligned portraits the eyes are always in one place. Not in the paper: equation 5 with a constant map.
    """
    def cosines(length: int) -> Tensor:
        centres = (torch.arange(length, device=like.device, dtype=like.dtype) + 0.5) / length
        return torch.cos(torch.pi * torch.arange(frequencies, device=like.device, dtype=like.dtype)[:, None] * centres)

    down, across = cosines(size[0]), cosines(size[1])  # (K, H), (K, W)
    return (down[:, None, :, None] * across[None, :, None, :]).flatten(0, 1)[None]  # (1, K * K, H, W)
