"""`runs pack` and `runs unpack`: a run as one file."""

from __future__ import annotations

from pathlib import Path

from pruning.base.words import size
from pruning.cli.output import say
from pruning.cli.runs_list import Answer
from pruning.runs import default_runs_dir
from pruning.runs.pack import pack
from pruning.runs.resolve import find_run_folder
from pruning.runs.unpack import unpack


def pack_run(text: str, out: Path | None) -> Answer:
    """Write a finished run into a file. Errors as `find_run_folder` and `pack`."""
    folder = find_run_folder(text).resolve()
    written = pack(folder, out or Path(f"{folder.name}.run.zip"))
    length = written.stat().st_size
    result = {"run": folder.name, "file": str(written), "bytes": length}
    return result, [f"{written} ({size(length)}): take it in elsewhere with python -m pruning runs unpack"]


def unpack_run(file: Path) -> Answer:
    """Take a packed run in. Errors as `unpack`."""
    found = unpack(file, default_runs_dir())
    for remark in found.remarks:
        say(remark)
    result = {"run": found.path.name, "path": str(found.path), "remarks": list(found.remarks)}
    return result, [f"{found.path.name} is among the runs of {found.path.parent}"]
