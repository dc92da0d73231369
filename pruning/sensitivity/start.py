"""Measure sensitivity in a process of its own; `pruning.sensitivity.cache` tells how far it is."""

from __future__ import annotations

from pruning.jobs.executor import LocalExecutor
from pruning.opening.models import OpenModel
from pruning.sensitivity import Sensitivity
from pruning.sensitivity.cache import job_of


def start(opened: OpenModel, wanted: Sensitivity, data_dir: str | None, *, lose: float) -> None:
    """Start `python -m pruning sensitivity` for a scan, unless it is being measured already; `lose`: limit of the
    joint cut that it ends with, in points.

    Raises:
        StorageError: the cache cannot be written, or the process cannot be started.
    """
    asked = wanted.spec.to_arguments("granularity", "criterion", "parameters", "seed")
    arguments = ["sensitivity", "--data", wanted.data, *asked, "--images", str(wanted.images), "--lose", str(lose)]
    arguments += [] if data_dir is None else ["--data-dir", data_dir]
    LocalExecutor().submit([*arguments, "--", opened.ref], job_of(wanted))
