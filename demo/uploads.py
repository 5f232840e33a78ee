"""The image that a browser uploads, for every tab that takes one."""

import shutil
import threading
from pathlib import Path

from PIL import Image

from demo.images import ImageError, load_image
from demo.settings import UserError

PREVIEW_SECONDS = 2.0


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
            # Gradio gives every upload a folder of its own. Not at once: the browser may still be fetching a preview.
            threading.Timer(PREVIEW_SECONDS, shutil.rmtree, [Path(path).parent], {"ignore_errors": True}).start()
