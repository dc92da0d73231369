"""The database of an index: opened, made where there is none, and made anew where it is damaged or of another version.

Several processes may use it. One writes at a time, for milliseconds; those who read see what was written before.
Where no file can be written, it is kept in memory: it is only an index.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from pruning.base.errors import StorageError
from pruning.runs.index.tables import ABOUT, TABLES, identity

Answer = TypeVar("Answer")
WAIT_SECONDS = 20
"""For another process that writes."""
IN_MEMORY = "The index of runs cannot be kept on disk ({reason}), so it is made anew by each process."
DAMAGED = "The index of runs was damaged, and was made anew from the folders."
OTHER = "The index of runs was of another version of the explorer, and was made anew from the folders."


class Renewed(Exception):
    """The database was damaged, and is an empty one now: whoever asked fills it and asks again."""


class Database:
    """The database at a path. Safe for threads and processes."""

    def __init__(self, path: Path, runs: Path) -> None:
        """`runs`: the folder that it is an index of, noted in it for people."""
        self.path = path
        self.remarks: list[str] = []
        """What people should be told once, oldest first."""
        self._runs = runs
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._file: tuple[int, int] | None = None

    @property
    def is_on_disk(self) -> bool:
        """Whether it outlives this process."""
        return self._file is not None

    def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """Ask the database.

        Raises:
            Renewed: see there.
            StorageError: another process has been writing for long.
        """
        return self._carry_out(work, writes=False)

    def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """Change the database: all of the work, or nothing of it. Errors as `read`."""
        return self._carry_out(work, writes=True)

    def renew(self) -> None:
        """Make an empty one in its place."""
        with self._lock:
            self._close()
            with _alone(self.path):
                _remove(self.path)
            self._open()

    def close(self) -> None:
        """Let go of the file; it is opened again when it is next used."""
        with self._lock:
            self._close()

    def _carry_out(self, work: Callable[[Connection], Answer], *, writes: bool) -> Answer:
        engine = self._opened()
        alone = contextlib.nullcontext() if self.is_on_disk else self._lock
        try:
            with alone, engine.connect().execution_options(writes=writes) as connection, connection.begin():
                return work(connection)
        except DBAPIError as error:
            text = str(error.orig)
            if "locked" in text or "busy" in text:
                raise StorageError("The index of runs is being written by another process: try again.") from error
            self._replace(text)
            raise Renewed from error

    def _replace(self, reason: str) -> None:
        """After a failure: a new file where the old one is damaged, else one in memory."""
        with self._lock:
            written = self.is_on_disk and not any(word in reason for word in ("readonly", "full", "disk I/O", "unable"))
            if written:
                self.remarks.append(DAMAGED)
                self.renew()
            else:
                self._close()
                self._in_memory(reason)

    def _opened(self) -> Engine:
        with self._lock:
            if self._engine is not None and (self._file is None or _file_of(self.path) == self._file):
                return self._engine
            self._close()
            self._open()
            assert self._engine is not None
            return self._engine

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _alone(self.path):
                there = self.path.exists()
                engine = _engine(f"sqlite:///{self.path}")
                try:
                    said = _identity(engine) if there else None
                except DBAPIError as error:
                    if "locked" in str(error.orig):
                        raise
                    said = DAMAGED
                if there and said != identity():
                    self.remarks.append(DAMAGED if said in (None, DAMAGED) else OTHER)
                    engine.dispose()
                    _remove(self.path)
                    engine, there = _engine(f"sqlite:///{self.path}"), False
                if not there:
                    _make(engine, self._runs)
            self._engine, self._file = engine, _file_of(self.path)
        except (OSError, DBAPIError) as error:
            self._in_memory(str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error))

    def _in_memory(self, reason: str) -> None:
        self.remarks.append(IN_MEMORY.format(reason=reason))
        self._engine, self._file = _engine("sqlite://"), None
        _make(self._engine, self._runs)

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine, self._file = None, None


def _engine(url: str) -> Engine:
    if url == "sqlite://":
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for setting in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {setting}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make(engine: Engine, runs: Path) -> None:
    with engine.begin() as connection:
        TABLES.create_all(connection)
        values = {"identity": identity(), "folder": os.fsencode(runs).decode(errors="replace"), "generation": "0"}
        connection.execute(insert(ABOUT), [{"name": name, "value": value} for name, value in values.items()])


def _identity(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return connection.scalar(select(ABOUT.c.value).where(ABOUT.c.name == "identity"))


def generation(connection: Connection) -> int:
    """How often the database was changed."""
    return int(connection.scalar(select(ABOUT.c.value).where(ABOUT.c.name == "generation")) or 0)


def count_change(connection: Connection) -> int:
    """Note that it is changed; how often it was."""
    now = generation(connection) + 1
    connection.execute(update(ABOUT).where(ABOUT.c.name == "generation").values(value=str(now)))
    return now


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """While a database is made, no other process makes it."""
    with open(path.with_suffix(".lock"), "ab") as file:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def _file_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
