"""NumPy archives: every layout and depth of images, labels as they come, and nothing is ever unpickled."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pruning.base.errors import DataError, InputError
from pruning.data.info import ROLES, DataInfo
from pruning.data.own import arrays as reading
from pruning.data.preprocess import IMAGENET, Preprocess
from pruning.data.readers import describe_data, open_data
from tests.data.samples import arrays

DICE = np.random.default_rng(3)
IMAGES = DICE.integers(0, 256, (12, 8, 9, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3
RGB = Preprocess(size=(8, 9), **IMAGENET)


def saved(folder: Path, save: Callable[..., Any] = np.savez, **given: Any) -> str:
    save(folder / "a.npz", **given)
    return f"npz:{folder / 'a.npz'}"


def pixels(reference: str, preprocess: Preprocess | None = RGB) -> set[bytes]:
    data = open_data(reference, preprocess=preprocess)
    return {image.numpy().tobytes() for role in ROLES for image in data.images(role, torch.arange(data.length(role)))}


def expected(images: np.ndarray) -> set[bytes]:
    """N × H × W × C, uint8."""
    return {image.transpose(2, 0, 1).tobytes() for image in images}


def refused(folder: Path, words: str, **given: Any) -> None:
    with pytest.raises(DataError, match=words):
        describe_data(saved(folder, **given))


def said(info: DataInfo) -> str:
    return " ".join(info.remarks)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "images",
    [IMAGES, np.asfortranarray(IMAGES), IMAGES.transpose(0, 3, 1, 2), np.concatenate([IMAGES, IMAGES[:, :, :, :1]], 3),
     IMAGES.astype(np.int64), (IMAGES / 255).astype(np.float32), (IMAGES / 255).astype(np.float64),
     IMAGES.astype(np.float32)],
    ids=["NHWC", "Fortran", "NCHW", "RGBA", "int64", "float32", "float64", "float to 255"],
)  # fmt: skip
def test_every_layout_and_depth_gives_the_same_images(
    images: np.ndarray, save: Callable[..., Any], tmp_path: Path
) -> None:
    assert pixels(saved(tmp_path, save, images=images, labels=LABELS)) == expected(IMAGES)


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    reference = saved(tmp_path, images=IMAGES.astype(np.uint16) * 257, labels=LABELS)
    assert pixels(reference) == expected(IMAGES)
    assert "12 images are of more than 8 bits a channel: scaled to 8." in said(describe_data(reference))


def test_grey_images_and_masks(tmp_path: Path) -> None:
    assert pixels(saved(tmp_path, images=IMAGES[..., 0], labels=LABELS), None) == expected(IMAGES[..., :1])
    assert pixels(saved(tmp_path, images=IMAGES[..., :1]), None) == expected(IMAGES[..., :1])
    mask = IMAGES[..., :1] > 127
    assert pixels(saved(tmp_path, images=mask[..., 0]), None) == expected(mask.astype(np.uint8) * 255)


def test_roles_by_name(tmp_path: Path) -> None:
    some = arrays()
    reference = saved(tmp_path, **some)
    info = describe_data(reference)
    assert info.sizes == {"train": 8, "select": 6, "test": 4} and info.classes == ("0", "1")
    data = open_data(reference)
    labels = data.labels("select")
    assert labels is not None
    for image, label in zip(data.images("select", torch.arange(6)), labels, strict=True):
        place = [np.array_equal(image.permute(1, 2, 0).numpy(), other) for other in some["val_images"]].index(True)
        assert some["val_labels"][place] == label


def test_names_of_keras(tmp_path: Path) -> None:
    reference = saved(tmp_path, x_train=IMAGES[:8], y_train=LABELS[:8], x_test=IMAGES[8:], y_test=LABELS[8:])
    assert describe_data(reference).sizes == {"train": 8, "select": 2, "test": 2}


def test_without_labels(tmp_path: Path) -> None:
    info = describe_data(saved(tmp_path, images=IMAGES))
    assert not info.labelled and info.classes == ()


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        (LABELS, ("0", "1", "2"), ""),
        (LABELS[:, None], ("0", "1", "2"), ""),
        (LABELS.astype(np.float32), ("0", "1", "2"), ""),
        (np.eye(3)[LABELS], ("0", "1", "2"), "one column for each class"),
        (LABELS + 1, ("1", "2", "3"), "go from 1 to 3: label 1 was taken as the first class"),
        (LABELS * 2, ("0", "1", "2", "3", "4"), "No image in a.npz has the label 1, 3"),
        (np.array(["cow", "ape", "bee"])[LABELS], ("ape", "bee", "cow"), ""),
        (np.array([b"cow", b"ape", b"bee"])[LABELS], ("ape", "bee", "cow"), ""),
    ],
    ids=["plain", "column", "float", "one-hot", "from 1", "holes", "texts", "bytes"],
)
def test_labels(labels: np.ndarray, classes: tuple[str, ...], words: str, tmp_path: Path) -> None:
    info = describe_data(saved(tmp_path, images=IMAGES, labels=labels))
    assert info.classes == classes and words in said(info)


def test_numbers_as_texts_stand_in_the_order_of_text_and_it_is_said(tmp_path: Path) -> None:
    info = describe_data(saved(tmp_path, images=IMAGES, labels=np.array([str(number) for number in range(1, 13)])))
    assert info.classes[:3] == ("1", "10", "11")
    assert "stand in the order of text (1, 10, 11 …), not by number (1, 2, 3 …)" in said(info)


def test_bytes_beyond_ascii_and_names_that_do_not_fit(tmp_path: Path) -> None:
    info = describe_data(saved(tmp_path, images=IMAGES, labels=np.array(["é".encode(), b"b", b"\xff"])[LABELS]))
    assert info.classes == ("b", "é", "\ufffd")
    texts = np.array(["a", "b", "c"])
    info = describe_data(saved(tmp_path, images=IMAGES, labels=texts[LABELS], classes=texts[:2]))
    assert info.classes == ("a", "b", "c") and "names of classes in a.npz were not followed: they lack c" in said(info)


def test_other_roles_and_what_is_not_looked_at(tmp_path: Path) -> None:
    info = describe_data(
        saved(tmp_path, train_images=IMAGES, train_labels=LABELS, dev_images=IMAGES, dev_labels=LABELS)
    )
    assert info.sizes == {"train": 12, "select": 6, "test": 6}
    info = describe_data(saved(tmp_path, images=IMAGES, fine_labels=LABELS, masks=IMAGES))
    assert not info.labelled and "Not looked at in a.npz: fine_labels, masks." in info.remarks


def test_a_range_that_is_no_usual_one_is_said(tmp_path: Path) -> None:
    assert "images is of uint8 with numbers up to 15: taken as 0 to 255." in said(
        describe_data(saved(tmp_path, images=IMAGES // 17, labels=LABELS))
    )
    bits = IMAGES > 127
    assert pixels(saved(tmp_path, images=bits.astype(np.uint8), labels=LABELS)) == expected(bits.astype(np.uint8) * 255)
    assert "12 images are of numbers from 0 to 1" in said(describe_data(f"npz:{tmp_path / 'a.npz'}"))
    faint = IMAGES.astype(np.uint16) * 16
    assert "nearly black once scaled to 8" in said(describe_data(saved(tmp_path, images=faint, labels=LABELS)))
    assert "nearly black" not in said(describe_data(saved(tmp_path, images=faint * 16, labels=LABELS)))


def test_names_of_classes(tmp_path: Path) -> None:
    names = np.array(["rose", "tulip", "lily"])
    for labels in (LABELS, LABELS + 1):
        info = describe_data(saved(tmp_path, images=IMAGES, labels=labels, classes=names))
        assert info.classes == ("rose", "tulip", "lily") and "named by a.npz" in said(info)
        assert ("go from 1 to 3" in said(info)) == (labels.min() == 1)
    refused(tmp_path, r"label in a.npz is 3, but there are names of 3", images=IMAGES, labels=np.arange(12) % 4,
            classes=names)  # fmt: skip


def test_names_can_be_shown_anywhere(tmp_path: Path) -> None:
    names = np.array(["ape\x1b[31m", "bee\ncow", "<b>"])
    for given in ({"labels": LABELS, "classes": names}, {"labels": names[LABELS]}):
        info = describe_data(saved(tmp_path, images=IMAGES, **given))
        assert set(info.classes) == {"ape?[31m", "bee?cow", "<b>"} and all(r.isprintable() for r in info.remarks)


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("name", ["images", "labels", "classes", "more"])
def test_nothing_is_unpickled(name: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"images": IMAGES, "labels": LABELS, "classes": np.array(["a", "b", "c"])}
    given[name] = np.array([Trap(tmp_path / "ran")] * 12, dtype=object)
    reference = saved(tmp_path, **given)
    if name == "more":
        describe_data(reference)  # is not looked at
    else:
        with pytest.raises(DataError, match="never unpickled"):
            describe_data(reference)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"a": IMAGES}, "no array called images: it has a"),
        ({"images": IMAGES[0, 0]}, r"has the shape 9×3: images are"),
        ({"images": IMAGES[..., :2]}, "of 1, 3 or 4 channels"),
        ({"images": IMAGES[:0]}, "no images in a.npz"),
        ({"images": IMAGES[:, :0]}, "0×9 pixels"),
        ({"images": IMAGES, "labels": LABELS[:5]}, "12 images in images and 5 labels"),
        ({"images": IMAGES, "labels": LABELS - 1}, "A label in a.npz is -1"),
        ({"images": IMAGES, "labels": LABELS + 0.5}, "not whole"),
        ({"images": IMAGES, "labels": LABELS * 1_000_000}, "A label in a.npz is 2,000,000"),
        ({"images": IMAGES, "labels": DICE.random((12, 3))}, "labels are N numbers"),
        ({"images": IMAGES / 255 - 0.5}, "before they are normalised"),
        ({"images": np.full((12, 8, 9), np.nan)}, "not finite"),
        ({"images": IMAGES.astype(np.int64) * 1000}, "pixels are whole numbers"),
        ({"images": IMAGES.astype(np.complex64)}, "never unpickled"),
        ({"train_images": IMAGES, "train_labels": LABELS, "test_images": IMAGES}, "others have none"),
        ({"images": IMAGES[:2]}, "only 2 images"),
        ({"train_images": IMAGES, "test_images": IMAGES / 255}, "of several ranges"),
    ],
)
def test_refusals(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    refused(tmp_path, words, **given)


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    text = str({"descr": dtype, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize("shape", [(10**12, 8, 8), (3, 8, 8), (-3, 8, 8), (2**62, 2**62, 4)])
def test_a_header_that_says_more_than_there_is(shape: tuple[int, ...], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", header(shape) + bytes(100))
    with pytest.raises(DataError, match="its size is not what its header says"):
        describe_data(f"npz:{tmp_path / 'a.npz'}")


def test_bombs_and_what_would_not_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGE", 1_000)
    monkeypatch.setattr(reading, "BOMB", 100)
    reference = saved(tmp_path, np.savez_compressed, images=np.zeros((100, 30, 30), dtype=np.uint8))
    with pytest.raises(DataError, match="more than 100 times its size"):
        describe_data(reference)
    monkeypatch.setattr(reading, "IN_MEMORY", 1_000)
    with pytest.raises(DataError, match=r"save it with numpy\.savez, which does not compress"):
        describe_data(saved(tmp_path, np.savez_compressed, images=IMAGES))
    assert pixels(saved(tmp_path, images=IMAGES)) == expected(IMAGES), "what is not compressed stays on disk"


def test_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"\x93NUMPY" + bytes(200))
    with pytest.raises(DataError, match=r"no readable \.npz: it is a NumPy array"):
        describe_data(f"npz:{path}")
    saved(tmp_path, images=IMAGES)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DataError, match="ends too early or is damaged"):
        describe_data(f"npz:{path}")
    with pytest.raises(InputError, match="There is no file"):
        describe_data(f"npz:{tmp_path / 'b.npz'}")
