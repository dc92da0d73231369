"""The reader of folders: a folder for each class, with or without folders of roles around them, or images alone."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pruning.base.errors import DataError, InputError, excerpt
from pruning.data.info import Progress
from pruning.data.own.reference import OwnReference
from pruning.data.own.row import Looked, own_reader
from pruning.data.own.stamps import unsettled

if TYPE_CHECKING:
    from pruning.data.own.listing import Listing
    from pruning.data.own.look import Ends
    from pruning.data.own.reading import Decoded

FEW = 5_000
"""Files up to which every one is looked at each time; of more, folders alone as long as this process lives."""
MOST = 8
"""Folders that are remembered."""


@dataclass(kw_only=True)
class Scan:
    """Names, sizes and times of all files below a folder; none of them is opened."""

    tree: dict[str, list[str]] = field(default_factory=dict)
    total_bytes: int = 0
    files: int = 0
    newest: int = 0
    """When the file that changed last did so, in nanoseconds."""
    outside: list[str] = field(default_factory=list)
    """Links that lead out of the folder, which are not followed."""
    unseen: list[str] = field(default_factory=list)
    """Folders that cannot be looked into."""
    folders: list[tuple[str, int]] = field(default_factory=list)
    """Path of each folder and its time, in nanoseconds."""
    key: str = ""


_scanned: OrderedDict[str, Scan] = OrderedDict()
"""Path → what was found in it, without the names of its files."""


def state_of(root: Path) -> str:
    """What tells this state of a folder from all others; where it holds many files, each of them is looked at only once
    a folder has changed."""
    known = _scanned.get(str(root))
    if known is not None and known.files > FEW and all(_time(path) == time for path, time in known.folders):
        return known.key
    return scan(root).key


def scan(root: Path) -> Scan:
    """All files below a folder."""
    found = Scan()
    sha = hashlib.sha256(f"folder {root}".encode("utf-8", "surrogateescape"))
    for folder, entries in _walk(root, found):
        names = []
        for name, size, time in entries:
            names.append(name)
            sha.update(f"{folder}/{name}\0{size} {time}\0".encode("utf-8", "surrogateescape"))
            found.total_bytes += size
            found.newest = max(found.newest, time)
        found.files += len(names)
        found.tree[folder] = names
    changing = unsettled(max(found.newest, *(time for _, time in found.folders), 0))
    sha.update(changing.encode())
    found.key = sha.hexdigest()[:32]
    if not changing:
        _scanned[str(root)] = replace(found, tree={})
        while len(_scanned) > MOST:
            _scanned.popitem(last=False)
    return found


def _walk(root: Path, found: Scan) -> Iterator[tuple[str, list[tuple[str, int, int]]]]:
    """Folder after folder: its path within the root, and name, size and time of each file, in the order of names."""
    waiting: list[tuple[str, str, tuple[str, ...]]] = [("", str(root), (os.path.realpath(root),))]
    while waiting:
        folder, path, around = waiting.pop()
        files, inner = [], []
        try:
            time = _time(path)
            with os.scandir(path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            found.unseen.append(folder)
            continue
        found.folders.append((path, time))
        for entry in listed:
            within = f"{folder}/{entry.name}".lstrip("/")
            try:
                if entry.is_symlink():
                    target = os.path.realpath(entry.path)
                    if not target.startswith(f"{around[0]}{os.sep}"):
                        found.outside.append(within)
                        continue
                    if target in around or f"{os.path.realpath(path)}{os.sep}".startswith(f"{target}{os.sep}"):
                        continue  # a folder that is around this one: it would never end
                status = entry.stat()
            except OSError:
                continue  # a link to nothing, or a name too long for the system
            if stat.S_ISDIR(status.st_mode):
                real = os.path.realpath(entry.path) if entry.is_symlink() else ""
                inner.append((within, entry.path, (*around, real) if real else around))
            elif stat.S_ISREG(status.st_mode):
                files.append((entry.name, status.st_size, status.st_mtime_ns))
        waiting += reversed(inner)
        yield folder, files


def _time(path: str) -> int:
    """When a folder last changed; 0 where it is gone."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def look(reference: OwnReference, progress: Progress | None) -> Looked:
    root = reference.place
    if not root.is_dir():
        there = "is a file: write zip:, npz: or parquet:" if root.exists() else "is not there: check the path"
        raise InputError(f"The folder {excerpt(reference.path, 200)} {there}.")
    return Looked(key=state_of(root), make=lambda: _listing(root, progress))


def _listing(root: Path, progress: Progress | None) -> Listing:
    from pruning.data.own.layout_files import LARGEST_TEXT, arrange
    from pruning.data.own.look import Candidates, look_through
    from pruning.data.own.words import listed

    found = scan(root)
    if found.unseen == [""]:
        raise DataError(f"The folder {excerpt(str(root), 200)} cannot be read: check its permissions.")
    arranged = arrange(found.tree, lambda name: _bytes(root, name, LARGEST_TEXT))
    said = [*arranged.remarks]
    if found.outside:
        count = len(found.outside)
        said.append(
            f"{count:,} link{' leads' if count == 1 else 's lead'} out of the folder and "
            f"{'was' if count == 1 else 'were'} not followed: {listed(found.outside)}."
        )
    if found.unseen:
        said.append(f"Left out, because they cannot be looked into: {listed(found.unseen)}.")
    candidates = Candidates(
        title=root.name,
        names=arranged.names,
        parts=arranged.parts,
        labels=arranged.labels,
        classes=arranged.classes,
        total_bytes=found.total_bytes,
        ends=lambda number: _ends(root, arranged.names[number]),
        read=lambda number: _bytes(root, arranged.names[number]),
        remarks=tuple(said),
    )
    return look_through(candidates, progress)


def decoded(reference: OwnReference, listing: Listing, key: str) -> Decoded:
    from pruning.data.own.decode import decode

    root = reference.place
    return lambda number: decode(_bytes(root, listing.names[number]))


def _bytes(root: Path, name: str, most: int | None = None) -> bytes:
    """A file's content.

    Raises:
        OSError: it is not there, is no file any more, or is larger than an image ever is.
    """
    from pruning.data.own.decode import LARGEST_FILE

    limit = LARGEST_FILE if most is None else most
    handle = os.open(f"{root}/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise OSError(f"it is no file of at most {limit:,} bytes")
        return file.read(limit)


def _ends(root: Path, name: str) -> Ends:
    from pruning.data.own.look import HEAD, TAIL, Ends

    handle = os.open(f"{root}/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        start = os.pread(handle, HEAD, 0)
        end = os.pread(handle, TAIL, max(HEAD, size - TAIL)) if size > HEAD else b""
        return Ends(size=size, start=start, end=end)
    finally:
        os.close(handle)


FOLDER = own_reader(kind="folder", form="folder:PATH", look=look, decoded=decoded, source="folder", is_file=False)
