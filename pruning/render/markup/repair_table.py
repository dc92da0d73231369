"""Every class from the cut to the repaired network, as an HTML table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import percent
from pruning.render.markup import badges, class_table

if TYPE_CHECKING:
    from pruning.compare.repaired import ClassRepaired, RepairGain
    from pruning.tasks.metric import Difference

TITLES: dict[str, str] = {
    "dense": "unpruned",
    "as_cut": "as cut",
    "recalibrated": "recalibrated",
    "repaired": "repaired",
    "finetuned": "fine-tuned",
}
"""What the columns of the unpruned network and of each stage are called."""


def badge_of(stage: str) -> badges.Kind:
    """The badge of what was measured at a stage."""
    return badges.of_metric(stage == "finetuned")


def columns(found: RepairGain) -> tuple[str, ...]:
    """Stages and 'dense', in the order of the columns."""
    return (*found.stages, "dense")


def heads(found: RepairGain) -> list[str]:
    """Of the columns, as HTML with the badge of all that stands below."""
    return [
        "class",
        "images",
        *(f"{TITLES[name]}&nbsp;{badges.badge(badge_of(name))}" for name in columns(found)),
        f"won back by repair, points&nbsp;{badges.badge('measured')}",
        f"against unpruned, points&nbsp;{badges.badge(badge_of(found.last))}",
    ]


def cells(one: ClassRepaired, found: RepairGain) -> list[str]:
    """A row's cells as HTML; changes beyond chance are in bold."""
    return [
        escape(one.name),
        f"{one.images:,}",
        *(percent(one.accuracy(name)) for name in columns(found)),
        _change(one.gained, one.gain_stands),
        _change(one.left, one.loss_stands),
    ]


def html(found: RepairGain) -> str:
    """A line a class, in the order given."""
    rows = []
    for one in found.classes:
        first, *others = cells(one, found)
        rows.append(f"<tr><th scope='row'>{first}</th>{''.join(f'<td>{cell}</td>' for cell in others)}</tr>")
    return class_table.table(heads(found), "".join(rows), "What repair gave, by class")


def _change(change: Difference, stands: bool) -> str:
    from pruning.tasks.classification import ACCURACY

    value = ACCURACY.signed(change.value)
    told = f'<b title="beyond chance">{value}</b>' if stands else value
    return f"{told} <small>({ACCURACY.signed_span(change.interval)})</small>"
