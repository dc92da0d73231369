"""Parquet as Hugging Face writes it: columns, classes and roles, and copies that can be read in any order."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from pruning.base.errors import DataError, InputError
from pruning.data.info import ROLES, DataInfo
from pruning.data.own import kept, spool
from pruning.data.readers import describe_data, open_data
from tests.data.samples import CLASSES, aged, files, picture, png, write_parquet

pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the extra [parquet]")
from pyarrow import parquet  # noqa: E402

IMAGES = [png(picture("train", "cat", number)) for number in range(10)]
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(path: Path, columns: dict[str, Any], features: dict[str, Any] | None = None, **options: Any) -> str:
    """A file of columns, each a pyarrow array, and what Hugging Face says of them."""
    table = pa.table(columns)
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, path, **options)
    return f"parquet:{path}"


def structs(contents: list[bytes | None]) -> Any:
    return pa.array([{"bytes": content, "path": "/etc/passwd"} for content in contents], type=IMAGE)


def said(info: DataInfo) -> str:
    return " ".join(info.remarks)


def test_roles_classes_and_images(tmp_path: Path) -> None:
    reference = f"parquet:{write_parquet(tmp_path / 'rows')}"
    info = describe_data(reference)
    assert info.sizes == {"train": 8, "select": 6, "test": 4} and info.classes == CLASSES
    data = open_data(reference)
    for role, part in zip(ROLES, ("train", "val", "test"), strict=True):
        labels = data.labels(role)
        assert labels is not None
        found = {
            (image.permute(1, 2, 0).numpy().tobytes(), int(label))
            for image, label in zip(data.images(role, torch.arange(len(labels))), labels, strict=True)
        }
        assert found == {
            (picture(part, kind, number).tobytes(), label)
            for label, kind in enumerate(CLASSES)
            for number in range(len(labels) // 2)
        }


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("compression", ["snappy", "none", "zstd"])
def test_one_file_of_bytes(kind: Any, compression: str, tmp_path: Path) -> None:
    reference = write(
        tmp_path / "a.parquet", {"img": pa.array(IMAGES, type=kind), "label": pa.array([0, 1] * 5)},
        compression=compression,
    )  # fmt: skip
    info = describe_data(reference)
    assert info.sizes == {"train": 4, "select": 4, "test": 2} and info.classes == ("0", "1")


@pytest.mark.parametrize(
    ("labels", "features", "classes", "words"),
    [
        ([1, 2] * 5, None, ("1", "2"), "go from 1 to 2"),
        ([0, 2] * 5, None, ("0", "1", "2"), "has the label 1"),
        (["dog", "ape"] * 5, None, ("ape", "dog"), ""),
        ([True, False] * 5, None, ("0", "1"), ""),
        ([0, 1] * 5, {"label": {"_type": "ClassLabel", "names": ["zoo", "ape"]}}, ("zoo", "ape"), "named by a.parquet"),
        ([0, 1, -1, None, 0, 1, 0, 1, 0, 1], None, ("0", "1"), "2 images without a label"),
        ([0, 1] * 5, {"label": {"_type": "ClassLabel", "names": "xy"}}, ("0", "1"), ""),
        ([0.0, 1.0, float("nan"), 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], None, ("0", "1"), "1 image without a label"),
        (
            [str(n) for n in range(2, 12)],
            None,
            ("10", "11", *"23456789"),
            "in the order of text (10, 11 …), not by number (2, 3 …)",
        ),
    ],
)
def test_labels(
    labels: list[Any], features: dict[str, Any] | None, classes: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    info = describe_data(write(tmp_path / "a.parquet", {"image": structs(IMAGES), "label": pa.array(labels)}, features))
    assert info.classes == classes and words in said(info)


def test_which_columns_were_taken_is_said(tmp_path: Path) -> None:
    columns = {
        "mask": structs(IMAGES), "image": structs(IMAGES[::-1]), "fine_label": pa.array([0, 1] * 5),
        "coarse_label": pa.array([0] * 10),
    }  # fmt: skip
    names = {"_type": "ClassLabel", "names": ["a", "b"]}
    info = describe_data(write(tmp_path / "a.parquet", columns, {"fine_label": names, "coarse_label": names}))
    assert "The images are column image." in said(info)
    assert "The labels are column fine_label; there is coarse_label as well." in said(info)


def test_without_labels(tmp_path: Path) -> None:
    info = describe_data(write(tmp_path / "a.parquet", {"image": structs(IMAGES), "width": pa.array(range(10))}))
    assert not info.labelled and "No column is called label, so the images have none; there is width." in info.remarks


def test_a_column_that_is_called_label_and_is_none_is_said(tmp_path: Path) -> None:
    info = describe_data(write(tmp_path / "a.parquet", {"image": structs(IMAGES), "label": pa.array([[0, 1]] * 10)}))
    assert not info.labelled and "The column label is of list<" in said(info)


def test_paths_in_the_file_are_never_followed(tmp_path: Path) -> None:
    info = describe_data(
        write(tmp_path / "a.parquet", {"image": structs([None, *IMAGES]), "label": pa.array([0] * 11)})
    )
    assert sum(info.sizes.values()) == 10 and "1 image is only named in the file, not in it." in info.remarks


def test_bad_images_are_left_out(tmp_path: Path) -> None:
    info = describe_data(write(tmp_path / "a.parquet", {"image": structs([b"<html>", *IMAGES])}))
    assert sum(info.sizes.values()) == 10 and "a.parquet[0] (it is a web page)" in said(info)


@pytest.mark.parametrize("large", [False, True])
def test_an_image_in_two_roles_is_said(large: bool, tmp_path: Path) -> None:
    contents = files()
    if large:  # than what is read of each file
        contents = {name: png(picture("val", "cat", number, (200, 200))) for number, name in enumerate(contents)}
    contents["val/cat/1.png"] = contents["train/cat/1.png"]
    assert "1 image is in more than one role" in said(
        describe_data(f"parquet:{write_parquet(tmp_path / 'r', contents)}")
    )


def test_a_copy_that_was_removed_is_made_again(tmp_path: Path, own_cache_of_a_test: Path) -> None:
    reference = f"parquet:{aged(write_parquet(tmp_path / 'rows'))}"
    info, digest = describe_data(reference), open_data(reference).digest
    (copy,) = (own_cache_of_a_test / "own" / "spool").iterdir()
    copy.unlink()
    kept._known.clear()
    assert describe_data(reference) == info and open_data(reference).digest == digest
    assert open_data(reference).images("test", torch.arange(4)).shape == (4, 3, 12, 16)


def test_no_room_for_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = f"parquet:{write_parquet(tmp_path / 'rows')}"
    monkeypatch.setattr(spool, "BUDGET", 100)
    with pytest.raises(DataError, match="100 is the most that is copied into the cache"):
        describe_data(reference)
    monkeypatch.undo()
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(spool, "SPARE", 10**18)
    with pytest.raises(DataError, match="There is no room for a copy"):
        describe_data(reference)


def test_the_copies_used_last_stay(tmp_path: Path, own_cache_of_a_test: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    references = [
        write(
            tmp_path / f"{n}.parquet", {"image": structs([png(picture("val", "cat", i, (40, 40))) for i in range(9)])}
        )
        for n in range(3)
    ]
    monkeypatch.setattr(spool, "BUDGET", 100_000)
    for reference in references:
        describe_data(reference)
    copies = list((own_cache_of_a_test / "own" / "spool").iterdir())
    assert len(copies) == 2 and sum(copy.stat().st_size for copy in copies) < 100_000
    assert open_data(references[0]).images("test", torch.tensor([0])).shape == (1, 3, 40, 40), "and is copied again"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": pa.array(["a"] * 5)}, "no column of images: it has text"),
        ({"image": pa.array([[b"x"]] * 5)}, "no column of images"),
        (
            {"image": pa.array(["a.png"] * 5), "label": pa.array([0] * 5)},
            "only names its images and does not hold them",
        ),
        ({"image": structs(IMAGES), "label": pa.array([0.5] * 10)}, "A label in a.parquet is 0.5"),
        ({"image": structs([]), "label": pa.array([], type=pa.int64())}, "no images in"),
        ({"image": structs(IMAGES), "label": pa.array([-5] * 10)}, "A label in a.parquet is -5"),
        ({"image": structs(IMAGES), "label": pa.array(["x" * 300] * 10)}, "long texts"),
    ],
)
def test_refusals(columns: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        describe_data(write(tmp_path / "a.parquet", columns))


def test_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    for name, column in (("a", "image"), ("b", "img")):
        write(tmp_path / f"{name}.parquet", {column: structs(IMAGES)})
    with pytest.raises(DataError, match="have other columns or classes"):
        describe_data(f"parquet:{tmp_path}")


def test_damaged_and_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    reference = write(path, {"image": structs(IMAGES)})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="no readable Parquet file: it ends too early or is damaged"):
        describe_data(reference)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(DataError, match="a pointer of Git LFS"):
        describe_data(reference)
    with pytest.raises(InputError, match="There is no file or folder"):
        describe_data(f"parquet:{tmp_path / 'nowhere'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no \.parquet files"):
        describe_data(f"parquet:{tmp_path / 'empty'}")


def test_without_pyarrow_one_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = f"parquet:{write_parquet(tmp_path / 'rows')}"
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"Reading Parquet files needs pyarrow, not installed here: run .*\[parquet\]"):
        describe_data(reference)


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        (["train-00000-of-00002.parquet", "validation-00000-of-00001-abc.parquet"], [10, 5, 5]),
        (["default/train/0000.parquet", "default/test/0000.parquet"], [10, 5, 5]),
        (["cifar_train.parquet", "cifar_valid.parquet", "cifar_test.parquet"], [10, 10, 10]),
        (["a.parquet", "b.parquet"], [8, 8, 4]),
        (["train.parquet", "extra.parquet"], [4, 4, 2]),
        ([".hidden/train.parquet", "train.parquet", ".x.parquet"], [4, 4, 2]),
    ],
)
def test_roles_by_the_names_of_files(names: list[str], sizes: list[int], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name, {"image": structs(IMAGES)})
    info = describe_data(f"parquet:{tmp_path}")
    assert list(info.sizes.values()) == sizes
    assert ("Left out, beside files of roles: extra.parquet." in info.remarks) == ("extra.parquet" in names)
