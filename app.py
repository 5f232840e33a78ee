"""The demo: `python app.py` opens it in the browser; a Hugging Face Space runs this file as it is.

GRADIO_SERVER_NAME and GRADIO_SERVER_PORT choose where it listens (default: this computer only, the first free port from
7860 on). PIXELCNN_MODELS names another folder of checkpoints, PIXELCNN_BUDGET_SECONDS the time limit of one request.
"""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read by Gradio on import

from demo.page import build_page  # noqa: E402
from demo.service import Service  # noqa: E402
from demo.theme import STYLE, notebook_theme  # noqa: E402

ON_SPACE = "SPACE_ID" in os.environ
LAUNCH = {
    "theme": notebook_theme(),
    "css_paths": STYLE,
    "footer_links": ["api", "settings"],
    "run_history": False,  # otherwise the browser keeps what visitors enter
    "share": False,
    "ssr_mode": False,
    "show_error": False,  # a visitor reads the app's own sentences only: those of `gr.Error`
    "enable_monitoring": False,
    "max_file_size": "12mb",
}


def main() -> None:
    service = Service()
    page = build_page(service)
    service.warm_up()
    page.launch(server_name=os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if ON_SPACE else "127.0.0.1"),
                inbrowser=not (ON_SPACE or "CI" in os.environ), **LAUNCH)


if __name__ == "__main__":
    main()
