"""Every class from the cut to the repaired network, as an HTML table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import percent
from pruning.render.markup import badges, class_table

if TYPE_CHECKING:
    from pruning.compare.repaired import ClassRepaired, RepairGain
    from pruning.tasks.metric import Difference

TITLES: dict[str, str] = {
    "dense": "original",
    "as_cut": "as cut",
    "recalibrated": "recalibrated",
    "repaired": "repaired",
    "finetuned": "fine-tuned",
}
"""What the columns of the unpruned network and of each stage are called."""


def badge_of(stage: str) -> badges.Kind:
    """The badge of what was measured at a stage."""
    return badges.of_metric(stage == "finetuned")


def heads(found: RepairGain, stages: Sequence[str]) -> list[str]:
    """Of the columns, as HTML with the badge of all that stands below; `stages`: those that have a column."""
    return [
        "class",
        "images",
        *(f"{TITLES[name]}&nbsp;{badges.badge(badge_of(name))}" for name in (*stages, "dense")),
        f"won back, points&nbsp;{badges.badge('measured')}",
        f"against the original, points&nbsp;{badges.badge(badge_of(found.last))}",
    ]


def cells(one: ClassRepaired, stages: Sequence[str], between: str = " ") -> list[str]:
    """A row's cells as HTML; changes beyond chance are in bold. `between`: stands before an interval."""
    return [
        escape(one.name),
        f"{one.images:,}",
        *(percent(one.accuracy(name)) for name in (*stages, "dense")),
        _change(one.gained, one.gain_stands, between),
        _change(one.left, one.loss_stands, between),
    ]


def html(found: RepairGain) -> str:
    """A line a class, in the order given."""
    rows = []
    for one in found.classes:
        first, *others = cells(one, found.stages)
        rows.append(f"<tr><th scope='row'>{first}</th>{''.join(f'<td>{cell}</td>' for cell in others)}</tr>")
    return class_table.table(heads(found, found.stages), "".join(rows), "What repair gave, by class")


def _change(change: Difference, stands: bool, between: str) -> str:
    from pruning.tasks.classification import ACCURACY

    value = ACCURACY.signed(change.value)
    told = f'<b title="beyond chance">{value}</b>' if stands else value
    return f"{told}{between}<small>({ACCURACY.signed_span(change.interval)})</small>"
