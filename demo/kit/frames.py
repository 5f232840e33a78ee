"""What the page shows of a request: that the model is loaded, or busy, and some of the moments on the way."""

import time
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from demo.kit.status import status_html

FRAME_SECONDS = 0.12  # a picture more often than this would cost more time than the samples
Moment = TypeVar("Moment")


def frames(moments: Iterable[Moment], show: Callable[[Moment], tuple], told: Callable[[str], tuple],
           seconds: float = FRAME_SECONDS) -> Generator[tuple, None, Moment | None]:
    """The outputs of an event for the moments of a request, each with a `state` as `Progress` has it; returns the last.

    show     makes the outputs for a moment: the first, one in so many seconds on the way, and how it ended
    told     makes those that only say something, a status line as HTML
    """
    yield told(status_html("Loading the model…", 0))
    shown, moment = 0.0, None
    for moment in moments:
        if moment.state == "waiting":
            yield told(status_html("Waiting: the model serves one request at a time…", 0))
        elif moment.state != "sampling" or time.monotonic() - shown >= seconds:
            shown = time.monotonic()
            yield show(moment)
    return moment
