"""`export`: a file from a finished run, in one of the formats of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pruning.base.cancel import Cancel
from pruning.base.words import size
from pruning.cli.gate import say_changes_of
from pruning.export.record import Source
from pruning.export.report import read_finished
from pruning.export.table import find_export
from pruning.runs.resolve import find_run_folder


def export(ref: str, name: str, out: Path | None, cancel: Cancel) -> tuple[dict[str, Any], list[str]]:
    """Write the file: where it is, as JSON and as lines.

    Raises:
        PruningError: no such format, no finished run, what the run needs is absent, the file cannot be written; or
            cancelled.
    """
    format_ = find_export(name)
    run = read_finished(find_run_folder(ref))
    say_changes_of(run.path)
    source = Source.around(run)
    written = format_.write(source, out or Path(format_.file_for(source)), cancel=cancel)
    length = written.stat().st_size
    result = {"schema_version": 1, "run": str(run.path), "format": name, "file": str(written), "bytes": length}
    return result, [f"{written} ({size(length)}): {format_.explanation}"]
