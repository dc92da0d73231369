"""Who looks at the page: on one's own machine nobody but its owner."""

from __future__ import annotations

from pruning.jobs.wishes import OWNER


def current() -> str:
    """The visitor's name in files; OWNER where the app serves this machine alone."""
    return OWNER
