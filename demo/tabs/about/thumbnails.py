"""What each model draws, as a small picture of four: from what is stored beside its weights."""

import html
from pathlib import Path

import numpy as np
from PIL import Image

from demo.kit.model_facts import model_name
from demo.kit.panels import enlarge, image_tag, opaque
from demo.kit.stored import UNREADABLE, read_portraits, read_stored
from demo.service.bridge import Service


def thumbnails_html(service: Service) -> str:
    """A figure for each model that has stored pictures, a link to the tab that draws with it; the chains first."""
    names, figures = (*service.names, *service.portrait_names), []
    for name in sorted(names, key=lambda name: not service.info(name).is_chain):
        if (picture := thumbnail(service.folder / name, service)) is not None:
            tab = "tab=portraits" if name in service.portrait_names else f"tab=classes&amp;model={html.escape(name)}"
            tag = image_tag(picture, "")
            figures.append(f'<figure><a href="?{tab}">{tag}<span>{html.escape(model_name(name))}</span></a></figure>')
    return f'<div class="thumbnails">{"".join(figures)}</div>'


def thumbnail(folder: Path, service: Service) -> np.ndarray | None:
    """RGBA (h, w, 4): four stored pictures of the checkpoint in `folder`, or the corner of its card's; None without."""
    info = service.info(folder.name)
    if stored := read_stored(folder, info):
        return four(stored.images[:, 0])  # of different classes
    if portraits := read_portraits(folder):
        return four(portraits.images)
    try:
        with Image.open(folder / "samples.png") as image:
            side = min(image.size) // 2
            return opaque(np.asarray(image.convert("RGB").crop((0, 0, side, side))))
    except UNREADABLE:
        return None


def four(images: np.ndarray) -> np.ndarray:
    """uint8 (n, H, W, C) -> RGBA (h, w, 4): the first four, two by two."""
    return enlarge(images[:4], images.shape[1], 2)
