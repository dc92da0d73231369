"""The files of a run's folder. Their names are known in this package alone: elsewhere ask `Run`."""

from __future__ import annotations

from pathlib import Path

RECIPE = "recipe.yaml"
JOB = "job.json"
EVENTS = "events.jsonl"
RESULT = "result.json"
MODEL = "model.safetensors"
STRUCTURE = "model.json"
ANSWERS = "answers.safetensors"
CANCEL = "cancel"
LOCK = "worker.lock"
LOG = "worker.log"


def report_path(folder: Path, key: str = "") -> Path:
    """Where a report on the run in a folder lies; `key` tells those with different contents apart."""
    return folder / (f"report-{key}.html" if key else "report.html")
