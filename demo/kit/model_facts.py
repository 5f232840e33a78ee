"""What the page says about a checkpoint: only what its own files hold, so that it can only say what was measured."""

import html
import re

from demo.service.bridge import ModelInfo


def measured(info: ModelInfo) -> list[str]:
    """Short statements: size, training, likelihood."""
    facts = [f"{info.parameters / 1e6:.2g} million parameters"]
    if info.minutes is not None:
        facts.append(f"trained for {max(1, round(info.minutes))} minute{'s' * (round(info.minutes) > 1)}")
    bits, images = info.results.get("bits_per_dim_test"), info.results.get("images")
    if isinstance(bits, (int, float)):
        count = f" on {images:,} test images" if isinstance(images, int) else " on test images"
        facts.append(f"{bits:.2f} bits per dimension{count}")
    if isinstance(at_most := info.results.get("bits_per_dim_at_most"), (int, float)):
        facts.append(f"at most {at_most:.2f} bits per dimension on test images")
    return facts


def facts_html(info: ModelInfo) -> str:
    """What was measured, and what not to expect, below the model picker."""
    words = " ".join(filter(None, [info.about, limits(info)]))
    return f'<p class="facts"><b>{html.escape("; ".join(measured(info)))}.</b> {html.escape(words)}</p>'


def limits(info: ModelInfo) -> str:
    """The first paragraph below "Limits" in the model card; empty if there is none."""
    found = re.search(r"^## Limits\s*\n\s*\n(.+?)(?:\n\s*\n|\Z)", info.card, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def card_text(info: ModelInfo) -> str:
    """The model card as Markdown, without its front matter and its pictures (their paths mean nothing to a browser)."""
    text = re.sub(r"\A---\n.*?\n---\n", "", info.card, flags=re.DOTALL)
    return re.sub(r"!\[[^]]*\]\([^)]*\)\n?", "", text).strip() or "This checkpoint has no model card."
