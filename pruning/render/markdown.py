"""Text in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence


def plain(text: str) -> str:
    """Text that Markdown shows as it is: file and layer names hold underscores, stars and dollars."""
    return re.sub(r"([\\`*_{}\[\]<>#$~|:])", r"\\\1", text)


def in_a_file(text: str) -> str:
    """The same for a file that people also read as it is: only what would be markup there is escaped."""
    return re.sub(r"([\\`*_<>|])", r"\\\1", text)


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names in a sentence, as they are: 'a, b and c', 'a, b, c, d and 3 more'."""
    shown = [plain(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def bullets(lines: Sequence[str]) -> str:
    """Lines of Markdown as a list."""
    return "\n".join(f"- {line}" for line in lines)
