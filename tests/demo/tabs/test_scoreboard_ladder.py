"""The ladder on the Scoreboard: read from its files, placed on one axis, its order compared with the paper's."""

import json
import re

import gradio as gr
import numpy as np
import pytest
from helpers import save_race
from PIL import Image
from test_scoreboard_tab import RESULTS, TIMES, info

from demo.tabs.scoreboard import folds
from demo.tabs.scoreboard import tab as scoreboard_tab
from demo.tabs.scoreboard.chain_numbers import chains_html
from demo.tabs.scoreboard.curves_plot import HEIGHT, LINE, curves_svg, spaced
from demo.tabs.scoreboard.headline import end_words, headline_html, ladder_words, notes_html, scale_svg
from demo.tabs.scoreboard.ladder_panel import WIDTH, ladder_html, order_html, position, scale
from demo.tabs.scoreboard.ladder_results import PAPER, ROWS, out_of_order, read_ladder, read_longer
from demo.tabs.scoreboard.paper_tables import TABLES, subset_html
from demo.tabs.scoreboard.race_results import read_races
from demo.tabs.scoreboard.rung_words import IN_SHORT, MOVED, WORDS
from pixelcnn_core.evaluation.ladder import PLACES, WHAT

BITS = {"uniform": 8.0, "gaussian": 5.4, "nice": 5.3, "deep-diffusion": 5.2, "draw": 5.1, "deep-gmm": 5.0,
        "conv-draw": 4.9, "ride": 4.8, "plain": 4.7, "row-lstm": 4.6, "diagonal-bilstm": 4.5, "pixelcnn": 4.55,
        "chain": 4.7}


def stored_ladder(bits: dict[str, float], spread: float = 0.01, minutes: float = 1.0, seeds: int = 3) -> dict:
    """A ladder.json as the command writes it."""
    rungs = {}
    for key, value in bits.items():
        fitted = key in ("uniform", "gaussian")
        curve = [] if fitted else [{"minutes": minutes * k / 4, "bits_per_dim": value + 1 / k} for k in range(1, 5)]
        runs = [{"rung": key, "seed": seed, "bits_per_dim_test": value, "parameters": 1000, "hardware": "a <fast> core",
                 "images_per_second": 100.0, "curve": curve} for seed in range(1 if fitted else seeds)]
        kind = PLACES[key].what
        rungs[key] = {"name": PLACES[key].name, "kind": kind, "what": WHAT[kind], "seeds": len(runs),
                      "bits_per_dim_test": value, "spread": 0.0 if fitted else spread,
                      "gain": 0.03 if kind in ("dequantised", "bound") and not fitted else None, "runs": runs}
    return {"data": "cifar10", "image_size": 16, "minutes": minutes, "images_test": 1000, "clock": "CPU time",
            "rungs": rungs}


def save(folder, stored: dict, strips: bool = True) -> None:
    (folder / "samples").mkdir(parents=True)
    (folder / "ladder.json").write_text(json.dumps(stored), encoding="utf-8")
    for key in stored["rungs"] if strips else ():
        Image.fromarray(np.zeros((32, 270, 3), np.uint8)).save(folder / "samples" / f"{key}.png")


@pytest.fixture
def ladder(tmp_path):
    save(tmp_path / "ladder", stored_ladder(BITS))
    return read_ladder(tmp_path / "ladder")


def test_every_rung_has_its_words_and_the_paper_s_rows_are_all_there():
    assert set(WORDS) == set(PLACES) and set(MOVED) <= set(ROWS) and set(IN_SHORT) == set(WORDS)
    assert set(ROWS.values()) == set(PAPER)
    assert all(len(words.split()) > 8 for words in WORDS.values())


def test_the_files_are_read(ladder):
    assert [rung.key for rung in ladder.rungs] == list(BITS) and (ladder.size, ladder.seeds) == (16, 3)
    nice, chain = ladder.rung("nice"), ladder.rung("chain")
    assert (nice.paper, nice.bits, nice.gain, nice.exact) == (4.48, 5.3, 0.03, False)
    assert chain.paper is None and nice.error == pytest.approx(0.01 / 3 ** 0.5)
    assert nice.curve[0] == (0.25, 6.3) and nice.strip.startswith("data:image/png;base64,")


@pytest.mark.parametrize("damage", ["{", '{"rungs": {}}', '{"rungs": []}',
                                    json.dumps({**stored_ladder(BITS), "minutes": "x"}),
                                    json.dumps({"rungs": {"nice": {"runs": []}}})])
def test_a_damaged_ladder_is_none(tmp_path, damage):
    (tmp_path / "ladder.json").write_text(damage, encoding="utf-8")
    assert read_ladder(tmp_path) is None and read_ladder(tmp_path / "nowhere") is None


def test_both_numbers_stand_on_one_axis(ladder):
    low, high = scale(ladder)
    assert low < min(PAPER.values()) and 5.4 < high < 6  # 8 would squeeze the others
    places = [position(bits, low, high) for bits in (low, 4, high, 9)]
    assert places == sorted(places) and places[2] == places[3] < WIDTH
    shown = ladder_html(ladder)
    rows = shown.split('<div class="rung')[2:]
    assert len(rows) == len(BITS)
    for row, rung in zip(rows, ladder.rungs):
        assert f'cx="{position(rung.bits, low, high)}"' in row and WORDS[rung.key] in row
        assert row.count('<path class="quoted"') == (rung.paper is not None) and row.count("<img") == 1
        assert ("at most" in re.sub(r"<p>.*?</p>", "", row)) == (not rung.exact)
        assert ('class="off"' in row) == (rung.key == "uniform")
    assert "paper 4.48" in rows[2] and "at most 5.30</b> ± 0.01" in rows[2] and "closer bound: 5.27" in rows[2]
    assert "closer" not in rows[8] and "±" not in rows[1]


def test_what_is_out_of_the_papers_order_is_told(ladder):
    assert out_of_order(ladder) == []  # the paper's PixelRNN is ahead of its Gated PixelCNN, too
    assert "stand in its order here too" in order_html(ladder, {})


def test_a_rung_that_moved_is_named_with_the_others_and_the_longer_run(tmp_path):
    save(tmp_path / "a", stored_ladder({**BITS, "gaussian": 5.05}))
    save(tmp_path / "a" / "longer", stored_ladder({"nice": 4.9}, minutes=6))
    moved = read_ladder(tmp_path / "a")
    assert [rung.key for rung in out_of_order(moved)] == ["gaussian"]
    words = order_html(moved, read_longer(tmp_path / "a"))
    assert "<b>Multivariate Gaussian</b> is ahead of NICE, Deep Diffusion and DRAW here, unlike in the paper" in words
    save(tmp_path / "b", stored_ladder({**BITS, "nice": 5.6}))
    words = order_html(read_ladder(tmp_path / "b"), read_longer(tmp_path / "a"))
    assert "<b>NICE</b> is behind Multivariate Gaussian" in words and MOVED["nice"] in words
    assert ("6 minutes instead of 1 minute brought it from 5.60 to <b>4.90</b>: then it is in the paper's order, among "
            "those that had as many") in words
    save(tmp_path / "c" / "longer", stored_ladder({"nice": 5.7, "ride": 4.6, "deep-gmm": 5.8}, minutes=6))
    words = order_html(read_ladder(tmp_path / "b"), read_longer(tmp_path / "c"))
    assert "to <b>5.70</b>: still behind Multivariate Gaussian (5.40) and ahead of Deep GMM (5.80)" in words
    assert "RIDE (" not in words


def test_machines_are_all_named(tmp_path):
    stored = stored_ladder(BITS)
    stored["rungs"]["nice"]["runs"][2]["hardware"] = "another"
    save(tmp_path / "a", stored)
    assert read_ladder(tmp_path / "a").hardware == "a <fast> core and another"


def test_level_within_the_error_is_no_other_order(tmp_path):
    save(tmp_path / "a", stored_ladder({**BITS, "nice": 5.41}, spread=0.02))
    assert out_of_order(read_ladder(tmp_path / "a")) == []
    save(tmp_path / "b", stored_ladder({**BITS, "nice": 5.41}, spread=0.002))
    assert [rung.key for rung in out_of_order(read_ladder(tmp_path / "b"))] in (["nice"], ["gaussian"])


def test_the_curves_have_names_that_do_not_touch(ladder):
    svg = curves_svg(ladder)
    assert svg.count('class="line"') == svg.count('tabindex="0"') == 12 and svg.count("curve ours") == 1
    assert svg.count("curve ride") == svg.count("curve plain") == 1 and "curve nice" not in svg
    assert svg.rindex("<g class=") == svg.index("<g class=\"curve ours"), "the paper's own is drawn over the others"
    assert 'aria-label="RIDE: 5.05 after 1 min"' in svg
    assert ">minutes of training<" in svg and ">bits per dimension<" in svg
    heights = sorted(float(y) for y in re.findall(r'<text x="470" y="([\d.]+)"', svg))
    assert len(heights) == 12 and heights[-1] < HEIGHT
    assert all(b - a >= LINE - 0.2 for a, b in zip(heights, heights[1:]))
    assert spaced([10, 10, 400, 425]) == sorted(spaced([10, 10, 400, 425])) and spaced([]) == []


def test_a_tap_or_enter_pins_a_curve(ladder, chromium):
    page, inside = chromium.new_page(), f'<details class="fold" id="ladder-curves" open>{curves_svg(ladder)}</details>'
    page.set_content(f'<div id="all">{inside}</div>')
    page.evaluate("""script => {
        window.address = {write() {}, whenQuiet() {}};
        new Function("element", script)(document.getElementById("all"));
    }""", folds.SCRIPT)
    curve = page.locator("#ladder-curves .curve").first
    curve.locator("text").click()
    assert curve.get_attribute("aria-pressed") == "true" and page.locator(".curve.pinned").count() == 1
    curve.press("Enter")
    assert curve.get_attribute("aria-pressed") == "false" and not page.locator(".curve.pinned").count()
    page.close()


def test_without_curves_there_is_no_plot(tmp_path):
    save(tmp_path / "a", stored_ladder({"uniform": 8.0, "gaussian": 5.4}))
    assert curves_svg(read_ladder(tmp_path / "a")) == ""


def test_the_tab_opens_on_three_numbers_from_the_files(tmp_path):
    save_race(tmp_path / "digits")
    race = read_races(tmp_path)["digits"]
    shown = headline_html([info(results={}), info()], race, TIMES)
    assert re.findall(r'</h3><b>([\d.]+)<', shown) == ["3.23", "88", "980"]
    assert "far larger network needs 3.03." in shown
    assert "a photo takes 0.029\N{NO-BREAK SPACE}s instead of 29\N{NO-BREAK SPACE}s" in shown
    assert "CIFAR" not in shown and "machine" not in shown and "BiLSTM" not in shown, "plain words first"
    notes = notes_html([info(results={}), info()], race, TIMES)
    assert "twice as likely, 3,072 times over; from 8 bits we got to 3.23, told no class." in notes
    assert "CIFAR-10, 32×32, test photos; 25 minutes of training on one core of a CPU; told no class" in notes
    assert "told the class of each photo it needs 3.12" in notes and "32 GPUs" not in notes and "RIDE" not in notes
    assert "on a machine; the naive way from 4 of its 3,072 runs" in notes and "&lt;model&gt;" in notes
    assert "Compare these numbers only inside this chart. The slow rival is the Diagonal BiLSTM." in notes
    assert re.findall(r"<tspan>([\d.]+)<", notes) == ["8.00", "3.03", "3.23"], "all three on the scale"
    alone = headline_html([info(results={})])
    assert re.findall(r'</h3><b>([\d.]+)<', alone) == ["3.03"]
    assert "3,072 times over." in notes_html([info(results={})])
    assert "How well the paper’s guesses" in alone
    assert "<script>" not in headline_html([info(name="<script>")])


def test_the_scale_is_filled_as_far_as_we_came():
    shown = scale_svg(3.5, 3.03)
    (x, width), = re.findall(r'class="here" x="([\d.]+)%" width="([\d.]+)%"', shown)
    (paper,) = re.findall(r'<line class="quoted" x1="([\d.]+)%"', shown)
    assert (float(x), float(width)) == (3.0, pytest.approx(0.9 * 94)) and float(x) + float(width) < float(paper) < 97


def test_more_minutes_are_told_from_their_files(tmp_path, ladder):
    fast = stored_ladder({**BITS, "ride": 4.2})
    save(tmp_path / "a", fast)
    quick = read_ladder(tmp_path / "a")
    words = ladder_words(quick, {"pixelcnn": (6.0, 4.3), "ride": (6.0, 4.1)}, None)
    assert "RIDE, a simple model" in words and "leads with at most 4.20" in words and "come to 4.55" in words
    assert words.endswith("6 minutes bring it to 4.30 and RIDE to 4.10, 0.20 apart instead of 0.35.")
    words = ladder_words(quick, {"pixelcnn": (6.0, 4.05), "ride": (6.0, 4.1)}, info())
    assert "to 4.05 and RIDE to 4.10. This page's own" in words
    assert "photos of 32×32 pixels: 3.23, told no class." in words
    assert ladder_words(quick, {"pixelcnn": (6.0, 4.05), "ride": (5.0, 4.1)}, None).endswith("bring it to 4.05.")
    assert "the other way round: Gated PixelCNN 3.03, RIDE 3.47" in end_words(quick)
    assert "the same order: Gated PixelCNN 3.03, Diagonal BiLSTM 3.00" in end_words(ladder)
    save(tmp_path / "b", stored_ladder({**BITS, "pixelcnn": 4.1}))
    first = read_ladder(tmp_path / "b")
    assert "the paper's Gated PixelCNN leads with 4.10." in ladder_words(first, {}, None) and end_words(first) == ""
    assert ladder_words(None, {}, None) == ""


def test_the_subset_of_imagenet_is_said_to_be_one():
    stored = {**RESULTS, "data": "imagenet32classes", "images_test": 1600}
    chain = info(results={"data": "imagenet32classes", "bits_per_dim_at_most": 3.9, "images_test": 900}, sizes=(8, 64))
    shown = subset_html([info(results=stored), chain, info()])
    assert "know 32 of the 1,000 classes" in shown and shown.count("<tr>") == 3
    assert ('<th scope="row">32×32</th><td><b>3.23</b> <small>Ours; told no class (told the class: 3.12); 4.7 M '
            "parameters, 25 minutes of training, 1,600 test images</small></td>") in shown
    assert '<th scope="row">64×64</th><td><b>at most 3.90</b> <small>Ours; 4.7 M' in shown
    assert not any(f"{test:.2f}" in shown for table in TABLES[1:] for _, test, _ in table.rows), "none of the paper's"
    assert subset_html([info()]) == ""


STEP = {"parameters": 970_416, "bits_per_dim": 4.912, "bits": 943.0, "condition_is_worth_bits": 5.46}
CHAIN = {"images_test": 1000, "bits_per_dim_at_most": 4.299, "bits_at_most": 13206.6,
         "steps": {"8": STEP, "16": STEP},
         "identity": {"portraits": 800, "rank1": 0.66, "gallery": 100, "rank1_real": 0.98, "rank1_chance": 0.01}}


def test_the_chains_numbers_come_from_their_files(tmp_path):
    times = {"forward_s": 0.0061, "naive_s": 12.34, "cached_s": 0.021, "naive_over_cached": 900.0,
             "images_per_second": 50.0}
    batch = {**times, "coarse_s": 0.004, "steps": {"8": times, "16": times}}
    folder = tmp_path / "a<b"
    folder.mkdir()
    (folder / "chain.json").write_text('{"steps": ["8", "16"]}', encoding="utf-8")
    (folder / "8").mkdir()
    (folder / "8" / "training.json").write_text('{"steps": 1, "images": 2232, "seconds": 10}', encoding="utf-8")
    made = {"device": "a <fast> core", "threads": 1, "batch": {"1": batch}}
    (folder / "benchmark.json").write_text(json.dumps(made), encoding="utf-8")
    chain = info(name="a<b", sizes=(8, 16), results=CHAIN)
    shown = chains_html([chain, info(), info(sizes=(8, 16), results={})], tmp_path)
    assert shown.count("<table") == 1 and "A&lt;b" in shown and "<fast>" not in shown
    assert ('<th scope="row">8×8</th><td>970,416</td><td>4.912</td><td>943</td><td>5.5</td><td>223</td>'
            "<td>0.0061 s</td><td>12.3 s</td><td>0.021 s</td>") in shown
    assert "at most 4.299" in shown and "66.0% are nearest to their own person among 100, of real photos 98.0%" in shown
    assert "the first row of its smallest picture is there after 0.004 s" in shown
    assert chains_html([info(name="other", sizes=(8, 16), results={**CHAIN, "steps": {"8": 1}})], tmp_path) == ""
    (folder / "benchmark.json").unlink()
    assert "naive loop" not in chains_html([chain], tmp_path)


def test_the_tab_opens_with_the_ladder(tmp_path, models):
    from demo.service.bridge import Service

    (tmp_path / "models").symlink_to(models, target_is_directory=True)
    save(tmp_path / "ladder", stored_ladder(BITS))
    service = Service(tmp_path / "models")
    service.folder = tmp_path / "models"
    with gr.Blocks() as page:
        scoreboard_tab.build(page, service)
    texts = " ".join(str(block.value) for block in page.blocks.values() if hasattr(block, "value"))
    assert texts.index("How well") < texts.index('class="ladder"') < texts.index("against minutes of training")
    assert texts.count("has only come to") == 1
    assert texts.index("Why is the paper's model not at the top?") < texts.index("has only come to")
    assert "a &lt;fast&gt; core" in texts and "<fast>" not in texts
