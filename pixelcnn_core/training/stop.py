"""Ctrl-C, SIGTERM and SIGHUP end a training run after the step under way, so that nothing is lost; a second one, at
once.

A Space, a batch queue and a closed terminal all ask like this before they kill. A run under `nohup` is not to hear that
the terminal was closed: SIGHUP stays ignored where it was.
"""

import signal
import sys
import threading

SIGNALS = (signal.SIGINT, signal.SIGTERM)
CLOSED = getattr(signal, "SIGHUP", None)  # none on Windows


class TrainingStopped(Exception):
    """A run that was asked to stop, and saved its state; `signal` is the number of the one that asked."""

    def __init__(self, message: str, number: int):
        super().__init__(message)
        self.signal = number


class StopSignals:
    """Inside `with StopSignals() as stop`, `stop.signal` is the signal that came, and 0 before. Python lets only its
    main thread listen: elsewhere signals do what they always do."""

    signal = 0

    def __enter__(self) -> "StopSignals":
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            closed = [CLOSED] if CLOSED and signal.getsignal(CLOSED) != signal.SIG_IGN else []
            self.before = {number: signal.signal(number, self._ask) for number in (*SIGNALS, *closed)}
        return self

    def _ask(self, number: int, frame) -> None:
        self.signal = number
        self._restore()
        print("\nstopping after this step; once more stops at once, without saving", file=sys.stderr)

    def _restore(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}

    def __exit__(self, *_) -> None:
        self._restore()
