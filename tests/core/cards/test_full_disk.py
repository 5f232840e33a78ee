"""What a card writes: whole or not there, and a full disk is told with the path."""

import re
from pathlib import Path

import pytest
from PIL import Image

from pixelcnn_core.cards.card import write_page, write_picture
from pixelcnn_core.cards.curve import plot
from pixelcnn_core.faces.encoder_training import write_rows

WRITERS = {"README.md": lambda place: write_page(place, "words"),
           "samples.png": lambda place: write_picture(place, Image.new("L", (4, 4))),
           "curve.png": lambda place: plot([(0, 3.0), (1, 2.0), (2, 1.5)], place),
           "training.csv": lambda place: write_rows(place, [{"step": 1, "loss": 2.0}])}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(tmp_path, monkeypatch, name):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")  # as the system says it, without a path

    place = tmp_path / name
    WRITERS[name](place)
    before = place.read_bytes()
    for owner, method in ((Path, "write_text"), (Image.Image, "save"), (Path, "open")):
        monkeypatch.setattr(owner, method, full)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(OSError, match=f"{re.escape(str(place))} could not be written: No space left"):
        WRITERS[name](place)
    monkeypatch.undo()
    assert place.read_bytes() == before and list(tmp_path.iterdir()) == [place]
