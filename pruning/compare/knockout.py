"""Remove one filter alone, and see which classes lose: what is it for, and does anything else do the same?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from pruning.base.errors import InputError
from pruning.compare.classes import ClassChange
from pruning.compare.features import kept_channels, layer_site
from pruning.graph.groups import ChannelGroup
from pruning.planning.plan import LayerPlan, Plan, keeping_units, nothing
from pruning.subject import Subject
from pruning.tasks.metric import Difference
from pruning.tasks.shares import paired_difference
from pruning.training.evaluate import Evaluation
from pruning.whatif import WhatIf

IMAGES = 1000
"""Select images that a knock-out is measured on: about a second."""
MEMORY = 128 * 2**20
"""Bytes of values of the whole network that are kept, so that a knock-out costs only what comes after its layer."""


@dataclass(frozen=True, kw_only=True)
class Knockout:
    """A network without one of its units."""

    layer: str
    channel: int
    """Original number."""
    tied: tuple[str, ...]
    """Layers whose channel of the same unit went with it."""
    before: Evaluation
    after: Evaluation
    difference: Difference
    classes: tuple[ClassChange, ...]
    """Those that lose most first; empty for a task without classes."""

    @property
    def felt(self) -> bool:
        """Whether the metric changed by more than chance explains."""
        low, high = self.difference.interval
        return not low <= 0 <= high


def find_unit(subject: Subject, layer: str, channel: int) -> tuple[ChannelGroup, int]:
    """The group and the unit that a channel of a layer, by its original number, belongs to.

    Raises:
        InputError: no such layer or channel, it was removed already, or it may not be removed.
    """
    tensor = layer_site(subject, layer).tensor
    channels = kept_channels(subject, layer)
    if channel not in channels:
        raise InputError(f"Channel {channel} of {layer} is not in this network: it was removed.")
    here = channels.index(channel)
    for group in (*subject.graph.groups, *subject.graph.locked):
        for slot in group.slots:
            if slot.role != "producer" or slot.tensor != tensor or slot.dim != 0:
                continue
            units = (slot.index == here).any(1).nonzero().reshape(-1).tolist()
            if units and group.locked is not None:
                raise InputError(f"Channel {channel} of {layer} cannot be removed: {group.locked}.")
            if units:
                return group, int(units[0])
    raise InputError(f"Channel {channel} of {layer} belongs to no group, so it cannot be removed alone.")


def removable(subject: Subject, layer: str, channels: Sequence[int]) -> bool:
    """Whether each of these channels, by their original numbers, may be removed: the last layer's may not."""
    try:
        for channel in channels:
            find_unit(subject, layer, channel)
    except InputError:
        return False
    return True


def without(group: ChannelGroup, unit: int) -> Plan:
    """The plan that removes one unit of a group and nothing else."""
    layers = tuple(
        LayerPlan(
            name=name,
            group=group.name,
            requested=1 / group.units,
            achieved=1 / group.units,
            kept=group.units - 1,
            total=group.units,
        )
        for name in group.producers
    )
    kept = {group.name: tuple(i for i in range(group.units) if i != unit)}
    return keeping_units(kept, layers)


def knockout_engine(subject: Subject) -> WhatIf:
    """What measures knock-outs of a network: in float32, so that its figures are those of plain evaluation."""
    return WhatIf(
        subject.model,
        subject.graph,
        subject.data,
        images=IMAGES,
        figures=("as_cut",),
        precision="fp32",
        budget_bytes=MEMORY,
    )


def knock_out(engine: WhatIf, subject: Subject, layer: str, channel: int) -> Knockout:
    """Remove one channel, by its original number, with all that is tied to it, and measure on select images.

    `engine`: of this very network, without recalibration. Nothing is trained or recalibrated: what is seen is what
    the other filters make up for by themselves.

    Raises:
        InputError: as `find_unit`.
    """
    group, unit = find_unit(subject, layer, channel)
    before = engine.measure(nothing()).as_cut
    after = engine.measure(without(group, unit), keep=False).as_cut
    assert before is not None and after is not None, "the engine measures as cut"
    labels = engine.data.labels("select")
    classes: tuple[ClassChange, ...] = ()
    if before.metric.counts and labels is not None:
        mine = labels[engine.data.subset("select", engine.images)]
        classes = class_changes(before.scores, after.scores, mine, engine.data.info.classes)
    return Knockout(
        layer=layer,
        channel=channel,
        tied=tuple(name for name in group.producers if name != layer),
        before=before,
        after=after,
        difference=after.minus(before),
        classes=classes,
    )


def class_changes(before: Tensor, after: Tensor, labels: Tensor, names: Sequence[str]) -> tuple[ClassChange, ...]:
    """Accuracy of each class before and after on the same images; those that lose most first.

    `before`, `after`: bool, one entry an image; `labels`: their true classes.
    """
    found = []
    for label in labels.unique().tolist():
        first, second = before[labels == label], after[labels == label]
        found.append(
            ClassChange(
                name=names[label],
                images=len(first),
                before=int(first.sum()),
                after=int(second.sum()),
                difference=paired_difference(first, second),
            )
        )
    return tuple(sorted(found, key=lambda change: change.difference.value))


def verdict(knockout: Knockout) -> str:
    """What the knock-out shows in a sentence, claiming no more than the intervals do."""
    shown = [change for change in knockout.classes if change.shows]
    lost = [change for change in shown if change.difference.value < 0]
    won = [change for change in reversed(shown) if change.difference.value > 0]
    metric, difference = knockout.before.metric, knockout.difference
    if lost or won:
        said = [f"{word} {_listed(some)}" for word, some in (("loses:", lost), ("gains:", won)) if some]
        rest = len(knockout.classes) - len(lost) - len(won)
        tail = ". The others cannot be told from before." if rest else "."
        return "; ".join(said).capitalize() + tail
    if knockout.felt:
        amount = f"{metric.size(difference.value)} {metric.unit_of_change}".rstrip()
        moved = f"{metric.title.capitalize()} {'falls' if difference.value < 0 else 'rises'} by {amount}"
        return f"{moved} in all; no single class can be told from before." if knockout.classes else f"{moved}."
    if difference.newly_wrong is None:
        ends = metric.signed_span(difference.interval)
        return f"Cannot be told from nothing: {metric.signed(difference.value)} {metric.unit_of_change} ({ends})."
    return (
        f"Cannot be told from nothing: {difference.newly_wrong} of {knockout.before.images:,} images {metric.lost}, "
        f"{difference.newly_right} {metric.won}."
    )


def importance_words(before: Mapping[int, Knockout], after: Mapping[int, Knockout], names: tuple[str, str]) -> str:
    """Did what was removed matter less than what stays, and is there still something to spare?

    `before`, `after`: original number → knock-out of that filter alone; `names`: of the two networks.
    """
    gone = [knockout for number, knockout in before.items() if number not in after]
    stays = [knockout for number, knockout in before.items() if number in after]
    missed = [sum(knockout.felt for knockout in some) for some in (gone, stays, after.values())]
    first = [
        f"{count} of the {len(some)} that {what}"
        for count, some, what in ((missed[1], stays, "stay"), (missed[0], gone, "were removed"))
        if some
    ]
    found = [f"in {names[0]} {' and '.join(first)}"] if first else []
    found += [f"in {names[1]} {missed[2]} of {len(after)}"] if after else []
    return f"Missed when left out alone: {'; '.join(found)}."


def _listed(changes: Sequence[ClassChange], most: int = 3) -> str:
    named = [f"{c.name} ({100 * c.difference.value:+.0f} points)".replace("-", "−") for c in changes]
    return ", ".join(named[:most]) + (f" and {len(named) - most} more" if len(named) > most else "")
