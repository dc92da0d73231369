"""A run's report as a file, with nothing chosen: no recommendation and no pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.base.cancel import Cancel
    from pruning.runs import Run


def report_file(run: Run, *, cancel: Cancel | None = None) -> bytes:
    """HTML. Errors as `pruning.export.report.make_report`."""
    from pruning.export.report import Options, make_report

    return make_report(run, Options(), cancel=cancel)
