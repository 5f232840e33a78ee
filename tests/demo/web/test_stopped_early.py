"""A request that is cancelled before it has given anything leaves nothing open."""

import json
import threading

import gradio as gr
import httpx
from helpers import free_port, wait_until

from demo.web.guarded import GuardedBlocks


def test_a_generator_cancelled_before_its_first_value_is_closed():
    started, closed, go_on = threading.Event(), threading.Event(), threading.Event()

    def slow():
        try:
            started.set()
            go_on.wait(20)  # loads, or compiles
            yield "first"
            yield "second"
        finally:
            closed.set()

    with GuardedBlocks() as page:
        gr.Button().click(slow, outputs=gr.Textbox())
    page.let_stop_at_once()
    page.queue().launch(server_name="127.0.0.1", server_port=free_port(), quiet=True, prevent_thread_lock=True)
    try:
        api = page.local_url + "gradio_api"
        [number] = [number for number, event in page.fns.items() if event.types_generator]
        asked = {"data": [], "fn_index": number, "session_hash": "early"}
        event = httpx.post(f"{api}/queue/join", content=json.dumps(asked), timeout=20,
                           headers={"Content-Type": "application/json"}).json()["event_id"]
        assert started.wait(20)
        threading.Timer(0.3, go_on.set).start()
        answer = httpx.post(f"{api}/cancel", timeout=20,
                            json={"session_hash": "early", "fn_index": number, "event_id": event})
        assert answer.status_code == 200
        assert wait_until(closed.is_set, 5)
    finally:
        go_on.set()
        page.close(verbose=False)
