"""The measure of likeness, with stand-ins: a network that sees coarse patterns, functions that draw them or do not."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pixelcnn_core import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.cards.chain_card import likeness_section
from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.faces.face_network import FaceNetwork
from pixelcnn_core.faces.identity import drawing
from pixelcnn_core.faces.likeness import (
    People,
    Probes,
    choose_people,
    likeness,
    likest,
    match,
    shrink,
    source_vectors,
    spread,
)
from pixelcnn_core.faces.tables import FaceData, split_of
from pixelcnn_core.faces.verification import Pairs, likeness_ranges
from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig


class Patterns:
    """A network that sees how far each sixteenth of a crop is from grey: 48 numbers."""

    fingerprint = "patterns 0123456789"

    def embed(self, crops: torch.Tensor, together: int = 1) -> torch.Tensor:
        return F.normalize(F.avg_pool2d(crops.float() - 127.5, 16).flatten(1), dim=1)


def pattern(h: torch.Tensor, size: int) -> torch.Tensor:
    """The picture that `Patterns` sees as h: uint8 (B, 3, size, size)."""
    coarse = 127.5 + 30 * h.reshape(-1, 3, 4, 4)
    return F.interpolate(coarse, size=(size, size)).round().clamp(0, 255).to(torch.uint8)


def made_up(people: int = 30, photos: int = 2) -> People:
    """Each person is a pattern; photos of a person differ by noise."""
    random = torch.Generator().manual_seed(0)
    person = np.repeat(np.arange(people), 1 + photos)
    h = torch.randn((people, 48), generator=random)[person] + 0.3 * torch.randn((len(person), 48), generator=random)
    faces = FaceData(pattern(h, 64), torch.randn((len(person), 128), generator=random), [f"{k}" for k in person],
                     ["made"] * len(person), torch.ones(len(person)))
    first = np.arange(len(person)) % (1 + photos) == 0
    return People(faces.where(first), faces.where(~first), person[~first])


def faithful(h: torch.Tensor, seed: int) -> torch.Tensor:
    noise = torch.randn(h.shape, generator=torch.Generator().manual_seed(seed))
    return pattern(h + 0.2 * noise, 16)


def careless(h: torch.Tensor, seed: int) -> torch.Tensor:
    return pattern(torch.randn(h.shape, generator=torch.Generator().manual_seed(seed)), 16)


def test_faithful_portraits_are_found_again_and_careless_ones_by_chance():
    people = made_up()
    results = likeness(faithful, people, Patterns(), Patterns(), portraits=4, gallery=20)
    assert results["rank1"] == 1 and results["auc"] == 1 and results["rank1_standard_error"] == 0
    assert results["rank1_real"] > 0.95 and results["rank1_chance"] == 0.05
    assert results["size"] == 16 and results["portraits"] == 120 and results["photos_real"] == 60
    assert {key: results[key] for key in results["second"]} == results["second"]  # the same judge twice
    lost = likeness(careless, people, Patterns(), portraits=4, gallery=20)
    assert lost["rank1"] < 0.2 and 0.4 < lost["auc"] < 0.6 and "second" not in lost
    assert lost["rank1_real"] == results["rank1_real"]


def test_the_same_seed_gives_the_same_numbers():
    people = made_up(12)
    first, again, other = (likeness(careless, people, Patterns(), portraits=2, gallery=12, seed=seed)
                           for seed in (3, 3, 4))
    assert first == again != other


def test_diversity_tells_one_portrait_many_times_from_many():
    people = made_up()
    one = likeness(lambda h, seed: pattern(h, 16), people, Patterns(), portraits=3)["diversity"]
    several = likeness(faithful, people, Patterns(), portraits=3)["diversity"]
    assert one["direction"] < 1e-3 and one["pixels"] == 0
    assert 0.1 < several["direction"] < several["direction_real"] and several["pixels"] < several["pixels_real"]
    assert 5 < several["pixels"] < 20  # 30 levels x 0.2 x the root of 2


def test_spread_is_the_mean_distance_within_a_person():
    values = torch.tensor([[0.0, 0], [3, 4], [9, 9], [0, 1], [0, 2], [0, 3]])
    assert spread(values, np.array([0, 0, 1, 2, 2, 2])) == pytest.approx((5 + 4 / 3) / 2)


def test_matching_perfect_and_random_probes():
    sources, person = torch.eye(50), np.repeat(np.arange(50), 3)
    perfect = match(Probes(sources[person], person), sources, 20)
    assert perfect == {"rank1": 1, "rank1_standard_error": 0, "auc": 1}
    noise = F.normalize(torch.randn(150, 50, generator=torch.Generator().manual_seed(0)))
    found = match(Probes(noise, person), sources, 20)
    assert found["rank1"] < 0.2 and 0.4 < found["auc"] < 0.6
    assert 0.5 < found["rank1_standard_error"] / np.sqrt(found["rank1"] * (1 - found["rank1"]) / 150) < 2


def test_people_are_of_one_split_and_their_photos_are_their_own(tables):
    for split in ("validation", "test"):
        people = choose_people(tables, split, 5)
        assert len(people) == 5 and all(split_of(name) == split for name in people.sources.identities)
        assert [people.sources.identities[k] for k in people.person] == people.photos.identities
        assert np.bincount(people.person).tolist() == [4] * 5  # of six photos, one is the source
    with pytest.raises(DataError, match="1 people of the test split"):
        choose_people(tables, "test", 1)


def test_the_face_network_gives_the_vectors_of_the_tables():
    people = made_up(3)
    vectors = source_vectors(people, FaceNetwork())
    assert torch.allclose(vectors, F.normalize(people.sources.descriptors, dim=1))
    assert torch.equal(source_vectors(people, Patterns()), Patterns().embed(people.sources.images))


def test_photos_are_shrunk_by_averaging():
    crops = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    crops[..., ::2] = 201
    assert shrink(crops, 32).unique().tolist() == [100]  # 100.5, to even
    assert torch.equal(shrink(crops, 64), crops)


def test_a_chain_and_a_single_model_draw_portraits_alike():
    """Pictures of the largest size, the same for the same h and seed, and each with its own noise."""
    decoder = {"features": 12, "layers": 2, "first_kernel_size": 3, "head_features": 12}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = GatedPixelCNN(PixelCNNConfig(image_size=4, embedding=5, **decoder)).eval()
        chain = Chain([first, Upscaler(UpscalerConfig(image_size=8, features=6, map_channels=5, embedding=5,
                                                      decoder=decoder)).eval()])
    h = torch.ones(3, 5)
    for model, size, settings in ((first, 4, {"guidance": 2.0}), (chain, 8, {"temperature": [0.9, 1.0]})):
        draw = drawing(model, **settings)
        drawn = draw(h, 7)
        assert drawn.shape == (3, 3, size, size) and drawn.dtype == torch.uint8
        assert torch.equal(drawn, draw(h, 7)) and not torch.equal(drawn, draw(h, 8))
        assert not torch.equal(drawn[0], drawn[1])
    starts = torch.stack([torch.full((3, 4, 4), value, dtype=torch.uint8) for value in (0, 0, 255)])
    dark = drawing(chain, starts[:1].expand(3, -1, -1, -1))(h, 7)
    mixed = drawing(chain, starts)(h, 7)
    assert torch.equal(mixed[:2], dark[:2]) and not torch.equal(mixed[2], dark[2]), "each from its own start"


@pytest.mark.slow
def test_real_people_are_found_again_less_often_the_smaller_their_photos(shared):
    """The ceiling of every portrait model, by the face network."""
    people = choose_people(shared / "data" / "faces", "validation", 60)
    network = FaceNetwork.from_pretrained("demo/assets/face_network")
    sources = network.embed(people.sources.images)
    found = {}
    for size in (64, 16):
        large = F.interpolate(shrink(people.photos.images[:80], size).float(), size=(64, 64), mode="bicubic")
        vectors = network.embed(large.round().clamp(0, 255).to(torch.uint8))
        found[size] = match(Probes(vectors, people.person[:80]), sources, 60)["rank1"]
    assert found[64] > 0.9 and found[16] < 0.5


def test_the_likest_candidate_of_every_place_is_kept():
    source = torch.tensor([1.0, 0.0])
    angles = torch.tensor([[0.3, 1.0, 2.0], [0.5, 0.2, 1.9], [0.4, 0.9, 0.1]])  # (candidates, places)
    vectors = torch.stack([angles.cos(), angles.sin()], -1).flatten(0, 1)  # (9, 2)
    assert likest(vectors, source, 3).tolist() == [0, 4, 8]
    assert likest(vectors, source, 1).tolist() == list(range(9)), "of one, that one"


def test_the_ranges_of_likeness_are_percentiles_of_both_kinds_of_pairs():
    angle = torch.linspace(0, 1, 101)
    photos = torch.tensor([[1.0, 0.0]]).expand(202, 2)
    crops = torch.stack([torch.cat([angle, angle + 1]).cos(), torch.cat([angle, angle + 1]).sin()], 1)  # (202, 2)
    every = np.arange(202)
    found = likeness_ranges(photos, crops, Pairs(every, every, every < 101))
    assert found["same_person"] == {"p5": pytest.approx(np.cos(0.95), abs=1e-4),
                                    "p50": pytest.approx(np.cos(0.5), abs=1e-4),
                                    "p95": pytest.approx(np.cos(0.05), abs=1e-4)}
    assert found["two_people"]["p50"] == pytest.approx(np.cos(1.5), abs=1e-4)


def test_the_card_says_how_settings_were_chosen_and_which_step_loses_the_person():
    judge = {"judge": "a network", "rank1": 0.5, "rank1_real": 0.9, "rank1_chance": 0.01}
    identity = {**judge, "people": 100, "portraits": 800, "gallery": 100, "size": 64, "temperature": 1.0,
                "guidance": 4.0, "truncation": {"min_p": 0.4}, "diversity": {
                    "direction": 0.41, "direction_real": 0.3, "pixels": 50.0, "pixels_real": 70.0}}
    assert likeness_section({}) == ""
    assert "| rank 1 |" not in likeness_section({"identity": identity})
    curve = [{"guidance": 4.0, "min_p": 0.4, "rank1": 0.5, "people": 60, "diversity": identity["diversity"]}]
    given = [{"given": size, "rank1": rank1, "rank1_standard_error": 0.03, "people": 60, "portraits": 120}
             for size, rank1 in ((0, 0.4), (16, 0.6))]
    card = likeness_section({"identity": identity, "identity_curve": curve, "identity_given": given})
    assert "| 4 | 0.4 | 0.500 | 0.410 |" in card and "are\n0.300 apart" in card
    assert "| the vector | 0.400 ± 0.030 |" in card and "| 16 x 16 pixels of the photo | 0.600 ± 0.030 |" in card
