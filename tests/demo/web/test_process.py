"""The app as a process: its private folder, its memory, its start on a slow machine and where it may write nothing."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from helpers import free_port, wait_until

from demo.service.process import LOCK, PREFIX, Trimmer, sweep, wait_for_answer


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.slow
def test_its_folder_is_private_goes_with_it_and_is_swept_after_a_kill(app, tmp_path):
    process, address = app()
    assert wait_until(lambda: answers(address), 240), (tmp_path / "log.txt").read_text(encoding="utf-8")
    folder, = (tmp_path / "temporary").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    path = httpx.post(f"{address}gradio_api/upload", files={"files": ("face.png", b"face")}).json()[0]
    assert Path(path).is_relative_to(folder) and Path(path).read_bytes() == b"face"
    assert wait_until(lambda: "Compiled and loaded" in (tmp_path / "log.txt").read_text(encoding="utf-8"), 240)
    process.kill()
    process.wait()
    assert folder.exists(), "nobody can clean up after a kill"

    process, address = app(HOME="/nowhere", NUMBA_CACHE_DIR="/dev/null/nothing")
    assert wait_until(lambda: answers(address), 240), (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert not folder.exists() and len(list((tmp_path / "temporary").iterdir())) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_its_folder_goes_however_it_is_ended(number, tmp_path):
    code = ("import signal, time; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # these tests may run in the background
            "from demo.service.process import private_folder; print(private_folder(), flush=True); time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
                          encoding="utf-8") as process:
        folder = Path(process.stdout.readline().strip())
        assert folder.parent == tmp_path and folder.is_dir()
        process.send_signal(number)
    assert not folder.exists()


def test_nothing_of_others_is_swept(tmp_path):
    (tmp_path / f"{PREFIX}without-lock").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "other")
    (dead := tmp_path / f"{PREFIX}dead").mkdir()
    (dead / LOCK).touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", f"{PREFIX}link", f"{PREFIX}without-lock"]


def test_a_page_that_does_not_answer_is_said_truly():
    address = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(SystemExit, match=f"started at {address}, and did not answer within 1 seconds .ConnectError."):
        wait_for_answer(address, 1)


def test_a_slow_answer_is_waited_for():
    """Ten seconds for the first page: three times what Gradio's own check gives."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def serve():
            connection, _ = server.accept()
            time.sleep(4)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        wait_for_answer(f"http://127.0.0.1:{server.getsockname()[1]}/", 20)
        thread.join()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc")
def test_memory_is_trimmed_once_for_many_turns(monkeypatch):
    from demo.service import process

    trims = []
    library = type("Library", (), {"malloc_trim": lambda self, pad: trims.append(pad)})()
    monkeypatch.setattr(process, "c_library", lambda: library)
    trimmer = Trimmer(0.2)
    for _ in range(5):
        trimmer.soon()
    time.sleep(0.6)
    assert trims == [0]
    trimmer.soon()
    assert wait_until(lambda: trims == [0, 0], 3)
