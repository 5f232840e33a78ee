"""What the server opens, removes or looks for on the network, for the tests of paths in requests."""

import sys

MARK = {"meta": {"_type": "gradio.FileData"}}
touched: list[str] = []  # paths that were opened, hosts that were looked for


def watch(event: str, arguments: tuple) -> None:
    if event in ("open", "os.remove", "os.rmdir", "shutil.rmtree", "socket.getaddrinfo"):
        touched.append(f"{event} {arguments[0]}")


sys.addaudithook(watch)  # the server runs in this process; a hook cannot be taken away again
