"""Run folders: the truth about every run. Any list of runs can be made anew from the folders.

Importing it adds `run:` to the references that can be opened.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pruning.runs.opener  # noqa: F401 - adds `run:`

if TYPE_CHECKING:
    from pruning.runs.events import RunEvents
    from pruning.runs.files import bundle_folder, default_runs_dir, report_folder, report_path
    from pruning.runs.job import request_cancel
    from pruning.runs.run import Run
    from pruning.runs.store import (
        Listing,
        Unreadable,
        create_run,
        execute,
        list_runs,
        read_run,
        read_runs,
    )
    from pruning.runs.trash import delete_run

__all__ = [
    "Listing",
    "Run",
    "RunEvents",
    "Unreadable",
    "bundle_folder",
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
_PLACES = {
    "Run": "pruning.runs.run",
    "bundle_folder": "pruning.runs.files",
    "default_runs_dir": "pruning.runs.files",
    "delete_run": "pruning.runs.trash",
    "RunEvents": "pruning.runs.events",
    "report_folder": "pruning.runs.files",
    "report_path": "pruning.runs.files",
    "request_cancel": "pruning.runs.job",
}
"""Where a name stands that is not in `pruning.runs.store`."""


def __getattr__(name: str) -> Any:
    """Load what is asked for when it first is: the references need none of it, and importing torch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module 'pruning.runs' has no attribute '{name}'")
    return getattr(import_module(_PLACES.get(name, "pruning.runs.store")), name)
