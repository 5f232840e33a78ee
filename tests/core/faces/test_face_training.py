"""The face encoder's data, its distillation on a tiny made-up set, and its verification measure."""

import signal

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from accelerate import PartialState

from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.faces import encoder_training
from pixelcnn_core.faces.encoder import FaceEncoder, FaceEncoderConfig
from pixelcnn_core.faces.encoder_training import distillation_loss, evaluate_encoder, train_encoder
from pixelcnn_core.faces.tables import held_out_people, load_faces, split_faces, tenth
from pixelcnn_core.faces.verification import Pairs, nearness, verification, verification_pairs
from pixelcnn_core.results import read_json
from pixelcnn_core.training.state import TrainingError, lock
from pixelcnn_core.training.stop import TrainingStopped


def test_the_committed_list_follows_the_rule():
    people = held_out_people()
    assert len(people) > 400
    assert all(tenth(name) == 0 for name in people)


def test_the_committed_list_covers_the_shared_faces(shared):
    table = pyarrow.parquet.read_table(shared / "data" / "faces" / "lfw.parquet", columns=["identity"])
    names = set(table["identity"].to_pylist())
    assert {name for name in names if tenth(name) == 0} <= held_out_people()
    assert 0.08 < len(names & held_out_people()) / len(names) < 0.12


def test_no_person_is_on_both_sides(tables):
    train, test = split_faces(load_faces(tables))
    assert set(test.identities) <= held_out_people()
    assert not set(train.identities) & set(test.identities)
    assert len(train) == 360 and len(test) == 48
    assert train.images.shape == (360, 3, 64, 64) and train.images.dtype == torch.uint8


def test_missing_and_damaged_tables_are_named(tmp_path):
    with pytest.raises(DataError, match="no face tables"):
        load_faces(tmp_path)
    (tmp_path / "bad.parquet").write_bytes(b"not a table")
    with pytest.raises(DataError, match="bad.parquet is damaged"):
        load_faces(tmp_path)


@pytest.mark.slow
def test_distillation_learns_held_out_people(tables, tmp_path):
    small = FaceEncoderConfig(widths=(8, 16, 16, 16), blocks=1)
    train_encoder(tables, tmp_path / "encoder", epochs=8, batch=24, config=small)
    results = evaluate_encoder(tmp_path / "encoder", tables, count=200)
    assert results["auc"] > 0.8 and results["auc_teacher"] > 0.95
    assert results["by_source"]["made"]["pairs"] == 200


def test_a_distillation_replaces_nothing_unasked_and_ends_with_a_sentence(tables, tmp_path, monkeypatch):
    small, out = FaceEncoderConfig(widths=(4, 4), blocks=1), tmp_path / "encoder"
    with pytest.raises(DataError, match="360 faces to train on, fewer than one batch of 400"):
        train_encoder(tables, out, batch=400, config=small)
    train_encoder(tables, out, epochs=1, batch=180, config=small)
    before = (out / "model.safetensors").read_bytes()
    assert read_json(out / "training.json")["steps"] == 2
    with pytest.raises(TrainingError, match="already holds a trained model: --overwrite"):
        train_encoder(tables, out, epochs=1, batch=180, config=small)
    with lock(out, PartialState()), pytest.raises(TrainingError, match="by another process"):
        train_encoder(tables, out, epochs=1, batch=180, config=small, overwrite=True)
    with pytest.raises(TrainingError, match="diverged: at step 2 the loss is nan"):
        train_encoder(tables, tmp_path / "diverged", epochs=3, batch=180, rate=1e30, config=small)
    assert not (tmp_path / "diverged" / "model.safetensors").exists()
    assert (out / "model.safetensors").read_bytes() == before

    def loss(student, teacher):  # somebody asks to stop in the first step
        signal.raise_signal(signal.SIGTERM)
        return distillation_loss(student, teacher)

    monkeypatch.setattr(encoder_training, "distillation_loss", loss)
    with pytest.raises(TrainingStopped, match="stopped after step 1, and saved"):
        train_encoder(tables, out, epochs=1, batch=180, config=small, overwrite=True)
    assert read_json(out / "training.json")["steps"] == 1 and (out / "model.safetensors").read_bytes() != before


def test_the_encoder_fits_into_ten_megabytes():
    assert sum(p.numel() for p in FaceEncoder(FaceEncoderConfig()).parameters()) * 2 < 10_000_000


def test_embeddings_have_unit_length_and_do_not_depend_on_the_batch():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = FaceEncoder(FaceEncoderConfig()).eval()
    crops = torch.randint(0, 256, (5, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    vectors = model.embed(crops)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(5), atol=1e-6)
    assert torch.equal(model.embed(crops[2:3])[0], vectors[2])
    assert not torch.allclose(vectors[0], vectors[1])


def test_verification_of_perfect_and_of_random_vectors():
    random = np.random.default_rng(0)
    people = np.repeat(np.eye(20, dtype=np.float32), 4, axis=0)
    first, second = random.integers(0, 80, (2, 2000))
    same = (first // 4 == second // 4)
    balanced = np.concatenate([np.flatnonzero(same), np.flatnonzero(~same)[:same.sum()]])
    pairs = Pairs(first[balanced], second[balanced], same[balanced])
    order = random.permutation(len(balanced))
    pairs = Pairs(pairs.first[order], pairs.second[order], pairs.same[order])
    assert verification(torch.from_numpy(people), pairs) == (1.0, 1.0)
    assert verification(torch.from_numpy(people), pairs, nearness) == (1.0, 1.0)
    noise = torch.nn.functional.normalize(torch.from_numpy(random.normal(size=(80, 64)).astype(np.float32)))
    noise_pairs = Pairs(pairs.first[pairs.first != pairs.second], pairs.second[pairs.first != pairs.second],
                        pairs.same[pairs.first != pairs.second])
    accuracy, auc = verification(noise, noise_pairs)
    assert accuracy < 0.7 and 0.3 < auc < 0.7


def test_pairs_are_balanced_and_what_they_say(tables):
    _, test = split_faces(load_faces(tables))
    pairs = verification_pairs(test, 100)
    assert pairs.same.sum() == 100 and len(pairs.same) == 200
    for first, second, same in zip(pairs.first, pairs.second, pairs.same):
        assert (test.identities[first] == test.identities[second]) == same
        assert first != second
