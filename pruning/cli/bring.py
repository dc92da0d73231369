"""`import`: a bundle taken in as a run; or weights that were trained on elsewhere, back as a run of their own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruning.base.cancel import Cancel
from pruning.cli.output import only_ours, say
from pruning.cli.prune import told_progress
from pruning.runs import default_runs_dir, execute
from pruning.runs.bring_back import Asked, bring_back
from pruning.runs.result_json import to_values
from pruning.runs.take_in import opened_bundle, take_in
from pruning.runs.times import measure_times, with_times
from pruning.subject import open_subject

Answer = tuple[dict[str, Any], list[str]]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to do with the run that it becomes."""

    out: Path | None = None
    """Its folder; None for one among the runs."""
    times: bool = True
    """Whether its networks are timed."""


def take_bundle(bundle: Path) -> Answer:
    """Take a bundle in, with the figures that it states. Errors as `take_in`."""
    found = take_in(bundle, default_runs_dir())
    for remark in found.remarks:
        say(remark)
    result = {"run": found.path.name, "path": str(found.path), "remarks": list(found.remarks), "measured": False}
    return result, [f"{found.path.name} is among the runs of {found.path.parent}, with the figures of its bundle"]


def import_weights(bundle: Path, weights: Path, asked: Asked, wanted: Wanted, cancel: Cancel) -> Answer:
    """Measure a bundle's network with other weights: the run's result as JSON and as lines.

    Raises:
        PruningError: as `bring_back` and `execute`; or cancelled.
    """
    from pruning.cli.prune import summary

    with only_ours(), opened_bundle(bundle) as found:
        folder, remarks = bring_back(found, weights, asked, wanted.out)
        for remark in remarks:
            say(remark)
        try:
            _check(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        say(f"Run folder: {folder}")
        result = execute(folder, progress=told_progress, cancel=cancel)
        if wanted.times:
            measure_times(folder, say=say, cancel=cancel)
            result = with_times(result, folder)
    values = {**to_values(result), "run": str(folder), "remarks": list(remarks), "measured": True}
    return values, summary(result, folder)


def _check(folder: Path) -> None:
    """Refuse before there is a run what its network and images cannot do."""
    from pruning.runs import read_run
    from pruning.runs.pipeline import check_subject

    run = read_run(folder)
    subject = open_subject(run.recipe.model, run.recipe.data, run.data_dir, run.recipe.preprocess)
    check_subject(run.recipe, subject)
    subject.check("run")
