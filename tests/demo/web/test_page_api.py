"""The public endpoint, as scripts and strangers use it: good and hostile requests, two at once, cancel, lost lines."""

import base64
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.utils import QueueError
from helpers import wait_until
from PIL import Image

from demo.web.page import QUEUE_LENGTH

SECONDS_TO_FREE = 2.0
ROOT = Path(__file__).parents[3]


def endpoint(url) -> tuple[str, int]:
    """The root of the HTTP interface and the number of the public event."""
    config = httpx.get(url + "config").json()
    index = next(item["id"] for item in config["dependencies"] if item["api_name"] == "generate")
    return url + config["api_prefix"].strip("/") + "/", index


def arguments(**changes):
    """A good request, with changes, in the order of the endpoint."""
    values = {"model": "photos", "classes": ["cat", "ship"], "images": 2, "temperature": 1, "guidance": 1, "seed": 3,
              "same_noise": False, "min_p": 0}
    return list({**values, **changes}.values())


def test_a_request_returns_panels_a_text_and_a_labelled_png(client, service):
    panels, text, path, seed = client.predict(*arguments(), api_name="/generate")
    assert re.findall(r"<figcaption>(.*?)</figcaption>", panels) == ["cat", "ship"]
    for source in re.findall(r'src="data:image/png;base64,(.*?)"', panels):
        image = Image.open(io.BytesIO(base64.b64decode(source)))
        assert image.format == "PNG" and image.mode == "RGBA" and image.width >= 320
    assert re.search(r"4 images</b> in [\d.]+ s\.", text) and seed == 3
    with Image.open(path) as image:
        assert image.format == "PNG" and json.loads(image.text["Settings"])["classes"] == "cat,ship"


def test_rows_are_streamed(client, service):
    service.row_seconds = 0.05
    job = client.submit(*arguments(), api_name="/generate")
    job.result(timeout=30)
    panels = [output[0] for output in job.outputs() if isinstance(output[0], str)]  # none while the model is loaded
    rows = [int(re.search(r'data-rows="(\d+)"', text)[1]) for text in panels]
    assert rows == sorted(rows) and rows[-1] == 16 and len(rows) >= 5
    texts = [output[1] for output in job.outputs() if isinstance(output[1], str)]
    assert any(re.search(r"Row \d+ of 16 · [\d.]+ s · [\d.]+ images/s", text) for text in texts)


def test_the_same_request_gives_the_same_pixels(client, service):
    first, again = (client.predict(*arguments(), api_name="/generate")[0] for _ in range(2))
    assert first == again


def test_classes_of_a_model_that_the_page_has_not_shown(client, service):
    panels, *_ = client.predict(*arguments(model="digits", classes=["3"]), api_name="/generate")
    assert "<figcaption>3</figcaption>" in panels


def test_the_page_documents_its_public_endpoints(client, service):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert {"/generate", "/find_faces", "/portraits", "/interpolate", "/decode_code", "/code_path", "/complete",
            "/inside_edit", "/inside_pixel"} <= set(endpoints)
    assert "row" in endpoints["/generate"]["description"]


@pytest.mark.parametrize("changes, images", [
    ({"images": 10**9}, 32), ({"images": -5}, 2), ({"images": "lots"}, 8), ({"images": None}, 8), ({"images": [1]}, 8),
    ({"temperature": "nan"}, 4), ({"temperature": "hot"}, 4), ({"temperature": -1e300}, 4),
    ({"guidance": "-inf"}, 4), ({"guidance": {}}, 4),
    ({"seed": -1}, 4), ({"seed": 10**30}, 4), ({"seed": "z" * 10**5}, 4), ({"seed": 1.5}, 4),
    ({"same_noise": "maybe"}, 4), ({"same_noise": [[]]}, 4),
], ids=lambda value: str(value)[:40])
def test_strange_numbers_are_moved_into_their_range(client, service, changes, images):
    _, text, _, seed = client.predict(*arguments(**changes), api_name="/generate")
    assert f"<b>{images} images</b>" in text and 0 <= seed < 2**32


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-0"])
def test_numbers_that_json_does_not_know(url, service, number):
    address = f"{url}gradio_api/call/generate"
    body = f'{{"data": ["photos", ["cat"], {number}, {number}, {number}, {number}, {number}, {number}]}}'
    answer = httpx.post(address, content=body, headers={"Content-Type": "application/json"})
    if answer.status_code == 200:
        events = httpx.get(f"{address}/{answer.json()['event_id']}", timeout=20).text
        assert "event: complete" in events and "Traceback" not in events
    else:
        assert answer.status_code in (400, 422) and "Traceback" not in answer.text


@pytest.mark.parametrize("changes, sentence", [
    ({"model": "../../etc"}, "There is no model '../../etc'"),
    ({"model": "/etc/passwd"}, "There is no model"),
    ({"model": ["photos"]}, "There is no model"),
    ({"model": {"path": "/etc/passwd"}}, "This file was not uploaded here"),
    ({"model": "x" * 10**5}, "There is no model"),
    ({"classes": []}, "Choose at least one class"),
    ({"classes": ["dragon"]}, "no class 'dragon'"),
    ({"classes": ["<img src=x onerror=alert(1)>"]}, "no class"),
    ({"classes": 5}, "Classes are a list of names"),
    ({"classes": [["cat"]]}, "Classes are a list of names"),
    ({"classes": ["cat"] * 10**5 + ["dragon"] * 3}, None),
    ({"classes": ["c" * 10**6]}, "no class"),
], ids=lambda value: str(value)[:40])
def test_what_does_not_exist_gives_one_sentence_and_leaves_the_model_free(client, service, changes, sentence):
    if sentence is None:
        client.predict(*arguments(**changes), api_name="/generate")
        return
    with pytest.raises(Exception) as error:
        client.predict(*arguments(**changes), api_name="/generate")
    assert sentence in str(error.value)
    assert "Traceback" not in str(error.value) and len(str(error.value)) < 300
    assert not service.busy


def test_two_users_at_once_are_served_one_after_the_other(url, service):
    service.row_seconds = 0.05
    jobs = [Client(url, verbose=False).submit(*arguments(seed=seed), api_name="/generate") for seed in (1, 2)]
    assert [job.result(timeout=20)[3] for job in jobs] == [1, 2]
    texts = [output[1] for job in jobs for output in job.outputs()]
    assert not any("Waiting: the model" in text for text in texts)  # the second was in the queue


def test_a_full_queue_says_that_the_demo_is_busy(url, service):
    service.row_seconds = 0.3
    api, index = endpoint(url)
    joined = []
    for visitor in range(QUEUE_LENGTH + 2):
        body = {"data": arguments(), "fn_index": index, "session_hash": f"visitor {visitor}"}
        answer = httpx.post(api + "queue/join", json=body)
        if answer.status_code == 200:
            joined.append({"session_hash": body["session_hash"], "fn_index": index, **answer.json()})
    assert answer.status_code == 503 and "queue is full" in answer.text.lower()
    assert QUEUE_LENGTH <= len(joined) <= QUEUE_LENGTH + 1  # one may run already
    for event in reversed(joined):
        httpx.post(api + "cancel", json=event)
    assert wait_until(lambda: not service.busy, SECONDS_TO_FREE)


def test_cancel_frees_the_model(client, service):
    service.row_seconds = 0.3
    job = client.submit(*arguments(), api_name="/generate")
    assert wait_until(lambda: service.busy, 5)
    job.cancel()
    assert wait_until(lambda: not service.busy, SECONDS_TO_FREE)
    service.row_seconds = 0
    assert "4 images" in client.predict(*arguments(), api_name="/generate")[1]


def test_a_lost_connection_frees_the_model(url, service):
    service.row_seconds = 0.3
    api, index = endpoint(url)
    body = {"data": arguments(), "fn_index": index, "session_hash": "visitor"}
    assert httpx.post(api + "queue/join", json=body).status_code == 200
    with httpx.stream("GET", api + "queue/data", params={"session_hash": "visitor"}, timeout=10) as answer:
        for line in answer.iter_lines():
            if "process_generating" in line:
                break
        assert wait_until(lambda: service.busy, 5)
    assert wait_until(lambda: not service.busy, SECONDS_TO_FREE)


@pytest.mark.slow
def test_private_events_survive_nonsense(url, service):
    """The events behind the page's own buttons can be called by hand as well."""
    api, _ = endpoint(url)

    def call(item):
        for data in ([], ["../../etc"] * 9, [{"a": [1e308]}] * 9):
            body = {"data": data, "fn_index": item["id"], "session_hash": f"nonsense {item['id']}"}
            httpx.post(api + "queue/join", json=body, timeout=60)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, httpx.get(url + "config").json()["dependencies"]))

    def answered() -> bool:
        """A visitor is served as soon as what the nonsense left in the queue is through."""
        try:
            return "4 images" in visitor.predict(*arguments(), api_name="/generate")[1]
        except QueueError:
            return False

    visitor = Client(url, verbose=False)
    assert wait_until(answered, 60)
    assert not service.busy


@pytest.mark.parametrize("name, data", [
    ("generate", []), ("generate", [[]] * 40), ("inside_pixel", ["cat", {"secret-value": 1}, 0, 0]),
    ("inside_pixel", [["secret-value"], 1, {}, []]), ("race_at", [{"secret-value": []}, {}]),
    ("inside_edit", [None, None, "secret-value"]), ("portraits", [None, {"secret-value": 1}, [], [], []]),
])
def test_what_goes_wrong_says_one_sentence_and_the_log_no_values(page, service, capfd, caplog, name, data):
    event = next(event for event in page.events if event["api_name"] == name)
    answer = page.call(event, data)
    if not answer.ok:
        assert answer.output["error"].endswith((".", "!")), "a sentence of the app"
    for word in ("Traceback", "TypeError", "unhashable", "NoneType", str(ROOT), "site-packages"):
        assert word not in answer.text
    written = capfd.readouterr()
    for place in (written.out, written.err, caplog.text):
        assert "secret-value" not in place and "Traceback" not in place


def test_failures_of_the_web_server_are_logged_without_values(url, caplog):
    for body in ({"data": [], "fn_index": 9999, "session_hash": "secret-value"}, {"nope": "secret-value"}):
        for path in ("queue/join", "call/v2/generate", "run/predict"):
            answer = httpx.post(f"{url}gradio_api/{path}", json=body)
            assert "Traceback" not in answer.text
    assert "secret-value" not in caplog.text


def test_nobody_can_look_at_the_statistics_of_others(url):
    for path in ("monitoring", "monitoring/summary"):
        assert httpx.get(url + path).status_code in (403, 404)


@pytest.mark.parametrize("path", ["etc/passwd", "../../../../etc/passwd", "app.py", "demo/service/bridge.py"])
def test_no_file_of_the_machine_is_served(url, path):
    for prefix in ("gradio_api/file=", "file=", "gradio_api/file=/"):
        assert httpx.get(f"{url}{prefix}{path}").status_code in (401, 403, 404)


def test_uploads_are_limited(url):
    assert httpx.get(url + "config").json()["max_file_size"] == 20 * 2**20
