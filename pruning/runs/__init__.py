"""Run folders: the truth about every run. Any list of runs can be made anew from the folders."""

from pruning.runs.store import (
    Run,
    RunEvents,
    create_run,
    default_runs_dir,
    delete_run,
    execute,
    list_runs,
    read_run,
    request_cancel,
)

__all__ = [
    "Run",
    "RunEvents",
    "create_run",
    "default_runs_dir",
    "delete_run",
    "execute",
    "list_runs",
    "read_run",
    "request_cancel",
]
