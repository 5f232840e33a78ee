"""Tab "What is a PixelCNN?": eight steps around one picture, for someone who has never heard of it.

All that they show was computed before (`make.py`) and is one file; in the browser a script (`js/`) plays it, and asks
the server for nothing else. The words are in `steps.html`.
"""

import html
import json
from pathlib import Path

import gradio as gr

from demo.kit.html_block import html_block
from demo.kit.page_files import keep
from demo.service.bridge import Service
from demo.tabs.story.opening import opened

ID, TITLE = "story", "What is a PixelCNN?"
HERE = Path(__file__).parent
RECORD = HERE.parents[1] / "assets" / "story" / "story.json"
FIRST_DOORS = 3  # so many are recommended before the others
DOORS = {
    "inside": ("Inside", "Take any picture, change a pixel, see what the network thought."),
    "portraits": ("Portraits", "A photo of a face goes in, new portraits come out."),
    "complete": ("Complete", "Rub something out; the network fills it in."),
    "classes": ("Classes", "Say what it should draw, and how daring it may be."),
    "interpolate": ("Interpolate", "One person turns into another, step by step."),
    "chain": ("Coarse to fine", "Paint a mosaic of 8 × 8, and have it imagined."),
    "autoencoder": ("Auto-encoder", "A picture becomes a few numbers, and a picture again."),
    "likelihood": ("Likelihood", "How probable is your picture? How small can it get?"),
    "scoreboard": ("Scoreboard", "How good is it, beside its rivals?"),
}
MISSING = """### The story cannot be told
Its pictures are not here. `python -m demo.tabs.story.make` draws them, in a few minutes."""


def read_record() -> dict:
    """What `make.py` wrote. Raises OSError or ValueError."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    if not isinstance(record, dict) or "picture" not in record:
        raise ValueError(f"{RECORD} is not the story's record")
    return record


def script() -> str:
    """The files of `js/`, joined in the order of their names."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((HERE / "js").glob("*.js")))


def template(doors: dict[str, tuple[str, str]]) -> str:
    """The words of all steps, and links to other tabs at the end."""
    links = [f'<li><a href="?tab={tab}" data-door="{tab}"><b>{html.escape(title)}</b>'
                    f'<span>{html.escape(words)}</span></a></li>' for tab, (title, words) in doors.items()]
    words = (HERE / "steps.html").read_text(encoding="utf-8")
    for tag, some in (('<ul class="first">', links[:FIRST_DOORS]), ("<ul>", links[FIRST_DOORS:])):
        words = words.replace(f"{tag}</ul>", f"{tag}{''.join(some)}</ul>")
    return words


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's one component, inside an open `gr.Tab`."""
    try:
        record = read_record()
    except (OSError, ValueError):
        gr.Markdown(MISSING)
        return
    file = keep(json.dumps(record, separators=(",", ":")).encode(), "json")
    html_block({"file": file}, elem_id="story", html_template=opened(template(DOORS), record), js_on_load=script())
