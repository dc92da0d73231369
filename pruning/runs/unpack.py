"""Taking in a packed run that may come from anybody: checked as hostile, and then whole among the runs, or not at all.

Nothing of it is run and no network of it is built. Members have known names and bounded sizes, and are what the list
in the pack says; the JSON of each is read by whoever reads it later; weights are safetensors.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from safetensors import SafetensorError, safe_open

from pruning.base import safe_json
from pruning.base.errors import InputError, PruningError, StorageError, excerpt, first_line
from pruning.base.fields import Fields
from pruning.base.files import replace_file
from pruning.base.safe_json import load_object
from pruning.catalog.openers import parse_reference
from pruning.jobs.manifest import File
from pruning.jobs.store import LocalStore
from pruning.runs.abroad import machines
from pruning.runs.engine_times import read_engine_times
from pruning.runs.files import ANSWERS, JOB, MODEL, STAGES
from pruning.runs.held import noted
from pruning.runs.labels import Label, write_label
from pruning.runs.order import brought_text
from pruning.runs.pack import LABEL, LIST, PARTS, VERSION
from pruning.runs.run import Run
from pruning.runs.saved_model import read_structure
from pruning.runs.store import read_run

LARGEST_LIST = 1_000_000
"""Bytes of pack.json."""
BOMB = 200
"""No text in a run shrinks to less than one part in so many."""
CHUNK = 2**20
LARGEST_HEADER, MOST_TENSORS = 100_000_000, 100_000
"""Of a file of weights."""
ENCRYPTED = 0x1


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """A run that was taken in."""

    path: Path
    remarks: tuple[str, ...]
    """What whoever opens it should know, each a whole sentence."""


def unpack(file: Path, runs: Path) -> Unpacked:
    """Take a packed run in under a new id.

    Raises:
        InputError: it is no packed run, or holds what none may hold.
        StorageError: it cannot be read or written, or is damaged.
    """
    part = runs / f".unpacking-{secrets.token_hex(8)}"
    try:
        part.mkdir(parents=True)
        label = _extract(file, part)
        run = checked_run(part)
        replace_file(part / JOB, brought_text(created=run.created.isoformat()))
        if label is not None:
            write_label(LocalStore.at(part), label)
        path = runs / fresh_id(run)
        os.rename(part, path)
    except OSError as error:
        raise StorageError(f"{file.name} cannot be unpacked ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Unpacked(path=path, remarks=remarks_of(run))


def _extract(file: Path, part: Path) -> Label | None:
    """Write the members into a folder; the label that came along."""
    if not file.is_file():
        raise InputError(f"There is no file {excerpt(str(file), 200)}: name one that 'runs pack' has written.")
    try:
        with zipfile.ZipFile(file) as archive:
            listed = _listed(archive, file.name)
            for name, said in listed.items():
                _write(archive, said, part / name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, PruningError):
            raise
        raise InputError(f"{excerpt(file.name)} is no packed run: {first_line(error)}.") from error
    if LABEL not in listed:
        return None
    fields = Fields(safe_json.read_object(part / LABEL) or {}, LABEL)
    (part / LABEL).unlink()
    return Label.of(
        title=fields.text("title") if "title" in fields else "",
        tags=fields.texts("tags") if "tags" in fields else (),
        note=fields.text("note") if "note" in fields else "",
    )


def _listed(archive: zipfile.ZipFile, name: str) -> Mapping[str, File]:
    """The members by their names, once each of them is allowed."""
    infos = archive.infolist()
    _check_members(infos, name)
    by_name = {info.filename: info for info in infos}
    if LIST not in by_name:
        raise InputError(f"{excerpt(name)} is no packed run: it has no {LIST}.")
    with archive.open(LIST) as member:
        content = member.read(LARGEST_LIST + 1)
    if len(content) > LARGEST_LIST:
        raise InputError(f"{excerpt(name)} is no packed run: its {LIST} is too large.")
    fields = Fields(load_object(content, LIST), LIST)
    if fields.whole("pack", 1) > VERSION:
        raise InputError(f"{excerpt(name)} was packed by a later version of the explorer: update this one to read it.")
    listed = {
        each.text("name"): File(name=each.text("name"), length=each.whole("length", 0), sha256=each.text("sha256"))
        for each in fields.parts("files")
    }
    if set(listed) != set(by_name) - {LIST}:
        raise InputError(f"{excerpt(name)} holds other files than its {LIST} says.")
    missing = [known for known, part in PARTS.items() if part.needed and known not in listed]
    if missing:
        raise InputError(f"{excerpt(name)} is no whole run: it has no {missing[0]}.")
    return listed


def _check_members(infos: list[zipfile.ZipInfo], name: str) -> None:
    if len(infos) > len(PARTS) + 1 or len({info.filename for info in infos}) != len(infos):
        raise InputError(f"{excerpt(name)} is no packed run: it holds more files than a run has.")
    for info in infos:
        part = PARTS.get(info.filename)
        if part is None and info.filename != LIST:
            raise InputError(f"{excerpt(name)} holds {excerpt(info.filename)}, which is no file of a run.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or info.is_dir():
            raise InputError(f"{excerpt(name)}: {info.filename} is a link or a device, not a file.")
        if info.flag_bits & ENCRYPTED:
            raise InputError(f"{excerpt(name)} is encrypted: pack the run again.")
        most = LARGEST_LIST if part is None else part.most_bytes
        if info.file_size > most:
            raise InputError(f"{excerpt(name)}: {info.filename} has {info.file_size:,} bytes, more than {most:,}.")
        if info.file_size > 1_000_000 and info.file_size > BOMB * max(1, info.compress_size):
            raise InputError(f"{excerpt(name)}: {info.filename} unpacks to far more than it takes, as no run does.")


def _write(archive: zipfile.ZipFile, said: File, path: Path) -> None:
    """One member, with as many bytes as the list says and no more."""
    digest, length = hashlib.sha256(), 0
    with archive.open(said.name) as member, path.open("xb") as target:
        while chunk := member.read(CHUNK):
            length += len(chunk)
            if length > said.length:
                break
            digest.update(chunk)
            target.write(chunk)
    if length != said.length or digest.hexdigest() != said.sha256:
        raise StorageError(f"{said.name} of the pack is damaged: it is not what was packed.")


def checked_run(folder: Path) -> Run:
    """The run in a folder, everything in it read once."""
    for name in (MODEL, ANSWERS, STAGES):
        if (folder / name).exists():
            check_weights(folder / name)
    try:
        run = read_run(folder)
        if run.result is None:
            raise InputError(f"The packed run is not finished ({run.state}): only finished ones are taken in.")
        read_structure(folder)
        noted(folder)
        run.answers()
        run.stage_answers()
        machines(folder)
        run.events()
        read_engine_times(folder)
    except StorageError as error:
        text = str(error).replace(str(folder), "the pack").replace(folder.name, "The pack")
        raise StorageError(text) from error
    return run


def check_weights(path: Path) -> None:
    """Raises StorageError where a file is no whole safetensors file."""
    try:
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if not 2 <= header <= min(LARGEST_HEADER, path.stat().st_size - 8):
            raise StorageError(f"{path.name} of the pack is no safetensors file.")
        with safe_open(path, framework="pt") as tensors:
            if len(tensors.keys()) > MOST_TENSORS:
                raise StorageError(f"{path.name} of the pack holds more than {MOST_TENSORS:,} tensors.")
    except (SafetensorError, OverflowError, UnicodeError) as error:
        raise StorageError(f"{path.name} of the pack is damaged ({first_line(error)}).") from error


def fresh_id(run: Run) -> str:
    model = re.sub(r"[^\w.-]", "_", run.network, flags=re.ASCII)[:40]
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{model}-{secrets.token_hex(5)}"


def remarks_of(run: Run) -> tuple[str, ...]:
    """What its network and images need on this machine."""
    found = []
    root = run.origin
    try:
        kind = parse_reference(root).kind
    except InputError:
        kind = ""
    if kind == "file":
        found.append(
            f"Its network is built by the Python file {excerpt(root.partition(':')[2], 200)} of this machine: opening "
            "it runs that file, so look at it first."
        )
    elif not kind:
        found.append(f"Its network '{excerpt(root)}' cannot be opened here; its figures can be seen.")
    if run.recipe.continues:
        found.append("It went on from another run, which is not in the pack; its own weights are whole.")
    return tuple(found)
