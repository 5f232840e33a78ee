"""A path in a request: nothing but an upload is read or deleted, whatever it says and whichever event is asked."""

import base64
import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from gradio.utils import get_upload_folder
from helpers import wait_until
from PIL import Image
from raw_calls import Page
from touched import MARK, touched

from demo.service.settings import UserError
from demo.service.uploads import (
    NO_UPLOAD,
    READ,
    READERS,
    keep_clear,
    reading,
    remove_strays,
    take_file,
    take_upload,
    uploaded,
)

FILE_KINDS = {"image", "file", "gallery", "imageeditor", "imageslider", "uploadbutton", "video", "audio", "model3d",
              "multimodaltextbox", "annotatedimage"}


@pytest.fixture
def folder() -> Path:
    return Path(get_upload_folder())


@pytest.fixture
def outside(tmp_path) -> Path:
    """A picture of the server in a folder that is nobody's upload."""
    place = tmp_path / "treasure-folder" / "treasure.png"
    place.parent.mkdir()
    Image.new("RGB", (64, 64), (1, 250, 3)).save(place)
    return place


@pytest.fixture
def hostile(outside, folder, page):
    """Payloads that name something other than an upload of theirs, by what they try."""
    link = folder / "a-link"
    link.symlink_to(outside.parent)
    linked_file = folder / "a-folder" / "linked.png"
    linked_file.parent.mkdir(exist_ok=True)
    linked_file.symlink_to(outside)
    served = folder / "a-served-file" / "treasure.png"  # what Gradio offers for download lies beside the uploads
    served.parent.mkdir(exist_ok=True)
    served.write_bytes(outside.read_bytes())
    up = "../" * 12
    paths = {"absolute": outside, "folder": outside.parent, "dots": f"{folder}/{up}{outside}", "relative": "app.py",
             "relative dots": f"x/../{up}{outside}", "link to a folder": link / outside.name,
             "link to a file": linked_file, "the upload folder": folder, "served": served, "nul": f"{outside}\0.png",
             "file address": f"file://{outside}", "web address": "http://treasure.example/treasure.png",
             "long": "x" * 5000, "number": 7, "list": [str(outside)], "object": {"path": str(outside)}}
    paths = {name: path if isinstance(path, (int, list, dict)) else str(path) for name, path in paths.items()}
    cases = {f"{name}, {marked}": {"path": path, **(MARK if marked == "marked" else {})}
             for name, path in paths.items() for marked in ("plain", "marked")}
    for name in ("file address", "web address"):
        cases[f"{name} as url"] = {"url": paths[name], **MARK}
        cases[f"{name} as url, path empty"] = {"path": "", "url": paths[name]}
    cases["a path as url"] = {"url": str(outside)}
    cases["text"] = str(outside)
    cases["nested"] = {"image": {"path": str(outside), **MARK}, "background": {"path": str(outside)}, "layers": []}
    cases["gallery"] = [{"image": {"path": str(outside), **MARK}}]
    yield cases
    link.unlink()
    for place in (linked_file, served):
        assert place.exists(), "not an upload, and yet deleted"
        place.unlink()
        place.parent.rmdir()


def events_with_files(page: Page) -> list[dict]:
    return [event for event in page.events if FILE_KINDS & set(page.kinds(event))]


def test_the_config_shows_the_events_that_take_files(page):
    found = events_with_files(page)
    assert len(found) >= 8
    assert {"find_faces", "decompress"} <= {event["api_name"] for event in found}


@pytest.mark.slow
def test_nothing_outside_is_read_or_deleted(page, service, hostile, outside, folder):
    content = outside.read_bytes()
    touched.clear()
    for event in events_with_files(page):
        for case, payload in hostile.items():
            data = [payload if kind in FILE_KINDS else value for kind, value in zip(page.kinds(event),
                                                                                    page.values(event))]
            answer = page.call(event, data)
            where = f"{event['api_name']} {event['id']}, {case}"
            sentence = answer.output.get("error") if not answer.ok else answer.text
            assert sentence, where
            for secret in ("Traceback", str(outside), str(folder), str(Path.cwd()), "Error:"):
                assert secret not in answer.text, where
    assert outside.read_bytes() == content
    seen = [line for line in touched if "treasure" in line and not line.endswith(f"open {outside}")]
    assert not seen and touched.count(f"open {outside}") <= 1, seen  # once by this test


@pytest.mark.slow
def test_an_event_that_takes_no_file_fetches_none(page, service, outside):
    """Gradio looks for marked records in the value of every component."""
    touched.clear()
    for event in page.events:
        for payload in ({"path": str(outside), **MARK}, {"path": "http://treasure.example/a.png", **MARK}):
            if event["inputs"]:
                answer = page.call(event, [payload] * len(event["inputs"]))
                assert str(outside) not in answer.text and "Traceback" not in answer.text
    assert not [line for line in touched if "treasure" in line]


def test_an_upload_is_read_once_and_deleted_with_its_folder(page, service, folder):
    buffer = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(buffer, "PNG")
    event = next(event for event in page.events if event["api_name"] == "find_faces")
    path = page.upload("wall.png", buffer.getvalue())
    assert uploaded(path).read_bytes() == buffer.getvalue()
    answer = page.call(event, [{"path": path, **MARK}, False, None])
    assert "No face was found" in answer.text
    assert wait_until(lambda: not Path(path).parent.exists(), 6)
    assert folder.is_dir()
    again = page.call(event, [{"path": path, **MARK}, False, None])
    assert again.output["error"] == NO_UPLOAD


def test_a_folder_that_holds_more_is_left(folder):
    place = folder / "two-files" / "a.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(place)
    (other := place.with_name("b.png")).write_bytes(b"other")
    assert take_upload({"path": str(place)}).size == (4, 4)
    assert wait_until(lambda: not place.exists(), 5)
    assert other.read_bytes() == b"other"
    other.unlink()
    other.parent.rmdir()


def test_what_broken_uploads_leave_goes(url, folder):
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + b"A" * 3_000_000
    before = set(folder.iterdir())
    assert httpx.post(f"{url}gradio_api/upload", content=body + b"\r\n--x\r\nbroken header\r\n\r\n",
                      headers={"Content-Type": "multipart/form-data; boundary=x"}).status_code == 413
    (stray := folder / "tmp-of-a-broken-upload").write_bytes(b"A")
    remove_strays(60)
    assert stray.exists(), "it may be on its way"
    for path in set(folder.iterdir()) - before:
        os.utime(path, (0, 0))
    keep_clear(0.05, 60)
    assert wait_until(lambda: set(folder.iterdir()) <= before, 5)


def test_what_is_no_upload_is_refused(outside, folder):
    for path in (outside, outside.parent, folder, folder.parent, "", ".", "\0", "http://x/y", folder / "missing" / "x"):
        with pytest.raises(UserError, match="choose it again|choose a file"):
            take_file({"path": str(path)}, 100)
    address = "data:image/png;base64," + base64.b64encode(outside.read_bytes()).decode()
    assert take_upload({"url": address}).size == (64, 64)


def test_an_upload_is_deleted_whatever_it_holds(folder):
    for name, content in (("picture.png", None), ("text.png", b"no image")):
        place = folder / f"own-{name}" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content) if content else Image.new("RGB", (9, 7)).save(place)
        try:
            assert take_upload({"path": str(place)}).size == (9, 7)
        except UserError as error:
            assert name == "text.png" and "not an image" in str(error)
        assert wait_until(lambda gone=place.parent: not gone.exists(), 5)
    for nonsense in (None, 3, {}, {"path": 7}, {"url": "https://example.org/face.png"}):
        with pytest.raises(UserError, match="choose an image"):
            take_upload(nonsense)


def test_of_two_equal_uploads_the_second_one_outlives_the_first(page, service, monkeypatch):
    """Gradio calls the folder of an upload by a hash of its content: both have one path."""
    monkeypatch.setattr("demo.service.uploads.PREVIEW_SECONDS", 0.2)
    buffer = io.BytesIO()
    Image.effect_noise((20, 20), 50).save(buffer, "PNG")
    first = page.upload("same.png", buffer.getvalue())
    assert take_upload({"path": first}).size == (20, 20)
    second = page.upload("same.png", buffer.getvalue())
    time.sleep(0.5)
    assert second == first and Path(second).is_file(), "not yet read by its own visitor"
    assert take_file({"path": second}, 10_000) == buffer.getvalue()
    assert wait_until(lambda: not Path(second).parent.exists(), 3)
    assert Path(second) not in READERS and Path(second) not in READ


def test_an_upload_stays_while_somebody_still_reads_it(folder, monkeypatch):
    monkeypatch.setattr("demo.service.uploads.PREVIEW_SECONDS", 0.05)
    place = folder / "read-twice" / "a.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"words")
    with reading(place):
        assert take_file({"path": str(place)}, 100) == b"words"
        time.sleep(0.2)
        assert place.is_file()
    assert wait_until(lambda: not place.parent.exists(), 3)


def test_few_pictures_are_decoded_at_once(monkeypatch):
    """A picture takes up to 200 MB while it is decoded, and uploads wait for no turn."""
    at_once, most, lock = 0, 0, threading.Lock()

    def load(source):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1

    monkeypatch.setattr("demo.service.uploads.load_image", load)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(take_upload, [{"url": "data:"}] * 12))
    assert most == 2
