"""The bundled checkpoints: they load, their cards quote their results, and the stored pictures are theirs."""

import pytest

from demo.kit.stored import FACTS, fingerprint, read_portraits, read_stored
from demo.service.bridge import MODELS, Service
from demo.tabs.chain.stored import FACTS as SCALES
from demo.tabs.chain.stored import read_scales
from demo.tabs.classes.knobs import read_knobs
from demo.tabs.scoreboard.panels import STORED_RACE, read_race
from pixelcnn_core import Chain, GatedPixelCNN
from pixelcnn_core.faces.encoder import check_encoder
from pixelcnn_core.faces.face_network import FaceNetwork
from pixelcnn_core.models.chain import CHAIN_FILE
from pixelcnn_core.results import read_json, read_results

FOLDERS = sorted(path.parent for path in MODELS.glob("*/config.json"))
CHAINS = sorted(path.parent for path in MODELS.glob(f"*/{CHAIN_FILE}"))
ENCODER, NETWORK = MODELS.parent / "face_encoder", MODELS.parent / "face_network"


@pytest.fixture(scope="module")
def service() -> Service:
    return Service()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_loads_and_its_card_quotes_its_results(folder):
    model = GatedPixelCNN.from_pretrained(folder)
    results, card = read_results(folder), (folder / "README.md").read_text(encoding="utf-8")
    assert sum(p.numel() for p in model.parameters()) == results["parameters"]
    for key in ("bits_per_dim_test", "bits_per_dim_train", "bits_per_dim_test_unconditional"):
        assert f"{results[key]:.3f}" in card, key
    assert results["images"] >= 297 and "Limits" in card and (folder / "samples.png").is_file()
    assert (folder / "training.csv").is_file() and read_json(folder / "training.json")["hardware"]


@pytest.mark.parametrize("folder", CHAINS, ids=lambda folder: folder.name)
def test_a_chain_loads_and_its_card_quotes_its_results(folder):
    chain, results = Chain.from_pretrained(folder), read_results(folder)
    if "steps" in results:  # it was evaluated
        card = (folder / "README.md").read_text(encoding="utf-8")
        assert [int(size) for size in results["steps"]] == chain.sizes
        for step in results["steps"].values():
            assert f"{step['parameters']:,}" in card and f"{step['bits_per_dim']:.3f}" in card
        assert f"{results['bits_per_dim_at_most']:.3f} per dimension, is *at most*" in " ".join(card.split())
        if "identity" in results:
            assert f"| {results['identity']['rank1']:.3f} |" in card


@pytest.mark.parametrize("folder", FOLDERS + CHAINS, ids=lambda folder: folder.name)
def test_the_stored_pictures_were_drawn_from_these_weights(folder, service):
    info = service.info(folder.name)
    stored = {} if info.embedding else {FACTS: read_stored(folder, info)}
    if info.embedding and info.is_chain:
        stored["stored_portraits.json"] = read_portraits(folder)
    if info.is_chain:
        stored[SCALES] = read_scales(folder, info)
    if info.classes:
        assert all(strip["pictures"] for strip in read_knobs(folder, info).values())
    for facts, pictures in stored.items():
        assert pictures is not None, "draw them: python -m demo.make_assets"
        assert read_json(folder / facts)["weights"] == fingerprint(folder), "python -m demo.make_assets"


def test_the_stored_race_was_drawn_from_these_weights():
    stored = read_json(MODELS / "digits" / STORED_RACE)
    assert stored["weights"] == fingerprint(MODELS / "digits"), "python -m demo.make_assets"
    _, _, end = read_race(MODELS / "digits")
    assert end.equal == end.evaluations == end.whole == 64


def test_sample_quality_was_measured_and_is_on_the_card():
    quality, card = read_results(MODELS / "cifar10", "quality.json"), \
        (MODELS / "cifar10" / "README.md").read_text(encoding="utf-8")
    assert f"{quality['accuracy']:.1%} | {quality['accuracy_real']:.1%}" in card and quality["images"] >= 1000
    assert quality["real"]["frechet"] < quality["frechet"]


def test_portrait_models_belong_to_the_bundled_face_network(service):
    network = FaceNetwork.from_pretrained(NETWORK)
    assert service.portrait_names
    for name in service.portrait_names:
        check_encoder(service.model(name), network)


def test_the_card_of_the_encoder_quotes_its_results():
    results, card = read_results(ENCODER), (ENCODER / "README.md").read_text(encoding="utf-8")
    for key in ("verification_accuracy", "verification_accuracy_teacher", "auc", "auc_teacher"):
        assert f"{results[key]:.3f}" in card
    assert results["pairs"] >= 6000


def test_the_sampler_was_measured_on_the_bundled_weights():
    numbers = read_json(MODELS / "cifar10" / "benchmark.json")
    for batch, bound in (("1", 150), ("16", 800), ("64", 1200)):
        assert numbers["batch"][batch]["naive_over_cached"] > bound
    assert numbers["peak_mb"]["64"] < 1000


def test_the_stored_race_was_timed_on_a_free_machine():
    """A run of the small network for digits takes less than one of the larger network for photos."""
    race = read_json(MODELS / "digits" / STORED_RACE)["numbers"]
    photo = read_json(MODELS / "cifar10" / "benchmark.json")["batch"]["1"]["forward_s"]
    assert race["naive_seconds"] / race["evaluations"] < photo
