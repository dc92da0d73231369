"""From files in folders to candidates: what folders and tables beside them mean, and each image with its part and its
label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pruning.data.own.class_names import FILES, order_classes
from pruning.data.own.folder_tree import Tree
from pruning.data.own.label_tables import check_folders, find_labels
from pruning.data.own.layout import Layout, read_layout

LARGEST_TEXT = 100_000_000
"""Bytes of a file that names classes or labels."""


@dataclass(frozen=True, kw_only=True)
class Arranged:
    """Images in the order of their names."""

    names: list[str] = field(repr=False)
    """Path of each within the folder or zip."""
    parts: np.ndarray = field(repr=False)
    labels: np.ndarray | None = field(repr=False)
    classes: tuple[str, ...]
    remarks: tuple[str, ...]


def arrange(tree: Tree, read_text: Callable[[str], bytes], archive: str = "") -> Arranged:
    """The images of a tree. `read_text` gives the content of a file beside them.

    Raises:
        DataError: folders and tables of labels contradict each other, or themselves.
    """
    layout = read_layout(tree, archive)
    places = sorted(
        ((f"{folder}/{name}" if folder else name), folder) for folder, names in layout.images.items() for name in names
    )
    parts = np.array([layout.folders[folder][0] for _, folder in places], dtype=np.int8)
    names = [name for name, _ in places]
    if layout.classes is None or len(layout.classes) == 1:  # a single folder says nothing where a table does
        found = _labelled_by_tables(names, parts, layout, tree, read_text, archive)
        if layout.classes is None or found.labels is not None:
            return found
    check_folders(names, [layout.folders[folder][1] or "" for _, folder in places], parts, tree, read_text)
    beside = {
        file: (lambda path: lambda: read_text(path))(f"{folder}/{file}".lstrip("/"))
        for folder in dict.fromkeys(("", layout.inside))
        for file in FILES
        if file in tree.get(folder, ())
    }
    classes = order_classes(layout.classes, beside)
    numbers = {folder: classes.number[name] for folder, (_, name) in layout.folders.items() if name is not None}
    labels = np.array([numbers[folder] for _, folder in places], dtype=np.int32)
    return Arranged(
        names=names, parts=parts, labels=labels, classes=classes.names, remarks=(*layout.remarks, *classes.remarks)
    )


def _labelled_by_tables(
    names: list[str],
    parts: np.ndarray,
    layout: Layout,
    tree: Tree,
    read_text: Callable[[str], bytes],
    archive: str,
) -> Arranged:
    """Images whose folders say nothing of classes."""
    found = find_labels(names, parts, tree, read_text)
    remarks = (read_layout(tree, archive, found.read) if found.read else layout).remarks
    if found.labels is None:
        return Arranged(names=names, parts=parts, labels=None, classes=(), remarks=(*remarks, *found.remarks))
    keep = np.flatnonzero(found.labels >= 0)
    return Arranged(
        names=[names[place] for place in keep.tolist()],
        parts=found.parts[keep],
        labels=found.labels[keep],
        classes=found.classes,
        remarks=(*remarks, *found.remarks),
    )
