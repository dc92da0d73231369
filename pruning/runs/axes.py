"""The costs that finished runs are held against: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.runs.summary import Figures


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A cost that runs are compared by."""

    title: str
    words: str
    """On the axis, with the unit."""
    value: Callable[[Figures], float | None]
    """Of one network; None where it was not measured."""


AXES: dict[str, Axis] = {
    "params": Axis(title="parameters", words="parameters", value=lambda side: side.params),
    "nonzero": Axis(title="non-zero", words="parameters that are not zero", value=lambda side: side.nonzero),
    "macs": Axis(title="MACs", words="MACs of one image", value=lambda side: side.macs),
    "time": Axis(title="time", words="time for one image, ms", value=lambda side: side.milliseconds),
    "bytes": Axis(title="bytes", words="bytes as bitmap and non-zeros", value=lambda side: side.sparse_bytes),
}
