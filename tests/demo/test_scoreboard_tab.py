"""The Scoreboard: quotes stay the paper's, our numbers come from files, the race is told right, samplers agree."""

import html
import json
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from helpers import save_race, wait_until

from demo.service.bridge import ModelInfo, Service
from demo.service.settings import UserError
from demo.tabs.scoreboard import service as scoreboard_service
from demo.tabs.scoreboard import tab as scoreboard_tab
from demo.tabs.scoreboard.axes import ticks
from demo.tabs.scoreboard.panels import about, panel, quality_html, read_race, samplers_html, verdict
from demo.tabs.scoreboard.paper_tables import TABLES, measured_here, table_html, tables_html
from demo.tabs.scoreboard.race_plot import bounds, race_svg
from demo.tabs.scoreboard.race_results import GATED, leader_words, parse, race_table, read_baselines, read_races
from demo.tabs.scoreboard.service import DRAWS, RaceMoment, ScoreboardService

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


def test_our_numbers_stand_only_beside_the_same_data_at_the_same_size(race):
    cifar, small, _ = TABLES
    (line,) = measured_here(cifar, [info()], [race])[GATED]
    assert "3.23 (3.20)" in line and "Ours: 4.7 M parameters, 25 minutes of training; given the class 3.12" in line
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
    assert points == [2, 2, 2, 2] and svg.count("<circle") == 4
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


def test_both_samplers_draw_the_same_image_pixel_by_pixel(service):
    board = ScoreboardService(service)
    moments = list(board.race(service.settings("digits", classes=["3"], images=1, seed=5)))
    assert [moment.pixels for moment in moments] == list(range(1, 65)) and moments[-1].state == "done"
    last = moments[-1]
    assert (last.evaluations, last.whole, last.equal) == (64, 64, 64)
    assert np.array_equal(last.naive, last.cached) and last.naive.any()
    assert last.naive_seconds > last.cached_seconds > 0
    assert "Identical: <b>yes</b>, all 64" in verdict(last)
    assert not service.busy


def test_of_a_large_image_the_naive_sampler_draws_the_first_rows(service):
    board = ScoreboardService(service)
    assert board.rows("digits") == 8 and board.rows("photos") == 8
    last = list(board.race(service.settings("photos", classes=["cat"], images=1)))[-1]
    assert (last.pixels, last.evaluations, last.whole) == (128, 384, 768)
    assert np.array_equal(last.naive[:8], last.cached[:8]) and last.cached[8:].any() and not last.naive[8:].any()
    assert last.naive_whole_seconds == pytest.approx(2 * last.naive_seconds)


def test_both_samplers_are_warm_before_the_clock_starts(service, monkeypatch):
    """The first pass of the naive sampler makes buffers, for seconds, and the cached one is compiled: neither counts.
    Of the cached one the median of several draws counts, so that a hiccup of the machine does not."""
    steps, clock, seconds = [], [0.0], iter([60.0, *[0.1, 0.1, 5.0, 0.1, 0.1]] * 2)

    def watched(*args):
        steps.append(args[4])
        clock[0] += 2.0
        return naive_step(*args)

    def drawn(*args, **kwargs):
        clock[0] += next(seconds)
        return sample_rows(*args, **kwargs)

    naive_step, sample_rows = scoreboard_service.naive_step, scoreboard_service.sample_rows
    monkeypatch.setattr(scoreboard_service, "naive_step", watched)
    monkeypatch.setattr(scoreboard_service, "sample_rows", drawn)
    monkeypatch.setattr(scoreboard_service, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(scoreboard_service, "DRAWS", 5)
    monkeypatch.setattr(scoreboard_service, "DRAWING", 60)
    assert DRAWS > 2
    board, settings = ScoreboardService(service), service.settings("digits", classes=["3"], images=1, seed=5)
    first, second = ([*board.race(settings)][-1] for _ in range(2))
    assert steps == [(0, 7, 7), *[(0, *divmod(k, 8)) for k in range(64)]] * 2
    for end in (first, second):
        assert (end.naive_seconds, end.cached_seconds) == pytest.approx((128.0, 0.1))
    assert np.array_equal(first.naive, second.naive)


def test_a_difference_would_be_told():
    image = np.zeros((2, 2, 1), np.uint8)
    moment = RaceMoment("done", image, image, 4, 4, 4, 4, 3, 2.0, 0.5)
    assert "Identical: <b>no</b>, 1 of 4 sub-pixels differ" in verdict(moment)
    assert "<b>about 4 times</b> as fast on this machine just now" in verdict(moment)
    assert "just now" not in verdict(moment, stored=True)
    assert [about(number) for number in (355.02, 1234, 11.4, 3.56)] == ["360", "1,200", "11", "3.6"]


def test_closing_the_race_frees_the_model(service):
    stream = ScoreboardService(service).race(service.settings("digits", images=1))
    next(stream)
    assert service.busy
    stream.close()
    assert not service.busy


def test_the_panel_hides_what_is_not_drawn():
    picture = panel(np.full((4, 4, 3), 200, np.uint8), 6)
    step = len(picture) // 4
    alpha = picture[::step, ::step, 3]
    assert alpha.ravel().tolist() == [255] * 7 + [0] * 9
    assert tuple(picture[step, 2 * step, :3]) != (200, 200, 200), "the next pixel is marked"
    moment = RaceMoment("done", *[np.zeros((4, 4, 1), np.uint8)] * 2, 4, 4, 4, 4, 4, 2.0, 0.5)
    assert "it could have drawn about 4 of them by now" in samplers_html(moment) and moment.could_have_drawn == 4
    assert "not drawn yet" in samplers_html(RaceMoment("waiting", *[np.zeros((4, 4, 1), np.uint8)] * 2, whole=16))


def test_the_stored_race_is_read_back(models, tmp_path):
    label, _, end = read_race(models / "digits")
    assert label == "3" and end.equal == end.evaluations == 64 and np.array_equal(end.naive, end.cached)
    assert read_race(models / "photos") is None
    (tmp_path / "stored_race.json").write_text('{"naive": 1}', encoding="utf-8")
    assert read_race(tmp_path) is None


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
    assert plot.startswith("<svg") and "After 20 s of training <b>Diagonal BiLSTM</b> leads" in words
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
