"""Work that comes after what somebody waits for: at a low priority on this machine."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NICENESS = 19
"""Of the process, among those of its session."""
GROUP_NICENESS = 5
"""Of its session among others: a quarter of a core beside one that is busy, so that it still gets on."""
_GROUP = Path("/proc/self/autogroup")


def step_back() -> None:
    """Have others on this machine go before the calling process.

    Linux groups processes by session where that is switched on, as on most machines (`man 7 sched`, "The autogroup
    feature"): niceness then counts only within a session, and what a process of another session has is that of its
    group. So a process with a session of its own sets both.
    """
    os.nice(NICENESS)
    step_back_as_a_session()


def step_back_as_a_session() -> None:
    """Have other sessions on this machine go before that of the calling process, where it has one of its own. What it
    starts in sessions of their own does not."""
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # there are no groups here
            _GROUP.write_text(str(GROUP_NICENESS))
