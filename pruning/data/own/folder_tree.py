"""A tree of folders with images, without clutter, to be asked what its folders hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from pruning.data.own.folder_names import (
    BESIDE_IMAGES,
    PART_NAMES,
    class_name,
    is_clutter,
    is_image,
    is_of_images,
    last_of,
    part_in,
)

Tree = Mapping[str, Sequence[str]]
"""Folder, as 'train/cat' ('' for the outermost) → names of the files in it; empty folders as well."""


class Folders:
    """A tree without clutter, to be asked what its folders hold."""

    def __init__(self, tree: Tree, read: Collection[str] = ()) -> None:
        self.images: dict[str, list[str]] = {}
        self.others: list[str] = []
        self.empty: set[str] = set()
        self.below: set[str] = set()  # folders with an image in them, or deeper
        self.children: dict[str, list[str]] = {}
        for folder, names in tree.items():
            if any(is_clutter(part) for part in folder.split("/") if part):
                continue
            images = sorted(name for name in names if is_image(name) and not is_clutter(name))
            others = [f"{folder}/{name}".lstrip("/") for name in names if not is_image(name) and not is_clutter(name)]
            self.others += [path for path in others if path not in read]
            if not any(not is_clutter(name) for name in names):
                self.empty.add(folder)
            if images:
                self.images[folder] = images
                self._note_below(folder)
        for folder in sorted({*self.below, *self.empty} - {""}):
            self.children.setdefault(folder.rpartition("/")[0], []).append(folder)
        self.beside = {folder for around in self.children for folder in self._beside_images(around)}

    def _note_below(self, folder: str) -> None:
        while folder not in self.below:
            self.below.add(folder)
            folder = folder.rpartition("/")[0]

    def _beside_images(self, folder: str) -> list[str]:
        """Folders in it that hold no images to be told apart, such as masks/ beside images/."""
        inner = [child for child in self.children[folder] if child in self.below]
        beside = [child for child in inner if last_of(child).lower() in BESIDE_IMAGES]
        rest = [child for child in inner if child not in beside]
        return beside if rest and all(is_of_images(last_of(child)) for child in rest) else []

    def inner(self, folder: str) -> list[str]:
        """Folders in it with images in them, or deeper."""
        return [child for child in self.children.get(folder, ()) if child in self.below and child not in self.beside]

    def is_deep(self, folder: str) -> bool:
        """Whether it has folders with images."""
        return bool(self.inner(folder))

    def parts_in(self, folder: str) -> dict[str, int]:
        """Folders in it that are called like roles → places in PARTS. A name that says more, as 'test1' and
        'seg_train' do, counts only beside another role of that kind, or alone."""
        inner = self.inner(folder)
        found = {child: PART_NAMES[name] for child in inner if (name := last_of(child).lower()) in PART_NAMES}
        alike: dict[str, dict[str, int]] = defaultdict(dict)
        for child in inner:
            part, rest = part_in(last_of(child))
            if part is not None and child not in found:
                alike[rest][child] = part
        exact = set(found.values())
        whole = found | {child: part for some in alike.values() for child, part in some.items()}
        if len(whole) == len(inner) and len(set(whole.values())) > 1:
            return whole
        for rest, some in alike.items():
            several = len({*some.values(), *(exact if not rest else ())}) > 1
            found |= some if several or (len(inner) == 1 and not rest) else {}
        return found

    def holds_parts(self, folder: str) -> bool:
        """Whether the folders in it are roles, such as train/ and val/."""
        inner, named = self.inner(folder), self.parts_in(folder)
        others = [child for child in inner if child not in named]
        if not named or not others:
            return bool(named)
        if len(set(named.values())) > 1:
            return any(map(self.is_deep, named))  # else they are classes
        # A class may be called 'test'; what holds the same classes is a role by another name, which is left out.
        one, deep = next(iter(named)), [child for child in others if self.is_deep(child)]
        classes = self._names_in(one)
        alike = len(classes) > 1 and all(len(classes & self._names_in(child)) * 2 > len(classes) for child in deep)
        return self.is_deep(one) and (alike or not deep)

    def _names_in(self, folder: str) -> set[str]:
        return {class_name(child) for child in self.inner(folder)}

    def outermost(self) -> str:
        """The folder that holds roles, classes or images: not one that is only wrapped around them."""
        top = ""
        while top not in self.images:
            inner = self.inner(top)
            if len(inner) != 1 or inner[0] in self.images or not self.is_deep(inner[0]):
                break
            if self.parts_in(top) and not self.holds_parts(inner[0]):
                break
            top = inner[0]
        return top

    def within(self, parts: Mapping[str, int]) -> dict[str, str]:
        """Folder of a role → the folder in it that holds its classes or images, where others are wrapped around that
        one: train/train/cat, val/images/1.jpg. The same for all roles, so that one class alone stays a class."""
        found = {folder: folder for folder in parts}
        while True:
            closed = [part for part, folder in found.items() if folder not in self.images]
            lone = {part: inner[0] for part in closed if len(inner := self.inner(found[part])) == 1}
            if not closed or len(lone) < len(closed):
                return found
            for part, child in lone.items():
                wraps = self.is_deep(child) and child not in self.images
                if not wraps and not is_of_images(last_of(child)) and part_in(last_of(child))[0] != parts[part]:
                    return found
            found |= lone

    def holds_classes_of_parts(self, folder: str) -> bool:
        """Whether the folders in it are classes with roles inside: cat/train, cat/test, dog/train."""
        inner = self.inner(folder)
        return len(inner) > 1 and all(
            child not in self.images and set(self.inner(child)) == set(self.parts_in(child)) for child in inner
        )

    def classes(self, folder: str) -> list[str]:
        return [
            child
            for child in self.children.get(folder, ())
            if (child in self.below or child in self.empty) and child not in self.beside
        ]

    def classes_of_part(self, holding: Mapping[str, str], part: str, number: int) -> list[str]:
        """Folders of classes of a role. A single one that is called 'images' or like the role is none, unless another
        role has it as well."""
        folders = self.classes(holding[part])
        name = last_of(folders[0]) if len(folders) == 1 and not self.is_deep(folders[0]) else ""
        if name and (is_of_images(name) or part_in(name)[0] == number):
            others = {
                class_name(child) for other, held in holding.items() if other != part for child in self.inner(held)
            }
            return [folder for folder in folders if class_name(folder) in others]
        return folders
