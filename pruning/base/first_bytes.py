"""What a file is, told by its first bytes and not by its name: one table for images, data sets and weights, and which
of its kinds each reader takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Group = Literal["archive", "image", "data", "weights", "text", "other"]
Reader = Literal["images", "zip", "npz", "parquet", "weights"]
LENGTH = 512
"""Bytes from a file's start that tell all kinds."""
MOST_HEADER = 100_000_000
"""Bytes of a safetensors header, as the format allows."""


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """One kind of file."""

    name: str
    words: str
    """What it is, to go on 'it is …'."""
    group: Group
    starts: tuple[bytes, ...] = ()
    """Any of these stands at `offset`; of a text, in lower case, behind spaces."""
    offset: int = 0


EMPTY = FileKind(name="empty", words="an empty file", group="other")
ZEROS = FileKind(name="zeros", words="a file of zeros", group="other")
SAFETENSORS = FileKind(name="safetensors", words="a file of weights (safetensors)", group="weights")
KINDS: tuple[FileKind, ...] = (
    FileKind(
        name="lfs", words="a pointer of Git LFS, not the file itself ('git lfs pull' fetches it)", group="other",
        starts=(b"version https://git-lfs",),
    ),
    FileKind(name="zip", words="a zip archive", group="archive", starts=(b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")),
    FileKind(name="gzip", words="a gzip archive", group="archive", starts=(b"\x1f\x8b",)),
    FileKind(name="bzip2", words="a bzip2 archive", group="archive", starts=(b"BZh",)),
    FileKind(name="xz", words="an xz archive", group="archive", starts=(b"\xfd7zXZ",)),
    FileKind(name="zstd", words="a zstd archive", group="archive", starts=(b"\x28\xb5\x2f\xfd",)),
    FileKind(name="7z", words="a 7z archive", group="archive", starts=(b"7z\xbc\xaf\x27\x1c",)),
    FileKind(name="rar", words="a rar archive", group="archive", starts=(b"Rar!",)),
    FileKind(name="tar", words="a tar archive", group="archive", starts=(b"ustar",), offset=257),
    FileKind(name="jpeg", words="a JPEG image", group="image", starts=(b"\xff\xd8\xff",)),
    FileKind(name="png", words="a PNG image", group="image", starts=(b"\x89PNG",)),
    FileKind(name="gif", words="a GIF image", group="image", starts=(b"GIF87a", b"GIF89a")),
    FileKind(name="tiff", words="a TIFF image", group="image", starts=(b"II*\0", b"MM\0*")),
    FileKind(name="webp", words="a WebP image", group="image", starts=(b"WEBP",), offset=8),
    FileKind(name="avif", words="an AVIF image", group="image", starts=(b"ftypavif", b"ftypavis"), offset=4),
    FileKind(
        name="heic", words="a HEIC photo, which has to be converted to JPEG first", group="image", offset=4,
        starts=(b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1"),
    ),
    FileKind(
        name="jpeg2000", words="a JPEG 2000 image, which has to be converted to PNG first", group="image",
        starts=(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    ),
    FileKind(
        name="dicom", words="a DICOM image, which has to be converted to PNG first", group="image", starts=(b"DICM",),
        offset=128,
    ),
    FileKind(name="photoshop", words="a file of Photoshop", group="image", starts=(b"8BPS",)),
    FileKind(name="video", words="a video", group="other", starts=(b"ftyp",), offset=4),
    FileKind(name="avi", words="a video", group="other", starts=(b"AVI ",), offset=8),
    FileKind(name="numpy", words="a NumPy array", group="data", starts=(b"\x93NUMPY",)),
    FileKind(name="parquet", words="a Parquet file", group="data", starts=(b"PAR1",)),
    FileKind(name="arrow", words="an Arrow file", group="data", starts=(b"ARROW1",)),
    FileKind(name="hdf5", words="an HDF5 file", group="data", starts=(b"\x89HDF",)),
    FileKind(name="matlab", words="a file of MATLAB", group="data", starts=(b"MATLAB",)),
    FileKind(name="sqlite", words="a database of SQLite", group="data", starts=(b"SQLite",)),
    FileKind(
        name="torch", words="a file of weights (torch.save's first format)", group="weights",
        starts=(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",),
    ),
    FileKind(name="gguf", words="a file of weights of language models (GGUF)", group="weights", starts=(b"GGUF",)),
    FileKind(name="tflite", words="a network of TensorFlow Lite", group="weights", starts=(b"TFL3",), offset=4),
    FileKind(name="pdf", words="a PDF", group="other", starts=(b"%PDF",)),
    FileKind(name="program", words="a program", group="other", starts=(b"\x7fELF", b"MZ")),
)  # fmt: skip
TEXTS: tuple[FileKind, ...] = (
    FileKind(name="html", words="a web page", group="text", starts=(b"<!doctype html", b"<html", b"<head")),
    FileKind(name="svg", words="an SVG drawing", group="text", starts=(b"<svg",)),
    FileKind(name="xml", words="an XML text", group="text", starts=(b"<?xml",)),
    FileKind(name="json", words="a text (JSON)", group="text", starts=(b'{"', b"{\n", b"[{", b'["')),
)
TAKEN: dict[Reader, frozenset[str]] = {
    "images": frozenset({"jpeg", "png", "gif", "tiff", "webp", "avif"}),
    "zip": frozenset({"zip"}),
    "npz": frozenset({"zip"}),
    "parquet": frozenset({"parquet"}),
    "weights": frozenset({"safetensors", "zip", "torch"}),
}
"""Kinds that each reader opens. What begins with nothing known may be read all the same: a BMP or PPM image does."""


def kind_of(start: bytes) -> FileKind | None:
    """What a file with this start (its first LENGTH bytes) is; None where it is nothing known.

    >>> kind_of(b"<!DOCTYPE html><html>").words, kind_of(b"").words
    ('a web page', 'an empty file')
    """
    if not start:
        return EMPTY
    if not start.strip(b"\0"):
        return ZEROS
    for kind in KINDS:
        if start[kind.offset :].startswith(kind.starts):
            return kind
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= MOST_HEADER:
        return SAFETENSORS
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((kind for kind in TEXTS if text.startswith(kind.starts)), None)


def start_of(path: Path) -> bytes:
    """A file's first bytes. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return file.read(LENGTH)


def why_not(path: Path, reader: Reader) -> str:
    """Why a reader cannot read a file: it is something else, or it is damaged; a whole clause."""
    try:
        kind = kind_of(start_of(path))
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if kind is None or kind.name in TAKEN[reader]:
        return "it ends too early or is damaged"
    return f"it is {kind.words}"
