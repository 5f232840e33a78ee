"""The Scoreboard: quotes stay the paper's, our numbers come from files, the race is told right, samplers agree."""

import html
import json
import re
import shutil
from dataclasses import replace

import gradio as gr
import pytest
from helpers import save_race, wait_until

from demo.service.bridge import ModelInfo, Service
from demo.service.settings import UserError
from demo.tabs.scoreboard import tab as scoreboard_tab
from demo.tabs.scoreboard.axes import ticks
from demo.tabs.scoreboard.panels import quality_html
from demo.tabs.scoreboard.paper_tables import TABLES, measured_here, table_html, tables_html
from demo.tabs.scoreboard.race_plot import bounds, legend, race_svg
from demo.tabs.scoreboard.race_results import (
    GATED,
    about_words,
    claim_words,
    crossing,
    leader_words,
    parse,
    race_table,
    read_baselines,
    read_races,
)
from demo.tabs.scoreboard.rung_words import in_short
from demo.tabs.scoreboard.sampler_times import SamplerTimes, about, measured_on, read_times, times_html
from demo.tabs.scoreboard.service import ScoreboardService
from pixelcnn_core.results import weights_hash

RESULTS = {"data": "cifar10", "bits_per_dim_test": 3.1234, "bits_per_dim_test_unconditional": 3.2345,
           "bits_per_dim_train_unconditional": 3.1999}


def info(**changes) -> ModelInfo:
    values = {"name": "ours", "classes": ("cat",), "sizes": (32,), "channels": 3, "levels": 256, "embedding": 0,
              "parameters": 4_700_000, "results": RESULTS, "about": "", "minutes": 25.0, "card": ""}
    return ModelInfo(**{**values, **changes})


@pytest.fixture(scope="module")
def race(tmp_path_factory):
    folder = tmp_path_factory.mktemp("race")
    save_race(folder / "digits")
    return read_races(folder)["digits"]


def test_the_paper_is_quoted_in_full():
    cifar, small, large = TABLES
    assert [row[1] for row in cifar.rows] == [8.00, 4.70, 4.48, 4.20, 4.13, 4.00, 3.58, 3.47, 3.14, 3.00, 3.03]
    assert {name: (test, train) for name, test, train in cifar.rows if train} == {
        "Conv DRAW": (3.58, 3.57), "PixelCNN": (3.14, 3.08), "PixelRNN": (3.00, 2.93), GATED: (3.03, 2.90)}
    assert [row[1:] for row in small.rows] == [(4.40, 4.35), (3.86, 3.83), (3.83, 3.77)]
    assert [row[1:] for row in large.rows] == [(4.10, 4.04), (3.63, 3.57), (3.57, 3.48)]
    assert "3.03 (2.90)" in table_html(cifar, {})
    for table in TABLES:  # the training time is that of the paper's ImageNet models
        assert ("60 hours on 32 GPUs" in table_html(table, {})) == table.data.startswith("imagenet")


def test_our_numbers_stand_only_beside_the_same_data_at_the_same_size(race):
    cifar, small, _ = TABLES
    (line,) = measured_here(cifar, [info()], [race])[GATED]
    assert "3.23 (3.20)" in line and "Ours: 4.7 M parameters, 25 minutes of training" in line
    assert "; told no class (told the class: 3.12)" in line
    assert not measured_here(small, [info()], [race])
    for foreign in (info(sizes=(16,)), info(channels=1), info(results={**RESULTS, "data": "imagenet32classes"}),
                    info(results={"data": "cifar10"}), info(results={}),
                    info(results={**RESULTS, "bits_per_dim_test_unconditional": "<b>"})):
        assert not measured_here(cifar, [foreign], [race])
    assert "<script>" not in tables_html([info(name="<script>")], [], {})


def test_a_race_on_the_papers_own_data_fills_its_rows(race):
    stored = {"data": "cifar10", "image_size": 32, "channels": 3}
    same = parse("cifar10", {**json_of(race), **stored})
    found = measured_here(TABLES[0], [], [same])
    assert found["Uniform distribution"] == ["<b>4.09</b>"] and found["PixelRNN"] == ["<b>2.15</b>"]
    assert set(found) - {row[0] for row in TABLES[0].rows} == {"Row LSTM"}


def test_baselines_of_the_whole_data_set_have_a_file_of_their_own(tmp_path, race):
    (tmp_path / "cifar10").mkdir()
    stored = {"data": "cifar10", "baselines": json_of(race)["baselines"]}
    (tmp_path / "cifar10" / "baselines.json").write_text(json.dumps(stored), encoding="utf-8")
    found = measured_here(TABLES[0], [], [], read_baselines(tmp_path)["cifar10"])
    assert found == {"Uniform distribution": ["<b>4.09</b>"], "Multivariate Gaussian": ["<b>2.90</b>"]}
    (tmp_path / "cifar10" / "baselines.json").write_text('{"data": "cifar10", "baselines": [1]}', encoding="utf-8")
    assert read_baselines(tmp_path) == {}


def json_of(race) -> dict:
    """A race as its file holds it."""
    def entry(model):
        return {"name": model.name, "bits_per_dim_test": model.bits, "bits_per_dim_test_standard_error": model.error}

    return {"data": race.data, "image_size": race.size, "channels": race.channels, "levels": race.levels,
            "images_test": race.images_test, "batch": race.batch, "hardware": race.hardware,
            "baselines": {b.name: entry(b) for b in race.baselines},
            "models": {r.name: {**entry(r), "parameters": r.parameters, "steps": r.steps, "seconds": r.seconds,
                                "images_per_second": r.images_per_second,
                                "curve": [dict(zip(("seconds", "steps", "bits_per_dim"), p)) for p in r.curve]}
                       for r in race.runners}}


@pytest.mark.parametrize("seconds, leader, ahead", [(10, GATED, "0.100 ahead of PixelCNN"),
                                                    (20, "Diagonal BiLSTM", f"0.050 ahead of {GATED}"),
                                                    (29.9, "Diagonal BiLSTM", "0.050"), (40, GATED, "0.050 ahead")])
def test_the_leader_is_named_for_every_moment(race, seconds, leader, ahead):
    words = leader_words(race, seconds)
    assert f"<b>{leader}</b> leads" in words and ahead in words
    assert race.standing(seconds)[0][0].name == leader


def test_the_claim_is_computed_from_the_curves(race):
    """The BiLSTM ends at 2.15 after 40 s; the gated one goes from 2.2 to 2.1 between 30 and 40 s: it is there at 35."""
    found = crossing(race)
    assert (found.level, found.moment, found.whole) == (2.15, pytest.approx(35), 40)
    assert ("In <b>88&nbsp;% of the time</b>, the Gated PixelCNN reached what its slow rival reached at the end."
            in claim_words(race))
    assert ("Digits of 8×8 pixels, 40 seconds of training for each network. Compare these numbers only inside this "
            "chart." in scoreboard_tab.facts(race))
    slow = replace(race.runner("Diagonal BiLSTM"), curve=tuple((t, n // 2, b) for t, n, b in race.runners[2].curve))
    uneven = replace(race, runners=(*race.runners[:2], slow, race.runners[3]))
    assert crossing(uneven, "steps").moment == pytest.approx(350)
    assert "175&nbsp;% of the steps" in claim_words(uneven, "steps")
    assert 'class="reached"' not in race_svg(uneven, 200, "steps"), "beyond the end of the drawing"
    svg = race_svg(race, 20)
    assert svg.count('class="goal"') == 2 and svg.count('<circle class="reached"') == 1 and ">88 %</text>" in svg
    behind = replace(race, runners=(*race.runners[:3], replace(race.runners[3], curve=race.runners[0].curve)))
    assert crossing(behind).moment is None and "has not reached" in claim_words(behind)
    without = replace(race, runners=race.runners[:2])
    assert crossing(without) is None and claim_words(without) == "" and 'class="goal"' not in race_svg(without, 20)


def test_a_tie_of_plain_and_gated_is_told_where_the_numbers_say_so(race):
    assert "ties" not in about_words(race)
    level = replace(race, runners=(replace(race.runners[0], bits=2.105), *race.runners[1:]))
    assert ("the plain PixelCNN ties with the gated one (2.10 and 2.10, error 0.01)"
            in about_words(level).replace("2.11", "2.10"))


TIMES = SamplerTimes("a <model>", 32, 3072, 28.7158, 0.02924, 0.009637, 4, "a machine")


def test_both_ways_are_named_with_their_seconds_and_why():
    shown = times_html(TIMES)
    assert "the naive way takes <b>29 s</b>" in shown and "in <b>0.029 s</b>, 980 times as fast." in shown
    assert "<model>" not in shown and "has 3,072 values" in shown and "9.6 thousandths of a second: 29 s" in shown
    assert "cost as much as about 3 such runs: 0.029 s" in shown
    assert measured_on(TIMES) == "32×32 pixels, “A <model>”, on a machine; the naive way from 4 of its 3,072 runs."
    assert re.findall(r"width:([\d.]+)%", shown) == ["100.000", "0.102"], "to scale"
    assert times_html(replace(TIMES, naive=2.25, cached=0.5)).count("2.2 s") == 4 and times_html(None) == ""
    assert [about(number) for number in (355.02, 1234, 11.4, 3.56)] == ["360", "1,200", "11", "3.6"]


def test_the_times_are_read_from_the_benchmark(tmp_path, models):
    shutil.copytree(models / "digits", tmp_path / "digits")
    assert read_times(Service(tmp_path)) is None
    stored = {"device": "a core", "threads": 1, "naive_steps_timed": 4, "weights": weights_hash(tmp_path / "digits"),
              "batch": {"1": {"forward_s": 0.01, "naive_s": 2.0, "cached_s": 0.5}}}
    (tmp_path / "digits" / "benchmark.json").write_text(json.dumps(stored), encoding="utf-8")
    assert read_times(Service(tmp_path)) == SamplerTimes("digits", 8, 64, 2.0, 0.5, 0.01, 4, "a core, 1 thread")


def test_every_name_of_the_race_and_the_tables_is_explained_where_it_stands(race):
    for runner in race.runners:
        assert f"{runner.name} <small>{in_short(runner.name)}</small>" in legend(race, 20) and in_short(runner.name)
    for name, *_ in TABLES[0].rows:
        assert f"{name} <small>{in_short(name)}</small>" in table_html(TABLES[0], {}) and in_short(name)
    assert "Dotted: " in legend(race, 20) and "Multivariate Gaussian, one bell curve" in legend(race, 20)
    assert in_short("somebody’s own") == ""


def test_a_lead_inside_the_error_is_no_lead(race):
    close = replace(race, runners=tuple(replace(runner, error=0.04) for runner in race.runners))
    words = leader_words(close, 20)
    assert "<b>Diagonal BiLSTM</b> and <b>Gated PixelCNN</b> are level within the error" in words
    assert "leads" not in words
    assert "0.050 bits per dimension between the first two, with an error of 0.057" in words
    assert "<b>Gated PixelCNN</b> leads" in leader_words(close, 10)


def test_against_steps_the_race_ends_with_the_fewest(race):
    slow = replace(race.runners[2], curve=tuple((t, n // 2, bits) for t, n, bits in race.runners[2].curve))
    uneven = replace(race, runners=(*race.runners[:2], slow, race.runners[3]))
    assert uneven.end("steps") == 200 and uneven.end() == 40
    assert "After 200 steps <b>Diagonal BiLSTM</b> leads with 2.150" in leader_words(uneven, 200, "steps")
    assert "took 40 s for them; PixelCNN 20 s" in leader_words(uneven, 200, "steps").replace(GATED, "PixelCNN")
    svg = race_svg(uneven, 200, "steps")
    assert ">steps of training<" in svg and "after 200 steps" in svg


def test_the_drawing_carries_what_play_needs(race):
    svg = race_svg(race, 20)
    (stored,) = re.findall(r'data-race="([^"]*)"', svg)
    play = json.loads(html.unescape(stored))
    assert play["end"] == 40 and [runner["name"] for runner in play["runners"]] == [r.name for r in race.runners]
    for k, runner in enumerate(play["runners"]):
        assert [point[:2] for point in runner["points"]] == [[t, bits] for t, _, bits in race.runners[k].curve]
        assert runner["points"][-1][2] == play["left"] + play["width"] and runner["error"] == 0.01
    assert ">bits per dimension<" in svg


def test_before_the_first_score_nobody_leads(race):
    assert "no model has been scored yet" in leader_words(race, 3)
    assert "none yet" in race_svg(race, 3)
    assert race_svg(race, 3).count('<circle style="display:none"') == 4, "Play shows them when they are scored"


def test_the_plot_shows_the_past_strong_and_the_future_pale(race):
    svg = race_svg(race, 20)
    points = [len(found.split()) for found in re.findall(r'class="so-far" points="([^"]*)"', svg)]
    assert points == [2, 2, 2, 2] and svg.count("<circle cx") == 4
    assert [len(found.split()) for found in re.findall(r'class="later" points="([^"]*)"', svg)] == [4] * 4


def test_a_baseline_is_drawn_unless_it_would_flatten_the_curves(race):
    assert "Multivariate Gaussian" in race_svg(race, 20) and "Uniform" in race_svg(race, 20)
    far = replace(race, baselines=(replace(race.baselines[0], bits=8.0), race.baselines[1]))
    assert "Multivariate Gaussian" in race_svg(far, 20) and "Uniform" not in race_svg(far, 20)
    low, high = bounds(far)
    assert low < 2.1 and 3.8 < high < 4


@pytest.mark.parametrize("low, high, expected", [(0, 120, [0, 25, 50, 75, 100]), (2.04, 3.1, [2.25, 2.5, 2.75, 3.0]),
                                                 (0, 0.9, [0, 0.2, 0.4, 0.6, 0.8])])
def test_ticks_are_round_numbers(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_the_table_has_speeds_relative_to_the_gated_one_and_no_markup_from_files(race):
    table = race_table(race)
    assert "400 <small>(4.00×)</small>" in table and "100 <small>(1.00×)</small>" in table
    assert "<b>2.900</b> ± 0.020" in table and "<b>4.088</b></td>" in table
    assert "a &lt;quick&gt; machine" in scoreboard_tab.facts(race)


def test_a_damaged_race_is_left_out(tmp_path, race):
    good = json_of(race)
    for key, stored in {"good": good, "empty": {**good, "models": {}}, "words": {**good, "levels": "many"},
                        "curveless": {**good, "models": {"a": {**good["models"][GATED], "curve": []}}}}.items():
        (tmp_path / key).mkdir()
        (tmp_path / key / "race.json").write_text(json.dumps(stored), encoding="utf-8")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "race.json").write_text("{", encoding="utf-8")
    assert list(read_races(tmp_path)) == ["good"] and not read_races(tmp_path / "nowhere")


QUALITY = {"images": 1000, "temperature": 1.0, "guidance": 1.0, "accuracy": 0.4321, "accuracy_real": 0.8,
           "frechet": 12.5, "precision": 0.61, "recall": 0.42, "real": {"frechet": 0.25, "precision": 0.9, "recall": 1},
           "accuracy_per_class": {"cat": 0.2, "<ship>": 0.7}}


def test_quality_is_shown_from_its_file():
    shown = quality_html("cifar10", QUALITY)
    assert "<td>43.2%</td><td>80.0%</td>" in shown and "<td>12.50</td><td>0.25</td>" in shown
    assert shown.index("&lt;ship&gt;") < shown.index("cat") and "chance: 50%" in shown
    point = {key: QUALITY[key] for key in ("images", "accuracy", "frechet", "precision", "recall", "real", "guidance")}
    curve = [{**point, "temperature": 0.8}]
    shown = quality_html("cifar10", {**QUALITY, "curve": curve})
    assert '<th scope="row">0.8</th><td>1</td><td>0</td><td>43.2%' in shown
    assert shown.index("Fréchet distance") < shown.index("Other settings") < shown.index("<th scope=\"row\">0.8")
    assert '<div class="strip">pictures</div>' in quality_html("cifar10", QUALITY, "pictures")
    assert quality_html("cifar10", {"accuracy": 1}) == ""


def test_without_races_or_measurements_the_tab_says_so(tmp_path, models):
    shutil.copytree(models / "digits", tmp_path / "models" / "digits")
    with gr.Blocks() as page:
        scoreboard_tab.build(page, Service(tmp_path / "models"))
    texts = [str(block.value) for block in page.blocks.values() if hasattr(block, "value")]
    assert any("pixelcnn_core race" in text for text in texts)
    assert any("pixelcnn_core ladder" in text for text in texts)
    assert not any("Sample quality" in text for text in texts)


def test_the_events_by_name(client):
    plot, words, table = client.predict("digits", 50, api_name="/race_at")
    assert plot.startswith('<h3 class="claim">') and "<svg" in plot
    assert "After 20 s of training <b>Diagonal BiLSTM</b> leads" in words
    assert "<table" in table
    plot, words, _ = client.predict("digits", 50, "steps", api_name="/race_at")
    assert "After 200 steps <b>Diagonal BiLSTM</b> leads" in words and ">steps of training<" in plot
    for which, seconds in (("../etc", "NaN"), (None, None), (["digits"], 1e300), ({}, "soon")):
        assert f"<b>{GATED}</b> leads" in client.predict(which, seconds, api_name="/race_at")[1]
    stage, status, *_ = client.predict("digits", "3", 9, api_name="/race_samplers")
    assert stage.count("<figure") == 2 and "Identical: <b>yes</b>" in status


@pytest.mark.parametrize("values", [("../etc", "3", 1), ("digits", "<script>", 1), ("digits", {"a": 1}, "x"),
                                    (None, [["cat"]], None)])
def test_hostile_values_end_in_one_sentence(client, service, values):
    with pytest.raises(Exception) as error:
        client.predict(*values, api_name="/race_samplers")
    assert "Traceback" not in str(error.value) and len(str(error.value)) < 300
    assert wait_until(lambda: not service.busy, 5)


def test_unknown_models_are_refused(service):
    with pytest.raises(UserError, match="no model"):
        ScoreboardService(service).rows("gpt2")
