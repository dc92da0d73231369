"""Sentences for people who are not to see how the server's folders are laid out: files by their names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_PATH = re.compile(r"(?<![\w/.~\\-])~?(?:/[^\s/'\"‘’“”<>|,;:?()\[\]]+)+/?")
"""From / on, in words or behind a colon as in 'run:/srv/runs/mine'; no address of the web, no 40/40/20, no 1/2."""


def names_only(text: str, roots: Iterable[Path] = ()) -> str:
    """A text in which each file or folder stands by its last name.

    `roots`: folders that are known, which may have names with spaces in them.

    >>> names_only("There is no file /srv/nets/a.pt, nor run:/srv/runs/mine?x=1; see http://a.org/b/c and 40/40/20.")
    'There is no file a.pt, nor run:mine?x=1; see http://a.org/b/c and 40/40/20.'
    >>> names_only("/srv/my class/runs/mine holds no run", [Path("/srv/my class/runs")])
    'mine holds no run'
    """
    for root in sorted(map(str, roots), key=len, reverse=True):
        if root.count("/") > 1:
            text = text.replace(root, "/" + re.sub(r"[\s,;:?()'\"]", "_", root.rpartition("/")[2]))
    return _PATH.sub(lambda found: found[0].rstrip("/").rpartition("/")[2] or "/", text)
