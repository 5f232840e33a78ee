"""Files to download: their words in any script."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from demo.kit.downloads import sheet_png
from demo.tabs.story import preview
from pixelcnn_core.figures import characters

PANEL = np.zeros((160, 160, 4), np.uint8)


@pytest.fixture
def drawn(monkeypatch) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """The words that are drawn, each with its font."""
    found, text = [], ImageDraw.ImageDraw.text

    def note(self, place, words, fill, font, anchor):
        found.append((words, font))
        text(self, place, words, fill, font, anchor)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", note)
    return found


def test_names_in_other_scripts_are_no_boxes_on_a_sheet(drawn):
    names = ["Übergröße", "кот", "猫", "\uffff", "cat"]
    sheet = Image.open(io.BytesIO(sheet_png([(PANEL, name) for name in names], "Größe · γάτα")))
    assert sheet.width == 5 * 184 + 24
    assert [words for words, _ in drawn][:2] == names[:2] and drawn[3][0] == "\\uffff" and len(drawn) == 6
    assert all(set(map(ord, words)) <= characters(font.path) for words, font in drawn)


def test_the_preview_has_a_font_on_every_computer(monkeypatch):
    monkeypatch.setattr(preview, "FONTS", ("none.ttf", preview.FONTS[1]))
    assert preview.font(88).getname()[0] == "DejaVu Serif"
