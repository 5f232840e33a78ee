"""Serves the files of `demo.kit.page_files`: by their hash, so a browser may keep them for ever."""

import mimetypes
import re

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response

from demo.kit.page_files import FILES, FOLDER

PLACE = re.compile(rf"(?:^|/){FOLDER}/([0-9a-f]{{24}}\.[a-z]{{1,5}})$")


class PageFiles:
    """Answers for /stored/HASH.KIND, and hands on everything else."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        found = PLACE.search(scope["path"]) if scope["type"] == "http" else None
        if not found:
            await self.app(scope, receive, send)
        elif (data := FILES.get(found[1])) is None:
            await PlainTextResponse("Not found", 404)(scope, receive, send)
        else:
            kind = mimetypes.guess_type(found[1])[0] or "application/octet-stream"
            await Response(data, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})(
                scope, receive, send)


FILE_MIDDLEWARE = Middleware(PageFiles)
