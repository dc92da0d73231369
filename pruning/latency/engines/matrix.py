"""What was timed of a pruned network on several engines: what the engine gave, what pruning gave, what int8 gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pruning.base.errors import StorageError
from pruning.base.fields import Fields
from pruning.latency.clock import Comparison
from pruning.latency.comparison_json import comparison_of, comparison_values
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.table import ENGINES

Span = tuple[float, float, float]
"""Times as fast: lower end of the 95 % interval, estimate, upper end."""
MOST_BATCH = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An engine at a batch size: comparisons of two networks in turn, each with its own noise."""

    engine: str
    """Its name in the table."""
    pruning: Comparison
    """Dense against pruned, both in float32 on this engine."""
    change: Comparison | None = None
    """Dense in PyTorch eager against dense on this engine; None for PyTorch eager itself."""
    int8: Comparison | None = None
    """Pruned in float32 against pruned in int8, both on this engine; None where that was not timed."""

    @property
    def batch(self) -> int:
        return self.pruning.batch

    @property
    def parts(self) -> tuple[Comparison, ...]:
        """All that was timed."""
        return tuple(one for one in (self.pruning, self.change, self.int8) if one is not None)

    @property
    def by_engine(self) -> Span | None:
        """What changing the engine gave the dense network; None where that was too noisy, or nothing changed."""
        return self.change.speedup if self.change is not None and self.change.quiet else None

    @property
    def by_pruning(self) -> Span | None:
        """What pruning gave on this engine; None where that was too noisy."""
        return self.pruning.speedup if self.pruning.quiet else None

    @property
    def by_int8(self) -> Span | None:
        """What int8 gave the pruned network on this engine; None where that was too noisy, or not timed."""
        return self.int8.speedup if self.int8 is not None and self.int8.quiet else None

    @property
    def together(self) -> Span | None:
        """Dense in PyTorch eager against pruned on this engine, both in float32; None where a part is not known."""
        by_engine = (1.0, 1.0, 1.0) if self.engine == EAGER.name else self.by_engine
        return times_over(by_engine, self.by_pruning)


def times_over(*spans: Span | None) -> Span | None:
    """Speed-ups one after the other: of their products, and of their ends, so that the interval is rather too wide than
    too narrow. None where one of them is not known.

    >>> times_over((2, 3, 4), (1, 2, 3)), times_over((2, 3, 4), None)
    ((2.0, 6.0, 12.0), None)
    """
    low, middle, high = 1.0, 1.0, 1.0
    for span in spans:
        if span is None:
            return None
        low, middle, high = low * span[0], middle * span[1], high * span[2]
    return low, middle, high


def shrunk(cells: Iterable[Cell]) -> list[tuple[Cell, Cell]]:
    """Where pruning gains less than in PyTorch eager, by more than the intervals of both: the cell, and eager's for the
    same batch size."""
    cells = list(cells)
    eager = {cell.batch: cell for cell in cells if cell.engine == EAGER.name}
    found = []
    for cell in cells:
        beside = eager.get(cell.batch)
        if beside is None or beside is cell or cell.by_pruning is None or beside.by_pruning is None:
            continue
        if cell.by_pruning[2] < beside.by_pruning[0]:
            found.append((cell, beside))
    return found


def cell_values(cell: Cell) -> dict[str, Any]:
    """JSON-ready."""
    beside = {"change": cell.change, "int8": cell.int8}
    return {
        "engine": cell.engine,
        "pruning": comparison_values(cell.pruning),
        **{name: comparison_values(found) for name, found in beside.items() if found is not None},
    }


def cell_of(fields: Fields) -> Cell:
    """The inverse of `cell_values`.

    Raises:
        StorageError: it is damaged, or contradicts itself.
    """
    cell = Cell(
        engine=fields.choice("engine", ENGINES),
        pruning=comparison_of(fields.part("pruning")),
        change=comparison_of(fields.part("change")) if "change" in fields else None,
        int8=comparison_of(fields.part("int8")) if "int8" in fields else None,
    )
    if len({(one.batch, one.threads) for one in cell.parts}) > 1 or cell.batch > MOST_BATCH:
        raise StorageError(f"{fields.where} is damaged: its times are of several batch sizes or numbers of threads.")
    if (cell.change is None) != (cell.engine == EAGER.name):
        raise StorageError(f"{fields.where} is damaged: what changing the engine gave belongs to every other engine.")
    return cell
