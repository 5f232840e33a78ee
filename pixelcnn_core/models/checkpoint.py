"""Checkpoints: a folder with `config.json` and `model.safetensors` (fp16), local or on the Hugging Face Hub.

`PyTorchModelHubMixin` brings `from_pretrained`, `save_pretrained` and `push_to_hub`. This file adds what it lacks:
half precision on disk, strict loading, and one clear sentence for every way in which a checkpoint can be wrong.
No pickle anywhere. A file may come from anywhere, so nothing is allocated before its header was compared with the
configuration, and `config.json` holds the SHA-256 of the weights: a single flipped bit is found.
"""

import hashlib
import json
import re
from dataclasses import fields
from pathlib import Path

import torch
from huggingface_hub import PyTorchModelHubMixin, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from pixelcnn_core.device import known_device
from pixelcnn_core.files import replacing, unfinished

PROJECT = Path(__file__).parents[2]
ASSETS = PROJECT / "demo" / "assets"  # what comes with the project: in a clone ...
if not ASSETS.is_dir():
    ASSETS = Path(__file__).parents[1] / "assets"  # ... and in an installed package
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
HASH = "weights_sha256"  # in config.json; checkpoints that were made without it can be loaded too
FLOATS, INTEGERS = {"F16", "BF16", "F32", "F64"}, {"I64", "I32"}  # safetensors' names of the types that are read


class CheckpointError(ValueError):
    """A checkpoint that cannot be loaded or saved; the message is one sentence for the person who asked for it."""


def locate(checkpoint: str | Path) -> str | Path:
    """A checkpoint's folder or Hub id, as given; what comes with the project is found from any working directory, also
    where it was installed: by its place ("demo/assets/models/cifar10"), a model by its name ("cifar10") too. Raises
    CheckpointError for what cannot be the name of a file."""
    path = Path(checkpoint)
    try:
        if path.exists():
            return checkpoint
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise CheckpointError(f"no checkpoint {one_line(checkpoint)!r}: {error.strerror}") from error
    inside = path.relative_to("demo/assets") if path.parts[:2] == ("demo", "assets") else Path("models", path)
    return next((place for place in (PROJECT / path, ASSETS / inside) if place.is_dir()), checkpoint)


def find_file(checkpoint: str | Path, name: str, *, revision: str | None = None, cache_dir: str | Path | None = None,
              force_download: bool = False, local_files_only: bool = False, token: str | bool | None = None) -> Path:
    """A file of a checkpoint: in its folder or, for a Hub id, in huggingface_hub's cache. Raises CheckpointError."""
    checkpoint = locate(checkpoint)
    if (path := Path(checkpoint) / name).is_file():
        return path
    if Path(checkpoint).exists():
        raise CheckpointError(f"{checkpoint} is not a checkpoint: there is no {name} in it")
    try:
        hub_id = Path(checkpoint).as_posix()  # also of a Path on Windows
        return Path(hf_hub_download(hub_id, name, revision=revision, cache_dir=cache_dir, token=token,
                                    force_download=force_download, local_files_only=local_files_only))
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise CheckpointError(f"no checkpoint {one_line(checkpoint)!r}: there is no such folder, and the Hub gave "
                              f"no {name} ({type(error).__name__})") from error


def model_type(checkpoint: str | Path, **options) -> str:
    """The name of the class in a checkpoint's config.json; "" where it says none. Raises CheckpointError where there is
    no such file."""
    try:
        stored = json.loads(find_file(checkpoint, CONFIG_FILE, **options).read_text(encoding="utf-8"))
    except (OSError, RecursionError, UnicodeError, json.JSONDecodeError):
        return ""
    return str(stored.get("model_type", "")) if isinstance(stored, dict) else ""


def one_line(text: object) -> str:
    """The beginning of a text that came from a file, for a message."""
    return " ".join(str(text).split())[:200]


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits. Raises CheckpointError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


class Checkpoint(PyTorchModelHubMixin, library_name="pixelcnn", tags=["pixelcnn", "image-generation"], license="mit"):
    """Mixin for a module built from one dataclass, `config_class`, that it keeps as `self.config`."""

    config_class: type

    def save_pretrained(self, save_directory: str | Path, *, config=None, repo_id: str | None = None,
                        push_to_hub: bool = False, model_card_kwargs: dict | None = None, **hub_options) -> str | None:
        """Write the checkpoint to a folder, which is made if need be. Raises CheckpointError.

        A kill leaves the old checkpoint or the new one: both files are written under other names, and then put in their
        places one after the other. Between these two moments config.json is new and the weights are old: loading finds
        that by their hash, and takes the new ones, which still lie under their other name.
        The options are the mixin's, whose own method removes the old config.json first; `config` is the model's own.
        """
        folder = Path(save_directory)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._save_pretrained(folder)
            if not (card := folder / "README.md").exists():
                text = f"{self.generate_model_card(**(model_card_kwargs or {}))}\n"
                with replacing(card) as path:
                    path.write_text(text, encoding="utf-8")
        except OSError as error:
            reason = f"{folder} could not be written: {error.strerror}" if error.strerror else str(error)
            raise CheckpointError(reason) from error
        return self.push_to_hub(repo_id or folder.name, model_card_kwargs=model_card_kwargs, **hub_options) \
            if push_to_hub else None

    def _save_pretrained(self, save_directory: Path) -> None:
        weights = self._half_weights()
        try:
            with replacing(save_directory / WEIGHTS_FILE) as path:
                save_file(weights, path, metadata={"format": "pt"})
                config = {"model_type": type(self).__name__, **self.config.to_dict(), HASH: file_hash(path)}
                self._write_config(config, save_directory / CONFIG_FILE)  # and the weights at once after it
        except OSError as error:
            raise CheckpointError(str(error)) from error

    @staticmethod
    def _write_config(config: dict, path: Path) -> None:
        try:
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise CheckpointError(str(error)) from error

    def _half_weights(self) -> dict[str, torch.Tensor]:
        """The state as it is stored: floats as fp16, counters as they are. Raises CheckpointError beyond fp16."""
        weights = {}
        for name, tensor in self.state_dict().items():
            dtype = torch.float16 if tensor.is_floating_point() else tensor.dtype
            weights[name] = tensor.detach().to("cpu", dtype).contiguous()
            if not torch.isfinite(weights[name]).all():
                raise CheckpointError(f"not saved: {name} holds values above 65,504 or not finite, which half "
                                      "precision cannot hold")
        return weights

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, *, revision: str | None = None,
                        cache_dir: str | Path | None = None, force_download: bool = False,
                        local_files_only: bool = False, token: str | bool | None = None,
                        map_location: str | torch.device = "cpu"):
        """A model in evaluation mode from a folder or a Hub id. Raises CheckpointError, ValueError for a device that is
        not there, and TypeError for other options.

        map_location  the device it goes to; the rest as in `huggingface_hub.hf_hub_download`
        Not the mixin's own: that one takes any option without a word, and ends in the traceback of a damaged file.
        """
        options = {"revision": revision, "cache_dir": cache_dir, "force_download": force_download,
                   "local_files_only": local_files_only, "token": token}
        device = known_device(map_location)
        config_file, weights_file = (find_file(pretrained_model_name_or_path, name, **options)
                                     for name in (CONFIG_FILE, WEIGHTS_FILE))
        config, digest = cls._read_config_file(config_file)
        if digest and (late := unfinished(weights_file)).is_file() and file_hash(late) == digest:
            weights_file = late  # a kill came between the two files of `save_pretrained`
        cls._compare_header(config, weights_file)
        if digest and file_hash(weights_file) != digest:
            raise CheckpointError(f"{weights_file} is damaged or another model's: its SHA-256 is not the one in "
                                  f"{CONFIG_FILE}")
        model = cls(config)
        model._load_weights(weights_file)
        return model.to(device).eval()

    @classmethod
    def inspect(cls, folder: str | Path):
        """(configuration, number of stored values) of a checkpoint folder, without building the model.

        Everything is compared but the values themselves. Raises CheckpointError.
        """
        config = cls.read_config(find_file(folder, CONFIG_FILE))
        return config, cls._compare_header(config, find_file(folder, WEIGHTS_FILE))

    @classmethod
    def read_config(cls, path: Path):
        """The `config_class` stored in a config.json. Raises CheckpointError."""
        return cls._read_config_file(path)[0]

    @classmethod
    def _read_config_file(cls, path: Path):
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path} is not readable as JSON: {one_line(error)}") from error
        if not isinstance(stored, dict) or stored.pop("model_type", None) != cls.__name__:
            raise CheckpointError(f"{path} does not describe a {cls.__name__}")
        told, digest = HASH in stored, stored.pop(HASH, None)
        if told and not (isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest)):
            raise CheckpointError(f"{path}: {HASH} is no SHA-256")
        known = {f.name for f in fields(cls.config_class)}
        if unknown := sorted(set(stored) - known):
            raise CheckpointError(f"{path} has settings that this version does not know: "
                                  f"{one_line(', '.join(unknown))}")
        try:
            return cls.config_class(**stored), digest
        except (TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"{path} does not describe a valid model: {one_line(error)}") from error

    @classmethod
    def _compare_header(cls, config, path: Path) -> int:
        """Whether the tensors that the file announces are the model's, by name, shape and type; nothing is allocated.

        Returns how many values they hold. Raises CheckpointError.
        """
        try:
            with torch.device("meta"):
                own = cls(config).state_dict()
        except (ValueError, RuntimeError, ZeroDivisionError) as error:  # of a kind with narrower bounds than its config
            raise CheckpointError(f"{path.parent / CONFIG_FILE} does not describe a valid model: {one_line(error)}") \
                from error
        try:
            with safe_open(path, "pt") as file:
                stored = {name: (tuple((part := file.get_slice(name)).get_shape()), part.get_dtype())
                          for name in file.keys()}
        except (SafetensorError, OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path} is damaged or not a safetensors file: {one_line(error)}") from error
        if set(stored) != set(own):
            missing, extra = sorted(set(own) - set(stored)), sorted(set(stored) - set(own))
            raise CheckpointError(f"{path} belongs to another model: {len(missing)} tensors are missing"
                                  f"{f' ({missing[0]}, ...)' if missing else ''} and {len(extra)} are foreign"
                                  f"{f' ({one_line(extra[0])}, ...)' if extra else ''}")
        for name, (shape, dtype) in stored.items():
            if shape != tuple(own[name].shape):
                raise CheckpointError(f"{path} belongs to another model: {name} has shape {shape}, "
                                      f"this one needs {tuple(own[name].shape)}")
            # checkpoints of earlier versions hold their counters as fp16
            if dtype not in FLOATS | (set() if own[name].is_floating_point() else INTEGERS):
                raise CheckpointError(f"{path} belongs to another model: {name} holds {dtype}, not floating-point "
                                      "numbers")
        return sum(tensor.numel() for tensor in own.values())

    def _load_weights(self, path: Path) -> None:
        """Load weights whose header fits (`_compare_header`), none of them NaN. Raises CheckpointError."""
        try:
            weights = load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise CheckpointError(f"{path} is damaged or not a safetensors file: {one_line(error)}") from error
        for name, tensor in weights.items():
            if not torch.isfinite(tensor).all():
                raise CheckpointError(f"{path} is damaged: {name} holds values that are not finite")
        self.load_state_dict(weights)
