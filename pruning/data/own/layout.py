"""What folders of images mean: which are roles, which are classes, and which hold nothing of interest.

Decided once for the whole data set, by what folders hold and not by their names alone: a class may be called 'test'.
Folders and zips are read alike. No file is opened here.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pruning.base.errors import excerpt
from pruning.data.own.words import images_of, listed, printable

Tree = Mapping[str, Sequence[str]]
"""Folder, as 'train/cat' ('' for the outermost) → names of the files in it; empty folders as well."""
PARTS = ("train", "val", "test")
"""What folders call the roles."""
PART_NAMES = {
    "train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2,
}  # fmt: skip
NO_PART = -1
IMAGE_ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff", ".webp",
    ".avif",
)  # fmt: skip
CLUTTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "__pycache__"}
"""What operating systems and tools leave behind, beside hidden files."""


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


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is of no interest.

    >>> is_clutter("._cat.jpg"), is_clutter("Thumbs.db"), is_clutter("cat.jpg")
    (True, True, False)
    """
    return name.startswith(".") or name.lower() in CLUTTER


def is_image(name: str) -> bool:
    """Whether a file is an image by its name."""
    return name.lower().endswith(IMAGE_ENDINGS)


def class_name(folder: str) -> str:
    """A folder's own name as the name of a class: letters beyond ASCII are composed, whoever wrote them."""
    name = folder.rpartition("/")[2].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return printable(unicodedata.normalize("NFC", name))


def read_layout(tree: Tree, archive: str = "") -> Layout:
    """What the folders mean. `archive`: the name of a zip, without its ending, which tools repeat as a folder in it."""
    return _Folders(tree).layout(archive)


class _Folders:
    """A tree without clutter, to be asked what its folders hold."""

    def __init__(self, tree: Tree) -> None:
        self.images: dict[str, list[str]] = {}
        self.others: list[str] = []
        self.empty: set[str] = set()
        self.below: set[str] = set()  # folders with an image in them, or deeper
        self.children: dict[str, list[str]] = {}
        for folder, names in tree.items():
            if any(is_clutter(part) for part in folder.split("/") if part):
                continue
            images = sorted(name for name in names if is_image(name) and not is_clutter(name))
            self.others += [
                f"{folder}/{name}".lstrip("/") for name in names if not is_image(name) and not is_clutter(name)
            ]
            if not any(not is_clutter(name) for name in names):
                self.empty.add(folder)
            if images:
                self.images[folder] = images
                self._note_below(folder)
        for folder in sorted({*self.below, *self.empty} - {""}):
            self.children.setdefault(folder.rpartition("/")[0], []).append(folder)

    def _note_below(self, folder: str) -> None:
        while folder not in self.below:
            self.below.add(folder)
            folder = folder.rpartition("/")[0]

    def inner(self, folder: str) -> list[str]:
        """Folders in it with images in them, or deeper."""
        return [child for child in self.children.get(folder, ()) if child in self.below]

    def is_deep(self, folder: str) -> bool:
        """Whether it has folders with images."""
        return bool(self.inner(folder))

    def holds_parts(self, folder: str) -> bool:
        """Whether the folders in it are roles, such as train/ and val/."""
        inner = self.inner(folder)
        named = [child for child in inner if part_of(child) is not None]
        others = [child for child in inner if part_of(child) is None]
        if not named or not others:
            return bool(named)
        if len({part_of(child) for child in named}) > 1:
            return any(map(self.is_deep, named))  # else they are classes
        return self.is_deep(named[0]) and not any(map(self.is_deep, others))  # a class may be called 'test'

    def outermost(self) -> str:
        """The folder that holds roles, classes or images: not one that is only wrapped around them."""
        top = ""
        while top not in self.images:
            inner = self.inner(top)
            if len(inner) != 1 or inner[0] in self.images or not self.is_deep(inner[0]):
                break
            if part_of(inner[0]) is not None and not self.holds_parts(inner[0]):
                break
            top = inner[0]
        return top

    def holds_classes_of_parts(self, folder: str) -> bool:
        """Whether the folders in it are classes with roles inside: cat/train, cat/test, dog/train."""
        inner = self.inner(folder)
        return len(inner) > 1 and all(
            child not in self.images and all(part_of(part) is not None for part in self.inner(child)) for child in inner
        )

    def layout(self, archive: str) -> Layout:
        top = self.outermost()
        found: dict[str, tuple[int, str | None]] = {}
        remarks: list[str] = []
        if self.holds_parts(top):
            parts = [child for child in self.inner(top) if part_of(child) is not None]
            labelled = any(map(self.is_deep, parts))
            for folder in parts:
                number = PARTS.index(part_of(folder) or "")
                found[folder] = (number, None)
                for child in self._classes(folder) if labelled else ():
                    found[child] = (number, class_name(child))
            others = [child for child in self.inner(top) if child not in parts]
            if others:
                remarks.append(f"Left out: {listed(_last(others))}, beside the folders of roles.")
        elif self.holds_classes_of_parts(top):
            labelled = True
            for child in self._classes(top):
                found[child] = (NO_PART, class_name(child))
                for part in self.inner(child):
                    found[part] = (PARTS.index(part_of(part) or ""), class_name(child))
        else:
            folders = self._classes(top)
            holding = [child for child in folders if child in self.below]
            labelled = bool(holding)
            if len(holding) == 1 and top not in self.images and class_name(holding[0]) == class_name(archive):
                top, labelled = holding[0], False  # a zip with one folder of its own name
            found[top] = (NO_PART, None)
            for child in folders if labelled else ():
                found[child] = (NO_PART, class_name(child))
        return self._finished(top, found, labelled, remarks)

    def _classes(self, folder: str) -> list[str]:
        return [child for child in self.children.get(folder, ()) if child in self.below or child in self.empty]

    def _finished(
        self, top: str, found: dict[str, tuple[int, str | None]], labelled: bool, remarks: list[str]
    ) -> Layout:
        """With every folder that holds images, each meaning what the nearest known folder around it means."""
        folders: dict[str, tuple[int, str | None]] = {}
        stray: Counter[str] = Counter()
        deeper = 0
        for folder, images in self.images.items():
            known = folder
            while known not in found and known:
                known = known.rpartition("/")[0]
            part, name = found.get(known, (None, None))
            if part is None:
                continue  # said above
            if labelled and name is None:
                stray[folder] += len(images)
                continue
            deeper += len(images) if known != folder else 0
            folders[folder] = (part, name)
        if top:
            remarks.append(f"All of it lies in the folder {excerpt(top)}.")
        if stray:
            where = listed([f"{folder or 'the outermost folder'} ({count:,})" for folder, count in stray.items()])
            remarks.append(f"Left out, because they lie in no folder of a class: images in {where}.")
        if deeper and labelled:
            remarks.append(f"Folders inside of a class belong to it: {images_of(deeper)} lie in such.")
        named = {name for _, name in found.values() if name is not None}
        bare = sorted(named - {name for _, name in folders.values()})
        if bare:
            remarks.append(f"Without any image: class {listed(bare)}.")
        others = [name for name in self.others if not name.lower().endswith(_NAMES_ENDINGS)]
        if others:
            remarks.append(f"Left out, because their names are not of images: {listed(sorted(others))}.")
        return Layout(
            inside=top,
            folders=folders,
            classes=tuple(sorted(named)) if labelled else None,
            remarks=tuple(remarks),
            images={folder: self.images[folder] for folder in folders},
        )


_NAMES_ENDINGS = ("classes.txt", "labels.txt", "class_names.txt", "class_to_idx.json")
"""Looked at by `class_names`, which says what it made of them."""


def part_of(folder: str) -> str | None:
    """The part that a folder is called after, of PARTS; None where its name is none of a role."""
    number = PART_NAMES.get(folder.rpartition("/")[2].lower())
    return None if number is None else PARTS[number]


def _last(folders: Sequence[str]) -> list[str]:
    return [folder.rpartition("/")[2] for folder in folders]
