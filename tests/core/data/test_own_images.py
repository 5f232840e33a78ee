"""Own images, in folders and in tables: the right pixels, the right classes, a mixed order, and one sentence for the
rest."""

import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from picture_files import saved, turned
from PIL import Image

from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.data.loaders import load_data
from pixelcnn_core.evaluation.likelihood import evaluate
from pixelcnn_core.training.loop import train
from pixelcnn_core.training.recipe import Recipe, load_recipe

GREY16 = Image.fromarray(np.full((8, 8), 128 * 257, np.uint16))


def plain(value: int | tuple, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new("RGB", size, value if isinstance(value, tuple) else (value,) * 3)


def write(path, image: Image.Image | bytes, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image if isinstance(image, bytes) else saved(image, **options))


def first_values(data: ImageData) -> list[int]:
    return sorted(data.images[:, 0, 0, 0].tolist())


def by_class(data: ImageData) -> dict[str, list[int]]:
    """Class -> the first value of each of its images."""
    return {name: first_values(ImageData(data.images[data.labels == k], data.labels, ()))
            for k, name in enumerate(data.class_names)}


def test_every_kind_of_picture_in_a_folder_has_its_right_values(tmp_path):
    sideways = plain(255, (16, 8))
    sideways.paste((0, 0, 0), (0, 0, 8, 8))  # left half black; by orientation 6 the upper one
    write(tmp_path / "test" / "16-bit" / "1.png", GREY16)
    write(tmp_path / "test" / "clear" / "1.png", Image.new("RGBA", (8, 8), (0, 0, 0, 0)))
    write(tmp_path / "test" / "cmyk" / "1.tif", plain((220, 30, 40)).convert("CMYK"), kind="TIFF")
    write(tmp_path / "test" / "moving" / "1.gif", plain(9), kind="GIF", save_all=True, append_images=[plain(200)])
    write(tmp_path / "test" / "turned" / "1.png", sideways, exif=turned(6))
    data = load_data("folder", tmp_path, "test", size=(8, 4))
    pixels = {name: data.images[data.labels == k][0] for k, name in enumerate(data.class_names)}
    assert (pixels["16-bit"] == 128).all() and (pixels["clear"] == 255).all() and (pixels["moving"] == 9).all()
    assert (pixels["cmyk"][:, 0, 0] - torch.tensor([220, 30, 40])).abs().max() <= 1
    assert (pixels["turned"][:, :4] == 0).all() and (pixels["turned"][:, 4:] == 255).all()


def test_sub_folders_count_and_what_systems_leave_behind_does_not(tmp_path):
    train = tmp_path / "train"
    write(train / "cat" / "1.png", plain(1))
    write(train / "cat" / "holidays" / "2023" / "2.png", plain(2))
    write(train / "dog" / "3.png", plain(3))
    (train / ".ipynb_checkpoints").mkdir()
    write(train / "__MACOSX" / "cat" / "._1.png", b"resource fork")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._1.png"):
        write(train / "cat" / name, b"no image")
    write(train / "cat" / ".hidden" / "4.png", plain(4))
    write(train / "notes.txt", b"beside the classes")
    seen = [load_data("folder", tmp_path, split, size=8) for split in ("train", "validation")]
    assert all(data.class_names == ("cat", "dog") for data in seen)
    assert sorted(first_values(seen[0]) + first_values(seen[1])) == [1, 2, 3] and len(seen[1]) == 1


def test_linked_sub_folders_are_walked_once(tmp_path):
    write(tmp_path / "elsewhere" / "2.png", plain(2))
    write(tmp_path / "test" / "cat" / "1.png", plain(1))
    for name in ("a", "b"):
        (tmp_path / "test" / "cat" / name).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "test" / "cat")
    assert first_values(load_data("folder", tmp_path, "test", size=8)) == [1, 2]


def test_a_class_has_one_number_in_every_split(tmp_path):
    for name, value in (("cat", 1), ("cow", 2), ("dog", 3)):
        for k in range(3):
            write(tmp_path / "train" / name / f"{k}.png", plain(value))
    write(tmp_path / "test" / "dog" / "1.png", plain(3))
    write(tmp_path / "test" / "cow" / "1.png", plain(2))
    data = load_data("folder", tmp_path, "test", size=8)
    assert by_class(data) == {"cat": [], "cow": [2], "dog": [3]}
    write(tmp_path / "test" / "eel" / "1.png", plain(4))
    with pytest.raises(DataError, match="has the class 'eel', which .*train has not"):
        load_data("folder", tmp_path, "test", size=8)


@pytest.mark.parametrize("name", ["folder", "parquet"])
def test_the_first_images_are_of_all_classes_always_in_the_same_order(tmp_path, name):
    files = [saved(plain(10 * c + k % 10)) for c in range(12) for k in range(40)]
    if name == "folder":
        for k, file in enumerate(files):
            write(tmp_path / "test" / f"{k // 40:02d}" / f"{k:03d}.png", file)
    else:
        table = pyarrow.table({"image": files, "label": [k // 40 for k in range(480)]})
        pyarrow.parquet.write_table(table, tmp_path / "test.parquet")
    data = load_data(name, tmp_path, "test", size=8)
    assert len(set(data.labels[:60].tolist())) == 12 and data.labels.bincount().tolist() == [40] * 12
    assert (data.images[:, 0, 0, 0] // 10 == data.labels).all(), "image and label stay together"
    assert torch.equal(data.images, load_data(name, tmp_path, "test", size=8).images)


@pytest.mark.parametrize("name", ["folder-grey", "parquet-grey"])
def test_grey_stays_one_channel(tmp_path, name):
    files = [saved(GREY16), saved(plain((220, 30, 40)))]
    if name == "folder-grey":
        for k, file in enumerate(files):
            write(tmp_path / "test" / "all" / f"{k}.png", file)
    else:
        pyarrow.parquet.write_table(pyarrow.table({"image": files, "label": [0, 0]}), tmp_path / "test.parquet")
    data = load_data(name, tmp_path, "test", size=4)
    assert data.images.shape == (2, 1, 4, 4) and first_values(data) == [88, 128]


def test_images_need_not_be_square(tmp_path):
    write(tmp_path / "test" / "a" / "1.png", plain(7, (40, 20)))
    assert load_data("folder", tmp_path, "test", size=(10, 20)).images.shape == (1, 3, 10, 20)


def test_a_folder_that_cannot_be_read_says_what_is_wrong(tmp_path):
    with pytest.raises(DataError, match="expected .*train/CLASS/IMAGE"):
        load_data("folder", tmp_path, "train")
    (tmp_path / "train" / "a").mkdir(parents=True)
    with pytest.raises(DataError, match="class folder .*a holds no images: fill or remove it"):
        load_data("folder", tmp_path, "train")
    write(tmp_path / "train" / "a" / "1.png", plain(1))
    with pytest.raises(DataError, match="too few: one trains, one validates"):
        load_data("folder", tmp_path, "train")
    write(tmp_path / "train" / "a" / "2.png", plain(1))
    assert len(load_data("folder", tmp_path, "train", size=8)) == 1
    for name in ("3.txt", "4.txt"):
        write(tmp_path / "train" / "a" / name, b"words")
    with pytest.raises(DataError, match="txt is not a readable image: This file is not an image"):
        load_data("folder", tmp_path, "train")


def table(path, labels, extra: dict | None = None, names: list[str] | None = None, column: str = "image") -> None:
    """Images of the values 10, 20, ... with these labels; `names` as `datasets` stores them."""
    images = [{"bytes": saved(plain(10 * k + 10)), "path": f"{k}.png"} for k in range(len(labels))]
    written = pyarrow.table({column: images, "label": labels, **(extra or {})})
    if names:
        features = {column: {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        written = written.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(written, path)


@pytest.mark.parametrize("column", ["image", "img"])
def test_tables_as_datasets_writes_them(tmp_path, column):
    """{bytes, path}, in parts below data/, with the names of the classes in the metadata."""
    table(tmp_path / "data" / "train-00000-of-00002.parquet", [0, 2], names=["ant", "bee", "cow"], column=column)
    table(tmp_path / "data" / "train-00001-of-00002.parquet", [2, 0], names=["ant", "bee", "cow"], column=column)
    table(tmp_path / "data" / "test-00000-of-00001.parquet", [2, 1], names=["ant", "bee", "cow"], column=column)
    assert by_class(load_data("parquet", tmp_path, "test", size=8)) == {"ant": [], "bee": [20], "cow": [10]}
    train, validation = (load_data("parquet", tmp_path, split, size=8) for split in ("train", "validation"))
    assert sorted(first_values(train) + first_values(validation)) == [10, 10, 20, 20]
    assert train.class_names == validation.class_names == ("ant", "bee", "cow")


@pytest.mark.parametrize("labels, extra, expected", [
    (["b", "a", "b"], {}, {"a": [20], "b": [10, 30]}),
    (pyarrow.array(["b", "a", "b"]).dictionary_encode(), {}, {"a": [20], "b": [10, 30]}),
    ([1, 0, 3], {}, {"0": [20], "1": [10], "2": [], "3": [30]}),
    ([1, 0, 1], {"name": ["reef", "bear", "reef"]}, {"bear": [20], "reef": [10, 30]}),
    ([1, 0, 1], {"name": ["reef", None, None]}, {"0": [20], "reef": [10, 30]}),
], ids=["texts", "categories", "a gap", "names", "some names"])
def test_labels(tmp_path, labels, extra, expected):
    table(tmp_path / "val.parquet", labels, extra)
    assert by_class(load_data("parquet", tmp_path, "test", size=8)) == expected


@pytest.mark.parametrize("labels, extra, message", [
    ([0, None], {}, "row 1 of .* has no label"),
    ([0, -1], {}, "row 1 of .* has the label -1; number the classes 0, 1, 2"),
    ([0, 10**9], {}, "has the label 1000000000; number the classes"),
    ([0.0, 1.5], {}, "labels of .* are of type double; they must be whole numbers or texts"),
    ([True, False], {}, "are of type bool"),
    ([[0], [1]], {}, "are of type list"),
    ([1, 1], {"name": ["reef", "bear"]}, "calls the label 1 both 'reef' and 'bear'"),
])
def test_labels_that_name_no_class(tmp_path, labels, extra, message):
    table(tmp_path / "val.parquet", labels, extra)
    with pytest.raises(DataError, match=message):
        load_data("parquet", tmp_path, "test", size=8)


def test_a_class_of_the_test_table_that_training_does_not_know(tmp_path):
    table(tmp_path / "train.parquet", ["a", "b"])
    table(tmp_path / "test.parquet", ["b", "c"])
    with pytest.raises(DataError, match="test.parquet has the label 'c', which the training table has not"):
        load_data("parquet", tmp_path, "test")


def test_tables_that_cannot_be_read(tmp_path):
    path = tmp_path / "val.parquet"

    def message(columns: dict | bytes) -> str:
        if isinstance(columns, bytes):
            path.write_bytes(columns)
        else:
            pyarrow.parquet.write_table(pyarrow.table(columns), path)
        with pytest.raises(DataError) as error:
            load_data("parquet", tmp_path, "test")
        return str(error.value)

    with pytest.raises(DataError, match="must name a folder with train.parquet"):
        load_data("parquet", tmp_path, "train")
    good = saved(plain(1))
    assert "is damaged or no Parquet table" in message(b"PAR1 and nothing else")
    assert "has no column 'label'; it has image" in message({"image": [good]})
    assert "has no column 'image'; it has picture, label" in message({"picture": [good], "label": [0]})
    assert "image 1 of" in (text := message({"image": [good, b"words"], "label": [0, 0]})) and "not a readable" in text
    assert "is no encoded image" in message({"image": [[1, 2], [3]], "label": [0, 0]})
    assert "is no encoded image" in message({"image": [good, None], "label": [0, 0]})
    assert "holds no images: a table has one row for each" in message({"image": pyarrow.array([], "binary"),
                                                                       "label": pyarrow.array([], "int64")})
    assert "only the name of a file (a.png)" in message({"image": [{"bytes": None, "path": "a.png"}], "label": [0]})


def test_an_empty_test_table_is_named(tmp_path):
    table(tmp_path / "train.parquet", [0, 1])
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(tmp_path / "train.parquet")[:0], tmp_path / "test.parquet")
    with pytest.raises(DataError, match="test.parquet holds no images"):
        load_data("parquet", tmp_path, "test")


def test_metadata_nested_without_end_are_passed_over(tmp_path):
    images = [saved(plain(10)), saved(plain(20))]
    deep = pyarrow.table({"image": images, "label": [0, 1]}).replace_schema_metadata({"huggingface": "[" * 100_000})
    pyarrow.parquet.write_table(deep, tmp_path / "test.parquet")
    assert load_data("parquet", tmp_path, "test", size=8).class_names == ("0", "1")


@pytest.mark.parametrize("name, channels", [("folder", 3), ("folder-grey", 1)])
def test_a_recipe_trains_on_them(tmp_path, name, channels):
    """A copy of a bundled recipe with two changed lines, as the README says; and few steps."""
    for split in ("train", "test"):
        for label, value in (("dark", 20), ("light", 220)):
            for k in range(4):
                write(tmp_path / split / label / f"{k}.png", plain(value + k, (12, 9)))
    recipe = {**load_recipe("cifar10-cpu").to_dict(), "data": name, "size": 8, "steps": 2, "batch": 2, "validate": 1,
              "compile": False, "bf16": False, "sample": False}
    recipe["model"] = {"features": 6, "layers": 2, "head_features": 6, "first_kernel_size": 3}
    out = train(Recipe(**recipe), tmp_path, tmp_path / "run")
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert config["channels"] == channels and config["class_names"] == ["dark", "light"]
    results = evaluate(out, tmp_path)
    assert results["images_test"] == 8 and set(results["bits_per_dim_test_per_class"]) == {"dark", "light"}
