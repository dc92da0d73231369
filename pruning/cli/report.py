"""`report`: a finished run as one HTML file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pruning.base.words import size
from pruning.cli.gate import say_changes_of
from pruning.cli.output import say
from pruning.export.report import Options, read_finished, write_report
from pruning.export.report.write import publish_report
from pruning.runs import report_path
from pruning.runs.resolve import find_run_folder


def report(args: argparse.Namespace, cancel: Callable[[], bool]) -> tuple[dict[str, Any], list[str]]:
    """Write the report: where it is, as JSON and as lines.

    Raises:
        PruningError: no finished run, its images are absent, the file cannot be written; or cancelled.
    """
    folder = find_run_folder(args.run)
    options = Options(title=args.title, recommendation=args.recommendation, photos=args.photos)
    if args.work is not None:
        out, length = publish_report(folder, args.work, options, data_dir=args.data_dir, cancel=cancel)
    else:
        say_changes_of(read_finished(folder).path)
        path = write_report(
            folder,
            args.out or report_path(folder),
            options,
            data_dir=args.data_dir,
            progress=lambda share, text: say(text),
            cancel=cancel,
        )
        out, length = str(path), path.stat().st_size
    result = {"schema_version": 1, "run": str(folder), "report": out, "bytes": length, "photos": args.photos}
    return result, [f"{out} ({size(length)}): open it in a browser, send it, or print it to PDF"]
