"""Made-up face tables, for the tests of the face encoder and of portraits."""

import io

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from pixelcnn_core.faces.tables import held_out_people, split_of


def webp(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=90)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """68 "people", each a colour, six photos each in varying light; the descriptor is a function of the colour.

    52 are to train on, 8 for validation, 8 for tests.
    """
    folder = tmp_path_factory.mktemp("faces")
    random = np.random.default_rng(0)
    held_out = sorted(held_out_people())[:8]
    rows = {"image": [], "identity": [], "source": [], "inside": [], "descriptor": []}
    directions = random.normal(size=(3, 128))
    made_up = [f"made-up {k}" for k in range(200)]
    others = [[name for name in made_up if split_of(name) == split] for split in ("train", "validation")]
    for name in held_out + others[0][:52] + others[1][:8]:
        colour = random.uniform(40, 215, 3)
        for _ in range(6):
            light = colour + random.normal(scale=6, size=3)
            pixels = np.clip(light + random.normal(scale=8, size=(64, 64, 3)), 0, 255).astype(np.uint8)
            rows["image"].append(webp(pixels))
            rows["identity"].append(name)
            rows["source"].append("made")
            rows["inside"].append(1.0)
            rows["descriptor"].append(3 + (colour / 128 - 1) @ directions + random.normal(scale=0.05, size=128))
    descriptors = pyarrow.array(np.concatenate(rows.pop("descriptor")).astype(np.float16))
    table = pyarrow.table({**rows, "descriptor": pyarrow.FixedSizeListArray.from_arrays(descriptors, 128)})
    pyarrow.parquet.write_table(table, folder / "made.parquet")
    return folder
