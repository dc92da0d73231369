"""Folders and zips give the images that were put in, and every bad input ends in a sentence that helps."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torchvision
from PIL import Image

from pruning.base.errors import DataError, InputError
from pruning.data import fetch
from pruning.data.info import ROLES, DataInfo, Role
from pruning.data.protocol import Data
from pruning.data.published import published
from pruning.data.readers import READERS, is_available, open_data
from pruning.data.sources import read_place

TINY = DataInfo(
    name="tiny",
    title="Eight-pixel pictures",
    classes=("cat", "dog"),
    shape=(3, 8, 8),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    sizes={"train": 20, "select": 4, "test": 6},
    shift=0,
    flips=False,
    embedded=False,
)


@pytest.fixture(autouse=True)
def no_data_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRUNING_DATA", raising=False)
    monkeypatch.setitem(READERS, "tiny", published(TINY, builder="CIFAR10", folder="tiny"))


def pixels(part: str, kind: str, number: int) -> np.ndarray:
    """The picture that file `part/kind/number.png` shows: its number is in it, so that an order can be checked."""
    seed = [("train", "test").index(part), TINY.classes.index(kind), number]
    picture = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture[0, 0] = number
    return picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in ImageFolder layout: 12 train and 3 test images of each class, numbered from 0 without zeros."""
    place = tmp_path / "pictures"
    for part, count in (("train", 12), ("test", 3)):
        for kind in TINY.classes:
            (place / part / kind).mkdir(parents=True)
            for number in range(count):
                Image.fromarray(pixels(part, kind, number)).save(place / part / kind / f"{number}.png")
    return place


def labels_of(data: Data, role: Role) -> list[int]:
    labels = data.labels(role)
    assert labels is not None
    return labels.tolist()


def zipped(folder: Path, target: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(target, "w", compression) as archive:
        for path in sorted(folder.rglob("*.png"), reverse=True):  # not the order the images are to come in
            archive.write(path, path.relative_to(folder))
    return target


def test_a_folder_gives_its_pixels_in_the_order_of_class_and_number(folder: Path) -> None:
    raw = read_place("tiny", folder, TINY.shape, TINY.classes, None)
    expected = [pixels("train", kind, number).transpose(2, 0, 1) for kind in TINY.classes for number in range(12)]
    assert np.array_equal(raw.train_images, expected)  # 10 after 9, not after 1
    assert raw.train_labels.tolist() == [0] * 12 + [1] * 12
    assert raw.test_labels.tolist() == [0] * 3 + [1] * 3


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_folder_and_zip_are_the_same_data_set(folder: Path, tmp_path: Path, compression: int) -> None:
    from_folder = open_data("tiny", str(folder))
    from_zip = open_data("tiny", str(zipped(folder, tmp_path / "tiny.zip", compression)))
    assert from_zip.digest == from_folder.digest
    assert {role: from_zip.length(role) for role in ROLES} == TINY.sizes
    assert labels_of(from_zip, "select").count(0) == 2  # as many of each class


def test_a_place_may_be_the_folder_that_holds_the_zip_and_may_stand_in_the_environment(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = open_data("tiny", str(zipped(folder, tmp_path / "tiny.zip"))).digest
    assert open_data("tiny", str(tmp_path)).digest == digest
    monkeypatch.setenv("PRUNING_DATA", str(tmp_path))
    assert is_available("tiny")
    assert open_data("tiny").digest == digest


def test_another_pixel_is_another_digest(folder: Path) -> None:
    before = open_data("tiny", str(folder)).digest
    path = folder / "test" / "cat" / "1.png"
    changed = np.asarray(Image.open(path)).copy()
    changed[3, 3, 0] ^= 1
    Image.fromarray(changed).save(path)
    assert open_data("tiny", str(folder)).digest != before


def test_the_second_reading_of_a_zip_decodes_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = str(zipped(folder, tmp_path / "tiny.zip"))
    digest = open_data("tiny", archive).digest
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded again"))
    assert open_data("tiny", archive).digest == digest


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b[: len(b) // 2],
        lambda b: b"\0" * 100,
        lambda b: b.replace(b"PK\1\2\x2d\3\x2d", b"PK\1\2\x2d\3\xff"),  # a version of zip that there is not yet
        lambda b: b.replace(b"PK\1\2\x2d\3\x2d\0\0", b"PK\1\2\x2d\3\x2d\0\1"),  # as if it were encrypted
    ],
)
def test_a_damaged_cache_is_made_anew(folder: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    archive = str(zipped(folder, tmp_path / "tiny.zip"))
    digest = open_data("tiny", archive).digest
    (cached,) = (tmp_path / "cache" / "images").iterdir()
    cached.write_bytes(damage(cached.read_bytes()))
    assert open_data("tiny", archive).digest == digest


def test_a_cache_that_cannot_be_written_leaves_nothing_behind(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    assert len(labels_of(open_data("tiny", str(zipped(folder, tmp_path / "tiny.zip"))), "train")) == 20
    assert list((tmp_path / "cache" / "images").iterdir()) == []


def remove_one(folder: Path) -> None:
    (folder / "test" / "dog" / "2.png").unlink()


def remove_most(folder: Path) -> None:
    for number in range(1, 12):
        (folder / "train" / "dog" / f"{number}.png").unlink()


def rename_class(folder: Path) -> None:
    (folder / "train" / "dog").rename(folder / "train" / "wolf")


def resize_one(folder: Path) -> None:
    Image.new("RGB", (9, 7)).save(folder / "train" / "cat" / "5.png")


def truncate_one(folder: Path) -> None:
    path = folder / "train" / "cat" / "5.png"
    path.write_bytes(path.read_bytes()[:-60])


def garble_one(folder: Path) -> None:
    (folder / "train" / "cat" / "5.png").write_bytes(b"not a picture")


def empty_train(folder: Path) -> None:
    for path in (folder / "train").rglob("*.png"):
        path.unlink()


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (remove_one, r"gives 5 test images of tiny, but there should be 6.*incomplete"),
        (remove_most, r"Class 'dog' of tiny has only 1 training images.*incomplete"),
        (rename_class, r"class 'wolf' that is not expected: the classes are cat, dog"),
        (resize_one, r"train/cat/5\.png in .* is 9×7, expected 8×8"),
        (truncate_one, r"train/cat/5\.png in .* is not a readable image .*fetch the data again"),
        (garble_one, r"train/cat/5\.png in .* is not a readable image .*fetch the data again"),
        (empty_train, r"no images below train/<class>/.*ImageFolder layout"),
    ],
)
def test_bad_images_give_a_sentence_that_helps(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], None], sentence: str, as_zip: bool
) -> None:
    spoil(folder)
    place = zipped(folder, tmp_path / "tiny.zip") if as_zip else folder
    with pytest.raises(DataError, match=sentence):
        open_data("tiny", str(place))


def test_a_file_that_is_no_zip_says_so(tmp_path: Path) -> None:
    place = tmp_path / "tiny.zip"
    place.write_text("I am a letter.")
    with pytest.raises(DataError, match=r"tiny\.zip is not a readable zip .*fetch it again"):
        open_data("tiny", str(place))


def test_a_zip_cut_short_says_so(folder: Path, tmp_path: Path) -> None:
    place = zipped(folder, tmp_path / "tiny.zip")
    place.write_bytes(place.read_bytes()[:-200])
    with pytest.raises(DataError, match="not a readable zip"):
        open_data("tiny", str(place))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_damaged_inside_names_the_picture(folder: Path, tmp_path: Path, compression: int) -> None:
    place = zipped(folder, tmp_path / "tiny.zip", compression)
    with zipfile.ZipFile(place) as archive:
        member = archive.getinfo("train/cat/5.png")
    content = bytearray(place.read_bytes())
    start = member.header_offset + 30 + len(member.filename)
    content[start : start + member.compress_size] = b"\xff" * member.compress_size
    place.write_bytes(content)
    with pytest.raises(DataError, match=r"train/cat/5\.png .*fetch the data again"):
        open_data("tiny", str(place))


def test_a_zip_that_may_not_be_read_says_so(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = zipped(folder, tmp_path / "tiny.zip")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")  # chmod does not stop root, who runs CI

    monkeypatch.setattr(zipfile.ZipFile, "__init__", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        open_data("tiny", str(place))


def test_a_missing_place_says_what_is_expected_there(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    assert not is_available("tiny", nowhere)
    with pytest.raises(DataError, match=r"No tiny images at .*nowhere.*tiny\.zip.*train/ and test/.*--data-dir"):
        open_data("tiny", nowhere)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_images_and_without_asking_nothing_is_fetched(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("went to the network"))
    assert not is_available(name)
    with pytest.raises(DataError, match=r"not on this machine: .*'make data'.*--data-dir or PRUNING_DATA"):
        open_data(name)


class Offline:
    """Stands in for torchvision's data sets on a machine without internet access."""

    def __init__(self, root: str, *, train: bool, download: bool) -> None:
        raise URLError("Name or service not known")


def test_fetching_offline_names_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Offline)
    with pytest.raises(DataError, match=r"could not be fetched .*Without internet access.*--data-dir"):
        open_data("cifar10", download=True)


def test_make_data_offline_says_one_sentence_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torchvision.datasets, "MNIST", Offline)
    assert fetch.main(["mnist"]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert "could not be fetched" in last and "--data-dir" in last


def test_make_data_says_what_it_got(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRUNING_DATA", str(folder))
    assert fetch.main(["tiny"]) == 0
    assert "20 train, 4 select, 6 test" in capsys.readouterr().out
    assert fetch.main(["tinny"]) == 1
    assert "no data set 'tinny'" in capsys.readouterr().err


def test_torchvisions_order_gives_the_roles_of_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision stands in mixed order, a folder is sorted by class: the same images, so the same digest."""

    class Mixed:
        def __init__(self, root: str, *, train: bool, download: bool) -> None:
            part, count = ("train", 12) if train else ("test", 3)
            pairs = [(label, number) for number in range(count) for label in (1, 0)]
            self.data = np.stack([pixels(part, TINY.classes[label], number) for label, number in pairs])
            self.targets = [label for label, _ in pairs]

    by_folder = open_data("tiny", str(folder))
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Mixed)
    assert open_data("tiny").digest == by_folder.digest


def test_an_unknown_name_is_refused_before_any_file_is_read(folder: Path) -> None:
    with pytest.raises(InputError, match="no data set"):
        open_data("imagenet", str(folder))
