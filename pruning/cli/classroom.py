"""`doctor --students N`: whether this machine, as it is set up, can serve so many people at once. One line a check."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pruning.base.errors import PruningError
from pruning.base.files import cache_dir, replace_file
from pruning.base.locks import try_hold
from pruning.base.words import size
from pruning.cli import machine
from pruning.settings import Settings, settings

MB = 2**20
SERVER_MB, STUDENT_MB, WORKER_MB = 1000, 25, 700
"""Memory of the server with PyTorch, of what a visitor's session keeps, of a process that trains a small network."""
DISK_MB, STUDENT_DISK_MB = 2000, 60
"""Of the folders: images and caches; runs and files that a visitor sends."""
FILES, STUDENT_FILES = 200, 12
"""Open at once: by the server; by a visitor's connection and jobs."""
RUN_SECONDS = 15
"""That a short run takes one core."""
PATIENCE_MINUTES = 7
"""After which somebody who pressed the button has gone."""
CLOCK_SECONDS = 5
"""By which this machine's clock and that of its disk may differ."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check came to."""

    name: str
    ok: bool
    text: str
    """What is right, or what to do."""


def classroom(students: int) -> tuple[dict[str, Any], list[str], list[str]]:
    """All checks for so many students at once: as JSON, as lines, and the names of those that need mending."""
    findings = check(students)
    result = {"schema_version": 1, "students": students, "checks": [asdict(finding) for finding in findings]}
    lines = [f"{'ok  ' if one.ok else 'mend'}  {one.name}: {one.text}" for one in findings]
    return result, lines, list(dict.fromkeys(one.name for one in findings if not one.ok))


def check(students: int) -> list[Finding]:
    """All checks, for so many students at once."""
    try:
        held = settings()
    except PruningError as error:
        return [Finding(name="settings", ok=False, text=str(error))]
    return [finding for each in CHECKS for finding in each(students, held)]


def _settings(students: int, held: Settings) -> Iterator[Finding]:
    names = ", ".join(held.server.hosts)
    text = f"can be read; the app answers to numbers, this machine's name{f', {names}' if names else ''}"
    yield Finding(name="settings", ok=True, text=text)


def _memory(students: int, held: Settings) -> Iterator[Finding]:
    needed = (SERVER_MB + students * STUDENT_MB + _workers(held) * WORKER_MB) * MB
    free = machine.free_memory()
    if free is None:
        yield Finding(name="memory", ok=True, text=f"about {size(needed)} are needed; this machine does not say")
        return
    mend = "" if free >= needed else ": end other programs, lower workers in [queue], or take a machine with more"
    yield Finding(name="memory", ok=not mend, text=f"{size(free)} are free, about {size(needed)} are needed{mend}")


def _cores(students: int, held: Settings) -> Iterator[Finding]:
    cores = machine.core_count()
    at_once = min(cores, _workers(held))
    minutes = students * RUN_SECONDS / at_once / 60
    text = f"{cores}; if all press at once, the last short run ends after about {max(1, round(minutes))} min"
    enough = -(-students * RUN_SECONDS // (60 * PATIENCE_MINUTES))
    mend = (
        ""
        if minutes <= PATIENCE_MINUTES
        else f": take {enough} cores and as many workers in [queue], or let groups work"
    )
    yield Finding(name="cores", ok=not mend, text=f"{text}{mend}")


def _queue(students: int, held: Settings) -> Iterator[Finding]:
    room = held.queue.most_waiting
    mend = "" if room >= 2 * students else f": set most_waiting in [queue] to {2 * students:,} at least"
    yield Finding(name="queue", ok=not mend, text=f"{room:,} jobs may wait{mend}")


def _open_files(students: int, held: Settings) -> Iterator[Finding]:
    soft, hard = (
        None if most == resource.RLIM_INFINITY else most for most in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    needed = FILES + students * STUDENT_FILES
    mend = ""
    if soft is not None and soft < needed:
        own = hard is None or hard >= needed
        mend = f": run 'ulimit -n {needed}' before 'make serve'" if own else ": have the limit of this user raised"
    allowed = "any number" if soft is None else f"{soft:,}"
    yield Finding(name="open files", ok=not mend, text=f"{allowed} are allowed, {needed:,} are needed{mend}")


def _folders(students: int, held: Settings) -> Iterator[Finding]:
    from pruning.runs import default_runs_dir

    yield from _folder("cache", cache_dir(), "PRUNING_CACHE", students)
    yield from _folder("runs", default_runs_dir(), "PRUNING_RUNS", students)
    for folder in held.data.folders:
        mend = (
            "" if os.access(folder, os.R_OK) else ", but is gone or may not be read: mend it, or take it out of [data]"
        )
        yield Finding(name="images", ok=not mend, text=f"{folder} is offered{mend}")


def _folder(name: str, folder: Path, variable: str, students: int) -> Iterator[Finding]:
    was_there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as place:
            file = Path(place) / "file"
            before = time.time()
            replace_file(file, b"x")
            apart = abs(file.stat().st_mtime - before)
            if (lock := try_hold(Path(place) / "lock")) is not None:
                lock.close()
        free = shutil.disk_usage(folder).free
    except (OSError, PruningError) as error:
        why = getattr(error, "strerror", None) or str(error).rstrip(".")
        yield Finding(
            name=name,
            ok=False,
            text=f"{folder} cannot be used ({why}): let it be written to, or name another by {variable}",
        )
        return
    needed = (DISK_MB + students * STUDENT_DISK_MB) * MB
    mend = "" if free >= needed else f": make room, or name another folder by {variable}"
    yield Finding(
        name=name,
        ok=not mend,
        text=f"{folder} can be written to; {size(free)} are free, about {size(needed)} are needed{mend}",
    )
    yield _file_system(name, folder, variable)
    if name == "runs":
        yield _clock(folder, apart)
    if not was_there:
        with suppress(OSError):  # somebody uses it meanwhile
            folder.rmdir()


def _file_system(name: str, folder: Path, variable: str) -> Finding:
    kind = machine.file_system(folder)
    if machine.is_network(kind):
        if name == "runs":
            return Finding(
                name=name,
                ok=True,
                text=f"{folder} lies on another machine ({kind}): lists are slower, and its index is kept in the cache",
            )
        return Finding(
            name=name,
            ok=False,
            text=f"{folder} lies on another machine ({kind}), where locks and the index are not safe: name a local "
            f"folder by {variable}",
        )
    if kind in ("tmpfs", "ramfs"):
        return Finding(name=name, ok=True, text=f"{folder} lies in memory ({kind}): it is empty after a restart")
    return Finding(name=name, ok=True, text=f"{folder} lies on a disk of this machine{f' ({kind})' if kind else ''}")


def _clock(folder: Path, apart: float) -> Finding:
    written = max(Path(__file__).stat().st_mtime, Path(machine.__file__).stat().st_mtime)
    if time.time() < written - 86_400:
        return Finding(
            name="clock", ok=False, text="stands before this program was written: set it, or follow a time server"
        )
    if apart > CLOCK_SECONDS:
        return Finding(
            name="clock",
            ok=False,
            text=f"differs by {apart:,.0f} s from that of {folder}: let both follow one time server",
        )
    return Finding(name="clock", ok=True, text="agrees with that of the disk")


def _workers(held: Settings) -> int:
    return held.queue.workers or machine.core_count()


CHECKS: tuple[Callable[[int, Settings], Iterator[Finding]], ...] = (
    _settings, _memory, _cores, _queue, _open_files, _folders,
)  # fmt: skip
"""Another check is another row."""
