"""The image or file that a browser uploads, for every tab that takes one."""

import shutil
import threading
from pathlib import Path

from PIL import Image

from demo.images import ImageError, load_image
from demo.settings import UserError

PREVIEW_SECONDS = 2.0


def take_file(payload, limit: int) -> bytes:
    """The bytes of an uploaded file that is no image, at most `limit`; the file is deleted soon. Raises UserError."""
    path = payload.get("path") if isinstance(payload, dict) else None
    if not isinstance(path, str) or not path:
        raise UserError("Please choose a file first.")
    try:
        if (size := Path(path).stat().st_size) > limit:
            raise UserError(f"This file has {size / 2**20:.1f} MB; the limit is {limit / 2**20:.0f} MB.")
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError("This file cannot be read.") from error
    finally:
        forget(path)


def forget(path: str) -> None:
    """Delete an upload. Not at once: the browser may still be fetching a preview."""
    # Gradio gives every upload a folder of its own.
    threading.Timer(PREVIEW_SECONDS, shutil.rmtree, [Path(path).parent], {"ignore_errors": True}).start()


def take_upload(payload) -> Image.Image:
    """The uploaded image: read, and its file deleted soon, whatever it holds. Raises UserError.

    `payload` is Gradio's file record, of which only a path (one that Gradio has checked) or a `data:` URL is used.
    """
    path, url = (payload.get("path"), payload.get("url")) if isinstance(payload, dict) else (None, None)
    try:
        if isinstance(path, str) and path:
            return load_image(path)
        return load_image(url if isinstance(url, str) and url.startswith("data:") else None)
    except ImageError as error:
        raise UserError(str(error)) from error
    finally:
        if isinstance(path, str) and path:
            forget(path)
