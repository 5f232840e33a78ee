"""What the app asks of its process: a private folder for temporary files, bounded memory, and an honest start.

Visitors' uploads pass through files. They lie in a folder that only this user can read, that goes when the app ends,
and that the next start sweeps away if the app was killed. The folder holds a lock as long as its app runs, so that no
app sweeps another one's.
"""

import atexit
import ctypes
import functools
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

PREFIX, LOCK = "pixelcnn-", ".lock"
TRIM_SECONDS = 10.0  # freed memory goes back to the system at most this often
M_ARENA_MAX = -8  # of glibc's malloc.h
ANSWER_SECONDS = 120.0


def private_folder() -> Path:
    """Make the folder, and have Gradio and everything else keep temporary files there. Call it before building a page.

    It lies in GRADIO_TEMP_DIR where that is set, else in the system's folder for temporary files.
    """
    parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))  # mkdtemp gives it mode 0700
    lock = FileLock(folder / LOCK)
    lock.acquire()
    for name in ("uploads", "other"):
        (folder / name).mkdir(mode=0o700)
    os.environ["GRADIO_TEMP_DIR"], tempfile.tempdir = str(folder / "uploads"), str(folder / "other")

    def remove() -> None:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that what is registered above runs then, too
        closed = getattr(signal, "SIGHUP", None)  # the terminal was closed; ignored under nohup, none on Windows
        if closed and signal.getsignal(closed) != signal.SIG_IGN:
            signal.signal(closed, lambda *_: sys.exit(0))
    return folder


def sweep(parent: Path) -> None:
    """Remove the folders of apps that were killed: those of this user that nobody holds the lock of."""
    for folder in parent.glob(f"{PREFIX}*"):
        own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
        if folder.is_symlink() or not own or not (folder / LOCK).is_file():
            continue
        try:
            with FileLock(folder / LOCK, timeout=0):
                pass
        except (Timeout, OSError):
            continue
        shutil.rmtree(folder, ignore_errors=True)


def bound_memory() -> None:
    """Two arenas for all threads, where the C library is glibc: each keeps to itself what was freed in it."""
    if hasattr(c_library(), "mallopt"):
        c_library().mallopt(M_ARENA_MAX, 2)


class Trimmer:
    """Gives freed memory back to the system, some time after it was asked to and at most every `seconds`. Does nothing
    where the C library is not glibc."""

    def __init__(self, seconds: float = TRIM_SECONDS):
        self.seconds = seconds
        # A turn may end while garbage is collected, inside any other call: only such a queue may be used there, and a
        # thread must not be started.
        self._asked = queue.SimpleQueue()
        threading.Thread(target=self._run, name="trimmer", daemon=True).start()

    def soon(self) -> None:
        """Trim in the background; it takes up to a second."""
        self._asked.put(None)

    def _run(self) -> None:
        while True:
            self._asked.get()
            time.sleep(self.seconds)
            while not self._asked.empty():
                self._asked.get()
            if hasattr(c_library(), "malloc_trim"):
                c_library().malloc_trim(0)


@functools.cache
def trimmer() -> Trimmer:
    """That of the process."""
    return Trimmer()


def c_library() -> ctypes.CDLL | None:
    """The C library of the process, whichever it is; None on Windows."""
    return ctypes.CDLL(None) if os.name == "posix" else None


def wait_for_answer(address: str, seconds: float = ANSWER_SECONDS) -> None:
    """Returns once the page answers. Raises SystemExit, with what happened, if it does not in time.

    Gradio's own check, of three seconds, takes a busy machine for one that cannot be reached.
    """
    end, last = time.monotonic() + seconds, "no answer"
    while time.monotonic() < end:
        try:
            answer = httpx.head(address, timeout=seconds, verify=False, trust_env=False)
            if answer.status_code < 500:
                return
            last = f"status {answer.status_code}"
        except httpx.HTTPError as error:
            last = type(error).__name__
        time.sleep(0.5)
    raise SystemExit(f"The page was started at {address}, and did not answer within {seconds:.0f} seconds ({last}).")
