"""Options that say what is to go: the same for every command, with choices from the tables."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import Any

from pruning.base.errors import InputError
from pruning.cli.arguments import number, whole
from pruning.criteria import Criterion, criteria_for
from pruning.granularity import GRANULARITIES, Granularity
from pruning.spec import HEAD_ROUNDINGS, PruneSpec

WIDTH = 98
SPEC_FIELDS = ("granularity", "criterion", "parameters", "sparsity", "layers", "round_to", "head_rounding", "seed")
"""Fields of a spec that options can set."""


def add_spec_options(
    sub: argparse.ArgumentParser,
    default: PruneSpec,
    *fields: str,
    granularity: Granularity | None = None,
    images: bool = True,
) -> None:
    """Add the options for these fields of a spec; what is not given is None in the arguments.

    `granularity`, `images`: what the command is restricted to, so that its help names no criterion that it refuses.
    """
    criteria = criteria_for(granularity, images=images)
    kinds = "; ".join(f"{name}: {info.title} are {info.done}" for name, info in GRANULARITIES.items())
    names = ", ".join(criterion.name for criterion in criteria)
    options: dict[str, tuple[str, dict[str, Any]]] = {
        "granularity": ("--granularity", {"help": f"{kinds} ({default.granularity})"}),
        "criterion": ("--criterion", {"help": f"{names} ({default.criterion}): see below"}),
        "parameters": (
            "--parameter",
            {"action": "append", "metavar": "NAME=N", "help": "a number that the criterion takes: see below"},
        ),
        "sparsity": (
            "--sparsity",
            {
                "type": number,
                "metavar": "S",
                "help": f"fraction that goes of each layer or channel group ({default.sparsity:g})",
            },
        ),
        "layers": ("--layer", {"action": "append", "metavar": "NAME=S", "help": "a layer's own sparsity"}),
        "round_to": (
            "--round-to",
            {"type": whole, "metavar": "K", "help": f"keep a multiple of K channels in a layer ({default.round_to})"},
        ),
        "head_rounding": (
            "--head-rounding",
            {
                "choices": HEAD_ROUNDINGS,
                "help": f"of attention heads that stay, where the sparsity leaves a fraction ({default.head_rounding})",
            },
        ),
        "seed": ("--seed", {"type": whole, "metavar": "N", "help": f"equal seeds give equal results ({default.seed})"}),
    }
    for name in fields:
        option, settings = options[name]
        sub.add_argument(option, dest=name, **settings)
    sub.formatter_class = argparse.RawDescriptionHelpFormatter
    sub.epilog = criteria_help(criteria)


def spec_of(args: argparse.Namespace, default: PruneSpec) -> PruneSpec:
    """The spec that the options describe; what they leave out is as in `default`.

    Raises:
        InputError: a value that is not allowed.
    """
    given = {name: getattr(args, name, None) for name in default.to_values()}
    changes = {name: value for name, value in given.items() if value is not None}
    if "layers" in changes:
        changes["layers"] = _entries("--layer", changes["layers"], "SPARSITY, such as conv1=0.3", float)
    if "parameters" in changes:
        changes["parameters"] = _entries("--parameter", changes["parameters"], "NUMBER, such as batches=32", int)
    return default.replace(**changes)


def _entries(option: str, texts: list[str], form: str, kind: type[float | int]) -> tuple[tuple[str, Any], ...]:
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            amount = kind(value)
        except ValueError:
            name, amount = "", 0
        if not name:
            raise InputError(f"{option} takes NAME={form}, not '{text}'.")
        if found.get(name, amount) != amount:
            raise InputError(f"{option} {name} is given twice, with {found[name]:g} and {amount:g}.")
        found[name] = amount
    return tuple(found.items())


def criteria_help(criteria: Sequence[Criterion]) -> str:
    """The criteria in two columns: names, as wide as the longest, and words."""
    column = max((len(criterion.name) for criterion in criteria), default=0)
    return "criteria:\n" + "\n".join(line for criterion in criteria for line in _lines(criterion, column))


def _lines(criterion: Criterion, column: int) -> list[str]:
    words = " ".join(filter(None, (f"{criterion.title}: {criterion.explanation}", criterion.conditions)))
    for parameter in criterion.parameters:
        words += (
            f" --parameter {parameter.name}={parameter.default} ({parameter.low:,} to {parameter.high:,}): "
            f"{parameter.explanation}"
        )
    first = f"  {criterion.name:<{column}} "
    return textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
