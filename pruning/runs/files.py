"""The files of a run's folder. Their names are known in this package alone: elsewhere ask `Run`."""

from __future__ import annotations

import os
from pathlib import Path

from pruning.base.files import given_path

RECIPE = "recipe.yaml"
JOB = "job.json"
RESULT = "result.json"
MODEL = "model.safetensors"
STRUCTURE = "model.json"
ANSWERS = "answers.safetensors"
STAGES = "stages.safetensors"
HELD = "held.json"
TIMES = "times.json"
ENGINES = "engines.json"
ABROAD = "abroad.json"
CHECKPOINT = "checkpoint.safetensors"
EVENTS, CANCEL, LOCK = "events.jsonl", "cancel", "worker.lock"
"""Of runs that were carried out before there were jobs: what they told, the wish that they stop, their process's lock.
"""


def default_runs_dir() -> Path:
    """Where runs are kept: PRUNING_RUNS, else `runs` in the current folder."""
    return given_path(os.environ.get("PRUNING_RUNS") or "runs").resolve()


def report_path(folder: Path) -> Path:
    """Where a report on the run in a folder is written unless somebody says otherwise."""
    return folder / "report.html"


def times_folder(folder: Path) -> Path:
    """Where the job that times a run's networks has its objects."""
    return folder / "times"


def engines_folder(folder: Path) -> Path:
    """Where the job that times a run's networks on several engines has its objects."""
    return folder / "engines"


def report_folder(folder: Path, key: str) -> Path:
    """Where the job that writes a report has its objects; `key` tells reports with different contents apart."""
    return folder / "reports" / key


def bundle_folder(folder: Path, key: str) -> Path:
    """Where the job that makes a bundle has its objects; `key` tells bundles with different contents apart."""
    return folder / "bundles" / key
