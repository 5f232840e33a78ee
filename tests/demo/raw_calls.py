"""Requests as a stranger may send them: plain HTTP, any data, to any event of the page's config."""

import itertools
import json
from dataclasses import dataclass

import httpx

NUMBERS = itertools.count()
SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """The last message of an event: did it succeed, what it returned, and all that was sent, as text."""

    ok: bool
    output: dict
    text: str


class Page:
    """The events and components of a running page, and calls of them."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")
        config = httpx.get(f"{self.url}/config", timeout=SECONDS).json()
        self.api = self.url + config["api_prefix"]
        self.events = [event for event in config["dependencies"] if event["backend_fn"]]
        self.components = {component["id"]: component for component in config["components"]}

    def kinds(self, event: dict) -> list[str]:
        """The type of every input of an event."""
        return [self.components[number]["type"] for number in event["inputs"]]

    def values(self, event: dict) -> list:
        """What the page itself would send, had nobody touched it."""
        return [self.components[number].get("props", {}).get("value") for number in event["inputs"]]

    def call(self, event: dict, data: list, session: str = "", headers: dict | None = None) -> Answer:
        """Join the queue with `data`, and read what is sent until the event ends."""
        session = session or f"raw-{next(NUMBERS)}"
        body = {"data": data, "fn_index": event["id"], "session_hash": session}
        joined = httpx.post(f"{self.api}/queue/join", content=json.dumps(body), timeout=SECONDS,
                            headers={"Content-Type": "application/json", **(headers or {})})
        if joined.status_code != 200:
            return Answer(False, {}, joined.text)
        seen = []
        with httpx.stream("GET", f"{self.api}/queue/data", params={"session_hash": session}, timeout=SECONDS) as lines:
            for line in lines.iter_lines():
                seen.append(line)
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    return Answer(message["success"], message["output"], "\n".join(seen))
                if message.get("msg") in ("close_stream", "unexpected_error"):
                    break
        return Answer(False, {}, "\n".join(seen))

    def upload(self, name: str, content: bytes) -> str:
        """Send a file as the page does; its path on the server."""
        return httpx.post(f"{self.api}/upload", files={"files": (name, content)}, timeout=SECONDS).json()[0]
