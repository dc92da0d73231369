"""How long jobs took on this machine, so that those in line can be told when it is their turn."""

from __future__ import annotations

import contextlib
import statistics
from pathlib import Path

from pruning.base.errors import StorageError
from pruning.base.fields import Fields
from pruning.base.files import replace_file
from pruning.base.safe_json import dump, read_object

FILE = "durations.json"
KEPT = 20
"""Jobs of each kind, the last ones."""
UNKNOWN = 60.0
"""Seconds, as long as no job of its kind has ended here."""
BOUNDS = (1 / 20, 20.0)
"""Of what is said for one job, whatever the last ones showed."""


def note(root: Path, kind: str, seconds: float, expected: float | None) -> None:
    """Note how long a job of a kind took, and how long it was expected to; what cannot be written is left out."""
    kept = _read(root)
    kept[kind] = [*kept.get(kind, []), (seconds, expected or 0.0)][-KEPT:]
    with contextlib.suppress(OSError):
        replace_file(root / FILE, dump({name: [list(pair) for pair in pairs] for name, pairs in kept.items()}))


def predicted(root: Path, kind: str, expected: float | None) -> float:
    """Seconds that a job of a kind will take: as expected, times what jobs of its kind took over what was expected of
    them; the median of its kind where nothing is expected."""
    known = _read(root).get(kind, [])
    if expected:
        ratios = [seconds / said for seconds, said in known if said > 0]
        low, high = BOUNDS
        return expected * (min(max(statistics.median(ratios), low), high) if ratios else 1.0)
    return statistics.median(seconds for seconds, _ in known) if known else UNKNOWN


def _read(root: Path) -> dict[str, list[tuple[float, float]]]:
    try:
        values = read_object(root / FILE) or {}
        fields = Fields(values, FILE)
        return {name: [_pair(pair) for pair in values[name]] for name in fields.names()}
    except (StorageError, TypeError, ValueError, KeyError):
        return {}  # damaged: the next job that ends writes it anew


def _pair(values: object) -> tuple[float, float]:
    if not isinstance(values, list) or len(values) != 2 or not all(0 <= float(value) < 1e9 for value in values):
        raise ValueError
    return float(values[0]), float(values[1])
