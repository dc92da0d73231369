"""The rows of the board: each channel group or layer as one slider controls it, and where the sliders stand.

A row stands at a whole number: units removed of a channel group, or per mille of a layer's weights. A row is named as
`PruneSpec.layers` names its target: a channel group's name, or a layer's for weight pruning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pruning.base.once import once_each
from pruning.granularity import Granularity
from pruning.graph.model_graph import ModelGraph
from pruning.graph.names import label
from pruning.graph.targets import Target, all_targets
from pruning.planning.allocation import kept_per_target, kept_units, per_target
from pruning.spec import PruneSpec

PER_MILLE = 1000
"""Into how many parts a slider divides the weights of a layer."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A target as one slider controls it."""

    target: Target
    parts: int
    """How finely it is cut: into units, or a layer's weights into thousandths."""

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def label(self) -> str:
        """Its name for people: 'layer2.0.conv2 · own'."""
        return label(self.name)

    @property
    def is_part(self) -> bool:
        """Whether its first layer has more channels, which belong to an earlier group."""
        return "/own" in self.name

    @property
    def highest(self) -> int:
        """The highest number it can stand at: as many units stay as have to, or one weight in a thousand."""
        return self.parts - self.target.least

    def at(self, sparsity: float) -> int:
        """The number at which it removes that share."""
        if self.target.group is not None:
            return min(
                self.highest, self.parts - kept_units(self.parts, sparsity, "down" if self.target.heads else "up")
            )
        return min(self.highest, round(self.parts * sparsity))

    def sparsity(self, number: int) -> float:
        """The exact fraction that a number stands for."""
        return number / self.parts


@once_each
def all_rows(graph: ModelGraph, granularity: Granularity) -> tuple[Row, ...]:
    """Every row of a network in network order, locked ones too.

    Raises:
        InputError: there is no such granularity.
    """
    return tuple(
        Row(target=target, parts=PER_MILLE if target.group is None else target.units)
        for target in all_targets(graph, granularity)
    )


def free_rows(graph: ModelGraph, granularity: Granularity) -> tuple[Row, ...]:
    """The rows that can lose something.

    Raises:
        InputError: there is no such granularity.
    """
    return tuple(row for row in all_rows(graph, granularity) if row.target.locked is None)


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Where the rows of one network stand, for one granularity."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    """Row → number; what is not named loses nothing."""
    share: float = 0.0
    """The share that was asked of all rows. Rows that stand elsewhere have a sparsity of their own."""
    asked: Mapping[str, float] = field(default_factory=dict)
    """Row → the sparsity that a recipe asks for, as long as the row stands where that puts it."""
    pinned: Sequence[str] = ()
    """Rows that the user locked: the slider of all rows leaves them alone."""
    mode: str = "uniform"
    """Of the slider of all rows: the same share of each, or the same threshold for all scores."""

    def spec(self, rows: Sequence[Row], ranking: PruneSpec) -> PruneSpec:
        """What they ask for: one sparsity for all, and of their own for rows that stand elsewhere.

        `ranking`: how units are ranked; its sparsities are not looked at.
        """
        layers = []
        for row in rows:
            number = self.numbers.get(row.name, 0)
            own = self.asked.get(row.name)
            if own is not None and row.at(own) == number:
                layers.append((row.name, own))
            elif row.at(self.share) != number:
                layers.append((row.name, row.sparsity(number)))
        return ranking.replace(sparsity=self.share, layers=tuple(layers))

    def moved_to(self, rows: Sequence[Row], sparsities: Mapping[str, float], *, share: float = 0.0) -> Positions:
        """Rows that are named at a sparsity each, the others at none; what is named and no row counts for nothing.

        `share`: the sparsity that rows have in common, where they do.
        """
        known = {row.name: row for row in rows}
        wanted = {name: value for name, value in sparsities.items() if name in known}
        return replace(
            self,
            numbers={name: known[name].at(value) for name, value in wanted.items()},
            asked={name: value for name, value in wanted.items() if value != share},
            share=share,
        )

    def following(self, rows: Sequence[Row], said: Mapping[str, Any]) -> Positions:
        """As the board says that its sliders stand, within what the rows allow.

        `said`: `removed` (row → number), `share`, `pinned` and `mode`, as the browser sends them.
        """
        known = {row.name: row for row in rows}
        numbers = {
            name: max(0, min(known[name].highest, int(number)))
            for name, number in said["removed"].items()
            if name in known and number
        }
        return Positions(
            numbers=numbers,
            share=max(0.0, min(0.999, float(said["share"]))),
            asked={name: value for name, value in self.asked.items() if known[name].at(value) == numbers.get(name)},
            pinned=[name for name in said["pinned"] if name in known],
            mode="threshold" if said["mode"] == "threshold" else "uniform",
        )


def sparsities_of(graph: ModelGraph, spec: PruneSpec) -> dict[str, float]:
    """The sparsity at which a spec puts each free row, by the row's name: what it asks, or exactly what it comes to
    where it rounds in another way than the rows.

    Raises:
        InputError: it names layers that this network does not have, or two values for one group.
    """
    asked, kept = per_target(graph, spec), kept_per_target(graph, spec)
    return {
        row.name: 1 - kept[row.target.key] / row.target.units
        if spec.round_to != 1 or (row.target.heads and spec.head_rounding != "down")
        else asked[row.target.key]
        for row in free_rows(graph, spec.granularity)
    }
