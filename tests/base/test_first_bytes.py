"""Files are told by their first bytes: one table, and what each reader takes of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from pruning.base.first_bytes import KINDS, LENGTH, TAKEN, TEXTS, Reader, kind_of, why_not


def pictured(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "AVIF"])
def test_images_that_are_read_are_known_as_such(kind: str) -> None:
    found = kind_of(pictured(kind)[:LENGTH])
    assert found is not None and found.name == kind.lower() and found.name in TAKEN["images"]


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"", "empty"),
        (b"\0" * 400, "zeros"),
        (b"version https://git-lfs.github.com/spec/v1\n", "lfs"),
        (b"PK\3\4rest", "zip"),
        (b"PK\5\6", "zip"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\0" * 257 + b"ustar", "tar"),
        (b"\0\0\0\x18ftypheic", "heic"),
        (b"\0\0\0\x18ftypisom", "video"),
        (b"\0" * 128 + b"DICM", "dicom"),
        (b"\xef\xbb\xbf\n <!DOCTYPE HTML>", "html"),
        (b"<HTML><head>", "html"),
        (b"<?xml version='1.0'?><Error>", "xml"),
        (b'\n{"weight_map": {}}', "json"),
        (b"\x02\0\0\0\0\0\0\0{}", "safetensors"),
        (b"PAR1", "parquet"),
        (b"RIFF\0\0\0\0AVI ", "avi"),
    ],
)
def test_others(start: bytes, name: str) -> None:
    found = kind_of(start)
    assert found is not None and found.name == name


@pytest.mark.parametrize("start", [b"cat", b"P6 8 8 255 ", b"{'a': 1}", b"\x80\x04\x95", b"\xff" * 8 + b"{"])
def test_nothing_known(start: bytes) -> None:
    assert kind_of(start) is None


def test_what_torch_and_numpy_write(tmp_path: Path) -> None:
    for file, new, name in (("a", True, "zip"), ("b", False, "torch")):
        torch.save({"a": torch.zeros(2)}, tmp_path / file, _use_new_zipfile_serialization=new)
        found = kind_of((tmp_path / file).read_bytes()[:LENGTH])
        assert found is not None and found.name == name and name in TAKEN["weights"]
    np.save(tmp_path / "c.npy", np.zeros(2))
    assert why_not(tmp_path / "c.npy", "npz") == "it is a NumPy array"


def test_each_name_stands_once() -> None:
    names = [kind.name for kind in (*KINDS, *TEXTS)]
    assert len(set(names)) == len(names) and set(TAKEN) == set(get_args(Reader))
    assert set().union(*TAKEN.values()) <= {*names, "safetensors"}
    for kind in (*KINDS, *TEXTS):
        for start in kind.starts:
            assert kind_of(b"\1" * kind.offset + start + b"\1") is not None, kind.name


def test_a_file_of_the_right_kind_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PK\3\4")
    assert "damaged" in why_not(tmp_path / "a", "zip") and why_not(tmp_path / "a", "parquet") == "it is a zip archive"
    assert "cannot be read" in why_not(tmp_path / "nothing", "zip")
