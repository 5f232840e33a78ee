"""Files that are whole or not there: written under another name, then put in their place at once; and where they may
lie."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError


def unfinished(path: Path) -> Path:
    """The name under which `replacing` writes a file: what a kill at the last moment left lies there."""
    return path.with_name(f"writing-{path.name}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields the path to write to, of the same suffix; it becomes `path` at the end, and after a failure `path` is what
    it was. A link stays one, and what is no file, as /dev/stdout, is written to as it is. Raises OSError with a
    sentence that names the path, as a full disk's own does not."""
    target = path.resolve()
    temporary = unfinished(target)
    try:
        if target.exists() and not target.is_file():
            yield target
        else:
            yield temporary
            os.replace(temporary, target)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OSError(f"{path} could not be written: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_target(path: Path) -> None:
    """Raises ValueError where a file cannot be written to this place: before the work, not after it."""
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} to: make it first")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file in it")
    if not os.access(path if path.exists() and not path.is_file() else path.parent, os.W_OK):
        raise ValueError(f"{path} cannot be written: its folder is another user's")


def user_cache() -> Path | None:
    """The folder for what can be made again; None for a user without a home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pixelcnn"
    except RuntimeError:
        return None


def writable(folder: Path) -> bool:
    """Whether files can be written to a folder, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
