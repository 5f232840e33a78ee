"""The image or file that a browser uploads, for every tab that takes one.

A request may name any path. One is used only if, after every link and `..` in it is followed, it is a file in a folder
of its own inside Gradio's upload folder: where Gradio puts each upload, and where nothing else of the server lies.

That folder is called by a hash of the file, so equal files of two visitors have one path; Gradio moves the later one
to the place of the earlier one. A file is deleted once nobody reads it any more, and only if it is one that was read.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from gradio.utils import get_upload_folder
from PIL import Image

from demo.service.images import ImageError, load_image
from demo.service.settings import UserError

PREVIEW_SECONDS = 2.0
DECODING = threading.BoundedSemaphore(2)  # pictures at once: each may take 200 MB, and uploads wait for no turn
NO_UPLOAD = "This file was not uploaded here: please choose it again."


def uploaded(path: str) -> Path:
    """The real place of an upload. Raises UserError for any other path."""
    try:
        place = Path(path).resolve(strict=True)
        inside = place.is_file() and place.parent.parent == Path(get_upload_folder()).resolve()
    except (OSError, ValueError, RuntimeError):  # missing, too long, a NUL in it, links in a circle
        inside = False
    if not inside:
        raise UserError(NO_UPLOAD)
    return place


def paths_in(value) -> Iterator:
    """Every path that a request names, however deep: what stands under "path" in any object."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("path"):
                yield value["path"]
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)


def check_paths(value, uploads: Iterable[str]) -> None:
    """Raises UserError if a request names a path that is not one of `uploads`: what this server was sent."""
    for path in paths_in(value):
        if not isinstance(path, str) or path not in uploads:
            raise UserError(NO_UPLOAD)
        uploaded(path)


def take_file(payload, limit: int) -> bytes:
    """The bytes of an uploaded file that is no image, at most `limit`; the file is deleted soon. Raises UserError."""
    path = payload.get("path") if isinstance(payload, dict) else None
    if not isinstance(path, str) or not path:
        raise UserError("Please choose a file first.")
    place = uploaded(path)
    try:
        with reading(place):
            if (size := place.stat().st_size) > limit:
                raise UserError(f"This file has {size / 2**20:.1f} MB; the limit is {limit / 2**20:.0f} MB.")
            return place.read_bytes()
    except OSError as error:
        raise UserError("This file cannot be read.") from error


def take_upload(payload) -> Image.Image:
    """The uploaded image: read, and its file deleted soon, whatever it holds. Raises UserError.

    `payload` is Gradio's file record, of which only the path of an upload or a `data:` URL is used.
    """
    path, url = (payload.get("path"), payload.get("url")) if isinstance(payload, dict) else (None, None)
    place = uploaded(path) if isinstance(path, str) and path else None
    try:
        with reading(place) if place else nullcontext(), DECODING:
            return load_image(place or (url if isinstance(url, str) and url.startswith("data:") else None))
    except ImageError as error:
        raise UserError(str(error)) from error


READERS: Counter[Path] = Counter()  # of every upload that is being read, or was read just now
READ: dict[Path, set] = {}  # which files they found in its place
READERS_LOCK = threading.Lock()


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Around the reading of an upload, which is deleted soon afterwards with the folder it had. Not at once: the
    browser may still be fetching a preview."""
    with READERS_LOCK:
        READERS[place] += 1
        READ.setdefault(place, set()).add(identity(place))
    try:
        yield
    finally:
        timer = threading.Timer(PREVIEW_SECONDS, forget, (place,))
        timer.daemon = True
        timer.start()


def forget(place: Path) -> None:
    """One reader less; after the last one the file is deleted, unless it is a later upload that nobody has read."""
    with READERS_LOCK:
        READERS[place] -= 1
        if READERS[place]:
            return
        del READERS[place]
        if identity(place) not in READ.pop(place):
            return
        try:
            place.unlink(missing_ok=True)
            place.parent.rmdir()  # refused unless it is empty
        except OSError:
            pass


def identity(place: Path) -> tuple[int, int] | None:
    """What tells a file from another one in the same place; None where there is none."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def keep_clear(every: float, age: float) -> threading.Thread:
    """Remove, every so many seconds, what broken uploads left: see `remove_strays`."""
    def work() -> None:
        while True:
            time.sleep(every)
            remove_strays(age)

    thread = threading.Thread(target=work, name="strays", daemon=True)
    thread.start()
    return thread


def remove_strays(age: float) -> None:
    """Delete the files, `age` seconds old, that lie in the upload folder itself: a request that breaks off or is not
    well formed leaves one, and Gradio forgets it."""
    for path in Path(get_upload_folder()).glob("*"):
        try:
            if path.is_file() and not path.is_symlink() and time.time() - path.stat().st_mtime > age:
                path.unlink()
        except OSError:  # another one was faster
            continue
