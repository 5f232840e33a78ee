"""Below every tab: the notebooks that explain it, step by step.

On a Hugging Face Space a link opens the notebook's page there; anywhere else the file itself is offered, as the page
works offline.
"""

import html
import json
import os
from pathlib import Path

import gradio as gr

from demo.kit.html_block import html_block

FOLDER = Path(__file__).parents[2] / "notebooks"
EXPLAINED_BY = {"classes": (3, 5), "portraits": (6,), "chain": (9,), "interpolate": (5, 6), "autoencoder": (7,),
                "inside": (0, 1, 2, 4), "complete": (8,), "likelihood": (3, 8), "scoreboard": (2, 3, 4)}


def find_notebook(number: int) -> Path | None:
    return next(FOLDER.glob(f"{number:02d}_*.ipynb"), None)


def title(path: Path) -> str:
    """The heading of a notebook, without its number: "# 5 · Conditioning: ..." -> "Conditioning: ..."."""
    lines = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]).splitlines()
    heading = next((line for line in lines if line.startswith("# ")), path.stem)
    return heading.removeprefix("# ").split("·")[-1].strip()


def notebook_links(tab: str) -> None:
    """The links of one tab, inside an open column; nothing where no notebook explains it."""
    found = [path for number in EXPLAINED_BY.get(tab, ()) if (path := find_notebook(number))]
    if not found:
        return
    with gr.Row(elem_classes="notebook-links"):
        html_block("<span>Step by step, in a notebook:</span>")
        for path in found:
            label = f"{int(path.name[:2])} · {title(path).split(':')[0]}"
            if space := os.environ.get("SPACE_ID"):
                address = f"https://huggingface.co/spaces/{space}/blob/main/notebooks/{path.name}"
                html_block(f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{html.escape(label)}</a>')
            else:
                gr.DownloadButton(label, value=str(path), size="sm", elem_id=f"{tab}-notebook-{path.name[:2]}")
