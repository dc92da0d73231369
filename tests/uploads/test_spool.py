"""Files that visitors send: kept under random names, never under theirs, and only so large and for so long."""

from __future__ import annotations

import io
import os
import stat
import time
from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.uploads import spool

HOUR = 3600.0


def sent(folder: Path, name: str = "net.pt", content: bytes = b"abc") -> spool.Upload:
    return spool.keep(folder, io.BytesIO(content), name, "weights", 10)


@pytest.mark.parametrize(
    "name", ["net.pt", "../../etc/passwd.pt", "/etc/cron.d/x.pth", "a\\..\\b.PT", "ü" * 300 + ".pt"]
)
def test_a_name_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "sent"
    upload = sent(folder, name)
    assert upload.path.read_bytes() == b"abc" and upload.bytes == 3
    assert upload.path.parent.parent == folder and upload.path.name in ("weights.pt", "weights.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["sent"], "and nothing outside"
    assert stat.S_IMODE(os.stat(upload.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(upload.path.parent).st_mode) == stat.S_IMODE(os.stat(folder).st_mode) == 0o700


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("net.pt2", "exported program"),
        ("net.py", "none of the files of weights"),
        ("net", "none of the files of weights"),
        ("photos.zip", ".safetensors, .pt or .pth"),
    ],
)
def test_other_endings_are_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        sent(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_too_large_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger than"):
        sent(tmp_path, content=b"x" * 11)
    assert list(tmp_path.iterdir()) == []


def test_two_of_one_name_are_two(tmp_path: Path) -> None:
    first, second = sent(tmp_path), sent(tmp_path, content=b"other")
    assert first.path != second.path and first.path.read_bytes() == b"abc"


def test_what_nobody_used_for_long_goes_but_for_what_is_in_use(tmp_path: Path) -> None:
    old, used, new = sent(tmp_path), sent(tmp_path), sent(tmp_path)
    (tmp_path / "somebody-else").mkdir()
    for path in (old.path.parent, used.path.parent, tmp_path / "somebody-else"):
        os.utime(path, (0, time.time() - 3 * HOUR))
    assert spool.sweep(tmp_path, 2, lambda: [used.number]) == [old.number]
    assert not old.path.exists() and used.path.exists() and new.path.exists() and (tmp_path / "somebody-else").exists()
    spool.touch(f"zip:{used.path}", tmp_path)
    spool.touch(f"zip:{old.path}", tmp_path)
    spool.touch("mnist5k", tmp_path)
    assert spool.sweep(tmp_path, 2, list) == [], "it was used just now"


def test_the_upload_behind_a_reference_is_found(tmp_path: Path) -> None:
    upload = sent(tmp_path)
    assert spool.number_in(f"timm:resnet18?weights={upload.path}&classes=3", tmp_path) == upload.number
    assert spool.number_in(f"zip:{upload.path}", tmp_path) == upload.number
    for text in ("timm:resnet18", f"zip:{tmp_path}/photos/a.zip", f"zip:/other/{upload.number}/images.zip", ""):
        assert spool.number_in(text, tmp_path) is None
