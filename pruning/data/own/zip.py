"""The reader of zips that hold folders of images. Nothing is unpacked: members are read one by one, up to a limit."""

from __future__ import annotations

import contextlib
import functools
import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pruning.base.errors import DataError, excerpt
from pruning.base.first_bytes import why_not
from pruning.data.info import Progress
from pruning.data.own.reference import OwnReference
from pruning.data.own.row import Looked, own_reader
from pruning.data.own.stamps import file_key

if TYPE_CHECKING:
    from pruning.data.own.listing import Listing
    from pruning.data.own.look import Ends
    from pruning.data.own.reading import Decoded

LARGE, BOMB = 1_000_000_000, 100
"""A zip that says it unpacks to more than LARGE bytes, and to more than BOMB times its own size, is a bomb."""
UTF8 = 0x800
ENCRYPTED = 0x1


def look(reference: OwnReference, progress: Progress | None) -> Looked:
    path = reference.place
    return Looked(key=file_key("zip", path, reference.path), make=lambda: _listing(path, progress))


class _Archive:
    """A zip that is open, with its members by name."""

    def __init__(self, path: Path) -> None:
        """Raises DataError where it is none, or is encrypted or a bomb."""
        name = excerpt(path.name)
        try:
            self._zip = zipfile.ZipFile(path)
        except Exception as error:  # nearly anything may come of damaged bytes
            raise DataError(f"{name} is no readable zip: {why_not(path, 'zip')}.") from error
        infos = self._zip.infolist()
        if any(info.flag_bits & ENCRYPTED for info in infos):
            raise DataError(f"{name} is encrypted: make it again without a password.")
        whole = sum(info.file_size for info in infos)
        if whole > LARGE and whole > BOMB * os.path.getsize(path):
            raise DataError(
                f"{name} says that it unpacks to {whole:,} bytes, more than {BOMB} times its own size: images never "
                "do, so nothing in it is read."
            )
        self.members: dict[str, zipfile.ZipInfo] = {}
        self.tree: dict[str, list[str]] = {}
        self.outside: list[str] = []
        for info in infos:
            member = _name(info)
            parts = PurePosixPath(member).parts
            if member.startswith("/") or ".." in parts or (parts and parts[0].endswith(":")):
                self.outside.append(member)
                continue
            folder, last = (
                ("/".join(parts), "") if member.endswith("/") else ("/".join(parts[:-1]), (parts or ("",))[-1])
            )
            self.tree.setdefault(folder, [])
            if last and f"{folder}/{last}".lstrip("/") not in self.members:
                self.tree[folder].append(last)
            if last:
                self.members[f"{folder}/{last}".lstrip("/")] = info

    def read(self, name: str, most: int) -> bytes:
        """A member's first bytes. Raises what zipfile raises."""
        with self._zip.open(self.members[name]) as file:
            return file.read(most)

    def whole(self, name: str, most: int | None = None) -> bytes:
        """All of a member. Raises what zipfile raises, or OSError where it has more bytes than `most`, by default those
        of an image."""
        from pruning.data.own.decode import LARGEST_FILE

        size, limit = self.members[name].file_size, LARGEST_FILE if most is None else most
        if size > limit:
            raise OSError(f"it has {size:,} bytes, and {limit:,} is the most")
        return self.read(name, size + 1)

    def ends(self, name: str) -> Ends:
        from pruning.data.own.look import HEAD, Ends

        info = self.members[name]
        end = info.CRC.to_bytes(4, "little") if info.file_size > HEAD else b""
        return Ends(size=info.file_size, start=self.read(name, HEAD), end=end)


def _name(info: zipfile.ZipInfo) -> str:
    """A member's path. Zips that do not say that names are UTF-8 mostly have them in UTF-8 all the same."""
    name = info.filename
    if not info.flag_bits & UTF8 and not name.isascii():
        with contextlib.suppress(UnicodeError):  # else some other page of codes, which it does not name
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _listing(path: Path, progress: Progress | None) -> Listing:
    from pruning.data.own.layout_files import LARGEST_TEXT, arrange
    from pruning.data.own.look import Candidates, look_through
    from pruning.data.own.words import listed

    archive = _Archive(path)

    arranged = arrange(archive.tree, lambda name: archive.whole(name, LARGEST_TEXT), path.stem)
    said = [*arranged.remarks]
    if archive.outside:
        said.append(f"Left out, because their names lead out of the zip: {listed(archive.outside)}.")
    names = arranged.names
    candidates = Candidates(
        title=path.name,
        names=names,
        parts=arranged.parts,
        labels=arranged.labels,
        classes=arranged.classes,
        total_bytes=sum(archive.members[name].file_size for name in names),
        ends=lambda number: archive.ends(names[number]),
        read=lambda number: archive.whole(names[number]),
        remarks=tuple(said),
    )
    return look_through(candidates, progress)


def decoded(reference: OwnReference, listing: Listing, key: str) -> Decoded:
    from pruning.data.own.decode import decode

    archive = functools.cache(lambda: _Archive(reference.place))
    return lambda number: decode(archive().whole(listing.names[number]))


ZIP = own_reader(kind="zip", form="zip:FILE", look=look, decoded=decoded, source="zip")
