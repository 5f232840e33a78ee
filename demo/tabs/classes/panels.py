"""How the samples lie on the page: few of them large, many of them in rows without holes; digits as ink on paper."""

import math

import numpy as np

from demo.kit.panels import panels_html
from demo.service.bridge import ModelInfo, Service
from demo.service.settings import Settings


def grid_html(images: np.ndarray, settings: Settings, info: ModelInfo, rows_done: int | None = None) -> str:
    """uint8 (classes, n, H, W, C) from 0 to 255 -> the panels, in as many columns as suit their number."""
    wide, narrow = columns(len(settings.classes))
    panels = panels_html(as_shown(images, info), settings.classes, rows_done)
    return panels.replace('style="', f'style="--wide:{wide};--narrow:{narrow};', 1)


def columns(panels: int) -> tuple[int, int]:
    """How many panels stand side by side, on a wide screen and on a phone: rows as equal as can be."""
    most = panels if panels <= 3 else math.ceil(panels / 2) if panels <= 10 else 6
    rows = math.ceil(panels / most)
    return math.ceil(panels / rows), min(panels, 2 if panels <= 6 else 3)


def as_shown(images: np.ndarray, info: ModelInfo) -> np.ndarray:
    """Grey models were trained on ink: what is high in their data is dark on paper."""
    return 255 - images if info.channels == 1 else images


def blank_html(service: Service, settings: Settings) -> str:
    """Panels in which nothing is drawn yet."""
    info = service.info(settings.model)
    shape = (len(settings.classes), settings.images, info.image_size, info.image_size, info.channels)
    return grid_html(np.zeros(shape, np.uint8), settings, info, 0)
