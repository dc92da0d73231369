"""What a file is that should be an image and is none, told by its first bytes."""

from __future__ import annotations

from pathlib import Path

STARTS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself ('git lfs pull' fetches it)"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"%PDF", "a PDF"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PAR1", "a Parquet file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML text"),
)
HEIC = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


def why_not(path: Path, wanted: str) -> str:
    """Why a file cannot be read as what it should be: it is something else, or it is damaged. `wanted`: what a sound
    one would be called here."""
    try:
        with path.open("rb") as file:
            kind = kind_of(file.read(64))
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return f"it is {kind}" if kind and kind != wanted else "it ends too early or is damaged"


def kind_of(start: bytes) -> str | None:
    """What a file with this start is, to go on 'it is …'; None where it is nothing known.

    >>> kind_of(b"<!DOCTYPE html><html>"), kind_of(b"")
    ('a web page', 'an empty file')
    """
    if not start:
        return "an empty file"
    for mark, words in STARTS:
        if start.startswith(mark):
            return words
    if start[4:8] == b"ftyp" and start[8:12] in HEIC:
        return "a HEIC photo, which has to be converted to JPEG first"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:20].lower()
    for mark, words in TEXTS:
        if text.startswith(mark):
            return words
    return "a file of zeros" if not start.strip(b"\0") else None
