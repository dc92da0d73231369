"""What a run is called: the name of its folder, which is all of it that leaves the server."""

from __future__ import annotations

import re

_ID = re.compile(r"[^/.\0][^/\0]{0,254}", re.DOTALL)


def is_run_id(text: str) -> bool:
    """Whether a text can be the name of a run, and no way to anything else.

    >>> is_run_id("20261127-100000-lenet5-1f2e3d4c5b"), is_run_id("../x"), is_run_id(".."), is_run_id("a/b")
    (True, False, False, False)
    """
    return _ID.fullmatch(text) is not None
