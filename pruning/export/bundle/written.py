"""What came of a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruning.export.bundle.proof import Proof


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A form that is not in the bundle."""

    form: str
    reason: str
    """A whole sentence, with the operation and the line where they are known."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle that was handed out."""

    path: Path
    """Its folder, or its zip file."""
    files: tuple[str, ...]
    bytes: int
    """Of all files, before they are zipped."""
    proofs: tuple[Proof, ...]
    """Of the forms in it."""
    left_out: tuple[LeftOut, ...] = ()
    images: int = 0
    """That go along as samples."""
    remarks: tuple[str, ...] = ()
    """Whole sentences."""

    def to_values(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "bundle": str(self.path),
            "bytes": self.bytes,
            "files": list(self.files),
            "forms": [proof.to_values() for proof in self.proofs],
            "left_out": [vars(each) for each in self.left_out],
            "images": self.images,
            "remarks": list(self.remarks),
        }

    @property
    def lines(self) -> list[str]:
        """What became of each form, a line each."""
        return [proof.words for proof in self.proofs] + [
            f"left out: {each.form}: {each.reason}" for each in self.left_out
        ]

    def __repr__(self) -> str:
        return "\n".join((str(self.path), *self.lines, *self.remarks))
