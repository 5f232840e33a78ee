"""Tables of faces: images in both shapes of the column, and one sentence for what cannot be used."""

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from picture_files import saved
from PIL import Image

from pixelcnn_core.data.image_data import DataError
from pixelcnn_core.faces.tables import load_faces, portraits

CROP = saved(Image.new("RGB", (64, 64), (9, 8, 7)), "WEBP", lossless=True)


def written(folder, count: int = 2, **changed):
    """A folder with a table of `count` equal faces, in which some columns are others."""
    columns = {"image": [CROP] * count, "identity": ["somebody", None][:count], "source": ["made"] * count,
               "inside": [1.0] * count, "descriptor": [[0.5] * 128] * count, **changed}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "made.parquet")
    return folder


def test_images_are_bytes_or_bytes_with_a_path(tmp_path):
    for images in ([CROP] * 2, [{"bytes": CROP, "path": "a.webp"}] * 2):
        faces = load_faces(written(tmp_path, image=images))
        assert faces.images.shape == (2, 3, 64, 64) and faces.images[1, :, 5, 5].tolist() == [9, 8, 7]
        assert faces.identities == ["somebody", None] and faces.descriptors.shape == (2, 128)


@pytest.mark.parametrize("changed, message", [
    ({"inside": [1.0, None]}, "row 1 of .* has no inside: give it one"),
    ({"source": [None, "made"]}, "row 0 of .* has no source"),
    ({"descriptor": [[0.5] * 128, None]}, "row 1 of .* has no descriptor"),
    ({"descriptor": [[0.5] * 128, [0.5] * 7]}, "are not 128 finite numbers each"),
    ({"descriptor": [[0.5] * 128, [np.nan] * 128]}, "are not 128 finite numbers each"),
    ({"inside": ["most", "all"]}, "is damaged or lacks"),
    ({"image": [CROP, b"words"]}, "image 1 of .* is not a readable image"),
    ({"image": [CROP, None]}, "image 1 of .* is no encoded image"),
    ({"image": [CROP, saved(Image.new("RGB", (32, 64)))]}, "image 1 of .* has 32 x 64 pixels; aligned crops have 64"),
    ({"count": 0}, "hold no faces"),
])
def test_what_cannot_be_used_is_named(tmp_path, changed, message):
    with pytest.raises(DataError, match=message):
        load_faces(written(tmp_path, **changed))


@pytest.mark.parametrize("column", ["image", "inside"])
def test_a_missing_column_is_named(tmp_path, column):
    table = pyarrow.parquet.read_table(written(tmp_path) / "made.parquet").drop_columns(column)
    pyarrow.parquet.write_table(table, tmp_path / "made.parquet")
    with pytest.raises(DataError, match="is damaged or lacks one of the columns"):
        load_faces(tmp_path)


def test_a_split_without_faces_is_named(tmp_path):
    with pytest.raises(DataError, match="hold no faces for train"):
        portraits(written(tmp_path, inside=[0.5, 0.5]), "train", 32, "descriptors")
