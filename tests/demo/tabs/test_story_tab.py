"""The story: what it stores is what the bundled models say, and its words, steps and doors belong together."""

import io
import re

import gradio as gr
import numpy as np
import pytest
import torch
from helpers import unpack
from PIL import Image

from demo.kit.page_files import FILES
from demo.kit.stored import fingerprint
from demo.service.bridge import MODELS, Service
from demo.service.faces import FaceService
from demo.tabs.story import make, opening, tab
from demo.tabs.story.pack import pack
from demo.tabs.story.pack import unpack as unpacked_here
from demo.web.page import TABS
from pixelcnn_core.evaluation.receptive_field import receptive_field
from pixelcnn_core.faces.encoder import condition_vectors
from pixelcnn_core.models.conditioning import Condition

STEPS = ("guess", "dice", "drawing", "edits", "peek", "told", "chain", "face")


@pytest.fixture(scope="module")
def record() -> dict:
    return tab.read_record()


@pytest.fixture(scope="module")
def picture(record) -> np.ndarray:
    return unpack(record["picture"]["pixels"])


@pytest.fixture(scope="module")
def odds(picture) -> np.ndarray:
    """All distributions of the picture, asked of the bundled model again: (H, W, 3, 256)."""
    service = Service()
    vector = torch.from_numpy(FaceService(service).example(make.PERSON).embedding)[None]
    with torch.inference_mode():
        logits = service.model(make.MODEL)(torch.from_numpy(picture).permute(2, 0, 1)[None],
                                           Condition(embedding=condition_vectors(vector)))
    return logits[0].double().softmax(0).permute(2, 3, 1, 0).numpy()


@pytest.mark.parametrize("array, stride", [
    (np.arange(60, dtype=np.uint8).reshape(4, 5, 3) * 7, 3), (np.array([[0, 65535, 256, 255]], np.uint16), 1),
    (np.array([True, False, True]), 1), (np.arange(7, dtype=np.uint8), 3)])
def test_arrays_survive_packing(array, stride):
    for way in (unpack, unpacked_here):  # the tests' own, and that of the page
        again = way(pack(array, stride))
        assert again.shape == array.shape and (again == array).all()


def test_other_numbers_are_not_packed():
    with pytest.raises(ValueError, match="float32"):
        pack(np.zeros(3, np.float32))


def test_it_belongs_to_the_bundled_weights(record):
    assert make.MODEL in record["weights"] and len(record["weights"]) >= 4
    for name, weights in record["weights"].items():
        assert weights == fingerprint(MODELS / name), f"{name} was trained anew: {record['command']}"


def test_the_bars_are_the_models(record, picture, odds):
    trace, peak = record["trace"], odds.max(3, keepdims=True)
    assert np.abs(unpack(trace["bars"]) - trace["levels"] * odds / peak).max() <= 0.51
    drawn = np.take_along_axis(odds, picture[..., None].astype(int), 3)[..., 0]
    assert np.abs(unpack(trace["surprise"]) / 1000 + np.log2(drawn)).max() < 0.002
    assert np.abs(unpack(trace["peak"]) / 1000 + np.log2(peak[..., 0])).max() < 0.002
    assert (drawn >= make.MIN_P * peak[..., 0] * 0.999).all(), "nothing was drawn that min-p forbids"


def test_guesses_and_dice_are_the_models(record, picture, odds):
    for deal in record["guesses"]:
        shares = unpack(deal["odds"]) / 65535  # (6, 3, 256)
        row, column = deal["place"]
        assert shares.shape == (6, 3, 256) and np.abs(shares.sum(2) - 1).max() < 0.002
        drawn = deal["colours"].index(picture[row, column].tolist())
        assert np.abs(shares[drawn] - odds[row, column]).max() < 1e-4
        assert len({tuple(colour) for colour in deal["colours"]}) == 6
    row, column = record["dice"]["place"]
    assert np.abs(unpack(record["dice"]["odds"]) / 65535 - odds[row, column, 0]).max() < 1e-4


def test_edits_change_what_comes_after_and_nothing_before(record, picture):
    edits, before = record["edits"], picture.reshape(-1, 3)
    for (row, column), redrawn in zip(edits["places"], unpack(edits["pixels"]).reshape(-1, len(before), 3)):
        at = row * edits["size"] + column
        assert (redrawn[:at] == before[:at]).all() and redrawn[at].tolist() == edits["colour"]
        assert (redrawn[at + 1:] != before[at + 1:]).any(1).mean() > 0.3


def test_the_blind_spot_is_no_matter_of_depth(record):
    fields = record["fields"]
    plain, gated, earlier = (unpack(fields[name]).astype(bool) for name in ("plain", "gated", "earlier"))
    assert len(plain) == len(gated) == fields["layers"]
    deeper = receptive_field("plain", fields["layers"] + 4, fields["size"], *fields["place"]).numpy()
    assert (plain[-1] == deeper).all() and (earlier & ~deeper).sum() > 0
    assert (gated[-1] == earlier).all() and not (plain | gated)[:, ~earlier].any()


def test_classes_sizes_and_faces_are_there(record):
    for told in record["told"]:
        assert unpack(told["pixels"]).shape == (len(told["names"]), told["size"], told["size"], 3)
        for size, pictures in told["smaller"].items():
            assert unpack(pictures).shape == (len(told["names"]), int(size), int(size), 3)
    assert [list(told["smaller"]) for told in record["told"]] == [[], ["8", "16"]], "photos: coarse to fine"
    chain = record["chain"]
    for size in chain["sizes"]:
        assert unpack(chain["pixels"][str(size)]).shape == (chain["count"], size, size, 3)
    for person in record["faces"]["people"]:
        assert len(person["numbers"]) == 128 and np.isclose(np.linalg.norm(person["numbers"]), 1, atol=0.02)
        assert len(unpack(person["portraits"])) == person["count"] >= 3


def test_files_are_small_and_of_the_right_size():
    assert tab.RECORD.stat().st_size < 1_200_000
    with Image.open(tab.RECORD.parents[1] / "preview.png") as preview:
        assert preview.size == (1200, 630)
    with Image.open(tab.RECORD.parents[1] / "favicon.png") as icon:
        assert icon.size == (64, 64)


def test_every_step_has_words_and_a_folded_formula_and_a_button():
    words, script = tab.template(tab.DOORS), tab.script()
    assert tuple(re.findall(r'<section data-step="(\w+)"', words)) == STEPS
    assert tuple(re.findall(r'data-go="(\w+)"', words)) == STEPS
    for step, section in zip(STEPS, words.split("<section ")[1:]):
        before, folded = section.split("<details>")
        assert "<summary>In symbols</summary>" in folded and "<i>p</i>" not in before, step
        assert f"steps.{step} = {{" in script, step
    assert words.count("aria-live") == 1, "one live region"


def test_the_first_step_is_there_before_the_record_arrives(record, picture):
    words = opening.opened(tab.template(tab.DOORS), record)
    assert words.count('<div class="story" data-open="guess">') == 1 and "Next: <span>It throws dice</span>" in words
    assert 'data-go="guess" aria-current="step"' in words and 'data-turn="back" disabled' in words
    assert f"Chosen by eye among {record['picture']['chosen_from']}." in words
    deal = record["guesses"][0]
    assert re.findall(r'<button type="button"><i style="background:rgb\((\d+) (\d+) (\d+)\)', words) == [
        tuple(map(str, colour)) for colour in deal["colours"]]
    address = re.search(r"--first: url\(stored/([^)]+)\)", words)[1]
    with Image.open(io.BytesIO(FILES[address])) as image:
        pixels = np.asarray(image)[opening.ZOOM // 2::opening.ZOOM, opening.ZOOM // 2::opening.ZOOM]  # (32, 32, 4)
    row, column = deal["place"]
    at = row * len(picture) + column
    shown = (np.arange(picture[..., 0].size) < at).reshape(picture.shape[:2])
    assert (pixels[..., 3] == 255 * shown).all() and (pixels[shown, :3] == picture[shown]).all()
    with pytest.raises(ValueError, match="steps.html"):
        opening.opened(words, record)


def test_every_door_leads_to_a_tab():
    assert TABS[0] is tab and set(tab.DOORS) < {module.ID for module in TABS}
    first, others = tab.template(tab.DOORS).split('<ul class="first">')[1].split("<ul>")
    assert [part.count('<li><a href="?tab=') for part in (first, others)] == [3, len(tab.DOORS) - 3]


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_a_missing_or_damaged_record_is_said(tmp_path, monkeypatch, text):
    path = tmp_path / "story.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(tab, "RECORD", path)
    with gr.Blocks() as page:
        tab.build(page, None)
    assert [block.value for block in page.blocks.values() if isinstance(block, gr.Markdown)] == [tab.MISSING]
