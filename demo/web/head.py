"""The head of the page: what a chat shows of a link to it, its scripts and frame, and what one reads while it loads.

Gradio writes its own title, description and picture into every page, and adds those of an app only in the browser,
where no preview sees them. So the page is rewritten on its way out: before anything else of it runs, too, which lets
the scripts choose the tab to open with.
"""

import gzip
import html
import re
from pathlib import Path

from gradio.route_utils import get_root_url
from starlette.middleware import Middleware
from starlette.requests import Request

from demo.kit import address, run_controls
from demo.kit.page_files import keep

HERE, ASSETS = Path(__file__).parent, Path(__file__).parents[1] / "assets"
PREVIEW, ICON = ASSETS / "preview.png", ASSETS / "favicon.png"  # 1200 x 630, and 64 x 64
TITLE = "A network that draws one pixel at a time"
DESCRIPTION = ("A PixelCNN draws pictures as language models write: one pixel after the other. Watch its "
               "probabilities, take over the brush, and see what follows from a single pixel.")
SCRIPTS = "\n".join([(HERE / "frame.js").read_text(encoding="utf-8"), address.SCRIPT, run_controls.SCRIPT])
FRAME = (HERE / "frame.css").read_text(encoding="utf-8")
GRADIOS_OWN = re.compile(r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')
OPENING = f"""<div id="opening"><p class="title">{TITLE}</p><p>{DESCRIPTION}</p><p>Opening…</p>
<noscript><p>This page needs JavaScript: it draws while you watch.</p></noscript></div>"""


def head(root: str) -> str:
    """Title, description and preview, for a page whose address is `root`."""
    tags = {"og:type": "website", "og:title": TITLE, "og:description": DESCRIPTION, "og:url": f"{root}/"}
    names = {"description": DESCRIPTION, "twitter:card": "summary", "twitter:title": TITLE,
             "twitter:description": DESCRIPTION}
    if PREVIEW.is_file():
        picture = f"{root}/{keep(PREVIEW.read_bytes())}"
        tags |= {"og:image": picture, "og:image:width": "1200", "og:image:height": "630",
                 "og:image:alt": "A picture half drawn by the network, and the probabilities of its next pixel"}
        names |= {"twitter:card": "summary_large_image", "twitter:image": picture}
    metas = [f'<meta {kind}="{key}" content="{html.escape(value)}">'
             for kind, group in (("property", tags), ("name", names)) for key, value in group.items()]
    return "\n".join([f"<title>{TITLE}</title>", *metas])


def rewrite(page: str, root: str) -> str:
    """Gradio's page with this app's head; any other text stays as it is."""
    start = page.find("<script>window.gradio_config")
    if start < 0:
        return page
    before, rest = GRADIOS_OWN.sub("", page[:start]), page[start:]
    before = before.replace("<style>", f"{head(root)}\n<style>", 1)
    icon = f'<link rel="icon" href="{keep(ICON.read_bytes())}">' if ICON.is_file() else ""
    rest = rest.replace("</head>", f"{icon}<script>{SCRIPTS}</script>\n<style>{FRAME}</style>\n</head>", 1)
    return before + rest.replace("<gradio-app", f"{OPENING}\n<gradio-app", 1)


class PageHead:
    """Rewrites the page itself, which is one short answer; streams pass untouched."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        roots = {"", "/", scope.get("root_path", ""), scope.get("root_path", "").rstrip("/") + "/"}
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in roots:
            return await self.app(scope, receive, send)
        request = Request(scope)
        start, parts = {}, []

        async def collect(message):
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await answer()

        async def answer():
            body, headers = b"".join(parts), start["headers"]
            if any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers):
                root = get_root_url(request, "/", scope.get("root_path") or None).rstrip("/")
                body = rewrite(body.decode(), root).encode()
            headers = [(name, value) for name, value in headers if name != b"content-length"]
            if "gzip" in request.headers.get("accept-encoding", ""):  # Gradio packs only files that have an ending
                body = gzip.compress(body, 6)
                headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
            await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, collect)


HEAD_MIDDLEWARE = Middleware(PageHead)
