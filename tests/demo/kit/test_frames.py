"""What a page shows of a request: that it loads and waits, the first picture, a few on the way, and how it ended."""

from types import SimpleNamespace

from demo.kit import frames
from demo.service.bridge import Progress


def test_the_first_and_the_last_moment_are_shown_and_few_between(monkeypatch):
    clock = iter([10.0, 10.0, 10.1, 10.25, 10.25, 10.3, 10.3])
    # a clock for `frames` alone: everything else in this process, a server for one, lives by the real one
    monkeypatch.setattr(frames, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    moments = [Progress("waiting"), *(Progress("sampling", row=row) for row in (1, 2, 3)), Progress("done", row=4)]

    def run():
        last = yield from frames.frames(iter(moments), lambda moment: (moment.row,), lambda words: (words,), 0.2)
        assert last is moments[-1]

    (loading,), (said,), *shown = run()
    assert "Loading" in loading and "Waiting" in said and 'role="progressbar"' in said
    assert shown == [(1,), (3,), (4,)]


def test_of_a_request_without_moments_only_the_loading_is_shown():
    assert len(list(frames.frames([], str, str))) == 1
