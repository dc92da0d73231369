"""How a job stands: the one type that all pages look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pruning.jobs.queue.line import Place

State = Literal["queued", "running", "done", "cancelled", "failed"]
FINAL: tuple[State, ...] = ("done", "cancelled", "failed")
"""States that nothing follows, but a new attempt."""
LONGEST_TEXT = 2000
"""Characters of what is said; the rest is cut."""
STARTING = "Starting a process"
WAITING = "Waiting for other work on this machine to end"
INTERRUPTED = "Its process ended early; it goes on by itself from where it was"
SILENT = "Its process ended without a word (killed, or out of memory). Start it again."
NEVER_STARTED = "Its process was never started, or ended before it could begin. Start it again."


@dataclass(frozen=True, kw_only=True)
class Status:
    """How the last attempt at a job stands."""

    state: State
    """`queued`: asked for, and no process works on it yet, or none does since one was killed."""
    text: str = ""
    """What goes on, or why it ended; a sentence where it failed."""
    share: float | None = None
    """From 0 to 1, where it is known how much is done."""
    is_cancelling: bool = False
    """Whether it was asked to stop, and has not yet."""
    place: Place | None = None
    """Where it stands in line, as long as it waits."""

    @property
    def is_working(self) -> bool:
        """Whether something is still to come."""
        return self.state not in FINAL
