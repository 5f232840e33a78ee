"""The long parts of the Scoreboard, folded: each title says in half a sentence what is inside.

`scoreboard.open=ladder,curves` in the address opens these two (`folds.js`).
"""

import html
from pathlib import Path

import gradio as gr

from demo.kit.html_block import html_block

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def fold(key: str, title: str, what: str, inside: str) -> str:
    """A closed part; `key` names it in the address and is its id. Empty if nothing is inside."""
    if not inside:
        return ""
    return (f'<details class="fold" id="{key}" data-key="{key}"><summary><h3>{html.escape(title)}</h3> '
            f'<span>{html.escape(what)}</span></summary><div class="inside">{inside}</div></details>')


def folds(parts: list[str]) -> gr.HTML:
    """All of them below one another, inside an open `gr.Blocks`."""
    return html_block("".join(parts), elem_id="scoreboard-folds", js_on_load=SCRIPT)


def folded(title: str, inside: str) -> str:
    """A small note that opens in place and is not in the address."""
    return f'<details class="folded"><summary>{title}</summary>{inside}</details>'
