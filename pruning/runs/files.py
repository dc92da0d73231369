"""The files of a run's folder. Their names are known in this package alone: elsewhere ask `Run`."""

from __future__ import annotations

from pathlib import Path

RECIPE = "recipe.yaml"
JOB = "job.json"
RESULT = "result.json"
MODEL = "model.safetensors"
STRUCTURE = "model.json"
ANSWERS = "answers.safetensors"
HELD = "held.json"
CHECKPOINT = "checkpoint.safetensors"
EVENTS, CANCEL, LOCK = "events.jsonl", "cancel", "worker.lock"
"""Of runs that were carried out before there were jobs: what they told, the wish that they stop, their process's lock.
"""


def report_path(folder: Path) -> Path:
    """Where a report on the run in a folder is written unless somebody says otherwise."""
    return folder / "report.html"


def report_folder(folder: Path, key: str) -> Path:
    """Where the job that writes a report has its objects; `key` tells reports with different contents apart."""
    return folder / "reports" / key
