"""What the names of files and folders say: roles, images, clutter, and words that say nothing of a class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pruning.data.own.words import printable

PARTS = ("train", "val", "test")
"""What folders call the roles."""
NO_PART = -1
PART_NAMES = {
    "train": 0, "training": 0, "trn": 0, "trainset": 0,
    "val": 1, "valid": 1, "validation": 1, "validate": 1, "dev": 1, "eval": 1, "evaluation": 1, "valset": 1,
    "test": 2, "testing": 2, "tst": 2, "testset": 2, "holdout": 2,
}  # fmt: skip
IMAGE_ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff", ".webp",
    ".avif",
)  # fmt: skip
CLUTTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "__pycache__"}
"""What operating systems and tools leave behind, beside hidden files."""
OF_IMAGES = frozenset(
    {"image", "images", "img", "imgs", "jpg", "jpeg", "jpegs", "jpegimages", "png", "pngs", "photo", "photos", "pic",
     "pics", "picture", "pictures", "data", "dataset", "set", "split", "folder", "files", "raw", "all"}
)  # fmt: skip
"""Words that folders of images are called by, whatever their class."""
OF_PARTS = frozenset({"part", "parts", "batch", "chunk", "shard", "archive"})
BESIDE_IMAGES = frozenset(
    {"mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentations", "gt",
     "groundtruth", "ground_truth", "trimaps", "depth", "depths", "heatmaps"}
)  # fmt: skip
"""Folders beside one of images, that hold what other tasks have to find in them."""


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is of no interest.

    >>> is_clutter("._cat.jpg"), is_clutter("Thumbs.db"), is_clutter("cat.jpg")
    (True, True, False)
    """
    return name.startswith(".") or name.lower() in CLUTTER


def is_image(name: str) -> bool:
    """Whether a file is an image by its name."""
    return name.lower().endswith(IMAGE_ENDINGS)


def last_of(folder: str) -> str:
    """A folder's own name."""
    return folder.rpartition("/")[2]


def class_name(folder: str) -> str:
    """A folder's own name as the name of a class: letters beyond ASCII are composed, whoever wrote them."""
    name = last_of(folder).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return printable(unicodedata.normalize("NFC", name))


def is_of_images(name: str) -> bool:
    """Whether a folder's name says that there are images in it, and nothing of what is on them.

    >>> is_of_images("JPEGImages"), is_of_images("all_photos_2"), is_of_images("cat photos")
    (True, True, False)
    """
    words = _words(name)
    return bool(words) and (name.lower() in OF_IMAGES or all(word in OF_IMAGES for word in words))


def are_numbered(names: Sequence[str]) -> bool:
    """Whether names of folders differ in a number alone and say that there are images in them: parts of one collection.

    >>> are_numbered(["HAM_images_part_1", "HAM_images_part_2"]), are_numbered(["class 1", "class 2"])
    (True, False)
    """
    bare = {re.sub(r"[0-9]+", "", name) for name in names}
    return len(names) > 1 and len(bare) == 1 and bool(set(_words(names[0])) & (OF_IMAGES | OF_PARTS))


def part_in(name: str) -> tuple[int | None, str]:
    """The part that a name names, a place in PARTS, and what else it says; None for none or several.

    >>> part_in("val2017"), part_in("test_set"), part_in("seg_train"), part_in("cat")
    ((1, ''), (2, ''), (0, 'seg'), (None, 'cat'))
    """
    if name.lower() in PART_NAMES:
        return PART_NAMES[name.lower()], ""
    words = _words(name)
    found = {PART_NAMES[word] for word in words if word in PART_NAMES}
    rest = " ".join(word for word in words if word not in PART_NAMES and word not in OF_IMAGES)
    return (found.pop(), rest) if len(found) == 1 else (None, rest)


def _words(name: str) -> list[str]:
    """'trainLabels_v2' → 'train', 'labels', 'v'."""
    return [word.lower() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])", name)]
