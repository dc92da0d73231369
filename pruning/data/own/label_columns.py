"""Which column of a table says what: which image a row is about, what is on it, and what it is for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pruning.base.errors import DataError, excerpt
from pruning.data.own.folder_names import PART_NAMES, is_image
from pruning.data.own.label_images import Scope
from pruning.data.own.label_rows import Rows
from pruning.data.own.words import listed

KEYS = (
    "file_name", "filename", "file", "image", "image_name", "img", "img_name", "image_path", "path", "filepath",
    "file_path", "filepaths", "image_id", "image_index", "id", "id_code", "name",
)  # fmt: skip
"""What a column is called that says which image a row is about."""
LABELS = (
    "label", "labels", "class", "class_name", "class_id", "target", "category", "species", "breed", "diagnosis", "dx",
)  # fmt: skip
"""What one is called that says what is on it."""
ROLES = ("split", "set", "subset", "partition", "role", "data_set", "dataset")
SHOWN = 200
"""Rows by which it is decided what a table is about."""


@dataclass(frozen=True, kw_only=True)
class LabelColumn:
    """What rows say is on their images."""

    values: list[str] | None = field(default=None, repr=False)
    """One for each row; None: nothing."""
    is_named: bool = False
    """Whether it is called so, and not only likely."""
    remark: str = ""


def key_column(rows: Rows, scope: Scope) -> str | None:
    """The column whose texts are names of images, half of the rows' or of the images'; None where there is none.

    Numbers alone, as of epochs, name images only where the column is called so."""
    best, most = None, 0
    for name in sorted(rows.columns, key=lambda name: _place(name, KEYS)):
        some = rows.column(name)[:SHOWN]
        is_key = _plain(name) in KEYS
        hits = len({text for text in some if (is_key or is_image(text)) and scope.find(text) is not None})
        if hits > most and (hits * 2 >= len(some) or hits * 2 >= len(scope.numbers)):
            best, most = name, hits
            if is_key:
                break
    return best


def role_column(rows: Rows) -> str | None:
    """The column that says train, val or test of every row."""
    for name in rows.columns:
        if _plain(name) in ROLES and len(rows) and {text.lower() for text in rows.column(name)} <= set(PART_NAMES):
            return name
    return None


def label_column(rows: Rows, key: str, role: str | None, table: str) -> LabelColumn:
    """The labels of the rows. `table`: its name, for sentences.

    Raises:
        DataError: two columns are called like labels, and tell the images apart in different ways.
    """
    others = [name for name in rows.columns if name not in (key, role)]
    called = sorted((name for name in others if _plain(name) in LABELS), key=lambda name: _place(name, LABELS))
    if called:
        for name in called[1:]:
            if not _say_the_same(rows.column(called[0]), rows.column(name)):
                raise DataError(
                    f"{table} has the columns {excerpt(called[0], 40)} and {excerpt(name, 40)}, which tell the images "
                    "apart in different ways: call the one that is no label otherwise, or leave it out."
                )
        chosen = next((name for name in called if not all(map(is_whole, rows.column(name)))), called[0])
        remark = f"The labels are {_said(chosen)} of {table}."
        return LabelColumn(values=rows.column(chosen), is_named=True, remark=remark)
    of_classes = _one_hot(rows, others)
    if of_classes is not None:
        remark = f"{table} has one column for each class: the one that is 1 is the label."
        return LabelColumn(values=of_classes, is_named=True, remark=remark)
    if len(others) == 1:
        values = rows.column(others[0])
        if 1 < len(set(filter(None, values))) <= max(2, len(values) // 2):
            return LabelColumn(values=values, remark=f"The labels are {_said(others[0])} of {table}, its only other.")
    if not others:
        return LabelColumn()
    return LabelColumn(
        remark=f"{table} names the images, but no column of it is called label (there is {listed(others)}): they have "
        "none."
    )


def _said(column: str) -> str:
    """A column by its name, or its number where it has none."""
    return column if re.fullmatch(r"column [0-9]+", column) else f"the column {excerpt(column, 40)}"


def is_whole(text: str) -> bool:
    """Whether a text is a whole number, or nothing.

    >>> is_whole("3"), is_whole("3.0"), is_whole("3.5"), is_whole("n3")
    (True, True, False, False)
    """
    return not text or re.fullmatch(r"[+-]?[0-9]{1,9}(\.0*)?", text) is not None


def _place(name: str, names: Sequence[str]) -> int:
    return names.index(_plain(name)) if _plain(name) in names else len(names)


def _plain(name: str) -> str:
    """
    >>> _plain("Image ID ")
    'image_id'
    """
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def _say_the_same(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two columns say the same in other words: '0' wherever the other says 'cat', and nowhere else."""
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def _one_hot(rows: Rows, names: Sequence[str]) -> list[str] | None:
    """Of each row the column that is 1, where all the others are 0."""
    if len(names) < 2 or not len(rows):
        return None
    columns = [rows.column(name) for name in names]
    found = []
    for row in zip(*columns, strict=True):
        ones = [name for name, text in zip(names, row, strict=True) if re.fullmatch(r"1(\.0*)?|[Tt]rue", text)]
        zeros = [text for text in row if re.fullmatch(r"0(\.0*)?|[Ff]alse", text)]
        if len(ones) != 1 or len(zeros) != len(row) - 1:
            return None
        found.append(ones[0])
    return found
