"""From a run's folder to the report's file."""

from __future__ import annotations

from pathlib import Path

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError, excerpt
from pruning.base.extras import need
from pruning.export.record import runs_of
from pruning.export.report.contents import Options, Progress, gather
from pruning.export.target import check_target, save
from pruning.jobs.work import Work
from pruning.runs import Run, read_run

LARGEST = 8_000_000
"""Bytes of a report: what goes into a mail."""
REPORT = "report.html"
"""The result of its job."""


def read_finished(folder: Path) -> Run:
    """The finished run in a folder.

    Raises:
        InputError: there is none, or it is not finished.
        StorageError: the folder holds no readable run.
    """
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {excerpt(str(folder), 200)}: name the folder of a finished run, such as runs/half."
        )
    run = read_run(folder.resolve())
    if run.result is None:
        raise InputError(f"{run.name} is not finished ({run.state}): a report needs a finished run.")
    return run


def make_report(
    run: Run,
    options: Options,
    *,
    data_dir: str | None = None,
    sparsities: tuple[float, ...] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> bytes:
    """The report of a finished run as an HTML file's content.

    Other finished runs beside it appear in the trade-off. `data_dir`: None for where the run found its images. Errors
    as `gather`; also:

    Raises:
        InputError: the report would be too large to send, or plotly is not installed.
    """
    need("report", "A report")
    from pruning.export.report.page import html_page  # it draws with plotly

    contents = gather(
        run,
        runs_of(run.path.parent),
        options,
        data_dir=data_dir or run.data_dir,
        sparsities=sparsities,
        progress=progress,
        cancel=cancel,
    )
    text = html_page(contents).encode("utf-8", "replace")
    if len(text) > LARGEST:
        raise InputError(
            f"The report would have {len(text):,} bytes, more than the {LARGEST:,} that a mail takes: leave out the "
            "photos, or move the run into a folder with fewer runs."
        )
    return text


def write_report(
    folder: Path,
    out: Path,
    options: Options,
    *,
    data_dir: str | None = None,
    sparsities: tuple[float, ...] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Path:
    """Write the report of the finished run in `folder` to the file `out`, whole or not at all. Options and errors as
    `make_report`; also:

    Raises:
        InputError: there is no finished run, or `out` can be no file.
        StorageError: the file cannot be written.
    """
    run = read_finished(folder)
    check_target(out)
    text = make_report(run, options, data_dir=data_dir, sparsities=sparsities, progress=progress, cancel=cancel)
    return save(out, text)


def publish_report(
    folder: Path, work: Work, options: Options, *, data_dir: str | None = None, cancel: Cancel | None = None
) -> tuple[str, int]:
    """Leave the report of the finished run in `folder` as the result of a job, in place of an earlier one: the name of
    its object, and its length in bytes. Errors as `make_report`; also:

    Raises:
        StorageError: it cannot be written.
    """
    work.supersedes = True
    text = make_report(
        read_finished(folder),
        options,
        data_dir=data_dir,
        progress=lambda share, words: work.say(words, share),
        cancel=work.cancel_or(cancel),
    )
    return work.publish(REPORT, text), len(text)
