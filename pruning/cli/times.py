"""`times`: time the networks of a finished run again, or for the first time; the run keeps the last times."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pruning.base.errors import NoisyError
from pruning.cli.output import field, only_ours, say
from pruning.latency.clock import Comparison
from pruning.latency.comparison_json import comparison_values
from pruning.latency.quietly import PATIENT, PROMPT_SECONDS
from pruning.runs.resolve import find_run_folder
from pruning.runs.times import measure_times


def times(args: argparse.Namespace, cancel: Callable[[], bool]) -> tuple[dict[str, Any], list[str]]:
    """Time them: as JSON and as lines.

    Raises:
        PruningError: no finished run, a network that cannot be opened, or cancelled.
    """
    folder = find_run_folder(args.run)
    patience = PROMPT_SECONDS if args.work is None else PATIENT
    with only_ours():
        found = measure_times(folder, patience=patience, say=say, cancel=cancel, work=args.work)
    values = {
        "schema_version": 1,
        "run": str(folder),
        "times": {str(comparison.batch): comparison_values(comparison) for comparison in found},
    }
    return values, [line for comparison in found for line in field("time", time_words(comparison))]


def time_words(found: Comparison) -> str:
    """'1.80× as fast (1.70–1.90), batch 1'."""
    return f"{found.verdict}, batch {found.batch}"


def check_quiet(values: dict[str, Any]) -> None:
    """Raises NoisyError unless something that `times` gave was measured in quiet."""
    if not any(found["quiet"] for found in values["times"].values()):
        raise NoisyError("The machine was too noisy to measure: end what else computes on it, and try again.")
