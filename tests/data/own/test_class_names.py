"""The order and names of classes: the data's own win over sorting, and what was made of them is said."""

from __future__ import annotations

import json

import pytest

from pruning.data.own.class_names import Classes, order_classes


def ordered(folders: str, **files: str) -> Classes:
    """Classes of folders; a file's name has '_txt' or '_json' for its ending."""
    contents = {name.replace("_txt", ".txt").replace("_json", ".json"): text for name, text in files.items()}
    return order_classes(
        folders.split(), {name: (lambda t: lambda: t.encode())(text) for name, text in contents.items()}
    )


def test_numbers_stand_in_the_order_of_text_and_it_is_said_where_that_is_another() -> None:
    found = ordered(" ".join(map(str, range(1, 11))))
    assert found.names == ("1", "10", "2", "3", "4", "5", "6", "7", "8", "9") and found.number["10"] == 1
    assert found.remarks[0].count("1, 10, 2 …") == 1 and "by number (1, 2, 3 …)" in found.remarks[0]
    assert ordered("0 1 2").remarks == () == ordered("01 02 10").remarks == ordered("cat 10 2").remarks


def test_a_file_of_names_orders_the_folders() -> None:
    found = ordered("cat dog", classes_txt="dog\ncat\ncow\n")
    assert found.names == ("dog", "cat", "cow") and found.number["cat"] == 1
    assert found.remarks == ("The classes stand as classes.txt orders them.",)


def test_a_file_of_numbers_orders_the_folders() -> None:
    found = ordered("cat dog", class_to_idx_json=json.dumps({"dog": 0, "cat": 2}))
    assert found.names == ("dog", "class 1", "cat") and found.number == {"dog": 0, "class 1": 1, "cat": 2}


@pytest.mark.parametrize(("folders", "first"), [("0 1 2", 0), ("1 2 3", 1)])
def test_a_file_names_folders_that_are_numbers(folders: str, first: int) -> None:
    found = ordered(folders, labels_txt="rose\ntulip\nlily")
    assert found.names == ("rose", "tulip", "lily") and found.number[str(first)] == 0
    assert f"folder {first} is rose" in found.remarks[0]


@pytest.mark.parametrize("text", ["0 dog\n1 cat", "1: dog\n2: cat", "0,dog\n1,cat"])
def test_numbers_before_names_are_read_over(text: str) -> None:
    assert ordered("cat dog", classes_txt=text).names == ("dog", "cat")


def test_names_that_begin_with_the_folder() -> None:
    found = ordered("n01 n02", classes_txt="n02 great white shark\nn01 tench, Tinca")
    assert found.number["n01"] == 1 and found.names[1] == "n01 tench, Tinca"


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("classes_txt", "dog\ncow", "it does not name cat"),
        ("classes_txt", "dog\ncat\ndog", "a name twice"),
        ("classes_txt", "", "it holds 0 names"),
        ("class_to_idx_json", "{", "it is no JSON"),
        ("class_to_idx_json", '{"cat": 0, "dog": 0}', "no places of classes"),
        ("class_to_idx_json", '{"cat": -1, "dog": 0}', "no places of classes"),
        ("class_to_idx_json", '{"cat": 0, "dog": 99999999}', "no places of classes"),
        ("class_to_idx_json", '{"cat": "0"}', "no names with numbers"),
        ("class_to_idx_json", '{"cat": true, "dog": 0}', "no names with numbers"),
    ],
)
def test_what_cannot_be_followed_is_said_and_folders_are_sorted(file: str, content: str, reason: str) -> None:
    found = ordered("dog cat", **{file: content})
    assert found.names == ("cat", "dog") and "was not followed" in found.remarks[0] and reason in found.remarks[0]


def test_a_file_that_cannot_be_read_is_said() -> None:
    def fails() -> bytes:
        raise OSError("gone")

    assert order_classes(["a"], {"classes.txt": fails}).remarks == (
        "classes.txt was not followed: it cannot be read (gone).",
    )
