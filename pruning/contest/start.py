"""Run a race in a process of its own; `pruning.contest.cache` tells how far it is."""

from __future__ import annotations

import dataclasses
import json

from pruning.contest import Terms
from pruning.contest.cache import job_of
from pruning.contest.race import OPTIONS as TRAINING
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.wishes import OWNER
from pruning.subject import Subject


def start(terms: Terms, subject: Subject, visitor: str = OWNER) -> None:
    """Start `python -m pruning contest` for a race, unless somebody else's process runs it already.

    Raises:
        InputError: too many jobs wait.
        StorageError: the cache cannot be written, or the process cannot be started.
    """
    asked = terms.prune.to_arguments(
        "granularity", "criterion", "parameters", "sparsity", "layers", "round_to", "head_rounding"
    )
    arguments = ["contest", "--data", terms.data, *asked, "--rounds", str(terms.rounds), "--steps", str(terms.steps)]
    arguments += ["--seeds", ",".join(map(str, terms.seeds))]
    usual = {field.name: field.default for field in dataclasses.fields(terms)}
    for name in TRAINING:
        value = getattr(terms, name)
        if value is not None and (terms.preprocess is not None or value != usual[name]):
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    if terms.preprocess is not None:
        arguments += ["--preprocess", json.dumps(terms.preprocess.to_values())]
    if subject.data_dir is not None:
        arguments += ["--data-dir", subject.data_dir]
    job = job_of(terms, subject.identity, subject.data.digest)
    LocalExecutor().submit([*arguments, "--", terms.model], job, kind="contest", visitor=visitor)
