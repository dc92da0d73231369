"""`export`: a finished run as a bundle, or as a file in another format of the table."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.base.words import size
from pruning.cli.gate import say_changes_of
from pruning.cli.output import say
from pruning.export.record import Export, Source
from pruning.export.report import read_finished
from pruning.export.table import find_export
from pruning.runs import Run
from pruning.runs.resolve import find_run_folder

BUNDLE = "bundle"


def export(args: argparse.Namespace, cancel: Cancel) -> tuple[dict[str, Any], list[str]]:
    """Write the file: where it is, as JSON and as lines.

    Raises:
        PruningError: no such format, no finished run, what the run needs is absent, the file cannot be written; or
            cancelled.
    """
    format_ = find_export(args.format)
    if format_.name != BUNDLE and (args.forms or args.with_images or args.no_code):
        raise InputError(f"--format, --with-images and --no-code are of a bundle, not of the format '{format_.name}'.")
    run = read_finished(find_run_folder(args.run))
    if args.work is None:
        say_changes_of(run.path)
    if format_.name == BUNDLE:
        return _bundle(run, format_, args, cancel)
    source = Source.around(run)
    written = format_.write(source, args.out or Path(format_.file_for(source)), cancel=cancel)
    length = written.stat().st_size
    result = {
        "schema_version": 1, "run": str(run.path), "format": format_.name, "file": str(written), "bytes": length,
    }  # fmt: skip
    return result, [f"{written} ({size(length)}): {format_.explanation}"]


def _bundle(run: Run, format_: Export, args: argparse.Namespace, cancel: Cancel) -> tuple[dict[str, Any], list[str]]:
    from pruning.export.bundle.of_run import export_run
    from pruning.export.bundle.start import BUNDLE as PUBLISHED

    asked: dict[str, Any] = {"forms": args.forms, "images": args.with_images, "code": not args.no_code}
    if args.work is None:
        out = args.out or Path(format_.file_for(Source.of(run)))
        made = export_run(run, out, **asked, progress=lambda share, text: say(text), cancel=cancel)
    else:
        work = args.work
        work.supersedes = True
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, format_.file_for(Source.of(run)))
            made = export_run(
                run, place, **asked, progress=lambda share, text: work.say(text, share), cancel=work.cancel_or(cancel)
            )
            work.publish(PUBLISHED, place.read_bytes())
    result = {"schema_version": 1, "run": str(run.path), "format": format_.name, **made.to_values()}
    return result, [f"{made.path} ({size(made.bytes)}): {format_.explanation}", *made.lines, *made.remarks]
