"""Folders and zips of images: what is read, what is left out and said, and what is refused in a sentence."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pruning.base.errors import DataError, InputError, PruningError
from pruning.data.info import ROLES
from pruning.data.own import folder as folders
from pruning.data.own import look
from pruning.data.own import zip as zips
from pruning.data.preprocess import IMAGENET, Preprocess
from pruning.data.readers import describe_data, is_available, open_data
from tests.data.samples import aged, files, picture, png, write_folder, write_zip

WAYS = ("folder", "zip")


def made(way: str, place: Path, contents: dict[str, bytes]) -> str:
    """The files as a folder or zip, and the reference that opens it."""
    if way == "folder":
        return f"folder:{aged(write_folder(place / 'photos', contents))}"
    return f"zip:{aged(write_zip(place / 'photos.zip', contents))}"


def remarks(reference: str) -> str:
    return " ".join(describe_data(reference).remarks)


def opened(reference: str) -> dict[str, list[tuple[bytes, int]]]:
    """Pixels and label of each image of each role, in no order."""
    data = open_data(reference)
    found = {}
    for role in ROLES:
        labels = data.labels(role)
        images = data.images(role, torch.arange(data.length(role)))
        numbers = [0] * len(images) if labels is None else labels.tolist()
        found[role] = sorted((image.numpy().tobytes(), label) for image, label in zip(images, numbers, strict=True))
    return found


@pytest.mark.parametrize("way", WAYS)
def test_images_are_what_was_put_in(way: str, tmp_path: Path) -> None:
    reference = made(way, tmp_path, files())
    info = describe_data(reference)
    assert info.classes == ("cat", "dog") and info.shape == (3, 12, 16) and info.labelled
    assert info.sizes == {"train": 8, "select": 6, "test": 4}
    expected = {
        role: sorted(
            (picture(part, kind, number).transpose(2, 0, 1).tobytes(), label)
            for label, kind in enumerate(("cat", "dog"))
            for number in range(count)
        )
        for role, part, count in (("train", "train", 4), ("select", "val", 3), ("test", "test", 2))
    }
    assert opened(reference) == expected


def test_a_folder_and_its_zip_give_the_same_images_in_the_same_order(tmp_path: Path) -> None:
    references = [made(way, tmp_path, files()) for way in WAYS]
    one, other = (open_data(reference) for reference in references)
    for role in ROLES:
        index = torch.arange(one.length(role))
        assert torch.equal(one.images(role, index), other.images(role, index))
        labels = [data.labels(role) for data in (one, other)]
        assert labels[0] is not None and labels[1] is not None and torch.equal(labels[0], labels[1])
    assert one.digest == other.digest, "a digest tells contents, not places"


def test_a_digest_tells_contents_roles_and_preprocessing(tmp_path: Path) -> None:
    reference = made("folder", tmp_path, files())
    first = open_data(reference).digest
    copied = tmp_path / "copy" / "photos"
    shutil.copytree(tmp_path / "photos", copied)
    assert open_data(f"folder:{copied}").digest == first, "a copy is the same data"
    assert open_data(reference, preprocess=Preprocess(size=(8, 8), **IMAGENET)).digest != first
    path = copied / "train/cat/0.png"
    path.write_bytes(png(picture("test", "cat", 0)))
    assert open_data(f"folder:{copied}").digest != first


@pytest.mark.parametrize("way", WAYS)
def test_bad_files_among_good_ones_are_counted_and_named(way: str, tmp_path: Path) -> None:
    bad = {
        "train/cat/page.jpg": b"<!DOCTYPE html><html>",
        "train/dog/pointer.png": b"version https://git-lfs.github.com/spec/v1\n",
        "val/cat/cut.png": png(picture("val", "cat", 0, (60, 60)))[:2000],
        "test/cat/empty.jpg": b"",
    }
    reference = made(way, tmp_path, {**files(), **bad})
    assert describe_data(reference).sizes == {"train": 8, "select": 6, "test": 4}
    said = remarks(reference)
    assert "4 of 22 images cannot be read and were left out: " in said and " and 1 more." in said
    assert "test/cat/empty.jpg (it is an empty file)" in said and "page.jpg (it is a web page)" in said
    assert sum(map(len, opened(reference).values())) == 18


@pytest.mark.parametrize("way", WAYS)
def test_nothing_but_bad_files_is_refused_with_the_first_reason(way: str, tmp_path: Path) -> None:
    reference = made(way, tmp_path, {"cat/a.jpg": b"<html>", "dog/b.jpg": b"<html>"})
    with pytest.raises(DataError, match=r"None of the 2 images .* cat/a.jpg: it is a web page"):
        describe_data(reference)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("contents", [{}, {"readme.txt": b"hello"}, {"cat/.DS_Store": b"x"}])
def test_no_images_at_all(way: str, contents: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match=r"no images in photos"):
        describe_data(made(way, tmp_path, contents))


@pytest.mark.parametrize("way", WAYS)
def test_an_image_in_two_roles_is_said(way: str, tmp_path: Path) -> None:
    contents = files()
    contents["val/cat/again.png"] = contents["train/cat/1.png"]
    contents["train/dog/twice.png"] = contents["train/dog/1.png"]  # in one role alone
    said = remarks(made(way, tmp_path, contents))
    assert "1 image is in more than one role, such as train/cat/1.png (train) and val/cat/again.png (select)" in said


@pytest.mark.parametrize("way", WAYS)
def test_one_class(way: str, tmp_path: Path) -> None:
    reference = made(way, tmp_path, {f"cat/{n}.png": png(picture("train", "cat", n)) for n in range(6)})
    assert describe_data(reference).classes == ("cat",) and "All images are of one class, cat." in remarks(reference)


@pytest.mark.parametrize("way", WAYS)
def test_images_without_classes(way: str, tmp_path: Path) -> None:
    info = describe_data(made(way, tmp_path, {f"{n}.png": png(picture("train", "cat", n)) for n in range(10)}))
    assert not info.labelled and info.classes == () and info.sizes == {"train": 4, "select": 4, "test": 2}
    assert any("your network may have learnt from these" in remark for remark in info.remarks)


@pytest.mark.parametrize("way", WAYS)
def test_names_beyond_ascii(way: str, tmp_path: Path) -> None:
    contents = {
        f"{kind}/Bild {n} – 猫.png": png(picture("train", "cat", n)) for kind in ("Äpfel", "犬") for n in range(5)
    }
    reference = made(way, tmp_path, contents)
    assert describe_data(reference).classes == ("Äpfel", "犬") and sum(map(len, opened(reference).values())) == 10


def test_names_that_are_no_unicode_at_all(tmp_path: Path) -> None:
    place = write_folder(tmp_path / "photos", {f"a/{n}.png": png(picture("train", "cat", n)) for n in range(5)})
    raw = os.fsencode(place / "b") + b"\xff"
    try:
        os.mkdir(raw)
    except OSError:
        pytest.skip("this file system takes no such names")
    for number in range(5):
        Path(os.fsdecode(raw), f"{number}.png").write_bytes(png(picture("val", "dog", number)))
    info = describe_data(f"folder:{place}")
    assert info.classes == ("a", "b\ufffd") and sum(map(len, opened(f"folder:{place}").values())) == 10


def test_over_long_names(tmp_path: Path) -> None:
    name = "x" * 240
    contents = {f"{name}/{name}{n}.png": png(picture("train", "cat", n)) for n in range(5)}
    contents |= {f"y/{n}.png": png(picture("val", "cat", n)) for n in range(5)}
    reference = made("folder", tmp_path, contents)
    assert describe_data(reference).classes == (name, "y") and sum(map(len, opened(reference).values())) == 10
    path = tmp_path / "photos" / "deep"
    for _ in range(30):  # longer than a path may be
        path.mkdir()
        (path / "1.png").write_bytes(b"")
        if len(str(path)) > 3500:
            break
        path = path / ("d" * 120)
    assert len(describe_data(reference).classes) == 3


@pytest.mark.parametrize("size", [(12, 16), (1000, 16)])
def test_the_default_preprocessing_is_stated(size: tuple[int, int], tmp_path: Path) -> None:
    contents = {f"{kind}/{n}.png": png(picture("train", kind, n, size)) for kind in ("cat", "dog") for n in range(5)}
    info = describe_data(made("folder", tmp_path, contents))
    assert info.preprocess is not None and info.mean == IMAGENET["mean"]
    own = size == (12, 16)
    assert info.shape == (3, *size) if own else (3, 224, 224)
    assert info.preprocess.resize == (None if own else 256)
    assert ("their own 12×16 pixels" if own else "224×224 pixels, the middle") in info.remarks[-1]


def test_grey_images_have_one_channel_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    contents = {f"{kind}/{n}.png": png(picture("train", kind, n)[:, :, 0]) for kind in ("cat", "dog") for n in range(5)}
    reference = made("folder", tmp_path, contents)
    assert describe_data(reference).shape == (1, 12, 16)
    info = describe_data(reference, Preprocess(size=(12, 16), **IMAGENET))
    assert info.shape == (3, 12, 16) and "10 images are grey: repeated in all three channels." in info.remarks
    assert not any("Nothing says how" in remark for remark in info.remarks)


def test_what_was_done_to_odd_images_is_counted(tmp_path: Path) -> None:
    contents = files()
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(picture("val", "dog", 9)).save(file, "JPEG", exif=exif)
    contents["val/dog/turned.jpg"] = file.getvalue()
    contents["val/dog/deep.png"] = png(np.arange(192, dtype=np.uint16).reshape(12, 16) * 300)
    said = remarks(made("folder", tmp_path, contents))
    assert "1 image is turned as the EXIF orientation asks." in said and "1 image is of more than 8 bits" in said


def test_names_beside_the_images_win_over_sorting(tmp_path: Path) -> None:
    reference = made("zip", tmp_path, {**files(), "classes.txt": b"dog\ncat\n"})
    assert describe_data(reference).classes == ("dog", "cat")
    assert "The classes stand as classes.txt orders them." in remarks(reference)


class TestFolders:
    def test_links_out_of_the_folder_are_not_followed(self, tmp_path: Path) -> None:
        place = write_folder(tmp_path / "photos", files())
        outside = write_folder(
            tmp_path / "outside", {f"secret/{n}.png": png(picture("val", "cat", n)) for n in range(3)}
        )
        (place / "train" / "secret").symlink_to(outside / "secret")
        (place / "train" / "cat" / "linked.png").symlink_to(outside / "secret" / "0.png")
        (place / "train" / "cat" / "nowhere.png").symlink_to(tmp_path / "nowhere")
        (place / "train" / "dog" / "inside.png").symlink_to(place / "train" / "cat" / "0.png")
        (place / "train" / "round").symlink_to(place / "train")
        info = describe_data(f"folder:{place}")
        assert info.classes == ("cat", "dog") and info.sizes["train"] == 9, "the one link inside is followed"
        assert "3 links lead out of the folder and were not followed: train/secret" in " ".join(info.remarks)

    def test_pipes_are_no_files(self, tmp_path: Path) -> None:
        place = write_folder(tmp_path / "photos", files())
        os.mkfifo(place / "train" / "cat" / "pipe.jpg")
        assert describe_data(f"folder:{place}").sizes["train"] == 8

    def test_a_change_is_noticed(self, tmp_path: Path) -> None:
        place = write_folder(tmp_path / "photos", files())
        reference = f"folder:{place}"
        assert describe_data(reference).sizes["train"] == 8
        (place / "train/cat/new.png").write_bytes(png(picture("train", "cat", 50)))
        assert describe_data(reference).sizes["train"] == 9
        (place / "train/cat/new.png").write_bytes(b"<html>")
        assert describe_data(reference).sizes["train"] == 8

    def test_a_change_at_the_same_instant_is_noticed_as_well(self, tmp_path: Path) -> None:
        """Files have coarse clocks: two contents of one size may have one time."""
        place = write_folder(tmp_path / "photos", files())
        digests = set()
        for number in range(6):
            (place / "train/cat/0.png").write_bytes(png(picture("train", "cat", 20 + number)))
            digests.add(open_data(f"folder:{place}").digest)
        assert len(digests) == 6

    def test_what_was_found_is_kept_for_the_next_process(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from pruning.data.own import kept

        reference = made("folder", tmp_path, files())
        first = describe_data(reference)
        kept._known.clear()
        monkeypatch.setattr(look, "read_header", lambda *given, **named: pytest.fail("a file was looked at again"))
        assert describe_data(reference) == first

    def test_a_damaged_index_is_made_anew(self, tmp_path: Path, own_cache_of_a_test: Path) -> None:
        from pruning.data.own import kept

        reference = made("folder", tmp_path, files())
        first = describe_data(reference)
        for path in (own_cache_of_a_test / "own").glob("*.npz"):
            path.write_bytes(path.read_bytes()[:300])
        kept._known.clear()
        assert describe_data(reference) == first

    def test_indexes_that_were_not_used_lately_go(
        self, tmp_path: Path, own_cache_of_a_test: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pruning.data.own import listing

        monkeypatch.setattr(listing, "MOST_KEPT", 2)
        for number in range(4):
            describe_data(made("folder", tmp_path / str(number), files()))
        assert len(list((own_cache_of_a_test / "own").glob("*.npz"))) == 2

    def test_many_files_are_not_listed_again_while_folders_stay_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folders, "FEW", 3)
        place = aged(write_folder(tmp_path / "photos", files()))
        first = folders.state_of(place)
        with monkeypatch.context() as patch:
            patch.setattr(folders, "scan", lambda root: pytest.fail("all files were looked at again"))
            assert folders.state_of(place) == first
        (place / "val/cat/more.png").write_bytes(b"")
        assert folders.state_of(place) != first

    def test_an_image_that_proves_damaged_when_decoded_is_left_out_the_next_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there are too many files to look through each."""
        monkeypatch.setattr(look, "THOROUGH_FILES", 0)
        contents = files()
        sound = png(picture("val", "cat", 0, (40, 40)))
        contents["val/cat/broken.png"] = sound[:300] + bytes(300) + sound[600:]
        reference = made("folder", tmp_path, contents)
        assert describe_data(reference).sizes["select"] == 7
        data = open_data(reference)
        with pytest.raises(DataError, match=r"val/cat/broken.png .* unreadable when it was decoded.*From now on"):
            data.images("select", torch.arange(7))
        info = describe_data(reference)
        assert info.sizes["select"] == 6 and "val/cat/broken.png was left out" in " ".join(info.remarks)
        assert sum(map(len, opened(reference).values())) == 18

    def test_an_image_that_has_gone_is_named(self, tmp_path: Path) -> None:
        place = write_folder(tmp_path / "photos", files())
        data = open_data(f"folder:{place}")
        shutil.rmtree(place / "test")
        with pytest.raises(DataError, match=r"test/.*cannot be read any more .* have changed since"):
            data.images("test", torch.tensor([0]))

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_a_folder_that_may_not_be_read(self, tmp_path: Path) -> None:
        place = write_folder(tmp_path / "photos", files())
        place.chmod(0)
        try:
            with pytest.raises(DataError, match="cannot be read"):
                describe_data(f"folder:{place}")
        finally:
            place.chmod(stat.S_IRWXU)

    def test_what_is_not_there_or_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="is not there: check the path"):
            describe_data(f"folder:{tmp_path}/nowhere")
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="is a file: write zip:"):
            describe_data(f"folder:{tmp_path}/file")
        assert not is_available(f"folder:{tmp_path}/nowhere", None) and is_available(f"folder:{tmp_path}", None)


class TestZips:
    def test_members_that_lead_out_are_left_out_and_nothing_is_written(self, tmp_path: Path) -> None:
        contents = {**files(), "../evil.png": b"x", "/abs/evil.png": b"x", "train/../../evil/1.png": b"x"}
        reference = made("zip", tmp_path, contents)
        before = set(tmp_path.rglob("*"))
        assert describe_data(reference).sizes["train"] == 8
        assert "names lead out of the zip: ../evil.png, /abs/evil.png" in remarks(reference)
        assert sum(map(len, opened(reference).values())) == 18 and set(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize("cut", [10, 100, 2000])
    def test_truncated(self, cut: int, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "photos.zip", files())
        path.write_bytes(path.read_bytes()[:-cut])
        with pytest.raises(DataError, match=r"photos.zip is no readable zip: it ends too early or is damaged"):
            describe_data(f"zip:{path}")

    def test_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "photos.zip").write_bytes(b"<html><body>Not found")
        with pytest.raises(DataError, match="it is a web page"):
            describe_data(f"zip:{tmp_path}/photos.zip")
        with pytest.raises(InputError, match="There is no file"):
            describe_data(f"zip:{tmp_path}/other.zip")
        with pytest.raises(InputError, match="no file but a folder"):
            describe_data(f"zip:{tmp_path}")

    def test_encrypted(self, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "photos.zip", files(), zipfile.ZIP_STORED)
        content = bytearray(path.read_bytes())
        for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            start = content.find(mark)
            while start >= 0:
                content[start + place] |= 1
                start = content.find(mark, start + 4)
        path.write_bytes(content)
        with pytest.raises(DataError, match="is encrypted"):
            describe_data(f"zip:{path}")

    def test_bombs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write_zip(tmp_path / "photos.zip", {"cat/1.bmp": b"\0" * 3_000_000, "cat/2.bmp": b"\0" * 3_000_000})
        monkeypatch.setattr(zips, "LARGE", 1_000_000)
        with pytest.raises(DataError, match=r"unpacks to 6,000,000 bytes, more than 100 times"):
            describe_data(f"zip:{path}")

    def test_a_member_that_unpacks_to_more_than_it_says(self, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "photos.zip", {**files(), "train/cat/more.png": b"\0" * 5_000_000})
        content = bytearray(path.read_bytes())
        while (place := content.find(struct.pack("<L", 5_000_000))) >= 0:
            content[place : place + 4] = struct.pack("<L", 50)
        path.write_bytes(content)
        info = describe_data(f"zip:{path}")
        assert info.sizes["train"] == 8 and "train/cat/more.png" in " ".join(info.remarks)

    def test_damaged_members_are_left_out(self, tmp_path: Path) -> None:
        path = write_zip(tmp_path / "photos.zip", files(), zipfile.ZIP_STORED)
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            place = archive.getinfo("train/cat/0.png").header_offset + 200
        content[place] ^= 0xFF
        path.write_bytes(content)
        info = describe_data(f"zip:{path}")
        assert info.sizes["train"] == 7 and "train/cat/0.png (it cannot be read (Bad CRC-32" in " ".join(info.remarks)

    def test_names_in_utf8_that_do_not_say_so(self, tmp_path: Path) -> None:
        path = write_zip(
            tmp_path / "photos.zip", {f"Katze {n} é/1.png": png(picture("train", "cat", n)) for n in range(5)}
        )
        content = bytearray(path.read_bytes())
        for mark, place in ((b"PK\x01\x02", 9), (b"PK\x03\x04", 7)):
            start = content.find(mark)
            while start >= 0:
                content[start + place] &= ~8
                start = content.find(mark, start + 4)
        path.write_bytes(content)
        assert describe_data(f"zip:{path}").classes[0] == "Katze 0 é"

    def test_windows_paths(self, tmp_path: Path) -> None:
        contents = {name.replace("/", "\\"): content for name, content in files().items()}
        assert describe_data(made("zip", tmp_path, contents)).sizes == {"train": 8, "select": 6, "test": 4}


@pytest.mark.parametrize("break_it", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PK")])
def test_a_zip_that_changes_while_it_is_open(break_it: Callable[[Path], object], tmp_path: Path) -> None:
    reference = made("zip", tmp_path, files())
    data = open_data(reference)
    break_it(tmp_path / "photos.zip")
    with pytest.raises(PruningError):
        data.images("train", torch.tensor([0]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("appended", [b"", b"x" * 5000])
def test_files_that_end_too_early_are_found_among_many(
    kind: str, appended: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their ends, without decoding the sound ones; something after the end does no harm."""
    monkeypatch.setattr(look, "THOROUGH_FILES", 0)
    contents = {}
    for number in range(6):
        file = io.BytesIO()
        Image.fromarray(picture("train", "cat", number, (150, 150))).save(file, kind)
        contents[f"cat/{number}.{kind.lower()}"] = file.getvalue() + appended
    contents[f"cat/cut.{kind.lower()}"] = file.getvalue()[: len(file.getvalue()) * 3 // 4]
    info = describe_data(made("folder", tmp_path, contents))
    assert sum(info.sizes.values()) == 6 and f"cat/cut.{kind.lower()} (" in " ".join(info.remarks)


def test_a_folder_of_what_is_no_image_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no images in photos. Left out, .* not of images: cat/1.heic, photos.tar"):
        describe_data(made("folder", tmp_path, {"cat/1.heic": b"x", "photos.tar": b"x"}))


@pytest.fixture(scope="session")
def photos() -> Path:
    """1,000 photos of ImageNet, one of each class, in val/."""
    folder = Path(os.environ.get("PRUNING_DATA") or Path(__file__).parents[4] / "shared" / "data")
    path = folder / "imagenet-1000.zip"
    if not path.is_file():
        pytest.skip("no imagenet-1000.zip in PRUNING_DATA or ../shared/data")
    return path


def test_real_photos_are_seen_as_torchvision_shows_them(photos: Path) -> None:
    from torchvision import transforms

    preprocess = Preprocess(size=(224, 224), resize=256, interpolation="bicubic", **IMAGENET)
    reference = f"zip:{photos}"
    info = describe_data(reference, preprocess)
    assert len(info.classes) == 1000 and info.sizes == {"train": 400, "select": 400, "test": 200}
    assert any("your network may have learnt from these" in remark for remark in info.remarks)
    data = open_data(reference, preprocess=preprocess)
    labels = data.labels("test")
    assert labels is not None
    shown = transforms.Compose([
        transforms.Resize(256, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(224),
    ])  # fmt: skip
    with zipfile.ZipFile(photos) as archive:
        by_class = {name.split("/")[1]: name for name in archive.namelist() if name.endswith(".jpg")}
        for image, label in zip(data.images("test", torch.arange(12)), labels[:12], strict=True):
            with Image.open(io.BytesIO(archive.read(by_class[info.classes[int(label)]]))) as photo:
                assert np.array_equal(image.permute(1, 2, 0).numpy(), np.asarray(shown(photo.convert("RGB"))))
