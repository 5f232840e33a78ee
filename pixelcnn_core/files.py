"""Files that are whole or not there: written under another name, then put in their place at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields the path to write to, of the same suffix; it becomes `path` at the end, and after a failure `path` is what
    it was. Raises OSError with a sentence that names the path, as a full disk's own does not."""
    temporary = path.with_name(f"writing-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OSError(f"{path} could not be written: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)
