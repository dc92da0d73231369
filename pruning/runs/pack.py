"""A finished run as one file, to be sent: a zip with its recipe, result, model, answers, events and what it is called.

    pack.json            what is in it: names, lengths, SHA-256
    recipe.yaml, ...     the files of the run's folder, under their names
    label.json           name, tags and note of the one who packed it

Where the run found its images is left out. `pruning.runs.unpack` takes it in again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pruning.base import safe_json
from pruning.base.errors import InputError, StorageError
from pruning.base.files import read_bytes
from pruning.base.safe_json import dump
from pruning.jobs.events import encode
from pruning.jobs.job import Job
from pruning.jobs.manifest import File
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER
from pruning.runs import earlier
from pruning.runs.files import (
    ABROAD,
    ANSWERS,
    ENGINES,
    EVENTS,
    HELD,
    JOB,
    MODEL,
    RECIPE,
    RESULT,
    STAGES,
    STRUCTURE,
    TIMES,
)
from pruning.runs.labels import read_label
from pruning.runs.run import LARGEST_MODEL, Run
from pruning.runs.store import read_run

VERSION = 1
"""Of packs."""
LIST, LABEL = "pack.json", "label.json"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of every member, so that the same run gives the same bytes."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file that a pack may hold."""

    most_bytes: int
    needed: bool = True
    compressed: bool = True


PARTS: dict[str, Part] = {
    RECIPE: Part(most_bytes=1_000_000),
    RESULT: Part(most_bytes=8_000_000),
    JOB: Part(most_bytes=100_000),
    STRUCTURE: Part(most_bytes=64_000_000),
    MODEL: Part(most_bytes=LARGEST_MODEL, compressed=False),
    ANSWERS: Part(most_bytes=1_000_000_000, needed=False, compressed=False),
    STAGES: Part(most_bytes=1_000_000_000, needed=False, compressed=False),
    HELD: Part(most_bytes=1_000_000, needed=False),
    TIMES: Part(most_bytes=1_000_000, needed=False),
    ABROAD: Part(most_bytes=1_000_000, needed=False),
    ENGINES: Part(most_bytes=1_000_000, needed=False),
    EVENTS: Part(most_bytes=32_000_000, needed=False),
    LABEL: Part(most_bytes=40_000, needed=False),
}
"""By name; nothing else may be in one."""


def pack(folder: Path, out: Path, visitor: str = OWNER) -> Path:
    """Write a finished run into one file, whole or not at all. `visitor`: whose name for it goes along.

    Raises:
        InputError: the run is not finished.
        StorageError: it cannot be read, or the file cannot be written.
    """
    run = read_run(folder)
    if run.result is None:
        raise InputError(f"{run.name} is not finished ({run.state}): send its recipe, and let others run that.")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"{out} can be no file: name a file in a folder that is there.")
    part = out.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with zipfile.ZipFile(part, "x") as archive:
            files = list(_add_all(archive, run, visitor))
            _add(archive, LIST, dump({"pack": VERSION, "name": run.name, "files": files}, indent=1), compressed=True)
        os.replace(part, out)
    except OSError as error:
        raise StorageError(f"{out} cannot be written ({error.strerror or error}).") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return out


def _add_all(archive: zipfile.ZipFile, run: Run, visitor: str) -> Iterator[dict[str, str | int]]:
    """Add a run's files one by one, each with what the list says of it."""
    for name, part in PARTS.items():
        content = _content(run.path, name, part, run.created.isoformat(), visitor)
        if content is None and part.needed:
            raise StorageError(f"{run.name} cannot be packed: {name} is gone.")
        if content is not None:
            _add(archive, name, content, compressed=part.compressed)
            yield vars(File.of(name, content))


def _content(folder: Path, name: str, part: Part, created: str, visitor: str) -> bytes | None:
    if name == JOB:
        return safe_json.dump({"data_dir": None, "created": created})
    if name == EVENTS:
        return _events(folder)
    if name == LABEL:
        label = read_label(LocalStore.at(folder), visitor)
        said = {"title": label.title, "tags": list(label.tags), "note": label.note}
        return None if label.is_empty else dump(said)
    return read_bytes(folder / name, most_bytes=part.most_bytes)


def _events(folder: Path) -> bytes | None:
    """What the run told, in the form of runs from before there were jobs."""
    last = Job.in_folder(folder).last()
    try:
        told = earlier.read_events(folder) if last is None else last.log.read()
    except StorageError:
        return None  # a curve less
    content = encode(told)
    return content if 0 < len(content) <= PARTS[EVENTS].most_bytes else None


def _add(archive: zipfile.ZipFile, name: str, content: bytes, *, compressed: bool) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)
