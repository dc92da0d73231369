"""Measure sensitivity in a process of its own; `pruning.sensitivity.cache` tells how far it is."""

from __future__ import annotations

import json

from pruning.jobs.executor import LocalExecutor
from pruning.jobs.wishes import OWNER
from pruning.sensitivity import Sensitivity
from pruning.sensitivity.cache import job_of
from pruning.subject import Subject


def start(
    subject: Subject,
    wanted: Sensitivity,
    *,
    lose: float,
    repaired: bool = False,
    visitor: str = OWNER,
    expected: float | None = None,
) -> None:
    """Start `python -m pruning sensitivity` for a scan, unless it is being measured already; `lose`: limit of the
    joint cut that it ends with, in points. `repaired`: measure repaired figures, too.

    Raises:
        InputError: too many jobs wait.
        StorageError: the cache cannot be written, or the process cannot be started.
    """
    asked = wanted.spec.to_arguments("granularity", "criterion", "parameters", "seed")
    arguments = ["sensitivity", "--data", wanted.data, *asked, "--images", str(wanted.images), "--lose", str(lose)]
    arguments += ["--repaired"] if repaired else []
    if subject.preprocess is not None:
        arguments += ["--preprocess", json.dumps(subject.preprocess.to_values())]
    arguments += [] if subject.data_dir is None else ["--data-dir", subject.data_dir]
    arguments += ["--", subject.ref]
    LocalExecutor().submit(arguments, job_of(wanted), kind="sensitivity", visitor=visitor, expected=expected)
