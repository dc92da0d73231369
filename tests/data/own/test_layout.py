"""What folders mean is told by what they hold, once for the whole data set."""

from __future__ import annotations

import pytest

from pruning.data.own.folder_names import NO_PART
from pruning.data.own.folder_tree import Tree
from pruning.data.own.layout import Layout, read_layout

TRAIN, VAL, TEST = 0, 1, 2


def tree(*paths: str) -> Tree:
    """A tree of files; a path that ends with '/' is an empty folder."""
    found: dict[str, list[str]] = {"": []}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found.setdefault(folder, [])
        if name:
            found[folder].append(name)
    return found


def meanings(layout: Layout) -> dict[str, tuple[int, str | None]]:
    """Path of each image → its part and class."""
    return {
        f"{folder}/{name}".lstrip("/"): layout.folders[folder]
        for folder, names in layout.images.items()
        for name in names
    }


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["train/cat/1.jpg", "val/dog/1.jpg"], {"train/cat/1.jpg": (TRAIN, "cat"), "val/dog/1.jpg": (VAL, "dog")}),
        (["cat/1.jpg", "dog/1.JPEG"], {"cat/1.jpg": (NO_PART, "cat"), "dog/1.JPEG": (NO_PART, "dog")}),
        (["1.jpg", "2.png"], {"1.jpg": (NO_PART, None), "2.png": (NO_PART, None)}),
        (["train/1.jpg", "test/2.jpg"], {"train/1.jpg": (TRAIN, None), "test/2.jpg": (TEST, None)}),
        (["Validation/a/1.jpg", "Training/a/2.jpg"],
         {"Validation/a/1.jpg": (VAL, "a"), "Training/a/2.jpg": (TRAIN, "a")}),
        (["train/a/1.jpg"], {"train/a/1.jpg": (TRAIN, "a")}),
        # Wrapped once or twice.
        (["photos/train/a/1.jpg", "photos/test/a/2.jpg"],
         {"photos/train/a/1.jpg": (TRAIN, "a"), "photos/test/a/2.jpg": (TEST, "a")}),
        (["x/y/a/1.jpg", "x/y/b/2.jpg"], {"x/y/a/1.jpg": (NO_PART, "a"), "x/y/b/2.jpg": (NO_PART, "b")}),
        (["train/train/a/1.jpg", "train/val/a/2.jpg"],
         {"train/train/a/1.jpg": (TRAIN, "a"), "train/val/a/2.jpg": (VAL, "a")}),
        # Classes that are called like roles.
        (["bus/1.jpg", "car/1.jpg", "train/1.jpg"],
         {"bus/1.jpg": (NO_PART, "bus"), "car/1.jpg": (NO_PART, "car"), "train/1.jpg": (NO_PART, "train")}),
        (["train/test/1.jpg", "train/train/1.jpg", "val/test/1.jpg", "val/train/1.jpg"],
         {"train/test/1.jpg": (TRAIN, "test"), "train/train/1.jpg": (TRAIN, "train"),
          "val/test/1.jpg": (VAL, "test"), "val/train/1.jpg": (VAL, "train")}),
        (["bus/x/1.jpg", "train/x/1.jpg"], {"bus/x/1.jpg": (NO_PART, "bus"), "train/x/1.jpg": (NO_PART, "train")}),
        # Roles inside of classes.
        (["cat/train/1.jpg", "cat/test/2.jpg", "dog/train/3.jpg"],
         {"cat/train/1.jpg": (TRAIN, "cat"), "cat/test/2.jpg": (TEST, "cat"), "dog/train/3.jpg": (TRAIN, "dog")}),
        # Roles beside something else.
        (["train/a/1.jpg", "more/2.jpg"], {"train/a/1.jpg": (TRAIN, "a")}),
        (["train/a/1.jpg", "test/2.jpg"], {"train/a/1.jpg": (TRAIN, "a")}),
        # Other names of roles, and names that say more.
        (["train/a/1.jpg", "dev/a/2.jpg"], {"train/a/1.jpg": (TRAIN, "a"), "dev/a/2.jpg": (VAL, "a")}),
        (["Eval/a/1.jpg", "TrainSet/a/2.jpg"], {"Eval/a/1.jpg": (VAL, "a"), "TrainSet/a/2.jpg": (TRAIN, "a")}),
        (["training_set/a/1.jpg", "test_set/a/2.jpg"],
         {"training_set/a/1.jpg": (TRAIN, "a"), "test_set/a/2.jpg": (TEST, "a")}),
        (["train2017/1.jpg", "val2017/2.jpg"], {"train2017/1.jpg": (TRAIN, None), "val2017/2.jpg": (VAL, None)}),
        (["train/1.jpg", "test1/2.jpg"], {"train/1.jpg": (TRAIN, None), "test1/2.jpg": (TEST, None)}),
        (["seg_train/seg_train/a/1.jpg", "seg_test/seg_test/a/2.jpg", "seg_pred/seg_pred/3.jpg"],
         {"seg_train/seg_train/a/1.jpg": (TRAIN, "a"), "seg_test/seg_test/a/2.jpg": (TEST, "a")}),
        # which count beside other roles alone
        (["test1/1.jpg", "test2/2.jpg"], {"test1/1.jpg": (NO_PART, "test1"), "test2/2.jpg": (NO_PART, "test2")}),
        (["train/a/1.jpg", "train/b/1.jpg", "unseen/a/1.jpg", "unseen/b/2.jpg"],
         {"train/a/1.jpg": (TRAIN, "a"), "train/b/1.jpg": (TRAIN, "b")}),
        (["train_1/1.jpg", "boat/2.jpg"], {"train_1/1.jpg": (NO_PART, "train_1"), "boat/2.jpg": (NO_PART, "boat")}),
        # Roles with something wrapped around what is in them.
        (["train/train/a/1.jpg", "test/test/a/2.jpg"],
         {"train/train/a/1.jpg": (TRAIN, "a"), "test/test/a/2.jpg": (TEST, "a")}),
        (["train/images/1.jpg", "val/images/2.jpg"],
         {"train/images/1.jpg": (TRAIN, None), "val/images/2.jpg": (VAL, None)}),
        (["train/a/images/1.jpg", "train/b/images/2.jpg", "val/images/3.jpg"],
         {"train/a/images/1.jpg": (TRAIN, "a"), "train/b/images/2.jpg": (TRAIN, "b")}),
        (["train/a/1.jpg", "train/b/1.jpg", "test/test/2.jpg"],
         {"train/a/1.jpg": (TRAIN, "a"), "train/b/1.jpg": (TRAIN, "b")}),
        (["train/a/1.jpg", "val/a/2.jpg"], {"train/a/1.jpg": (TRAIN, "a"), "val/a/2.jpg": (VAL, "a")}),
        (["train/images/1.jpg", "train/dogs/2.jpg", "val/images/3.jpg"],
         {"train/images/1.jpg": (TRAIN, "images"), "train/dogs/2.jpg": (TRAIN, "dogs"),
          "val/images/3.jpg": (VAL, "images")}),
        # Folders that are called like images and no class, and what other tasks look for beside them.
        (["images/1.jpg", "images/2.jpg"], {"images/1.jpg": (NO_PART, None), "images/2.jpg": (NO_PART, None)}),
        (["images/1.jpg", "masks/1.png"], {"images/1.jpg": (NO_PART, None)}),
        (["JPEGImages/train/a/1.jpg", "JPEGImages/val/a/1.jpg", "annotations/trimaps/1.png"],
         {"JPEGImages/train/a/1.jpg": (TRAIN, "a"), "JPEGImages/val/a/1.jpg": (VAL, "a")}),
        (["mask/1.jpg", "no mask/2.jpg"], {"mask/1.jpg": (NO_PART, "mask"), "no mask/2.jpg": (NO_PART, "no mask")}),
        # Parts of one collection, and classes with a number.
        (["images_1/1.jpg", "images_2/2.jpg"], {"images_1/1.jpg": (NO_PART, None), "images_2/2.jpg": (NO_PART, None)}),
        (["kind_1/1.jpg", "kind_2/2.jpg"], {"kind_1/1.jpg": (NO_PART, "kind_1"), "kind_2/2.jpg": (NO_PART, "kind_2")}),
        (["cat/images/1.jpg", "cat/masks/1.jpg", "dog/images/2.jpg"],
         {"cat/images/1.jpg": (NO_PART, "cat"), "dog/images/2.jpg": (NO_PART, "dog")}),
        # Roles and classes in one name.
        (["train_cat/1.jpg", "train_dog/1.jpg", "test_cat/1.jpg"],
         {"train_cat/1.jpg": (TRAIN, "cat"), "train_dog/1.jpg": (TRAIN, "dog"), "test_cat/1.jpg": (TEST, "cat")}),
        (["trainA/1.jpg", "trainB/1.jpg", "testA/1.jpg", "testB/1.jpg"],
         {"trainA/1.jpg": (TRAIN, "a"), "trainB/1.jpg": (TRAIN, "b"), "testA/1.jpg": (TEST, "a"),
          "testB/1.jpg": (TEST, "b")}),
        # Deeper than its class, and beside all classes.
        (["a/1.jpg", "a/more/2.jpg", "b/3.jpg", "4.jpg"],
         {"a/1.jpg": (NO_PART, "a"), "a/more/2.jpg": (NO_PART, "a"), "b/3.jpg": (NO_PART, "b")}),
    ],
)  # fmt: skip
def test_meanings(paths: list[str], expected: dict[str, tuple[int, str | None]]) -> None:
    assert meanings(read_layout(tree(*paths))) == expected


@pytest.mark.parametrize(
    "clutter",
    ["__MACOSX/train/cat/._1.jpg", ".DS_Store", "train/.DS_Store", "train/.ipynb_checkpoints/1-checkpoint.jpg",
     "train/cat/Thumbs.db", "train/cat/._1.jpg", "desktop.ini", ".hidden/cat/1.jpg", "train/__pycache__/1.png"],
)  # fmt: skip
def test_clutter_is_neither_class_nor_image_and_is_not_spoken_of(clutter: str) -> None:
    clean = ["train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg"]
    layout = read_layout(tree(*clean, clutter))
    assert layout.classes == ("cat", "dog") and meanings(layout) == meanings(read_layout(tree(*clean)))
    assert layout.remarks == ()


def test_classes_are_those_of_all_parts_in_the_order_of_text() -> None:
    layout = read_layout(tree("train/b/1.jpg", "train/Z/1.jpg", "val/a/1.jpg", "test/10/1.jpg", "test/9/1.jpg"))
    assert layout.classes == ("10", "9", "Z", "a", "b") == tuple(sorted(layout.classes or ()))


def test_one_name_in_two_spellings_of_unicode_is_one_class() -> None:
    assert read_layout(tree("train/A\u0308/1.jpg", "val/\u00c4/1.jpg")).classes == ("\u00c4",)


def test_what_is_left_out_is_said() -> None:
    layout = read_layout(tree("train/a/1.jpg", "train/2.jpg", "test/3.jpg", "more/4.jpg", "notes.md", "train/a/x.heic"))
    said = " ".join(layout.remarks)
    assert "more, beside the folders of roles" in said
    assert "in no folder of a class: images in train (1), test (1)" in said
    assert "not of images: notes.md, train/a/x.heic" in said


def test_an_empty_folder_of_a_class_keeps_its_number_and_is_said() -> None:
    layout = read_layout(tree("train/a/1.jpg", "train/b/", "train/c/1.jpg"))
    assert layout.classes == ("a", "b", "c") and "Without any image: class b." in layout.remarks


def test_a_zip_of_one_folder_of_its_own_name_holds_no_class() -> None:
    assert read_layout(tree("holiday/1.jpg", "holiday/2.jpg"), "holiday").classes is None
    assert read_layout(tree("cat/1.jpg", "cat/2.jpg"), "holiday").classes == ("cat",)


def test_a_zip_whose_own_name_says_nothing_says_nothing_of_the_only_folder_in_it() -> None:
    layout = read_layout(tree("holiday/1.jpg", "holiday/2.jpg"), "images")
    assert layout.classes is None
    assert layout.remarks == ("All images lie in the folder holiday, which is taken for no class.",)


def test_masks_beside_images_are_said() -> None:
    assert "Left out: masks, beside the folder of images." in read_layout(tree("images/1.jpg", "masks/1.png")).remarks


def test_nothing_at_all() -> None:
    assert read_layout(tree()).images == {} == read_layout(tree("a/", "b/readme.txt")).images
