"""Which image a text in a table means: its path, its last name, or that without its ending."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pruning.data.own.folder_names import part_in


class Images:
    """Images by all that a table may call them."""

    def __init__(self, names: Sequence[str], parts: np.ndarray) -> None:
        """`names`: their paths; `parts`: a place in PARTS of each, or NO_PART."""
        self.paths = [plain(name) for name in names]
        self.parts = parts
        self._by_last: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(self.paths):
            last = path.rpartition("/")[2]
            for name in {last, last.rpartition(".")[0]}:
                self._by_last[name].append(number)

    def may_mean(self, text: str) -> list[int]:
        """Numbers of the images whose last name is that of a text."""
        return self._by_last.get(plain(text).rpartition("/")[2], [])

    def around(self, table: str) -> Scope:
        """The images that a table at this path is about: those in its folder, and of the role that it is called after,
        as 'train.csv' is."""
        folder, _, file = table.rpartition("/")
        part = part_in(file.rpartition(".")[0])[0]
        inside = {
            number for number, path in enumerate(self.paths) if not folder or path.startswith(f"{plain(folder)}/")
        }
        of_part = {number for number in inside if part is not None and self.parts[number] == part}
        return Scope(images=self, numbers=frozenset(of_part or inside))


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Images that one table is about."""

    images: Images = field(repr=False)
    numbers: frozenset[int] = field(repr=False)

    def find(self, text: str, part: int | None = None) -> int | None:
        """The image that a text means; None where there is none, or more than one. `part`: of the row, where it says
        one."""
        path = plain(text)
        known = [number for number in self.images.may_mean(text) if number in self.numbers] if path else []
        paths = self.images.paths
        if len(known) > 1 and part is not None:
            known = [number for number in known if self.images.parts[number] == part] or known
        if len(known) > 1:
            known = [number for number in known if f"/{paths[number]}".endswith(f"/{path}")] or [
                number for number in known if f"/{paths[number].rpartition('.')[0]}".endswith(f"/{path}")
            ]
        return known[0] if len(known) == 1 else None


def plain(path: str) -> str:
    r"""A path as tables and folders both may have it.

    >>> plain(".\\train\\1.png ")
    'train/1.png'
    """
    text = unicodedata.normalize("NFC", path.strip().replace("\\", "/"))
    return re.sub(r"^(\./|/)+", "", text)
