"""Checkpoints of earlier versions load unchanged: a tiny one of each kind is kept in old_checkpoints/, and what it gave
when it was made. A change that needs other files breaks everybody's models. For a new kind of model, that has none
yet: `python -m tests.core.test_old_checkpoints`; it never writes over one that is there.
"""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelcnn_core.kinds import KINDS, load
from pixelcnn_core.models.chain import CHAIN_FILE, Chain
from pixelcnn_core.models.checkpoint import CONFIG_FILE, HASH, WEIGHTS_FILE
from pixelcnn_core.models.conditioning import Condition

FOLDER = Path(__file__).parent / "old_checkpoints"
GAVE = FOLDER / "gave.json"
STACKS = {"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 6}
SHAPE, TOLD = {"image_size": 8, "levels": 8}, {"classes": 3, "class_names": ("a", "b", "c"), "embedding": 4,
                                               "encoder": "somebody 123"}
SETTINGS = {
    "pixelcnn": {**SHAPE, **STACKS, **TOLD, "image_size": 4, "position": 2, "dropout": 0.1},
    "upscaler": {**SHAPE, **TOLD, "features": 4, "map_channels": 5, "vector_map": 2, "decoder": STACKS},
    "classifier": {**SHAPE, "classes": 3, "class_names": ("a", "b", "c"), "features": 8},
    "plain": {**SHAPE, **STACKS}, "row-lstm": {**SHAPE, **STACKS}, "diagonal-bilstm": {**SHAPE, **STACKS},
    "autoencoder": {**SHAPE, "code": 5, "features": 2, "map_channels": 3, "linear": True, "decoder": STACKS},
    "mse-autoencoder": {**SHAPE, "code": 5, "features": 2},
    "restorer": {**SHAPE, "features": 4, "dilations": (1, 2), "map_channels": 3, "decoder": STACKS},
    "face-encoder": {"widths": (4, 6), "blocks": 1, "embedding": 4},
}
ELSEWHERE = {"chain",  # made of the first two
             "face-network"}  # one fixed file, bundled: `test_face_network.py`


def gives(model) -> list[float]:
    """Some numbers that depend on every weight: the losses of two made-up images, or a face's vector."""
    if not hasattr(model, "losses"):
        return model.embed(torch.arange(3 * 64 * 64).mul(37).remainder(251).reshape(1, 3, 64, 64).byte())[0].tolist()
    c = model.config
    images = torch.arange(2 * c.channels * c.image_size ** 2).mul(37).remainder(251).remainder(c.levels).byte()
    images = images.reshape(2, c.channels, c.image_size, c.image_size)
    condition = Condition(label=torch.tensor([0, 2]) if getattr(c, "classes", 0) else None,
                          embedding=torch.linspace(-1, 1, 8).reshape(2, 4) if getattr(c, "embedding", 0) else None)
    with torch.no_grad():
        return model.losses(images, condition).tolist()


@pytest.mark.parametrize("kind", SETTINGS)
def test_it_loads_and_gives_what_it_gave(kind):
    model = load(KINDS[kind].model).from_pretrained(FOLDER / kind)
    kept = json.loads(GAVE.read_text(encoding="utf-8"))[kind]
    assert gives(model) == pytest.approx(kept, abs=1e-4)
    written = json.loads((FOLDER / kind / CONFIG_FILE).read_text(encoding="utf-8"))
    assert {name: written.get(name) for name in model.config.to_dict()} == model.config.to_dict()


def test_a_chain_of_them_loads_and_gives_what_they_gave():
    chain, kept = Chain.from_pretrained(FOLDER), json.loads(GAVE.read_text(encoding="utf-8"))
    assert chain.sizes == [4, 8]
    for kind, step in zip(("pixelcnn", "upscaler"), chain.steps):
        assert gives(step) == pytest.approx(kept[kind], abs=1e-4)


def test_every_kind_is_kept():
    """But those of the ladder, which `ladder` trains anew."""
    assert set(SETTINGS) | ELSEWHERE == {name for name, kind in KINDS.items() if ".ladder." not in kind.model}


def test_the_earliest_files_have_counters_in_half_precision_and_no_hash():
    assert load_file(FOLDER / "face-encoder" / WEIGHTS_FILE)["stages.0.norm1.num_batches_tracked"].dtype == torch.half
    assert HASH not in json.loads((FOLDER / "face-encoder" / CONFIG_FILE).read_text(encoding="utf-8"))


def keep(kind: str) -> None:
    """A model with random weights, biases and statistics too, into its folder."""
    model = load(KINDS[kind].model)
    torch.manual_seed(0)
    model = model(model.config_class(**SETTINGS[kind])).eval()
    for tensor in model.state_dict().values():
        if tensor.is_floating_point() and (tensor.ndim < 2 or not tensor.any()):
            tensor.copy_(torch.rand_like(tensor) * 0.5 + 0.1)
    model.half().float().save_pretrained(FOLDER / kind)
    (FOLDER / kind / "README.md").unlink(missing_ok=True)
    if kind == "face-encoder":
        weights = {name: tensor.half() for name, tensor in load_file(FOLDER / kind / WEIGHTS_FILE).items()}
        save_file(weights, FOLDER / kind / WEIGHTS_FILE)
        config = json.loads((FOLDER / kind / CONFIG_FILE).read_text(encoding="utf-8"))
        del config[HASH]
        (FOLDER / kind / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in SETTINGS:
        if not (FOLDER / name).exists():
            keep(name)
    gave = json.loads(GAVE.read_text(encoding="utf-8")) if GAVE.exists() else {}
    (FOLDER / CHAIN_FILE).write_text(json.dumps({"steps": ["pixelcnn", "upscaler"]}) + "\n", encoding="utf-8")
    gave = {name: gives(load(KINDS[name].model).from_pretrained(FOLDER / name)) for name in SETTINGS} | gave
    GAVE.write_text(json.dumps(gave, indent=2) + "\n", encoding="utf-8")
