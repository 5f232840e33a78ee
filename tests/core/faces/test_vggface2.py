"""facenet-pytorch's own weights: a local file with the right structure, a wrong hash, a damaged file; no network."""

import pytest
import torch

from pixelcnn_core.faces import vggface2
from pixelcnn_core.faces.vggface2 import fetch_vggface2, load_encoder, read_vggface2
from pixelcnn_core.models.checkpoint import CheckpointError


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file like the published one: random weights, and the classifier of its 8631 training people."""
    from facenet_pytorch import InceptionResnetV1

    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = InceptionResnetV1(pretrained=None).state_dict()
    state |= {"logits.weight": torch.zeros(8631, 512), "logits.bias": torch.zeros(8631)}
    path = tmp_path_factory.mktemp("weights") / "mine.pt"
    torch.save(state, path)
    return path


def test_a_local_file_gives_unit_vectors_in_any_batch(weights):
    encoder = load_encoder(weights)
    crops = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    vectors = encoder.embed(crops)
    assert vectors.shape == (3, encoder.config.embedding) == (3, 512)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.equal(encoder.embed(crops[1:2]), vectors[1:2])
    assert encoder.fingerprint == read_vggface2(weights).fingerprint and encoder.fingerprint.startswith("vggface2 ")


def test_a_wrong_hash_is_refused(weights):
    with pytest.raises(CheckpointError, match="SHA-256 begins with .* not with 281cebca"):
        read_vggface2(weights, expected=vggface2.SHA256)


def test_a_swapped_file_in_the_cache_is_refused(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(vggface2, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "20180402-114759-vggface2.pt").write_bytes(weights.read_bytes())
    with pytest.raises(CheckpointError, match="delete it to fetch it again"):
        load_encoder("vggface2")


def test_a_download_is_checked_and_kept_only_if_it_is_the_published_file(weights, tmp_path, monkeypatch):
    import hashlib

    monkeypatch.setattr(vggface2, "get_dir", lambda: str(tmp_path))
    with pytest.raises(CheckpointError, match="not the published file"):
        fetch_vggface2(weights.as_uri())
    assert not list((tmp_path / "checkpoints").iterdir())
    with pytest.raises(CheckpointError, match="could not be fetched"):
        fetch_vggface2((tmp_path / "nothing.pt").as_uri())
    path = fetch_vggface2(weights.as_uri(), hashlib.sha256(weights.read_bytes()).hexdigest())
    assert path.read_bytes() == weights.read_bytes()


def test_damaged_and_foreign_files_get_one_sentence(weights, tmp_path):
    data = weights.read_bytes()
    (tmp_path / "cut.pt").write_bytes(data[:len(data) // 2])
    (tmp_path / "text.pt").write_text("no weights", encoding="utf-8")
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    for name in ("cut", "text", "other", "list"):
        with pytest.raises(CheckpointError, match="does not hold weights of InceptionResnetV1") as error:
            load_encoder(tmp_path / f"{name}.pt")
        assert "\n" not in str(error.value)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_encoder(tmp_path / "nothing.pt")
