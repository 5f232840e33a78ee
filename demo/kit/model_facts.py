"""What the page says about a checkpoint: its plain name, and only what its own files hold, so that it can only say what
was measured."""

import html
import re
from collections.abc import Iterable

from demo.service.bridge import ModelInfo

# A checkpoint is called after its folder in files, addresses and the API; on the page it has a name of its own.
NAMES = {"cifar10": "Photos · row by row, as in the paper", "cifar10-chain": "Photos · coarse to fine, best pictures",
         "imagenet32classes": "ImageNet · row by row, as in the paper",
         "imagenet32classes-64": "ImageNet · row by row, as in the paper",
         "imagenet32classes-chain": "ImageNet · coarse to fine, best pictures", "digits": "Digits",
         "portraits": "Faces · row by row, as in the paper", "portraits-chain": "Faces · coarse to fine, best pictures"}


def model_name(name: str) -> str:
    """The plain name of a checkpoint; of one that has none, its folder's name as words: "my-photos" -> "My photos"."""
    words = re.sub(r"[-_]+", " ", name).strip()
    return NAMES.get(name) or words[:1].upper() + words[1:]


def model_choices(names: Iterable[str]) -> list[tuple[str, str]]:
    """The choices of a radio or dropdown of models: (plain name, value)."""
    return [(model_name(name), name) for name in names]


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
    """What was measured, in a line; what not to expect is folded behind it."""
    words = " ".join(filter(None, [info.about, limits(info)]))
    facts = f"<b>{html.escape('; '.join(measured(info)))}.</b>"
    if not words:
        return f'<p class="facts">{facts}</p>'
    return (f'<details class="facts"><summary>{facts} <span class="more">What to expect</span></summary>'
            f"<p>{html.escape(words)}</p></details>")


def limits(info: ModelInfo) -> str:
    """The first paragraph below "Limits" in the model card; empty if there is none."""
    found = re.search(r"^## Limits\s*\n\s*\n(.+?)(?:\n\s*\n|\Z)", info.card, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def card_text(info: ModelInfo) -> str:
    """The model card as Markdown, without its front matter and its pictures (their paths mean nothing to a browser)."""
    text = re.sub(r"\A---\n.*?\n---\n", "", info.card, flags=re.DOTALL)
    return re.sub(r"!\[[^]]*\]\([^)]*\)\n?", "", text).strip() or "This checkpoint has no model card."
