"""A tiny model of portraits: conditioned on the vectors of one encoder, trained, scored, and matched by identity."""

import json
from dataclasses import replace

import pytest
import torch

from pixelcnn_core import Condition, GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.likelihood import evaluate, other_people
from pixelcnn_core.faces.card import write_encoder_card
from pixelcnn_core.faces.encoder import FaceEncoder, FaceEncoderConfig, check_encoder
from pixelcnn_core.faces.encoder_training import evaluate_encoder, train_encoder
from pixelcnn_core.faces.identity import identity, identity_curve, identity_given
from pixelcnn_core.faces.tables import embedded, load_faces
from pixelcnn_core.faces.vggface2 import load_encoder
from pixelcnn_core.models.chain import CHAIN_FILE
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe
from tests.conftest import small_model


def random_encoder(seed: int) -> FaceEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return FaceEncoder(FaceEncoderConfig(widths=(4, 4, 4, 4), blocks=1)).eval()


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The user's own stays as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def encoder(tables, tmp_path_factory):
    """Distilled on the made-up people, so that it tells their colours apart."""
    small = FaceEncoderConfig(widths=(8, 8, 8, 16), blocks=1)
    return train_encoder(tables, tmp_path_factory.mktemp("encoder"), epochs=6, batch=24, config=small)


@pytest.fixture(scope="module")
def portrait_model(tables, encoder, tmp_path_factory):
    """A few steps on 8 x 8 portraits."""
    out = tmp_path_factory.mktemp("runs") / "portraits"
    recipe = Recipe("tiny", "a test", "faces", steps=100, batch=16, learning_rate=0.006, size=8, encoder=str(encoder),
                    model={"features": 12, "layers": 2, "head_features": 12, "first_kernel_size": 3}, warm_up=5,
                    ema=0.9, condition_dropout=0.2, flips=True, validate=16)
    return train(recipe, tables, out)


def test_the_data_set_has_vectors_of_the_named_encoder(tables, encoder):
    train_data = load_data("faces", tables, "train", 32, encoder=str(encoder))
    test_data = load_data("faces", tables, "test", 32, encoder=str(encoder))
    assert train_data.images.shape == (312, 3, 32, 32) and test_data.images.shape == (48, 3, 32, 32)
    assert train_data.embeddings.shape == (312, 128)
    assert torch.allclose(train_data.embeddings.norm(dim=1), torch.tensor(128 ** 0.5), atol=1e-4)  # unit entries
    assert train_data.encoder == FaceEncoder.from_pretrained(encoder).fingerprint
    assert not set(train_data.identities) & set(test_data.identities)
    assert train_data.condition(slice(0, 3)).embedding.shape == (3, 128)


def test_the_vectors_are_made_in_batches_once_and_kept(tables, encoder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    images, seen = load_faces(tables).images[:130], []
    model = FaceEncoder.from_pretrained(encoder)
    alone = model.embed(images)
    monkeypatch.setattr(model, "embed",
                        lambda part, *more: seen.append(len(part)) or FaceEncoder.embed(model, part, *more))
    first = embedded(model, images)
    assert seen == [64, 64, 2] and torch.allclose(first, alone, atol=1e-4)
    assert "vectors of the faces" in capsys.readouterr().err
    assert torch.equal(embedded(model, images), first) and len(seen) == 3
    kept, = (tmp_path / "pixelcnn").iterdir()
    kept.write_bytes(b"damaged")
    assert torch.equal(embedded(model, images), first) and len(seen) == 6
    embedded(random_encoder(3), images)
    embedded(model, images[:64])
    assert len(list((tmp_path / "pixelcnn").iterdir())) == 3, "other networks and other faces have files of their own"


def test_without_an_encoder_or_with_a_strange_size_the_data_set_says_so(tables, encoder):
    with pytest.raises(DataError, match="face encoder"):
        load_data("faces", tables, "train", 32)
    with pytest.raises(DataError, match="divisor"):
        load_data("faces", tables, "train", 30, encoder=str(encoder))


def test_training_writes_a_model_that_names_its_encoder(portrait_model, encoder):
    model = GatedPixelCNN.from_pretrained(portrait_model)
    assert model.config.embedding == 128 and not model.config.classes
    check_encoder(model, FaceEncoder.from_pretrained(encoder))
    with pytest.raises(CheckpointError, match="trained with the encoder FaceEncoder .* not with FaceEncoder"):
        check_encoder(model, random_encoder(1))
    with pytest.raises(CheckpointError, match="not conditioned on a face"):
        check_encoder(small_model(classes=3), random_encoder(0))
    assert list((portrait_model / "samples").glob("*.png"))


def test_evaluation_compares_the_right_embedding_with_a_wrong_one_and_none(portrait_model, tables, encoder):
    results = evaluate(portrait_model, tables)
    data = load_data("faces", tables, "test", 8, encoder=str(encoder))
    model = GatedPixelCNN.from_pretrained(portrait_model)
    with torch.inference_mode():
        by_hand = model.bits_per_dim(data.images, Condition(embedding=data.embeddings)).mean().item()
    assert results["bits_per_dim_test"] == pytest.approx(by_hand, abs=2e-4)
    # every "person" of the tables is a colour: knowing it helps, believing another one hurts
    assert results["bits_per_dim_test"] < results["bits_per_dim_test_wrong_embedding"] - 0.05
    assert json.loads((portrait_model / "results.json").read_text(encoding="utf-8")) == results


def test_other_people_is_never_the_same_person(tables, encoder):
    data = load_data("faces", tables, "test", 8, encoder=str(encoder))
    numbered = replace(data, embeddings=torch.arange(len(data))[:, None].float())
    for k, other in enumerate(other_people(numbered).embeddings[:, 0].long().tolist()):
        assert data.identities[k] != data.identities[other]


def test_identity_is_measured_and_kept(portrait_model, tables, encoder):
    random_encoder(1).save_pretrained(encoder.parent / "another")
    results = identity(portrait_model, tables, encoder, encoder.parent / "another", people=8, portraits=4)
    assert {"rank1", "rank1_real", "rank1_chance", "auc", "auc_real", "people"} <= set(results)
    assert results["people"] == 8 and results["portraits"] == 32 and results["rank1_chance"] == 1 / 8
    assert results["auc_real"] > 0.9  # a colour is easily recognised
    assert results["auc"] > 0.55
    assert json.loads((portrait_model / "results.json").read_text(encoding="utf-8"))["identity"] == results
    assert results["split"] == "test" and results["size"] == 8 and results["truncation"]["min_p"] == 0
    assert results["second"]["judge"].startswith("FaceEncoder ") and results["second"]["judge"] != results["judge"]
    assert results["diversity"]["direction"] > 0 and results["diversity"]["pixels"] > 5
    with pytest.raises(CheckpointError, match="somebody else"):
        identity(portrait_model, tables, encoder.parent / "another", people=8)


def test_temperature_and_guidance_are_chosen_by_identity(portrait_model, tables, encoder):
    identity(portrait_model, tables, encoder, people=8, portraits=2)
    measured = identity_curve(portrait_model, tables, encoder, temperatures=(0.5, 1.0), guidances=(1.0, 2.0), people=6,
                              portraits=2)
    curve, chosen = measured["identity_curve"], measured["identity_chosen"]
    assert [(row["temperature"], row["guidance"]) for row in curve] == [(0.5, 1), (0.5, 2), (1, 1), (1, 2)]
    best = next(row for row in curve if {key: row[key] for key in chosen} == chosen)
    varied = [row for row in curve if row["diversity"]["direction"] >= row["diversity"]["direction_real"]]
    assert best in (varied or curve) and best["rank1"] == max(row["rank1"] for row in varied or curve)
    results = json.loads((portrait_model / "results.json").read_text(encoding="utf-8"))
    assert results["identity"]["people"] == 8 and results["identity_chosen"] == chosen


def test_which_step_loses_the_person_is_measured_from_the_source_photos_too(tables, encoder, tmp_path):
    decoder = {"features": 12, "layers": 2, "first_kernel_size": 3, "head_features": 12}
    told = {"embedding": 128, "encoder": load_encoder(encoder).fingerprint}
    steps = {"4": GatedPixelCNN(PixelCNNConfig(image_size=4, **told, **decoder)),
             "8": Upscaler(UpscalerConfig(image_size=8, features=6, map_channels=5, **told, decoder=decoder))}
    for name, step in steps.items():
        step.save_pretrained(tmp_path / "chain" / name)
    (tmp_path / "chain" / CHAIN_FILE).write_text(json.dumps({"steps": list(steps)}), encoding="utf-8")
    rows = identity_given(tmp_path / "chain", tables, encoder, people=6, portraits=2)
    assert [row["given"] for row in rows] == [0, 4] and all(row["portraits"] == 12 for row in rows)
    assert json.loads((tmp_path / "chain" / "results.json").read_text(encoding="utf-8"))["identity_given"] == rows


def test_the_card_of_an_encoder_holds_its_numbers(encoder, tables):
    with pytest.raises(ValueError, match="was not evaluated"):
        write_encoder_card(encoder)
    results = evaluate_encoder(encoder, tables, count=40)
    text = write_encoder_card(encoder).read_text(encoding="utf-8")
    assert f"| AUC | {results['auc']:.3f} |" in text and "| made | 40 |" in text
