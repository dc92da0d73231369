"""Files that anybody may have damaged: every kind of damage is one sentence, and what is whole comes back equal."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from pruning.base import safe_json
from pruning.base.errors import StorageError
from pruning.base.fields import Fields
from pruning.base.files import create_file, read_bytes, replace_file

DAMAGED = {
    "empty": b"",
    "truncated": b'{"state": "done", "share',
    "no UTF-8": b'{"text": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "no object": b"[1, 2]",
    "null": b"null",
    "NaN": b'{"share": NaN}',
    "infinity": b'{"share": -Infinity}',
    "a float beyond all": b'{"share": 1e999}',
    "2^63": b'{"step": 9223372036854775808}',
    "5,000 digits": b'{"step": ' + b"9" * 5000 + b"}",
    "100,000 lists": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "51 lists": b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}",
    "half of a character": b'{"text": "\\ud800"}',
    "half of a character in a name": b'{"\\ud800": 1}',
    "zeros": b"\0" * 100,
    "more behind": b'{"a": 1} {"b": 2}',
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_a_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_bytes(DAMAGED[kind])
    with pytest.raises(StorageError) as caught:
        safe_json.read_object(path)
    assert str(caught.value).startswith("job.json is damaged: ") and "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_every_truncation_is_a_sentence(cut: int) -> None:
    text = json.dumps({"state": "running", "lanes": [{"seed": 1, "marks": [0.5, 1.5]}], "text": "ü"}).encode()
    with pytest.raises(StorageError, match=r"^job\.json is damaged: "):
        safe_json.load_object(text[:cut], "job.json")


def test_what_is_whole_comes_back_equal() -> None:
    value = {"text": "ü 𝄞", "number": -1.5, "whole": 2**63 - 1, "list": [True, None, {"deep": []}]}
    assert safe_json.load_object(safe_json.dump(value), "x") == value
    assert safe_json.load('"𝄞"'.encode()) == safe_json.load(b'"\\ud834\\udd1e"') == "𝄞", "two halves are a whole"
    fifty = "[" * 50 + "]" * 50
    assert safe_json.load(fifty.encode()) == json.loads(fifty)


def test_nan_only_where_it_is_allowed() -> None:
    assert safe_json.load(b"[NaN, 1e999]", allow_nan=True)[1] == float("inf")
    assert safe_json.dump({"loss": [float("nan"), 1.0]}) == b'{"loss": [null, 1.0]}'


def test_what_is_no_file_is_refused_or_absent(tmp_path: Path) -> None:
    assert safe_json.read_object(tmp_path / "nothing.json") is None
    assert safe_json.read_object(tmp_path / "no\0name") is None
    assert safe_json.read_object(tmp_path / "a\ud800") is None
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="no file but a folder"):
        read_bytes(tmp_path / "folder")
    assert read_bytes(tmp_path / "x" / "y") is None
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="no file"):
        read_bytes(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b" " * 11)
    with pytest.raises(StorageError, match="larger than 10 bytes"):
        read_bytes(tmp_path / "large", most_bytes=10)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_text("{}")
    path.chmod(0)
    with pytest.raises(StorageError, match="Permission denied"):
        safe_json.read_object(path)


def test_of_many_who_create_a_file_one_is_first_and_all_who_replace_it_succeed(tmp_path: Path) -> None:
    created: list[bool] = []
    errors: list[BaseException] = []
    begin = threading.Barrier(30)

    def write(number: int) -> None:
        begin.wait()
        try:
            created.append(create_file(tmp_path / "first", b"%d" % number * 1000))
            for _ in range(20):
                replace_file(tmp_path / "last", b"%d" % number * 1000)
                found = read_bytes(tmp_path / "last")
                assert found is not None and found == found[:2] * 1000, "one writer's content, whole"
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(10, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and created.count(True) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "last"]
    found = read_bytes(tmp_path / "last")
    assert found is not None and found == found[:2] * 1000, "one writer's content, whole"


@pytest.mark.parametrize(
    ("take", "sentence"),
    [
        (lambda fields: fields.text("whole"), "whole is 3, not a text"),
        (lambda fields: fields.text("gone"), "it holds no gone"),
        (lambda fields: fields.text("null"), "it holds no null"),
        (lambda fields: fields.whole("number"), "number is 0.5, not a whole number"),
        (lambda fields: fields.whole("flag"), "flag is True, not a whole number"),
        (lambda fields: fields.whole("whole", 4, 9), "whole is 3, not a whole number from 4 to 9"),
        (lambda fields: fields.number("text"), "text is 'on', not a number"),
        (lambda fields: fields.number("nan"), "nan is nan, not a number"),
        (lambda fields: fields.number("number", 1), "number is 0.5, not a number of at least 1"),
        (lambda fields: fields.numbers("list", 3), "list is a list, not a list of 3 numbers"),
        (lambda fields: fields.choice("text", ("off", "away")), "text is 'on', not off or away"),
        (lambda fields: fields.choice("list", ("off",)), "list is a list, not off"),
        (lambda fields: fields.moment("text"), "text is 'on', not a date and time"),
        (lambda fields: fields.moment("bare"), "not a date and time with its zone"),
        (lambda fields: fields.moment("whole"), "whole is 3, not a date and time"),
        (lambda fields: fields.part("list"), "list of x.json is damaged: a list stands where names"),
        (lambda fields: fields.parts("list"), "list 1 of x.json is damaged: 1 stands where"),
        (lambda fields: fields.parts("text"), "text is 'on', not a list"),
        (lambda fields: fields.truth("whole"), "whole is 3, not true or false"),
        (lambda fields: fields.texts("list"), "list is a list, not a list of texts"),
        (lambda fields: fields.wholes("list", 2), "list is a list, not a list of whole numbers"),
        (lambda fields: fields.wholes("list", 1, length=3), "not a list of 3 whole numbers"),
        (lambda fields: fields.table("list", 2), "row 1 of list is 1, not a list of 2 numbers"),
        (lambda fields: fields.table("table", 2), "row 2 of table is a list, not a list of 2 numbers"),
        (lambda fields: fields.table("text", 2), "text is 'on', not a list of rows"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_a_sentence_that_names_it(take, sentence: str) -> None:  # type: ignore[no-untyped-def]
    values = {"whole": 3, "number": 0.5, "flag": True, "text": "on", "null": None, "nan": float("nan"), "list": [1, 2],
              "table": [[1, 2.5], [1]],
              "bare": "2026-01-01T10:00:00", "moment": "2026-01-01T10:00:00+01:00"}  # fmt: skip
    fields = Fields(values, "x.json")
    with pytest.raises(StorageError) as caught:
        take(fields)
    assert sentence in str(caught.value)
    assert fields.wholes("list", 1, length=2) == (1, 2)
    assert fields.moment("moment").utcoffset() is not None and fields.number("whole", 3, 3) == 3.0
