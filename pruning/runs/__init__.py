"""Run folders: the truth about every run. Any list of runs can be made anew from the folders.

Importing it adds `run:` to the references that can be opened.
"""

import pruning.runs.opener  # noqa: F401 - adds `run:`
from pruning.runs.events import RunEvents
from pruning.runs.files import report_folder, report_path
from pruning.runs.job import request_cancel
from pruning.runs.run import Run
from pruning.runs.store import (
    Listing,
    Unreadable,
    create_run,
    default_runs_dir,
    delete_run,
    execute,
    list_runs,
    read_run,
    read_runs,
)

__all__ = [
    "Listing",
    "Run",
    "RunEvents",
    "Unreadable",
    "create_run",
    "default_runs_dir",
    "delete_run",
    "execute",
    "list_runs",
    "read_run",
    "read_runs",
    "report_folder",
    "report_path",
    "request_cancel",
]
