"""The ledger as lines of words and numbers, each number with its badge; a table in HTML or Markdown is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.base.words import factor, milliseconds, size
from pruning.render.markup.badges import Kind

if TYPE_CHECKING:
    from pruning.cost.devices import Budget
    from pruning.cost.ledger import Clock, Ledger

HEADS = ("dense", "pruned", "change")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A number, or words."""

    text: str = ""
    small: str = ""
    """What stands behind it in small letters: an interval."""
    kind: Kind | None = None
    """Its badge."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table."""

    title: str
    cells: tuple[Cell, ...] = ()
    """Dense, pruned, change; () for a sentence across the table, which is the title."""


def lines(ledger: Ledger, budget: Budget | None = None) -> list[Line]:
    """Every currency, and a sentence below those that disagree."""
    dense, pruned = ledger.dense, ledger.pruned
    notes = _notes(ledger)
    deflate: Kind = "estimated" if ledger.deflate_estimated else "measured"
    return [
        _counts("Zeros among the parameters", dense.params - dense.nonzero, pruned.params - pruned.nonzero, False),
        *notes["zeros"],
        _counts("Parameters", dense.params, pruned.params),
        _counts("Parameters that are not zero", dense.nonzero, pruned.nonzero),
        _sizes("Bytes, raw", dense.raw, pruned.raw),
        _sizes("Bytes, compressed (deflate)", dense.deflate, pruned.deflate, deflate),
        _sizes("Bytes, bitmap and non-zeros", dense.sparse, pruned.sparse),
        *notes["file"],
        _counts("MACs of one image", dense.macs, pruned.macs),
        *notes["layers"],
        _sizes("Activation memory of one image, at most", dense.activation, pruned.activation, "estimated"),
        *notes["memory"],
        *([_time(clock) for clock in ledger.clocks] or [plain("Time of one image", "–", "–", ledger.untimed)]),
        *notes["time"],
        *_budget(ledger, budget),
    ]


def plain(title: str, *texts: str) -> Line:
    """A line of words."""
    return Line(title=title, cells=tuple(Cell(text=text) for text in texts))


def _notes(ledger: Ledger) -> dict[str, list[Line]]:
    """The sentences as lines of their own, by what they are about."""
    from pruning.cost.ledger import remarks

    found: dict[str, list[Line]] = {about: [] for about in ("zeros", "file", "layers", "memory", "time")}
    for remark in remarks(ledger):
        found[remark.about].append(Line(title=remark.text))
    return found


def _budget(ledger: Ledger, budget: Budget | None) -> Iterator[Line]:
    if budget is None:
        return
    from pruning.cost.devices import NOTE, fits

    sides = [fits(budget, raw=side.raw, activation=side.activation) for side in (ledger.dense, ledger.pruned)]
    kinds: tuple[Kind, Kind] = ("measured", "estimated")
    for dense, pruned, kind in zip(*sides, kinds, strict=True):
        cells = (Cell(text=dense.text, kind=kind), Cell(text=pruned.text, kind=kind), Cell())
        yield Line(title=dense.title, cells=cells)
    yield Line(title=NOTE)


def _counts(title: str, dense: int, pruned: int, compare: bool = True) -> Line:
    return _numbers(title, f"{dense:,}", f"{pruned:,}", _ratio(dense, pruned) if compare else "")


def _sizes(title: str, dense: int, pruned: int, kind: Kind = "measured") -> Line:
    return _numbers(title, size(dense), size(pruned), _ratio(dense, pruned), kind=kind)


def _numbers(title: str, *texts: str, kind: Kind = "measured") -> Line:
    return Line(title=title, cells=tuple(Cell(text=text, kind=kind) if text else Cell() for text in texts))


def _ratio(dense: int, pruned: int) -> str:
    return "same" if dense == pruned else factor(dense, pruned)


def _time(clock: Clock) -> Line:
    from pruning.latency.clock import verdict

    title = f"Time of a batch of {clock.batch}" if clock.batch > 1 else "Time of one image"
    title += f", on {clock.where}" if clock.where else ""
    kind: Kind = "estimated" if clock.estimated else "measured"
    low, middle, high = clock.speedup
    change = f"≈ {middle:.2f}× ({low:.2f}–{high:.2f})" if clock.estimated else verdict(clock.speedup)
    return Line(
        title=title, cells=(_span(clock.dense, kind), _span(clock.pruned, kind), Cell(text=change, kind=kind))
    )  # fmt: skip


def _span(times: tuple[float, float, float], kind: Kind) -> Cell:
    low, median, high = times
    small = "" if low == high else f"({milliseconds(low)[:-3]}–{milliseconds(high)[:-3]})"
    return Cell(text=milliseconds(median), small=small, kind=kind)
