"""What people call a run: checked when written and when read, one object a visitor, damage harms nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruning.base.errors import InputError, StorageError
from pruning.jobs.store import LocalStore
from pruning.runs.labels import LONGEST_TITLE, MOST_TAGS, Label, read_label, read_labels, write_label

ANN, BEN = "a" * 32, "b" * 32


def test_it_is_read_as_it_was_written_and_an_empty_one_takes_it_away(tmp_path: Path) -> None:
    store = LocalStore.at(tmp_path)
    label = Label.of(title="  the  small one ", tags="fast, small fast", note="Keep.\nShow on Monday. ")
    assert label == Label(title="the small one", tags=("fast", "small"), note="Keep.\nShow on Monday.")
    write_label(store, label)
    assert read_label(store) == label and read_labels(store) == {"": label}
    write_label(store, Label())
    assert read_labels(store) == {} and not (tmp_path / "labels" / "owner.json").exists()


def test_each_visitor_has_their_own(tmp_path: Path) -> None:
    store = LocalStore.at(tmp_path)
    write_label(store, Label(title="Ann's"), ANN)
    write_label(store, Label(title="Ben's"), BEN)
    assert {visitor: label.title for visitor, label in read_labels(store).items()} == {ANN: "Ann's", BEN: "Ben's"}
    assert read_label(store).is_empty
    for name in ("../x", "Z" * 32, "a" * 65):
        with pytest.raises(InputError, match="A visitor is named"):
            write_label(store, Label(title="x"), name)
    assert not (tmp_path.parent / "x.json").exists()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"title": "x" * (LONGEST_TITLE + 1)}, "up to 80 characters"),
        ({"title": "two\nlines"}, "cannot be shown"),
        ({"title": "\x1b[31m"}, "cannot be shown"),
        ({"tags": ("two words",)}, "one word"),
        ({"tags": ("a,b",)}, "one word"),
        ({"tags": tuple(f"t{n}" for n in range(MOST_TAGS + 1))}, "12 tags at most"),
        ({"tags": ("x" * 31,)}, "up to 30 characters"),
        ({"note": "x" * 2001}, "up to 2,000"),
    ],
)
def test_what_is_too_long_or_cannot_be_shown_is_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Label(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content", [b"x", b"[]", b'{"title": 3}', b'{"tags": ["a b"]}', b'{"title": "' + b"x" * 50_000 + b'"}']
)
def test_a_damaged_one_is_passed_over_and_harms_no_other(tmp_path: Path, content: bytes) -> None:
    store = LocalStore.at(tmp_path)
    write_label(store, Label(title="Ann's"), ANN)
    (tmp_path / "labels" / "owner.json").write_bytes(content)
    (tmp_path / "labels" / "foreign.txt").write_bytes(content)
    assert read_labels(store) == {ANN: Label(title="Ann's")}
    with pytest.raises(StorageError, match=r"owner\.json"):
        read_label(store)
