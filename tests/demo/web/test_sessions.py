"""Sessions: bounded in number, forgotten when the page is closed, and never written to a file by a link."""

from pathlib import Path

import httpx
import pytest
from gradio.utils import get_upload_folder
from helpers import wait_until

from demo.web.sessions import CAPACITY


def public(page, name: str) -> dict:
    return next(event for event in page.events if event["api_name"] == name)


def test_a_closed_page_leaves_no_session(page, url, service, running):
    session = "closed-page"
    with httpx.stream("GET", f"{page.api}/heartbeat/{session}", timeout=10) as heartbeat:
        lines = heartbeat.iter_lines()  # dropping it would drop the connection
        next(lines)
        assert page.call(public(page, "race_at"), ["digits", 50, "seconds"], session).ok
        assert session in running.state_holder
    assert wait_until(lambda: session not in running.state_holder.session_data, 5)
    assert session not in running.state_holder.time_last_used


@pytest.mark.slow
def test_sessions_are_bounded(page, service, running):
    for number in range(CAPACITY + 5):
        assert page.call(public(page, "race_at"), ["digits", number, "seconds"], f"many-{number}").ok
    assert len(running.state_holder.session_data) <= CAPACITY + 1


def test_there_are_no_deep_links(page, url, service):
    assert page.call(public(page, "race_at"), ["digits", 50, "seconds"], "deep").ok
    for address in (f"{page.api}/deep_link?session_hash=deep", f"{page.api}/deep_link/?session_hash=deep",
                    f"{url}?deep_link=abc", f"{url}config?deep_link=abc", f"{url}?x=1&deep%5Flink=abc"):
        assert httpx.get(address).status_code == 404, address
    assert not (Path(get_upload_folder()) / "deep_links").exists()
