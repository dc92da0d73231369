"""Where work in another process is carried out: on this machine; a cluster is another executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pruning.base.errors import PruningError
from pruning.jobs.attempt import Attempt
from pruning.jobs.job import Job
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import WORK, Ticket
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER, wish


class Executor(Protocol):
    """Carries commands out elsewhere than in the calling process."""

    def submit(
        self,
        arguments: Sequence[str],
        job: Job,
        *,
        kind: str,
        visitor: str = OWNER,
        expected: float | None = None,
        lane: str = WORK,
    ) -> bool:
        """Have `python -m pruning ARGUMENTS` carried out as an attempt at a job, on a visitor's wish.

        `kind`: of work; jobs of one kind tell how long another will take. `expected`: seconds that it should take.
        False where the job is under way already: all who ask share it.

        Raises:
            InputError: too many jobs wait.
            StorageError: the job cannot be written, or no process can be started; it has then failed.
        """


class LocalExecutor:
    """In this machine's line (`pruning.jobs.queue`), by processes that outlive the page, and the server, that asked."""

    def submit(
        self,
        arguments: Sequence[str],
        job: Job,
        *,
        kind: str,
        visitor: str = OWNER,
        expected: float | None = None,
        lane: str = WORK,
    ) -> bool:
        """See `Executor.submit`."""
        assert isinstance(job.store, LocalStore), "a process of this machine writes into a folder of this machine"
        line = local_line()
        made: list[Attempt] = []

        def ask(ticket: Ticket) -> bool:
            attempt = job.ask(line=line, ticket=ticket.number)
            if attempt is not None:
                made.append(attempt)
            return attempt is not None

        try:
            line.add(
                kind=kind, visitor=visitor, job=str(job.store.root), arguments=arguments, lane=lane,
                expected=expected, before=ask,
            )  # fmt: skip
            wish(job.store, visitor)
            if not made:
                job.join(visitor)
                return False
            pool.ensure(line)
        except PruningError as error:
            for attempt in made:
                attempt.end("failed", str(error))
            raise
        return True
