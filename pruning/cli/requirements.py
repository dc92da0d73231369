"""What `--require` and `--expect` ask of figures: read, and refused where misspelt, before torch is imported."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pruning.base.errors import InputError, excerpt
from pruning.tasks.names import known_metrics

COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
ANY = "*"
"""Any name or number at this place of a path."""
OF_DIFFERENCE = ("worst_class_drop", "newly_wrong", "newly_right")
"""Figures of the difference that can be named alone."""


def _measured(*more: str) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name in known_metrics():
        named |= {name: None, f"{name}_interval": {ANY: None}}
    return {**named, "correct": None, "images": None, **{name: None for name in more}}


def figures() -> dict[str, Any]:
    """Every figure of a result's JSON, by its path: None at the end of one."""
    side = _measured("params", "nonzero", "macs", "activation_bytes") | {
        "bytes": {"raw": None, "deflate": None, "sparse": None},
        "latency_ms": {ANY: {"median": None, "low": None, "high": None}},
    }
    stages = {name: _measured() for name in ("as_cut", "recalibrated", "repaired", "finetuned")}
    stages["repair"] = {"agreement": {ANY: None}, "images": None, "judged": None}
    layer = {name: None for name in ("requested", "achieved", "kept", "total")}
    difference = {**_measured(), "interval": {ANY: None}, **{name: None for name in OF_DIFFERENCE}}
    return {
        "dense": side,
        "pruned": side,
        "difference": {**difference, "worst_class_images": None},
        "speedup": {ANY: {ANY: None}},
        "stages": stages,
        "rounds": {ANY: {**stages, "sparsity": None, "steps": None, "round": None}},
        "layers": {ANY: layer},
        "check": {"max_error": None, "batches": {ANY: None}},
        "recipe": {ANY: {ANY: {ANY: None}}},
        "data": {"classes": None, "sizes": {ANY: None}},
        "test_looks": None,
        "timed": {"threads": None, "noisy": {ANY: None}},
        "threads": None,
        "seconds": None,
        "schema_version": None,
    }


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What is asked of one figure."""

    text: str
    path: str
    comparison: str
    wanted: float

    @property
    def batch(self) -> int | None:
        """Batch size of the time that it asks of; None where it asks of something else."""
        match = re.fullmatch(r"(?:speedup|(?:dense|pruned)\.latency_ms|latency_ms)\.(\d{1,9})(?:\..*)?", self.path)
        return None if match is None else int(match[1])

    def holds(self, result: dict[str, Any]) -> bool:
        """Whether a result meets it. Raises InputError where it has no such number."""
        for place in ("", "pruned", "difference"):
            value = _at(result, f"{place}.{self.path}".lstrip("."))
            if value is not None:
                break
        else:
            raise InputError(f"--require names '{self.path}', which the result does not have.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"--require names '{self.path}', which is not a number.")
        return self.is_met_by(value)

    def is_met_by(self, value: float) -> bool:
        """Whether a figure is as it should be."""
        return bool(COMPARISONS[self.comparison](value, self.wanted))


def parse_requirement(text: str, option: str = "--require") -> Requirement:
    """
    >>> parse_requirement("accuracy>=0.97").wanted
    0.97

    Raises:
        InputError: no figure, comparison and number, or a figure that no result has.
    """
    match = re.fullmatch(r"\s*([A-Za-z_][\w.]*)\s*(>=|<=|>|<)\s*(-?[\d.]+(?:[eE]-?\d+)?)\s*", text)
    try:
        if match is None:
            raise ValueError
        found = Requirement(text=text, path=match[1], comparison=match[2], wanted=float(match[3]))
    except ValueError:
        raise InputError(
            f"{option} takes a figure, a comparison and a number, such as 'accuracy>=0.97', not '{excerpt(text)}'."
        ) from None
    if option == "--require":
        _check_path(found.path)
    elif found.path not in known_metrics():
        raise _unknown(option, found.path, known_metrics())
    return found


def _check_path(path: str) -> None:
    """Raises InputError for a path that no result has."""
    known = figures()
    if path in known_metrics() or path in OF_DIFFERENCE:
        return
    here: Any = known
    for number, key in enumerate(path.split(".")):
        if not isinstance(here, Mapping) or (key not in here and ANY not in here):
            alone = (*known_metrics(), *OF_DIFFERENCE) if not number else ()
            raise _unknown("--require", path, (*alone, *(here if isinstance(here, Mapping) else ())), key)
        here = here[key] if key in here else here[ANY]


def _unknown(option: str, path: str, known: Any, key: str | None = None) -> InputError:
    names = [name for name in known if name != ANY]
    near = difflib.get_close_matches(key or path, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else f" There is {', '.join(names)}." if names else ""
    return InputError(f"{option} names '{excerpt(path)}', which no result has.{hint}")


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        try:
            values = values[int(key)] if isinstance(values, list | tuple) else values[key]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return values
