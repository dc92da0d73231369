"""Labels in tables beside images: as Hugging Face, Kaggle and others write them, and what cannot be told is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from pruning.base.errors import DataError
from pruning.data.info import ROLES
from pruning.data.own import label_tables
from pruning.data.own.label_rows import read_rows
from pruning.data.readers import describe_data, open_data
from pruning.uploads.look import look
from tests.data.samples import CLASSES, files, picture, png, write_folder, write_zip

COUNT = 12


def flat(folder: str = "", count: int = COUNT, first: int = 0) -> dict[str, bytes]:
    """Images 0.png, 1.png and so on: even ones of a cat, odd ones of a dog."""
    return {
        f"{folder}{number}.png": png(picture("train", CLASSES[number % 2], first + number)) for number in range(count)
    }


def csv(head: str, line: str, count: int = COUNT) -> bytes:
    """A table: in `line`, N is the number of an image, L its label, and K that label's number."""
    rows = (
        line.replace("N", str(number)).replace("L", CLASSES[number % 2]).replace("K", str(number % 2))
        for number in range(count)
    )
    return "\n".join([*([head] if head else []), *rows]).encode()


def labels(reference: str) -> dict[bytes, str]:
    """Pixels → the name of the class, of all images of all roles."""
    data = open_data(reference)
    found = {}
    for role in ROLES:
        known = data.labels(role)
        assert known is not None
        for image, label in zip(data.images(role, torch.arange(data.length(role))), known.tolist(), strict=True):
            found[image.permute(1, 2, 0).numpy().tobytes()] = data.info.classes[label]
    return found


def expected(names: Mapping[str, str] | None = None, count: int = COUNT) -> dict[bytes, str]:
    return {
        picture("train", CLASSES[number % 2], number).tobytes(): (names or {}).get(
            CLASSES[number % 2], CLASSES[number % 2]
        )
        for number in range(count)
    }


def said(reference: str) -> str:
    return " ".join(describe_data(reference).remarks)


JSONL = "\n".join(
    json.dumps({"file_name": f"{number}.png", "label": CLASSES[number % 2], "more": [1]}) for number in range(COUNT)
).encode()
NUMBERS = {"cat": "0", "dog": "1"}


@pytest.mark.parametrize("way", ["folder", "zip", "sent"])
@pytest.mark.parametrize(
    ("table", "content", "names"),
    [
        ("metadata.csv", csv("file_name,label", "N.png,L"), None),
        ("metadata.csv", csv("file_name,label", "N.png,K"), NUMBERS),
        ("metadata.jsonl", JSONL, None),
        ("labels.csv", csv("id,breed", "N,L"), None),
        ("labels.csv", csv("Image;Class", '"N.png";"L"'), None),
        ("train.tsv", csv("filename\twidth\tlabel", ".\\N.png\t16\tL"), None),
        ("labels.csv", b"\xef\xbb\xbf" + csv("path,class_id,class_name", "x/N.png,K,L").replace(b"\n", b"\r\n"), None),
        ("truth.csv", csv("image,cat,dog", "N,L").replace(b",cat", b",1.0,0.0").replace(b",dog", b",0.0,1.0")
         .replace(b"image,1.0,0.0,0.0,1.0", b"image,cat,dog"), None),
        ("list.txt", csv("", "N.png K"), NUMBERS),
        ("list.csv", csv("", "N.png,L"), None),
        ("labels.csv", csv("Image Index,Class Name", "N.png,L").decode().encode("utf-16"), None),
    ],
)  # fmt: skip
def test_labels_are_those_of_the_table(
    table: str, content: bytes, names: dict[str, str] | None, way: str, tmp_path: Path
) -> None:
    contents = {**flat(), table: content}
    if way == "folder":
        reference = f"folder:{write_folder(tmp_path / 'photos', contents)}"
    elif way == "zip":
        reference = (
            f"zip:{write_zip(tmp_path / 'photos.zip', {f'top/{name}': some for name, some in contents.items()})}"
        )
    else:
        reference = f"zip:{write_zip(tmp_path / 'images.zip', contents)}"
        answer = look("images", reference)
        assert answer["labelled"] and answer["classes"] == 2 and any(table in remark for remark in answer["remarks"])
    assert labels(reference) == expected(names)
    assert table in said(reference) and "not of images" not in said(reference)


def test_kaggle_with_images_to_be_handed_in(tmp_path: Path) -> None:
    """Images of one name in both folders; labels that are made up in what shows how to hand in."""
    contents = {
        **flat("train/"), **flat("test/", 20, 50), "trainLabels.csv": csv("id,label", "N,L"),
        "sampleSubmission.csv": csv("id,label", "N,cat", 20),
    }  # fmt: skip
    reference = f"folder:{write_folder(tmp_path / 'photos', contents)}"
    assert labels(reference) == expected()
    assert "says no label for them: 20 images, such as test/0.png" in said(reference)


def test_a_table_in_each_folder_of_a_role(tmp_path: Path) -> None:
    contents = {
        **flat("train/"), **flat("test/", 6, 50), "train/metadata.csv": csv("file_name,label", "N.png,L"),
        "test/metadata.csv": csv("file_name,label", "N.png,L", 6),
    }  # fmt: skip
    info = describe_data(f"folder:{write_folder(tmp_path / 'photos', contents)}")
    assert info.sizes == {"train": 12, "select": 3, "test": 3} and info.classes == CLASSES


def test_a_column_says_the_roles(tmp_path: Path) -> None:
    content = csv("path,label,split", "N.png,L,train").decode().splitlines()
    content[-4:] = [line.replace("train", "validation") for line in content[-4:]]
    reference = f"folder:{write_folder(tmp_path / 'p', {**flat(), 'm.csv': chr(10).join(content).encode()})}"
    assert describe_data(reference).sizes == {"train": 8, "select": 2, "test": 2}
    assert "The column split of m.csv says which image is for what." in said(reference)


def test_names_of_classes_beside_win(tmp_path: Path) -> None:
    contents = {**flat(), "labels.csv": csv("file,label", "N.png,L"), "classes.txt": b"dog\ncat\n"}
    assert describe_data(f"folder:{write_folder(tmp_path / 'p', contents)}").classes == ("dog", "cat")


def test_numbers_from_1_and_texts_of_numbers_are_said(tmp_path: Path) -> None:
    rows = "\n".join(["file,label", *(f"{number}.png,{number % 2 + 1}" for number in range(COUNT))])
    reference = f"folder:{write_folder(tmp_path / 'p', {**flat(), 'labels.csv': rows.encode()})}"
    assert describe_data(reference).classes == ("1", "2") and "go from 1 to 2" in said(reference)


def test_what_a_table_does_not_say_is_said(tmp_path: Path) -> None:
    content = csv("file_name,label", "N.png,L", COUNT - 2) + b"\nnowhere.png,cat\n0.png,cat\n11.png,\n"
    reference = f"folder:{write_folder(tmp_path / 'p', {**flat(), 'labels.csv': content})}"
    assert labels(reference) == expected(count=COUNT - 2)
    assert "1 row of labels.csv names no image that is there, or more than one, such as nowhere.png" in said(reference)
    assert "labels.csv says no label for them: 2 images, such as 10.png" in said(reference)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (csv("file_name,text", "N.png,photo N of a L"), "no column of it is called label (there is text)"),
        (csv("file_name,width,height", "N.png,K,3"), "no column of it is called label (there is width, height)"),
        (b"\xff\xfe\0", "was not followed: it is no UTF-8 text"),
        (b"", "was not followed: it is empty"),
    ],
)
def test_what_is_no_table_of_labels_leaves_images_without(content: bytes, words: str, tmp_path: Path) -> None:
    reference = f"folder:{write_folder(tmp_path / 'p', {**flat(), 'metadata.csv': content})}"
    info = describe_data(reference)
    assert not info.labelled and sum(info.sizes.values()) == COUNT and words in said(reference)


def test_a_table_about_something_else_is_not_spoken_of_as_labels(tmp_path: Path) -> None:
    reference = (
        f"folder:{write_folder(tmp_path / 'p', {**flat(), 'run.csv': b'epoch,loss' + chr(10).encode() + b'a,3'})}"
    )
    assert not describe_data(reference).labelled and "not of images: run.csv" in said(reference)


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"a.csv": csv("file,label,class", "N.png,L,N")}, "a.csv has the columns label and class, which tell"),
        ({"a.csv": csv("file,label", "N.png,L") + b"\n0.png,dog"}, "names 0.png twice, as 'cat' and as 'dog'"),
        (
            {"a.csv": csv("file,label", "N.png,L"), "b.csv": csv("file,label", "N.png,K")},
            "'cat' and '0' by a.csv, b.csv",
        ),
        ({"a.csv": csv("file,label", "N.png,-5")}, "A label in a.csv is -5"),
    ],
)
def test_what_cannot_be_told_is_refused(tables: dict[str, bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        describe_data(f"folder:{write_folder(tmp_path / 'p', {**flat(), **tables})}")
    assert (
        words.split(",")[0]
        in look("images", f"zip:{write_zip(tmp_path / 'images.zip', {**flat(), **tables})}")["error"]
    )


def test_folders_that_a_table_says_are_no_classes_are_refused(tmp_path: Path) -> None:
    parts = {f"{'abc'[number % 3]}/{name}": some for number, (name, some) in enumerate(flat().items())}
    contents = {**parts, "metadata.csv": csv("image_id,dx", "N,L")}
    with pytest.raises(DataError, match=r"The folders say other classes than metadata\.csv, by which .* 'cat' is one"):
        describe_data(f"folder:{write_folder(tmp_path / 'p', contents)}")


def test_folders_that_a_table_only_names_otherwise_win(tmp_path: Path) -> None:
    contents = files()
    rows = "\n".join(["file,label", *(f"{name},{name.split('/')[1].upper()}" for name in contents)])
    info = describe_data(f"folder:{write_folder(tmp_path / 'p', {**contents, 'labels.csv': rows.encode()})}")
    assert info.classes == CLASSES and info.sizes == {"train": 8, "select": 6, "test": 4}


def test_many_tables_are_not_all_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_tables, "MOST_TABLES", 3)
    texts = {f"{number}.txt": b"0 0.5 0.5" for number in range(10)}
    assert not describe_data(f"folder:{write_folder(tmp_path / 'p', {**flat(), **texts})}").labelled


@pytest.mark.parametrize(
    "content", [b"\0" * 50, b'"', b"a,b\n\xe9", b"{", b"[]\n", b'{"a": 1}\n3', b"a" * 300_000, b",,,\n,,"]
)
@pytest.mark.parametrize("file", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_rows_of_damaged_tables_are_none_or_texts(file: str, content: bytes) -> None:
    found = read_rows(file, content, lambda text: False)
    assert isinstance(found, str) or all(len(row) == len(found.columns) for row in found.cells)


def test_parts_of_one_collection_are_no_classes_and_a_table_says_them(tmp_path: Path) -> None:
    parts = {f"images_part_{number % 2}/{name}": some for number, (name, some) in enumerate(flat().items())}
    contents = {**parts, "metadata.csv": csv("lesion_id,image_id,dx,age", "7,N,L,30")}
    reference = f"folder:{write_folder(tmp_path / 'p', contents)}"
    assert labels(reference) == expected()
    assert "differ in a number alone are taken for no classes: images_part_0, images_part_1" in said(reference)


def test_a_table_beside_the_only_folder_wins_over_its_name(tmp_path: Path) -> None:
    reference = (
        f"folder:{write_folder(tmp_path / 'p', {**flat('pets/'), 'labels.csv': csv('file,label', 'pets/N.png,L')})}"
    )
    assert labels(reference) == expected()
