"""References to images of one's own: their parts, and what a person means by a path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pruning.base.errors import InputError
from pruning.data.info import ROLES
from pruning.data.own.reference import read_reference, take_apart
from pruning.data.preprocess import IMAGENET, Preprocess
from pruning.data.readers import (
    READERS,
    absolute,
    check_visitor,
    data_reference,
    describe_data,
    is_available,
    open_data,
    without_path,
)  # fmt: skip
from pruning.images import Images
from tests.data.samples import CODE, SAMPLES, arrays, files, write_folder, write_parquet, write_zip


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("folder:mine/photos", ("folder", "mine/photos", "")),
        ("folder:mine/photos?split=60/20/20", ("folder", "mine/photos", "?split=60/20/20")),
        ("folder:what?/photos", ("folder", "what?/photos", "")),
        ("zip:a:b.zip", ("zip", "a:b.zip", "")),
        ("file:net/data.py:build", ("file", "net/data.py", ":build")),
        ("file:data.py", ("file", "data.py", "")),
        ("file:data.py:build?split=1/1/98", ("file", "data.py", ":build?split=1/1/98")),
    ],
)
def test_parts(reference: str, parts: tuple[str, str, str]) -> None:
    assert take_apart(reference) == parts


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("folder:", "names no path: write folder:PATH"),
        ("folder:a?spilt=1/1/98", "'spilt=1/1/98' .* is no option of images. Did you mean 'split'"),
        ("folder:a?split=50/50", "such as 40/40/20, not '50/50'"),
        ("folder:a?split=50/50/50", "together 100"),
        ("folder:a?split=0/50/50", "each at least 1"),
        ("folder:a?split=40.5/39.5/20", "whole|per cent"),
    ],
)
def test_refusals(reference: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_reference(reference)
    with pytest.raises(InputError, match=words):
        describe_data(reference)


def test_a_path_becomes_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "photos", files())
    write_zip(tmp_path / "photos.zip", files())
    write_zip(tmp_path / "no_ending", files())
    np.savez(tmp_path / "a.npz", **arrays())
    (tmp_path / "arrays").write_bytes((tmp_path / "a.npz").read_bytes())
    write_parquet(tmp_path / "rows")
    write_parquet(tmp_path / "hub" / "data")
    (tmp_path / "hub" / "README.md").write_text("x")
    (tmp_path / "data.py").write_text(CODE)
    for given, reference in {
        "photos": "folder:photos", "./photos": "folder:./photos", str(tmp_path / "photos"): f"folder:{tmp_path}/photos",
        "photos.zip": "zip:photos.zip", "no_ending": "zip:no_ending", "a.npz": "npz:a.npz", "arrays": "npz:arrays",
        "rows": "parquet:rows", "hub": "parquet:hub", "rows/train-00000-of-00001.parquet":
        "parquet:rows/train-00000-of-00001.parquet", "data.py:build": "file:data.py:build",
        "folder:photos": "folder:photos", "photos?split=60/20/20": "folder:photos?split=60/20/20",
    }.items():  # fmt: skip
        assert data_reference(given) == reference
        assert sum(describe_data(reference).sizes.values()) >= 8 and is_available(reference)
    assert data_reference("photos", "60/20/20") == "folder:photos?split=60/20/20"


def test_a_folder_is_of_what_it_holds_most(tmp_path: Path) -> None:
    """A picture beside Parquet belongs to a text about it, and a table beside images says something of these."""
    rows = write_parquet(tmp_path / "hub" / "data")
    write_folder(tmp_path / "hub", {"assets/cover.png": files()["train/cat/0.png"]})
    assert data_reference(str(tmp_path / "hub")) == f"parquet:{tmp_path / 'hub'}"
    photos = write_folder(tmp_path / "photos", files())
    (photos / "metadata.parquet").write_bytes(next(rows.iterdir()).read_bytes())
    assert data_reference(str(photos)) == f"folder:{photos}"


def test_a_name_wins_over_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "mnist5k", files())
    assert data_reference("mnist5k") == "mnist5k" and data_reference("./mnist5k") == "folder:./mnist5k"


@pytest.mark.parametrize(
    ("given", "split", "words"),
    [
        ("nowhere", None, "neither a data set nor a file or folder 'nowhere'.*mnist5k.*folder:PATH"),
        ("mnist6k", None, "neither a data set nor"),
        ("page.html", None, "page.html is a web page: name a folder"),
        ("a.rar", None, "a.rar is a rar archive"),
        ("notes.txt", None, "is nothing that images are read from"),
        ("one.png", None, "one.png is a PNG image: name the folder that it lies in"),
        ("weights.pt", None, "is a file of weights, as torch.save writes it, and no images"),
        ("mnist5k", "40/40/20", "mnist5k has its own roles: leave out the split"),
        ("photos", "40/40", "such as 40/40/20"),
        ("photos?split=60/20/20", "40/40/20", "says how it is split already"),
        ("a\0b", None, "is no path"),
        ("x" * 5000, None, "is no path"),
        ("gone.py:build", None, "neither a data set nor"),
    ],
)
def test_what_is_nothing(
    given: str, split: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "photos", files())
    (tmp_path / "page.html").write_text("<!DOCTYPE html>")
    (tmp_path / "a.rar").write_bytes(b"Rar!\x1a\x07")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "one.png").write_bytes(files()["train/cat/0.png"])
    write_zip(tmp_path / "weights.pt", {"archive/data.pkl": b"", "archive/version": b"3"})
    with pytest.raises(InputError, match=words) as refusal:
        data_reference(given, split)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("kind", SAMPLES)
def test_paths_hold_from_anywhere_and_stay_out_of_other_peoples_eyes(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = f"{SAMPLES[kind](tmp_path)}?split=60/20/20"
    monkeypatch.chdir(tmp_path)
    relative = full.replace(f"{tmp_path}/", "")
    assert absolute(relative) == full == absolute(full) and without_path(full) == relative
    with pytest.raises(InputError, match="file or folder of this machine"):
        check_visitor(full)


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_reader_makes_images_as_the_network_sees_them(kind: str, tmp_path: Path) -> None:
    reference = SAMPLES[kind](tmp_path)
    how = Preprocess(size=(10, 9), resize=11, interpolation="bicubic", colour="bgr", mean=(0.5,) * 3, std=(0.25,) * 3)
    info, data = describe_data(reference, how), open_data(reference, preprocess=how)
    assert info == data.info and info.preprocess == how and info.shape == (3, 10, 9) and info.std == how.std
    assert data.images("train", torch.arange(3)).shape == (3, 3, 10, 9)
    rgb = open_data(reference, preprocess=how.replace(colour="rgb"))
    assert torch.equal(rgb.images("test", torch.arange(2)).flip(1), data.images("test", torch.arange(2)))
    assert rgb.digest != data.digest
    images = Images.named(reference, preprocess=how)
    assert images.info == info and images.here and images.open() is images.open() and images.open().info == info


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_reader_splits_as_it_is_asked(kind: str, tmp_path: Path) -> None:
    """Whose samples say their roles, so that they say as well that they were not."""
    info = describe_data(f"{SAMPLES[kind](tmp_path)}?split=60/20/20")
    assert any("60/20/20 was not followed" in remark for remark in info.remarks)
    assert list(info.sizes.values()) == [8, 6, 4] and all(info.sizes[role] for role in ROLES)


def test_published_images_are_seen_as_they_are() -> None:
    assert describe_data("mnist5k", None) is describe_data("mnist5k")
    same = Preprocess(size=(28, 28), mean=(0.1307,), std=(0.3081,))
    assert describe_data("mnist5k", same) is describe_data("mnist5k")
    assert open_data("mnist5k", preprocess=same).digest == open_data("mnist5k").digest
    for other in (same.replace(mean=(0.5,)), same.replace(size=(32, 32)), Preprocess(size=(28, 28), **IMAGENET)):
        for look in (describe_data, lambda name, how: open_data(name, preprocess=how)):
            with pytest.raises(InputError, match=r"mnist5k is a published data set, .* 28×28 .*: leave out"):
                look("mnist5k", other)


def test_every_reader_of_paths_says_so() -> None:
    assert {kind for kind, reader in READERS.items() if reader.is_path} == set(SAMPLES)
