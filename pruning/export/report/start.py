"""Write a report in a process of its own: one job in the run's folder for each choice of options."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from pruning.base.errors import StorageError
from pruning.export.report.contents import Options
from pruning.export.report.write import REPORT
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.job import Job
from pruning.jobs.wishes import OWNER
from pruning.runs import report_folder


def job_of(run: Path, options: Options) -> Job:
    """The job that writes a report with these options about the run in a folder."""
    key = hashlib.sha256(json.dumps(asdict(options)).encode()).hexdigest()[:12]
    return Job.in_folder(report_folder(run, key))


def start(run: Path, options: Options, data_dir: str | None = None, visitor: str = OWNER) -> None:
    """Start `python -m pruning report`, anew where there is a report already; nothing where it is being written.

    Raises:
        InputError: too many jobs wait.
        StorageError: the run's folder cannot be written, or the process cannot be started.
    """
    arguments = ["report", str(run), f"--title={options.title}", f"--recommendation={options.recommendation}"]
    arguments += ["--photos"] if options.photos else []
    arguments += [f"--data-dir={data_dir}"] if data_dir else []
    LocalExecutor().submit(arguments, job_of(run, options), kind="report", visitor=visitor)


def read_report(run: Path, options: Options) -> bytes | None:
    """The report with these options as an HTML file's content; None where it was not written yet.

    Raises:
        StorageError: it is damaged or gone.
    """
    try:
        return job_of(run, options).read(REPORT)
    except StorageError as error:
        raise StorageError(f"{error} Make the report again.") from error
