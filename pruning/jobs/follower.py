"""Watch a job over time: its state, and what it tells, of which each look reads only what is new."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from pruning.base.errors import PruningError, StorageError
from pruning.jobs.attempt import Attempt
from pruning.jobs.events import Event, EventLog
from pruning.jobs.job import Job
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.status import Status
from pruning.jobs.work import BEAT_SECONDS, NOW, Now

MISSED_BEATS = 12
"""A process of another machine whose counter stood still for so many beats, watched all the while, is given up."""


class Follower:
    """Looks at one job again and again, for all who show it; may be used from several threads."""

    def __init__(self, job: Job, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that pass here; no other machine's clock is compared with it."""
        self.job = job
        self._clock = clock
        self._logs: dict[tuple[int, bytes], EventLog] = {}
        self._beat: tuple[int, int, float] | None = None
        self._seen_to = -math.inf
        self._looking = threading.Lock()

    def status(self) -> Status | None:
        """As `Job.status`; and a process of another machine that has fallen silent is given up, for everybody, while
        for what stands in this machine's line a process is started where there is none."""
        now = self.job.status()
        if now is not None and now.state == "queued":
            self._see_to_it()
        if now is None or now.state != "running":
            return now
        try:
            last = self.job.last()
            if last is None or last.elsewhere() is None or not self._is_silent(last):
                return now
            last.end("failed", "Its machine has fallen silent. Start it again.")
        except StorageError:
            return now
        return self.job.status()

    def _see_to_it(self) -> None:
        """Whoever waits for a job sees to it that somebody is there to do it: all processes may have been killed."""
        with self._looking:
            now = self._clock()
            if now - self._seen_to < pool.LOOK_SECONDS:
                return
            self._seen_to = now
        with suppress(PruningError):  # no process can be started now; the next look tries again
            pool.ensure(local_line())

    def events(self) -> list[Event]:
        """What all attempts told so far, oldest first; nothing of one whose events are damaged."""
        return [event for told in self.events_by_attempt() for event in told]

    def events_by_attempt(self) -> list[list[Event]]:
        """The same, those of each attempt apart."""
        try:
            attempts = self.job.attempts()
        except StorageError:
            return []
        return [_told(log) for log in self._logs_of(attempts)]

    def last_events(self) -> list[Event]:
        """What the last attempt told so far; nothing where that is damaged."""
        try:
            last = self.job.last()
        except StorageError:
            return []
        return [] if last is None else _told(self._logs_of([last])[0])

    def _logs_of(self, attempts: list[Attempt]) -> list[EventLog]:
        """Of each attempt the log that was read before, as far as it is the same: folders may be made anew."""
        with self._looking:
            kept = {(attempt.number, attempt.mark): attempt for attempt in attempts}
            self._logs = {key: self._logs.get(key) or attempt.log for key, attempt in kept.items()}
            return list(self._logs.values())

    def _is_silent(self, attempt: Attempt) -> bool:
        beat, now = Now.read(attempt.store, f"{attempt.folder}/{NOW}").beat, self._clock()
        with self._looking:
            if self._beat is None or self._beat[:2] != (attempt.number, beat):
                self._beat = (attempt.number, beat, now)
            return now - self._beat[2] > MISSED_BEATS * BEAT_SECONDS


def _told(log: EventLog) -> list[Event]:
    try:
        return log.read()
    except StorageError:
        return []
