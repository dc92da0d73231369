"""Write a report in a process of its own, into the run's folder; one file for each choice of options."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pruning import runs
from pruning.base.errors import StorageError
from pruning.export.report.contents import WAITING, Options
from pruning.jobs.local import launch

SILENCE_SECONDS = 180
"""After so long without a word the process counts as dead."""
LONGEST_WAIT = 3600
"""The same while it waits for another run to end."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """How far a report is."""

    state: Literal["none", "working", "done", "failed"]
    text: str = ""
    """What goes on, or why it failed."""


def report_path(run: Path, options: Options) -> Path:
    """The file of a report with these options."""
    return runs.report_path(run, hashlib.sha256(json.dumps(asdict(options)).encode()).hexdigest()[:12])


def start(run: Path, options: Options, data_dir: str | None = None) -> None:
    """Start `python -m pruning report`, anew where there is a report already; nothing where it is being written.

    Raises:
        StorageError: the run's folder cannot be written, or the process cannot be started.
    """
    if status(run, options).state == "working":
        return
    out = report_path(run, options)
    log = _log(out)
    try:
        out.unlink(missing_ok=True)
        log.write_text("Starting a process for the report\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The report cannot be written to {run.name} ({error.strerror or error}).") from error
    arguments = ["report", str(run), f"--out={out}", f"--title={options.title}"]
    arguments += [f"--recommendation={options.recommendation}", *(["--photos"] if options.photos else [])]
    launch([*arguments, *([f"--data-dir={data_dir}"] if data_dir else [])], log)


def status(run: Path, options: Options) -> Status:
    """How far the report with these options is, from the run's folder alone."""
    out = report_path(run, options)
    if out.is_file():
        return Status(state="done")
    try:
        lines = _log(out).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        age = time.time() - _log(out).stat().st_mtime
    except OSError:
        return Status(state="none")
    last = lines[-1].strip() if lines else ""
    if last.startswith("Error: "):
        return Status(state="failed", text=last.removeprefix("Error: "))
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return Status(state="failed", text="Its process failed; the reason stands in the run's folder. Try again.")
    if age > (LONGEST_WAIT if last == WAITING else SILENCE_SECONDS):
        return Status(state="failed", text="Its process ended without a word (killed, or out of memory). Try again.")
    return Status(state="working", text=last)


def _log(out: Path) -> Path:
    return out.with_suffix(".log")
