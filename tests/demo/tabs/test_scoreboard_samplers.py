"""The race of the samplers on the Scoreboard: the same image by both, fair clocks, and what is told of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from demo.tabs.scoreboard import service as scoreboard_service
from demo.tabs.scoreboard.panels import panel, read_race, samplers_html, verdict
from demo.tabs.scoreboard.sampler_times import SamplerTimes
from demo.tabs.scoreboard.service import DRAWS, RaceMoment, ScoreboardService


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
    assert "Identical: <b>no</b>, 1 of 4 values differ" in verdict(moment)
    assert "<b>about 4 times</b> as fast just now, on a machine that also serves this page" in verdict(moment)
    assert "as fast when it was stored" in verdict(moment, stored=True) and "just now" not in verdict(moment, True)


def test_three_speed_ups_are_told_apart_with_their_numbers():
    """A race of 4 values took 4 runs of 500 ms and 500 ms; a photo was measured to have 3,072 values."""
    image = np.zeros((2, 2, 1), np.uint8)
    moment = RaceMoment("done", image, image, 4, 4, 4, 4, 4, 2.0, 0.5)
    photo = SamplerTimes("photos", 32, 3072, 28.7158, 0.02924, 0.009637, 4, "a machine")
    assert verdict(moment).endswith("4 runs of the network of 500 ms each, against 500 ms for all of it.")
    assert verdict(moment, times=photo).endswith("A photo has 770 times as many values, so more is saved: 29 s against "
                                                 "0.029 s, 980 times.")
    same = replace(moment, whole=3072)
    assert verdict(same, times=photo).endswith("Measured by itself, with no page to serve, it was 29 s against "
                                               "0.029 s, 980 times.")


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
