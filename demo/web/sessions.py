"""What a closed page leaves behind: nothing. And no address of Gradio's gives a visitor's session to others."""

from urllib.parse import parse_qs

import gradio as gr
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

CAPACITY = 100  # sessions that are kept; each holds a copy of the page's components, about 0.7 MB
FILE_SECONDS = (60, 600)  # how often Gradio looks for uploads that nobody read, and at what age they go


def forget_on_unload(page: gr.Blocks) -> None:
    """Drop all that Gradio keeps of a session, its last outputs too, when its page is closed; inside the open page."""
    def forget(request: gr.Request) -> None:
        holder = page.state_holder
        with holder.lock:
            holder.session_data.pop(request.session_hash, None)
            holder.time_last_used.pop(request.session_hash, None)

    page.unload(forget)


class NoDeepLinks:
    """Gradio's /deep_link writes everything that a session shows, faces too, into a file that anyone may open by its
    link and that nothing removes. This page keeps settings in its own address, so there is no such thing here."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and (scope["path"].rstrip("/").endswith("/deep_link") or "deep_link" in parse_qs(
                scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


MIDDLEWARE = [Middleware(NoDeepLinks)]
