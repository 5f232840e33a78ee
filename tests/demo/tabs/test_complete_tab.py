"""The Complete tab: its service, its endpoint, what it opens with, and hostile values."""

import re

import numpy as np
import pytest
from gradio_client import Client
from helpers import images_of, save_tiny

from demo.kit.pictures import bundled
from demo.kit.stored import fingerprint
from demo.service.bridge import Service
from demo.service.settings import UserError
from demo.tabs.complete import drawing, panels, tab
from demo.tabs.complete.service import DAMAGES, CompleteService, Damage, sight
from demo.tabs.complete.stored import COMPLETIONS, FILLED, read_completions, restorations
from tests.conftest import save_small_chain

SIZE = 16


@pytest.fixture(scope="module")
def complete(shared_service) -> CompleteService:
    return CompleteService(shared_service)


@pytest.fixture
def picture(complete) -> np.ndarray:
    return complete.fit(bundled("cat"))


def last(stream) -> np.ndarray:
    *_, progress = stream
    assert progress.state == "done"
    return progress.images[0]


def brushed(known: np.ndarray) -> dict:
    """What the canvas sends."""
    return {"mask": "".join("01"[not k] for k in known.ravel())}


def test_completions_keep_what_is_known_and_differ_where_it_is_not(complete, service, picture):
    known = complete.masks()["lower half"]
    images = last(complete.complete(picture, known, 3, 5))
    assert images.shape == (3, SIZE, SIZE, 3)
    assert (images[:, known] == picture[known]).all()
    assert (images[0] != images[1]).any()
    assert (images == last(complete.complete(picture, known, 3, 5))).all()


def test_weights_are_shares_of_how_well_the_known_pixels_are_explained(complete, service, picture):
    known = complete.masks()["square in the middle"]
    bits, weights, effective = complete.weigh(last(complete.complete(picture, known, 4, 5)), known)
    assert weights.sum() == pytest.approx(1) and 1 <= effective <= 4
    assert (np.argsort(bits) == np.argsort(-weights)).all()
    assert np.allclose(np.log2(weights[0] / weights[1]), bits[1] - bits[0], atol=1e-6)


@pytest.mark.parametrize("kind", DAMAGES)
def test_restorations_and_simple_repairs(complete, service, picture, kind):
    what = Damage(kind, complete.masks()["every second pixel"], tab.STRENGTHS.get(kind))
    images = last(complete.restore(picture, what, 2, 5))
    assert images.shape == (2, SIZE, SIZE, 3) and (images[0] != images[1]).any()
    if kind == "masked":
        assert (images[:, what.known] == picture[what.known]).all()
    repaired, damaged = complete.repaired(picture, what), complete.damaged(picture, what)
    assert repaired.shape == damaged.shape == picture.shape
    assert complete.decibels(repaired, picture, what) > complete.decibels(images[0], picture, what)  # random weights
    assert complete.decibels(picture, picture, what) == np.inf


def test_raster_order_sees_less_and_less(complete):
    known = complete.masks()["square in the middle"]
    seen = sight(known)
    assert (seen[:4] == 1).all() and (seen[12:] == 0).all() and 0 < seen[8, 0] < seen[5, 0] < 1
    words = panels.seen_html(np.zeros((SIZE, SIZE, 3), np.uint8), known, seen)
    assert "64 pixels are missing" in words
    assert f"{int((known & (seen == 0)).sum())} known pixels below the hole" in words


def test_without_a_restorer_or_with_another_one_there_is_a_sentence(shared_service, service, tmp_path, picture, models):
    what = Damage("grey", np.ones((SIZE, SIZE), bool))
    nothing = CompleteService(shared_service, tmp_path)
    assert not nothing.has_restorer
    with pytest.raises(UserError, match="pixelcnn_core train restorer-cpu"):
        list(nothing.restore(picture, what, 1, 0))
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        list(nothing.restore(picture, what, 1, 0))
    assert not shared_service.busy


def test_the_stored_examples_are_those_that_generate_would_draw(complete, service, models):
    stored = read_completions(models / "photos", COMPLETIONS)
    again = last(complete.complete(stored.original, stored.known, len(stored.images), stored.facts["seed"]))
    assert (again == stored.images).all()
    for kind in DAMAGES:
        stored = read_completions(complete.folder, restorations(kind))
        what = Damage(kind, stored.known, stored.facts["strength"])
        again = last(complete.restore(stored.original, what, len(stored.images), stored.facts["seed"]))
        assert (again == stored.images).all(), kind
    assert read_completions(models, COMPLETIONS) is None


def test_the_endpoint_completes_and_weighs(url, service):
    client = Client(url, verbose=False)
    known = CompleteService(Service(service.folder)).masks()["square in the middle"]
    shown, text, seed = client.predict(brushed(known), tab.RASTER, "masked", 0.1, 4, 3, 9, api_name="/complete")
    assert "3 completions" in text and seed == 9
    assert len(images_of(shown)) == 3 and "by weight" in shown
    shares = re.findall(r"(\d) · <b>.*?</b><br>([\d,]+) bits", shown)
    assert [k for k, _ in shares] == ["1", "2", "3"]
    costs = [int(bits.replace(",", "")) for _, bits in shares]
    places = [int(place) for place in re.findall(r"--place:(\d)", shown)]
    assert [cost for _, cost in sorted(zip(places, costs))] == sorted(costs), "the best explanation comes first"
    assert re.search(r"worth <b>[123]\.\d</b>", shown)


def test_after_a_lower_half_nothing_is_left_to_explain(url, service):
    known = CompleteService(Service(service.folder)).masks()["lower half"]
    shown = Client(url, verbose=False).predict(brushed(known), tab.RASTER, "masked", 0.1, 4, 2, 9,
                                               api_name="/complete")[0]
    assert "nothing left to explain" in shown and len(images_of(shown)) == 2


def test_the_endpoint_restores(url, service):
    shown, text, _ = Client(url, verbose=False).predict(None, tab.RESTORER, "noise", 0.2, 4, 2, 9, api_name="/complete")
    assert "2 restorations" in text
    assert len(images_of(shown)) == 5 and "median filter" in shown
    pictures, numbers = shown.split("<details")
    assert " dB" not in pictures and panels.GOOD_FOR in pictures and numbers.count(" dB<") == 4, "numbers are folded"


@pytest.mark.parametrize("values, words", [
    ((None, tab.RASTER, "masked", 0.1, 4, 2, 1), "Nothing is missing"),
    (({"mask": "01"}, tab.RASTER, "masked", 0.1, 4, 2, 1), "does not fit"),
    (({"mask": [1] * 256}, tab.RESTORER, "masked", 0.1, 4, 2, 1), "does not fit"),
    ((None, "sideways", "masked", 0.1, 4, 2, 1), "no way"),
    ((None, tab.RESTORER, ["scratched"], 0.1, 4, 2, 1), "no damage")])
def test_hostile_values_get_a_sentence(url, service, values, words):
    with pytest.raises(Exception, match=words):
        Client(url, verbose=False).predict(*values, api_name="/complete")
    assert not service.busy


def test_numbers_out_of_range_are_moved_into_it(url, service):
    known = CompleteService(Service(service.folder)).masks()["lower half"]
    shown, text, seed = Client(url, verbose=False).predict(brushed(known), tab.RESTORER, "low resolution", "NaN", 1e99,
                                                           -3, -7, api_name="/complete")
    assert seed == 0 and "2 restorations" in text and "bicubic" in shown


def test_the_measured_table_quotes_the_results(complete):
    table = panels.measured_html(complete.results, 12345, {})
    for words in ("ahead in 0 of 1 rows", "12,345 pictures",
                  "grey copied", "11.1", "22.2", "<b>33.3</b>", "1.25", "3.75", "mean of 8"):
        assert words in table
    assert table.startswith("<details") and panels.measured_html({}, 0, {}) == ""


def test_the_table_of_the_hole_says_where_the_chain_is_beaten():
    ways = {"coarse to fine": {"psnr_sample": 10.0, "psnr_mean": 12.5, "class_kept": 0.75, "class_kept_mean": 0.5},
            "diffusion": {"psnr_sample": 15.25, "class_kept": 0.5}}
    table = {"ways": ways, "hole": 12, "samples": 16, "images": 100}
    words = panels.inpainting_html(table)
    for said in ("12 × 12", "<td>12.5</td>", "75%", "mean of 16",
                 "beats the simple repair in the class kept by one completion",
                 "does not beat the simple repair in PSNR of the mean"):
        assert said in words
    assert panels.inpainting_html({}) == panels.inpainting_html({"ways": 5}) == ""


@pytest.fixture(scope="module")
def with_chain(tmp_path_factory) -> CompleteService:
    folder = tmp_path_factory.mktemp("chained")
    save_tiny(folder / "photos")
    save_small_chain(folder / "colours", first_kernel_size=3)
    return CompleteService(Service(folder))


def test_the_chain_keeps_what_is_known_and_grows(with_chain, complete, picture):
    assert with_chain.chain_name == "colours" and complete.chain_name is None
    known = with_chain.masks()["square in the middle"]
    moments = list(with_chain.fill(picture, known, 3, 5))
    assert [m.images.shape[2] for m in moments] == [8] + [16] * SIZE and moments[-1].state == "done"
    images = moments[-1].images[0]
    assert (images[:, known] == picture[known]).all() and (images[0] != images[1]).any()
    coarse = panels.growing(moments[0].images[0], picture, known)
    assert len(coarse) == 3 and (coarse[0][known][:, :3] == picture[known]).all()
    with pytest.raises(UserError, match="Nothing is missing"):
        with_chain.fill(picture, np.ones((SIZE, SIZE), bool), 3, 5)
    with pytest.raises(UserError, match="no chain"):
        complete.fill(picture, known, 3, 5)


def test_with_nothing_missing_the_frames_are_empty(complete, picture):
    known = np.ones((SIZE, SIZE), bool)
    asked = drawing.Request(picture, known, tab.RASTER, Damage("masked", known), 3, 1)
    panels_of = drawing.drawing_panels(asked, drawing.undrawn_images(asked), 0)
    assert len(panels_of) == 3 and not np.array(panels_of)[..., 3].any()
    result = panels.compared_html({way: panels_of for way in (tab.RASTER, tab.RESTORER)}, tab.ROWS)
    assert "3 of each way" in result and 'class="at-rest blank"' in panels.at_rest(result, blank=True)


def test_every_mask_takes_some_pixels_away(complete):
    assert all(0 < known.sum() < SIZE * SIZE for known in complete.masks().values())


def test_the_bundled_examples_were_drawn_from_the_bundled_weights():
    complete = CompleteService(Service())
    kept = [(complete.service.folder / complete.model_name, COMPLETIONS)]
    kept += [(complete.service.folder / complete.chain_name, FILLED)] if complete.chain_name else []
    if complete.has_restorer:
        kept += [(complete.folder, restorations(kind)) for kind in DAMAGES]
    for folder, name in kept:
        stored = read_completions(folder, name)
        assert stored is not None and stored.facts["weights"] == fingerprint(folder), "python -m demo.make_assets"
