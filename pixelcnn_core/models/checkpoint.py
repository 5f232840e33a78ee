"""Checkpoints: a folder with `config.json` and `model.safetensors` (fp16), local or on the Hugging Face Hub.

`PyTorchModelHubMixin` brings `from_pretrained`, `save_pretrained` and `push_to_hub`. This file adds what it lacks:
half precision on disk, strict loading, and one clear sentence for every way in which a checkpoint can be wrong.
No pickle anywhere.
"""

import json
from dataclasses import fields
from pathlib import Path

import torch
from huggingface_hub import PyTorchModelHubMixin, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


class CheckpointError(ValueError):
    """A checkpoint that cannot be loaded; the message is one sentence for the person who asked for it."""


class Checkpoint(PyTorchModelHubMixin, library_name="pixelcnn", tags=["pixelcnn", "image-generation"], license="mit"):
    """Mixin for a module built from one dataclass, `config_class`, that it keeps as `self.config`."""

    config_class: type

    def _save_pretrained(self, save_directory: Path) -> None:
        config = {"model_type": type(self).__name__, **self.config.to_dict()}
        (save_directory / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n")
        weights = {name: tensor.detach().to("cpu", torch.float16).contiguous()
                   for name, tensor in self.state_dict().items()}
        save_file(weights, save_directory / WEIGHTS_FILE, metadata={"format": "pt"})

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **options):
        """A model from a folder or a Hub id; `options` as in huggingface_hub. Raises CheckpointError.

        Not the mixin's own: that one reads config.json first, and a damaged one ends in its traceback.
        """
        return cls._from_pretrained(model_id=str(pretrained_model_name_or_path), **options)

    @classmethod
    def _from_pretrained(cls, *, model_id, revision=None, cache_dir=None, force_download=False, local_files_only=False,
                         token=None, map_location="cpu", **_):
        def find(name: str) -> Path:
            if (path := Path(model_id) / name).is_file():
                return path
            if Path(model_id).exists():
                raise CheckpointError(f"{model_id} is not a checkpoint: there is no {name} in it")
            try:
                return Path(hf_hub_download(model_id, name, revision=revision, cache_dir=cache_dir, token=token,
                                            force_download=force_download, local_files_only=local_files_only))
            except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
                raise CheckpointError(f"no checkpoint {str(model_id)!r}: there is no such folder, and the Hub gave "
                                      f"no {name} ({type(error).__name__})") from error

        model = cls(cls.read_config(find(CONFIG_FILE)))
        model.load_weights(find(WEIGHTS_FILE))
        return model.to(map_location).eval()

    @classmethod
    def read_config(cls, path: Path):
        """The `config_class` stored in a config.json. Raises CheckpointError."""
        try:
            stored = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} is not readable as JSON: {error}") from error
        if not isinstance(stored, dict) or stored.pop("model_type", None) != cls.__name__:
            raise CheckpointError(f"{path} does not describe a {cls.__name__}")
        known = {f.name for f in fields(cls.config_class)}
        if unknown := sorted(set(stored) - known):
            raise CheckpointError(f"{path} has settings that this version does not know: {', '.join(unknown)}")
        try:
            return cls.config_class(**stored)
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{path} does not describe a valid model: {error}") from error

    def load_weights(self, path: Path) -> None:
        """Load the weights strictly: every tensor there, none too many, all of the right shape, none NaN."""
        try:
            weights = load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise CheckpointError(f"{path} is damaged or not a safetensors file: {error}") from error
        own = self.state_dict()
        if set(weights) != set(own):
            missing, extra = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
            raise CheckpointError(f"{path} belongs to another model: {len(missing)} tensors are missing"
                                  f"{f' ({missing[0]}, ...)' if missing else ''} and {len(extra)} are foreign"
                                  f"{f' ({extra[0]}, ...)' if extra else ''}")
        for name, tensor in weights.items():
            if tensor.shape != own[name].shape:
                raise CheckpointError(f"{path} belongs to another model: {name} has shape {tuple(tensor.shape)}, "
                                      f"this one needs {tuple(own[name].shape)}")
            if not torch.isfinite(tensor).all():
                raise CheckpointError(f"{path} is damaged: {name} holds values that are not finite")
        self.load_state_dict(weights)
