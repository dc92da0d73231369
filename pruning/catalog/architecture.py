"""How a network is built without any weights: all that somebody needs who has the library, or the code, and not us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["torchvision", "timm", "file"]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What builds the unpruned network."""

    kind: Kind
    """A library, or a Python file."""
    name: str
    """Of the network in the library; of the function in the file."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments beside those that keep weights from being fetched: plain values."""
    file: Path | None = None
    """The Python file; None for a library."""
    is_private: bool = False
    """Whether that file is somebody's own, so that it goes nowhere without being said."""

    @property
    def words(self) -> str:
        """'resnet18 of torchvision', 'build() of net.py'."""
        return f"{self.name} of {self.kind}" if self.file is None else f"{self.name}() of {self.file.name}"
