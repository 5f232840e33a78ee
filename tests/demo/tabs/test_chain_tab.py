"""Chains on the page: the coarse picture comes first, a start is kept, a mosaic is cleaned, and the bits are said."""

import base64

import numpy as np
import pytest
from helpers import save_tiny, save_tiny_chain

from demo.service.bridge import Service
from demo.service.faces import FaceService
from demo.service.settings import UserError
from demo.tabs.chain.mosaic import COLOURS, PURE, mosaic_value, palette_of, read_mosaic
from demo.tabs.chain.panels import SMOOTHED, growth_html
from demo.tabs.chain.service import ChainService, enlarged
from demo.tabs.chain.tab import draw

HOW = {"temperature": 1.0, "min_p": 0.05, "guidance": 1.0}


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    """A chain of portraits, 8 -> 16 pixels, beside a single model."""
    folder = tmp_path_factory.mktemp("chains")
    save_tiny_chain(folder / "people-chain")
    save_tiny(folder / "photos")
    return ChainService(Service(folder, budget=60, patience=5))


def imagine(chains, start=None, seed=1, told=None):
    condition = chains.told("people-chain", None, told)
    return list(chains.imagine("people-chain", condition, start, 3, seed, **HOW))


def test_the_service_knows_chains_from_single_models(chains):
    service = chains.service
    assert service.chain_names == ["people-chain"] and service.names == ["photos"] == service.single_names
    info = service.info("people-chain")
    assert info.sizes == (8, 16) and info.image_size == 16 and info.rows == 24 and info.embedding == 128
    assert not service.info("photos").is_chain and service.info("photos").rows == 16


def test_the_coarse_picture_comes_first_and_stands_below_the_rows_to_come(chains):
    moments = imagine(chains)
    assert len(moments) == 24 and [m.progress.row for m in moments] == list(range(1, 25))
    assert [m.progress.state for m in moments] == ["sampling"] * 23 + ["done"]
    coarse, growing, last = moments[7], moments[10], moments[-1]
    assert coarse.progress.images.shape == (1, 3, 8, 8, 3) and growing.progress.images.shape == (1, 3, 16, 16, 3)
    assert list(last.pictures) == [8, 16] and np.array_equal(last.pictures[8], coarse.progress.images[0])
    assert np.array_equal(last.pictures[16], last.progress.images[0])
    assert [m.progress.place for m in (moments[6], growing)] == ["8 × 8: row 7 of 8", "16 × 16: row 3 of 16"]
    below = growing.progress.images[0][:, 4::2, ::2]
    assert np.array_equal(below, last.pictures[8][:, 2:])  # the coarse picture, enlarged


def test_a_start_is_kept_and_only_the_details_differ(chains):
    start = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    moments = imagine(chains, start)
    assert len(moments) == 16
    assert all(np.array_equal(picture, start) for picture in moments[-1].pictures[8])
    assert not np.array_equal(*moments[-1].pictures[16][:2])
    assert np.array_equal(imagine(chains, start)[-1].pictures[16], moments[-1].pictures[16])
    with pytest.raises(UserError, match="goes on from 8 pixels, not 16"):
        imagine(chains, np.zeros((16, 16, 3), np.uint8))


def test_a_face_changes_what_is_drawn(chains):
    told = np.random.default_rng(1).normal(size=128).astype(np.float32)
    assert not np.array_equal(imagine(chains, told=told)[-1].pictures[16], imagine(chains)[-1].pictures[16])


def test_the_bits_of_a_picture_are_said_for_every_size(chains):
    bits = chains.bits("people-chain", imagine(chains)[-1].pictures[16][0], chains.told("people-chain", None))
    assert list(bits) == [8, 16] and all(value > 0 for value in bits.values())
    words = growth_html({8: np.zeros((1, 8, 8, 3), np.uint8)}, (8, 16), 1, bits={8: 250.0, 16: 750.0})
    assert "250 bits" in words and "bits, 25%" in words and "16 × 16" in words
    assert "What is where costs <b>25.0%</b>" in words and "texture <b>75%</b>" in words, "their own shares"
    assert words.count("when written down") == 1, "what bits are is said once"


def test_every_size_has_a_row_and_the_mosaic_can_be_painted_once_all_is_drawn():
    start = np.zeros((8, 8, 3), np.uint8)
    waiting = growth_html({}, (8, 16), 4)
    assert waiting.count("<img") == 8 and "drawn first" in waiting and "data-paint disabled" in waiting
    done = growth_html({}, (8, 16), 4, start, start, bits={8: 1.0, 16: 1.0})
    assert done.count("<img") == 2 + 4 and "the start" in done and SMOOTHED in done
    assert "data-paint>" in done
    finer = growth_html({}, (8, 16, 32), 4, np.zeros((16, 16, 3), np.uint8), start)
    assert "8 × 8" not in finer and "data-paint" not in finer, "the smallest picture is not among those shown"


def test_a_request_ends_with_the_bits_and_leaves_the_turn_free(chains):
    last = list(draw(chains, "people-chain", chains.told("people-chain", None), None, 1, **HOW))[-1]
    assert last[0].count(" bits, ") == 2 and "4 pictures" in last[1]
    assert [last[-1][size].shape for size in (8, 16)] == [(8, 8, 3), (16, 16, 3)]
    assert not chains.service.busy
    start = np.zeros((8, 8, 3), np.uint8)
    again = list(draw(chains, "people-chain", chains.told("people-chain", None), start, 1, last[-1][16], **HOW))[-1]
    assert again[0].count("<figure>") == 3 + 4, "the start, what smoothing makes of it, the original; and four pictures"
    assert "told: <b>nobody in particular</b>" in again[0] and "told: <b>nobody in particular</b>" in last[0]


def test_a_picture_is_shrunk_by_means_and_enlarged_beside_it(chains):
    picture = np.full((64, 64, 3), 100, np.uint8)
    assert np.array_equal(chains.smaller("people-chain", picture, 8), np.full((8, 8, 3), 100))
    with pytest.raises(UserError, match="goes on from 8 pixels"):
        chains.smaller("people-chain", picture, 16)
    assert enlarged(picture[:8, :8], 16).shape == (16, 16, 3)
    words = growth_html({64: picture[None]}, (8, 64), 1, picture[:8, :8], picture, told="a & b")
    assert words.count("<figure>") == 3 and "the same 8 × 8 pixels, told: <b>a &amp; b</b>" in words


def test_portraits_and_paths_are_drawn_with_the_chain(chains):
    faces = FaceService(chains.service)
    assert faces.model_name == "people-chain"
    vectors = np.random.default_rng(2).normal(size=(2, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    *_, last = faces.portraits(vectors[0], 2, 3, **HOW)
    assert last.images.shape == (1, 2, 16, 16, 3) and last.shown_rows == 16
    path = list(faces.path(vectors[0], vectors[1], 3, 2, "spherical", 3, **HOW))[-1].images
    assert path.shape == (3, 2, 16, 16, 3) and np.array_equal(path[0], last.images[0])
    alike = faces.alike(last.images[0], vectors[0])
    assert len(alike) == 2 and (np.abs(alike) <= 1).all()


def test_a_mosaic_comes_back_as_it_was_painted():
    cells = np.random.default_rng(3).integers(0, 256, (8, 8, 3), np.uint8)
    assert np.array_equal(read_mosaic(mosaic_value(cells)), cells)
    assert mosaic_value(cells)["palette"][-len(PURE):] == PURE
    palette = palette_of(cells)
    assert 1 < len(palette) <= COLOURS and all(len(colour) == 7 and colour[0] == "#" for colour in palette)


@pytest.mark.parametrize("value", [None, 5, {}, {"pixels": None}, {"pixels": "no base64!"}, {"pixels": "AAAA"},
                                   {"pixels": base64.b64encode(bytes(193)).decode()}, {"pixels": "A" * 10 ** 6}])
def test_whatever_a_browser_sends_in_place_of_a_mosaic_is_one_sentence(value):
    with pytest.raises(UserError, match="must have 8 x 8 cells"):
        read_mosaic(value)
