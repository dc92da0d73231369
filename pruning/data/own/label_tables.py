"""Labels in a table beside images that lie in no folders of classes, as Hugging Face's `metadata.jsonl` and Kaggle's
`train.csv` have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pruning.base.errors import DataError, excerpt, first_line
from pruning.data.own.class_names import FILES, order_classes
from pruning.data.own.folder_names import PART_NAMES, is_clutter
from pruning.data.own.label_columns import is_whole, key_column, label_column, role_column
from pruning.data.own.label_images import Images
from pruning.data.own.label_rows import ENDINGS, Rows, read_rows
from pruning.data.own.labels import number_labels
from pruning.data.own.look import CHANGED
from pruning.data.own.words import images_of, listed

MOST_TABLES = 20
Tree = Mapping[str, Sequence[str]]
ReadText = Callable[[str], bytes]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """What tables say of images."""

    labels: np.ndarray | None = field(repr=False)
    """int32, N: a place in `classes`; −1 where no table says one. None: no table says any."""
    classes: tuple[str, ...] = ()
    parts: np.ndarray = field(repr=False)
    """int8, N: as they were, or as a column of roles says."""
    read: tuple[str, ...] = ()
    """Paths of the tables."""
    remarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A table that is about the images."""

    path: str
    values: Mapping[int, str]
    """Number of the image → its label as it stands there."""
    is_named: bool
    """Whether the column of labels is called so."""
    roles: Mapping[int, int]
    remarks: tuple[str, ...]


def find_labels(names: Sequence[str], parts: np.ndarray, tree: Tree, read_text: ReadText) -> Labelled:
    """Labels of images (`names`: their paths, with their `parts`) as the tables in the folders around them say.

    Raises:
        DataError: two rows, columns or tables say different things, so that it cannot be told what is right.
    """
    tables, remarks = _tables(names, parts, tree, read_text)
    if not tables:
        return Labelled(labels=None, parts=parts, remarks=tuple(remarks))
    titles = listed([table.path for table in tables])
    values: dict[int, str] = {}
    whole = parts.copy()
    for table in tables:
        for number, text in table.values.items():
            if values.setdefault(number, text) != text:
                raise DataError(
                    f"{excerpt(names[number], 60)} is '{excerpt(values[number], 40)}' and '{excerpt(text, 40)}' by "
                    f"{titles}: leave one of these tables."
                )
        for number, part in table.roles.items():
            whole[number] = part
        remarks += table.remarks
    numbers = np.array(sorted(values), dtype=np.int64)
    labels = np.full(len(names), -1, dtype=np.int32)
    labels[numbers], classes, said = _numbered(
        [values[number] for number in numbers.tolist()], tables[0].path, tree, read_text
    )
    without = np.flatnonzero(labels < 0)
    if len(without):
        said.append(
            f"Left out, because {titles} says no label for them: {images_of(len(without))}, such as "
            f"{excerpt(names[int(without[0])], 60)}."
        )
    return Labelled(
        labels=labels, classes=classes, parts=whole, read=tuple(table.path for table in tables),
        remarks=(*remarks, *said),
    )  # fmt: skip


def check_folders(
    names: Sequence[str], classes: Sequence[str], parts: np.ndarray, tree: Tree, read_text: ReadText
) -> None:
    """Let images pass that lie in folders of classes (`classes`: of each image its own), unless a table beside them
    says that these are none.

    Raises:
        DataError: by a column of labels, images in one folder are of several classes.
    """
    for table in _tables(names, parts, tree, read_text)[0]:
        if not table.is_named or len(table.values) * 2 < len(names):
            continue
        first: dict[str, int] = {}
        for number, text in table.values.items():
            other = first.setdefault(classes[number], number)
            if table.values[other] != text:
                one, two = (f"{excerpt(names[n], 60)} '{excerpt(table.values[n], 40)}'" for n in (other, number))
                raise DataError(
                    f"The folders say other classes than {table.path}, by which {one} is one class and {two} another: "
                    "remove the table, or bring all images into one folder."
                )


def _tables(names: Sequence[str], parts: np.ndarray, tree: Tree, read_text: ReadText) -> tuple[list[_Table], list[str]]:
    """The tables around the images that say labels, and what is to be said of others."""
    paths = _paths(names, tree)[:MOST_TABLES]
    if not paths:
        return [], []
    images = Images(names, parts)
    found: list[_Table] = []
    remarks: list[str] = []
    for path in paths:
        try:
            rows = read_rows(path, read_text(path), lambda text: bool(images.may_mean(text)))
        except CHANGED as error:
            rows = f"it cannot be read ({first_line(error, 100)})"
        if isinstance(rows, str):
            remarks += [] if path.lower().endswith(".txt") else [f"{excerpt(path, 60)} was not followed: {rows}."]
            continue
        table = _look(path, rows, images)
        if isinstance(table, str):
            remarks += [table] if table else []
        else:
            found.append(table)
    return found, remarks


def _paths(names: Sequence[str], tree: Tree) -> list[str]:
    """Tables in the folders of images and in those around them; without what Kaggle wants to be handed in, whose labels
    are made up."""
    places = {""}
    for folder in {name.rpartition("/")[0] for name in names}:
        while folder not in places:
            places.add(folder)
            folder = folder.rpartition("/")[0]
    return [
        f"{folder}/{file}".lstrip("/")
        for folder in sorted(places)
        for file in sorted(tree.get(folder, ()))
        if file.lower().endswith(ENDINGS)
        and not is_clutter(file)
        and file not in FILES
        and "submission" not in file.lower()
    ]


def _look(path: str, rows: Rows, images: Images) -> _Table | str:
    """What a table says; else a sentence of why it says nothing, '' where it is about something else."""
    scope, said = images.around(path), excerpt(path, 60)
    key = key_column(rows, scope)
    if key is None:
        return ""
    role = role_column(rows)
    column = label_column(rows, key, role, said)
    if column.values is None:
        return column.remark
    parts = [PART_NAMES[text.lower()] for text in rows.column(role)] if role is not None else [None] * len(rows)
    values: dict[int, str] = {}
    roles: dict[int, int] = {}
    absent: list[str] = []
    for name, text, part in zip(rows.column(key), column.values, parts, strict=True):
        number = scope.find(name, part)
        if number is None:
            absent += [name] if name else []
        elif text:
            if values.setdefault(number, text) != text:
                raise DataError(
                    f"{said} names {excerpt(name, 60)} twice, as '{excerpt(values[number], 40)}' and as "
                    f"'{excerpt(text, 40)}': leave one row for each image."
                )
            if part is not None:
                roles[number] = part
    remarks = [column.remark]
    if absent:
        one = len(absent) == 1
        remarks.append(
            f"{len(absent):,} row{' of' if one else 's of'} {said} name{'s' if one else ''} no image that is there, or "
            f"more than one, such as {excerpt(absent[0], 60)}."
        )
    if role is not None:
        remarks.append(f"The column {excerpt(role, 40)} of {said} says which image is for what.")
    return _Table(path=path, values=values, is_named=column.is_named, roles=roles, remarks=tuple(remarks))


def _numbered(
    texts: list[str], table: str, tree: Tree, read_text: ReadText
) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Labels as numbers of classes (int32), with the names of these, and what is to be said."""
    beside = {
        file: (lambda path: lambda: read_text(path))(f"{place}/{file}".lstrip("/"))
        for place in dict.fromkeys(("", table.rpartition("/")[0]))
        for file in FILES
        if file in tree.get(place, ())
    }
    whole = all(map(is_whole, texts))
    if whole:
        texts = [str(int(float(text))) for text in texts]
    if whole and not beside:
        known = number_labels(np.array([int(text) for text in texts], dtype=np.int64), None, table)
        return known.numbers, known.classes, list(known.remarks)
    classes = order_classes(sorted(set(texts)), beside)
    numbers = np.array([classes.number[text] for text in texts], dtype=np.int32)
    return numbers, classes.names, list(classes.remarks)
