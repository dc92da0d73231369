"""`engines`: time the networks of a finished run on several engines, and in int8; the run keeps the last times."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pruning.base.errors import NoisyError
from pruning.cli.output import field, only_ours, say
from pruning.latency.quietly import PATIENT, PROMPT_SECONDS
from pruning.runs.engine_times import EngineTimes
from pruning.runs.engine_words import heading, int8_words, pruning_words, remarks, split_words, variant_words
from pruning.runs.engines import Asked, measure_engines
from pruning.runs.resolve import find_run_folder

INDENT = 10


def engines(args: argparse.Namespace, cancel: Callable[[], bool]) -> tuple[dict[str, Any], list[str]]:
    """Time them: as JSON and as lines.

    Raises:
        PruningError: no finished run, a network that cannot be opened, no such engine, or cancelled.
    """
    folder = find_run_folder(args.run)
    wanted = {"engines": tuple(args.engine), "batches": tuple(dict.fromkeys(args.batch))}
    asked = Asked(**{name: value for name, value in wanted.items() if value}, int8=not args.no_int8)
    patience = PROMPT_SECONDS if args.work is None else PATIENT
    with only_ours():
        found = measure_engines(folder, asked, patience=patience, say=say, cancel=cancel, work=args.work)
    return {"run": str(folder), **found.to_values(), "quiet": found.is_quiet}, lines_of(found)


def lines_of(found: EngineTimes) -> list[str]:
    """For people: an engine at a batch size in a few lines, then the networks, then what is missing."""
    lines = []
    for cell in found.cells:
        lines.append(heading(found, cell))
        for label, text in (
            ("float32", pruning_words(cell)),
            ("int8", int8_words(cell)),
            ("of it", split_words(cell)),
        ):
            if text is not None:
                lines += field(f"  {label}", text, INDENT)
    for variant in found.variants:
        name, _, text = variant_words(variant).partition(": ")
        lines += field(name, text, INDENT + 4)
    if found.calibration is not None:
        text = (
            f"calibrated on {found.calibration.images:,} train images without their labels: {found.calibration.method}"
        )
        lines += field("int8", text, INDENT + 4)
    for remark in remarks(found):
        lines += field("note", remark, INDENT + 4)
    return lines


def check_quiet(values: dict[str, Any]) -> None:
    """Raises NoisyError unless something that `engines` gave was measured in quiet."""
    if not values["quiet"]:
        raise NoisyError("The machine was too noisy to measure: end what else computes on it, and try again.")
