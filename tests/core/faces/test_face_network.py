"""The face network beside dlib itself on the bundled portraits, its chips, its files, and how it tells people apart."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pixelcnn_core.faces.alignment import align
from pixelcnn_core.faces.chip import chip_from_photo, chips_from_crops
from pixelcnn_core.faces.face_network import NAME, FaceNetwork
from pixelcnn_core.faces.tables import load_faces, split_faces
from pixelcnn_core.faces.verification import verification, verification_pairs
from pixelcnn_core.faces.vggface2 import load_encoder
from pixelcnn_core.models.checkpoint import CheckpointError

ASSETS = Path(__file__).parents[3] / "demo" / "assets"
REFERENCE = json.loads((Path(__file__).parent / "face_network_reference.json").read_text(encoding="utf-8"))
PEOPLE = ("eileen_collins", "grace_hopper")


@pytest.fixture(scope="module")
def network() -> FaceNetwork:
    return FaceNetwork.from_pretrained(ASSETS / "face_network")


def photo(name: str) -> tuple[np.ndarray, np.ndarray]:
    """(pixels, landmarks) of a bundled portrait."""
    pixels = np.asarray(Image.open(ASSETS / "faces" / f"{name}.jpg").convert("RGB"))
    return pixels, np.array(REFERENCE[name]["landmarks"])


def chip(name: str) -> torch.Tensor:
    """uint8 (1, 3, 150, 150)."""
    return torch.from_numpy(chip_from_photo(*photo(name)).copy()).permute(2, 0, 1)[None]


def distance(a: torch.Tensor, b) -> float:
    return (a - torch.as_tensor(b)).norm().item()


@pytest.mark.parametrize("name", PEOPLE)
def test_descriptors_are_those_of_dlib(network, name):
    """dlib computes in float32 with float32 weights; ours are stored in half precision."""
    assert distance(network.describe(chip(name))[0], REFERENCE[name]["chip"]) < 0.002


def test_the_architecture_is_that_of_the_shared_reference(network, shared):
    """The same weights in the reference implementation, in float32: equal up to rounding."""
    folder = shared / "face_network"
    spec = importlib.util.spec_from_file_location("dlib_resnet", folder / "dlib_resnet.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    reference = module.DlibResNet().eval()
    reference.load_state_dict(load_file(folder / "dlib_resnet_fp16.safetensors"))
    chips = torch.cat([chip(name) for name in PEOPLE])
    with torch.inference_mode():
        assert torch.allclose(network.describe(chips), reference(chips.float()), atol=2e-6)


@pytest.mark.parametrize("name", PEOPLE)
def test_chips_of_the_photo_and_of_its_crop_show_the_same_face(network, name):
    """MTCNN's landmarks give nearly dlib's own chip; the small crop gives it too, a little less sharply."""
    crop = torch.from_numpy(align(*photo(name))[0]).permute(2, 0, 1)[None]
    from_photo, from_crop = chip(name), chips_from_crops(crop)
    assert from_photo.shape == from_crop.shape == (1, 3, 150, 150) and from_crop.dtype == torch.uint8
    inner, shifts = slice(5, 145), range(-3, 4)
    error = {(y, x): (from_photo[..., inner, inner].float() - from_crop.roll((y, x), (2, 3))[..., inner, inner]).abs()
             .mean().item() for y in shifts for x in shifts}
    assert min(error, key=error.get) == (0, 0)  # no shift brings them nearer to each other
    mine, small = network.describe(from_photo)[0], network.describe(from_crop)[0]
    assert distance(mine, REFERENCE[name]["photo"]) < 0.17
    assert distance(small, REFERENCE[name]["photo"]) < 0.3
    stranger = next(other for other in PEOPLE if other != name)
    assert distance(small, REFERENCE[stranger]["photo"]) > 0.6


def test_embeddings_are_unit_vectors_and_the_same_in_any_batch(network):
    crops = torch.cat([torch.from_numpy(align(*photo(name))[0]).permute(2, 0, 1)[None] for name in PEOPLE])
    vectors = network.embed(crops)
    assert vectors.shape == (2, network.config.embedding) == (2, 128)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-6)
    assert torch.equal(network.embed(crops[1:]), vectors[1:])
    assert torch.equal(network.embed_chips(chips_from_crops(crops)), vectors)


def test_what_is_no_chip_is_refused(network):
    with pytest.raises(ValueError, match="150 x 150 pixels, not 64 x 64"):
        network.describe(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    with pytest.raises(ValueError, match="whole numbers"):
        network.embed(torch.rand(1, 3, 64, 64))


def test_it_is_loaded_as_any_other_encoder(network):
    loaded = load_encoder(ASSETS / "face_network")
    assert isinstance(loaded, FaceNetwork) and not loaded.training
    assert loaded.fingerprint == network.fingerprint == NAME


def test_every_file_is_small_enough_for_plain_git():
    sizes = [path.stat().st_size for path in (ASSETS / "face_network").iterdir()]
    assert max(sizes) < 10_000_000 and sum(sizes) > 11_000_000


def test_damaged_and_missing_files_are_named(tmp_path):
    copy = shutil.copytree(ASSETS / "face_network", tmp_path / "copy")
    shard = copy / "model-00002-of-00002.safetensors"
    data = bytearray(shard.read_bytes())
    data[-1000] ^= 64
    shard.write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged or holds another network: the SHA-256"):
        load_encoder(copy)
    shard.unlink()
    with pytest.raises(CheckpointError, match="does not hold the face network: .*00002-of-00002"):
        load_encoder(copy)
    with pytest.raises(CheckpointError, match="does not hold the face network"):
        FaceNetwork.from_pretrained(tmp_path / "nothing")


def test_the_card_holds_the_measured_numbers():
    results = json.loads((ASSETS / "face_network" / "results.json").read_text(encoding="utf-8"))
    text = (ASSETS / "face_network" / "README.md").read_text(encoding="utf-8")
    assert "CC0" in text and f"| crops, direction | {results['crops_direction']['accuracy']:.3f} |" in text
    assert results["pairs"] >= 1200 and results["crops_direction"]["accuracy"] > 0.97


@pytest.mark.slow
def test_people_never_seen_are_told_apart_from_their_crops(network, shared):
    people = split_faces(load_faces(shared / "data" / "faces"))[1]
    pairs = verification_pairs(people, 150)
    used = np.unique(np.r_[pairs.first, pairs.second])
    vectors = torch.zeros(len(people), 128)
    vectors[used] = network.embed(people.images[used])
    assert verification(vectors, pairs)[0] > 0.97
