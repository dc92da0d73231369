"""Which process it is that works, so that anybody can tell whether it still lives, also after its number went on."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pruning.base.fields import Fields

ENDED = ("Z", "X")
"""States of a process that only waits to be taken note of by the one that started it."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process, told apart from all others that ever had its number."""

    host: str
    boot: str
    """Of the running kernel: another after each start of the machine. '' where the system does not say."""
    space: str
    """Where its number counts: containers number their processes anew. '' where the system does not say."""
    pid: int
    started: int | None
    """Clock ticks after the machine's start; None where the system does not say."""

    @staticmethod
    def own() -> Process:
        """The calling one."""
        return Process.of(os.getpid())

    @staticmethod
    def of(pid: int) -> Process:
        """The process that has this number on this machine now."""
        found = _look(pid)
        return Process(**_here(), pid=pid, started=None if found is None else found[1])

    @property
    def is_here(self) -> bool:
        """Whether it ran where its number can be looked up: under this kernel, with the same numbering."""
        here = _here()
        if not here["boot"] or not self.boot:
            return self.host == here["host"]
        return (self.boot, self.space) == (here["boot"], here["space"])

    @property
    def is_own(self) -> bool:
        """Whether it is the calling one."""
        return self == Process.own()

    @property
    def is_gone(self) -> bool:
        """Whether it is known to live no longer; False also where that cannot be known from here."""
        here = _here()
        if not self.is_here:
            return self.host == here["host"] and bool(here["boot"]) and self.boot != here["boot"]
        found = _look(self.pid)
        if found is not None:
            state, started = found
            return state in ENDED or (self.started is not None and started != self.started)
        try:  # the system may not let us look into other people's processes, or have no /proc
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:
            return False
        return False

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)

    @staticmethod
    def from_fields(fields: Fields) -> Process:
        """The inverse of `to_json`. Raises StorageError where it is damaged."""
        return Process(
            host=fields.text("host"),
            boot=fields.text("boot"),
            space=fields.text("space"),
            pid=fields.whole("pid", 1, 2**31 - 1),
            started=fields.whole("started", 0) if "started" in fields else None,
        )


@cache
def _here() -> dict[str, str]:
    def read(path: str) -> str:
        try:
            with open(path, encoding="ascii") as file:
                return file.read().strip()
        except (OSError, ValueError):
            return ""

    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return {"host": socket.gethostname(), "boot": read("/proc/sys/kernel/random/boot_id"), "space": space}


def _look(pid: int) -> tuple[str, int] | None:
    """State and start of a process of this machine; None where there is none, or the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in brackets may hold spaces and brackets of its own.
            values = file.read().rpartition(b")")[2].split()
        return values[0].decode("ascii"), int(values[19])
    except (OSError, IndexError, ValueError):
        return None
