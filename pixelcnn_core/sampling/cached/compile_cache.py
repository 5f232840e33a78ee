"""Where Numba keeps compiled code between runs: a folder that can be written, of its own for each version of the code.

Numba compares the time of a function's own file only: a change in a function of another file, compiled into it, would
leave stale machine code behind. So the folder's name is a hash of all that is compiled together.
"""

import atexit
import functools
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from pixelcnn_core.files import user_cache, writable

HERE = Path(__file__).parent


def cache_folder() -> str:
    """The first place that can be written: NUMBA_CACHE_DIR, beside the code, in the user's cache; else a temporary one,
    which goes with the process: then every start compiles again."""
    name = f"numba-{version()}"
    for parent in (os.environ.get("NUMBA_CACHE_DIR"), HERE / "__pycache__", user_cache()):
        if parent and writable(folder := Path(parent, name)):
            return str(folder)
    folder = tempfile.mkdtemp(prefix=f"{name}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.lru_cache(maxsize=1)
def announce(folder: str) -> None:
    """Say once in a process that the first drawing takes longer, if nothing is compiled in the folder yet."""
    if next(Path(folder).rglob("*.nbi"), None) is None:
        print("the cached sampler is compiled for this machine, once: tens of seconds", file=sys.stderr)


def version() -> str:
    """A short hash of the files that hold compiled code which others compile in."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(HERE.glob("numba_*.py")))).hexdigest()[:12]

