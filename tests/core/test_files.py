"""Files that are whole or not there."""

import pytest

from pixelcnn_core.files import check_target, replacing


def test_a_file_is_replaced_at_once_or_stays_as_it_was(tmp_path):
    (old := tmp_path / "numbers.json").write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="no number"), replacing(old) as path:
        path.write_text("half", encoding="utf-8")
        raise ValueError("no number")
    assert old.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [old]
    with replacing(old) as path:
        path.write_text("new", encoding="utf-8")
        assert old.read_text(encoding="utf-8") == "old" and path.suffix == ".json"
    assert old.read_text(encoding="utf-8") == "new" and list(tmp_path.iterdir()) == [old]


def test_a_link_stays_a_link(tmp_path):
    (far := tmp_path / "far").mkdir()
    (link := tmp_path / "link.json").symlink_to(far / "numbers.json")
    for text in ("first", "second"):
        with replacing(link) as path:
            path.write_text(text, encoding="utf-8")
        assert link.is_symlink() and (far / "numbers.json").read_text(encoding="utf-8") == text


def test_what_is_no_file_is_written_to(tmp_path):
    import os

    os.mkfifo(pipe := tmp_path / "pipe")
    with replacing(pipe) as path:
        assert path == pipe
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]
    check_target(pipe)
