"""What folders of images mean: which are roles, which are classes, and which hold nothing of interest.

Decided once for the whole data set, by what folders hold and not by their names alone: a class may be called 'test'.
Folders and zips are read alike. No file is opened here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pruning.base.errors import excerpt
from pruning.data.own.folder_names import (
    NO_PART,
    are_numbered,
    class_name,
    is_of_images,
    last_of,
    part_in,
)
from pruning.data.own.folder_tree import Folders, Tree
from pruning.data.own.words import images_of, listed

SENT = "images"
"""Name of every zip that a visitor sends, without its ending (`pruning.uploads`)."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the folders of a data set mean."""

    inside: str
    """The folder that all of it lies in: '', or 'photos' where that is the only one."""
    folders: dict[str, tuple[int, str | None]]
    """Folder with images → its part (a place in PARTS, or NO_PART), and its class, None where there are none."""
    classes: tuple[str, ...] | None
    """Names of the classes in the order of text, as ImageFolder sorts them; None where images are in no classes."""
    remarks: tuple[str, ...] = ()
    images: dict[str, list[str]] = field(repr=False, default_factory=dict)
    """Folder → names of the images in it, sorted."""


def read_layout(tree: Tree, archive: str = "", read: Collection[str] = ()) -> Layout:
    """What the folders mean. `archive`: the name of a zip, without its ending, which tools repeat as a folder in it.
    `read`: files that are no images and were read all the same, so that nothing has to be said of them.
    """
    return _decided(Folders(tree, read), archive)


def _decided(tree: Folders, archive: str) -> Layout:
    """Roles with classes in them, classes with roles in them, classes alone, or images alone."""
    top = tree.outermost()
    found: dict[str, tuple[int, str | None]] = {}
    remarks: list[str] = []
    if tree.holds_parts(top):
        parts = tree.parts_in(top)
        holding = tree.within(parts)
        labelled = any(map(tree.is_deep, holding.values()))
        rests = {folder: part_in(last_of(folder))[1] for folder in parts}
        both = not labelled and all(rests.values()) and len(set(rests.values())) > 1
        if both:
            labelled, one = True, next(iter(rests))
            remarks.append(f"Folders say a role and a class at once: {excerpt(last_of(one))} is of class {rests[one]}.")
        for folder, number in parts.items():
            found[folder] = (number, rests[folder] if both else None)
            for child in tree.classes_of_part(holding, folder, number) if labelled and not both else ():
                found[child] = (number, class_name(child))
        others = [child for child in tree.inner(top) if child not in parts]
        if others:
            remarks.append(f"Left out: {listed(_last(others))}, beside the folders of roles.")
    elif tree.holds_classes_of_parts(top):
        labelled = True
        for child in tree.classes(top):
            found[child] = (NO_PART, class_name(child))
            for folder, number in tree.parts_in(child).items():
                found[folder] = (number, class_name(child))
    else:
        folders = tree.classes(top)
        holding_images = [child for child in folders if child in tree.below]
        labelled = bool(holding_images)
        if len(holding_images) == 1 and top not in tree.images and _is_no_class(holding_images[0], archive):
            top, labelled = holding_images[0], False
        elif are_numbered([last_of(child) for child in folders]):
            labelled = False
            remarks.append(f"Folders that differ in a number alone are taken for no classes: {listed(_last(folders))}.")
        found[top] = (NO_PART, None)
        for child in folders if labelled else ():
            found[child] = (NO_PART, class_name(child))
    return _finished(tree, top, found, labelled, remarks)


def _finished(
    tree: Folders, top: str, found: dict[str, tuple[int, str | None]], labelled: bool, remarks: list[str]
) -> Layout:
    """With every folder that holds images, each meaning what the nearest known folder around it means."""
    folders: dict[str, tuple[int, str | None]] = {}
    stray: Counter[str] = Counter()
    beside: list[str] = []
    deeper = 0
    for folder, images in tree.images.items():
        known = folder
        while known not in found and known not in tree.beside and known:
            known = known.rpartition("/")[0]
        if known in tree.beside:
            beside.append(known)
            continue
        part, name = found.get(known, (None, None))
        if part is None:
            continue  # said above
        if labelled and name is None:
            stray[folder] += len(images)
            continue
        deeper += len(images) if known != folder else 0
        folders[folder] = (part, name)
    if top and top in tree.images and not labelled:
        remarks.append(f"All images lie in the folder {excerpt(top)}, which is taken for no class.")
    elif top:
        remarks.append(f"All of it lies in the folder {excerpt(top)}.")
    if beside:
        remarks.append(f"Left out: {listed(sorted(set(beside)))}, beside the folder of images.")
    if stray:
        where = listed([f"{folder or 'the outermost folder'} ({count:,})" for folder, count in stray.items()])
        remarks.append(f"Left out, because they lie in no folder of a class: images in {where}.")
    if deeper and labelled:
        remarks.append(f"Folders inside of a class belong to it: {images_of(deeper)} lie in such.")
    named = {name for _, name in found.values() if name is not None}
    bare = sorted(named - {name for _, name in folders.values()})
    if bare:
        remarks.append(f"Without any image: class {listed(bare)}.")
    others = [name for name in tree.others if not name.lower().endswith(_NAMES_ENDINGS)]
    if others:
        remarks.append(f"Left out, because their names are not of images: {listed(sorted(others))}.")
    return Layout(
        inside=top,
        folders=folders,
        classes=tuple(sorted(named)) if labelled else None,
        remarks=tuple(remarks),
        images={folder: tree.images[folder] for folder in folders},
    )


_NAMES_ENDINGS = ("classes.txt", "labels.txt", "class_names.txt", "class_to_idx.json")
"""Looked at by `class_names`, which says what it made of them."""


def _is_no_class(folder: str, archive: str) -> bool:
    """Whether the only folder with images is just that: called 'images', or like the zip that it is in, or in one that
    was sent, whose name is not known."""
    return is_of_images(last_of(folder)) or class_name(folder) == class_name(archive) or archive == SENT


def _last(folders: Sequence[str]) -> list[str]:
    return [last_of(folder) for folder in folders]
