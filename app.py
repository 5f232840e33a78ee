"""The demo: `python app.py` opens it in the browser; a Hugging Face Space runs this file as it is.

GRADIO_SERVER_NAME and GRADIO_SERVER_PORT choose where it listens (default: this computer only, the first free port from
7860 on). PIXELCNN_MODELS names another folder of checkpoints, PIXELCNN_BUDGET_SECONDS the time limit of one
request, PIXELCNN_DEVICE the device that draws (default: a GPU where there is one).
"""

import logging
import os

from demo.service.process import bound_memory, private_folder, wait_for_answer

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read by Gradio on import
if __name__ == "__main__":
    private_folder()  # Gradio makes folders when it is imported

from demo.service.bridge import Service  # noqa: E402
from demo.service.uploads import keep_clear  # noqa: E402
from demo.web.files import FILE_MIDDLEWARE  # noqa: E402
from demo.web.head import HEAD_MIDDLEWARE, ICON  # noqa: E402
from demo.web.page import build_page  # noqa: E402
from demo.web.sessions import CAPACITY, FILE_SECONDS, MIDDLEWARE  # noqa: E402
from demo.web.theme import STYLES, notebook_theme  # noqa: E402
from demo.web.warm_up import warm_up  # noqa: E402

ON_SPACE = "SPACE_ID" in os.environ
LAUNCH = {
    "theme": notebook_theme(),
    "css_paths": STYLES,
    "footer_links": ["api", "settings"],
    "run_history": False,  # otherwise the browser keeps what visitors enter
    "share": False,
    "ssr_mode": False,
    "show_error": False,  # a visitor reads the app's own sentences only: those of `gr.Error`
    "enable_monitoring": False,
    "max_file_size": "20mb",
    "state_session_capacity": CAPACITY,
    "app_kwargs": {"middleware": [*MIDDLEWARE, FILE_MIDDLEWARE, HEAD_MIDDLEWARE]},
    "favicon_path": ICON if ICON.is_file() else None,
    "prevent_thread_lock": True,
    "_frontend": False,  # without the check whether the page answers, which `wait_for_answer` makes with more patience
}


def main() -> None:
    logging.basicConfig(format="%(message)s")
    logging.getLogger("demo").setLevel(logging.INFO)
    bound_memory()
    try:
        service = Service()
    except ValueError as error:  # PIXELCNN_DEVICE names none
        raise SystemExit(f"The page cannot start: {error}.") from None
    page = build_page(service)
    name = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if ON_SPACE else "127.0.0.1")
    _, address, _ = page.launch(server_name=name, inbrowser=not (ON_SPACE or "CI" in os.environ), **LAUNCH)
    wait_for_answer(address)
    keep_clear(*FILE_SECONDS)
    warm_up(service)
    page.block_thread()


if __name__ == "__main__":
    main()
