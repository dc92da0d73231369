"""What a repair without training gave, in sentences: no change is told that chance alone might bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pruning.base.words import percent
from pruning.compare.repaired import DENSE, ClassRepaired, RepairGain, drawn_range
from pruning.runs.result import Result
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Difference, Metric

OLDER = (
    "This run was made before runs kept their answers to the select images after each step, so there is no view by "
    "class. Run its recipe again for one."
)
NO_CLASSES = "These images are not sorted into classes, so what repair gave is told of all of them together."
MOST_NAMED = 3
"""Classes that a sentence names."""
SYMBOLS = {True: "◆", False: "●"}
"""Badge of what was measured after fine-tuning, or without it."""


def not_repaired(result: Result) -> str:
    """Why there is nothing to show of a run that did not repair."""
    asked = result.recipe.repair
    if asked == "none":
        return "This run left the network as it was cut: its recipe says not to repair it."
    if asked == "recalibrate":
        return (
            "This run measured the statistics of batch normalisation anew, and fitted no weights. A run that repairs "
            "shows here what each class won back by it."
        )
    return "This run removed nothing, so there was nothing to repair."


def headline(found: RepairGain) -> str:
    """What repair gave on all select images, and what came before and after it."""
    metric, values = found.metric, found.values
    before, after = (f"{metric.words(values[stage].value)} ●" for stage in ("as_cut", "repaired"))
    images, change = (
        f"{found.images:,} select images",
        f"{_amount(metric, found.gained)} ({_span(metric, found.gained)})",
    )
    said = "" if found.rounds == 1 else f"In the last of {found.rounds:,} rounds: "
    if _shows(found.gained):
        said += (
            f"{metric.title} on {images} went from {before} as cut to {after} repaired: {change}, without training or "
            "labels."
        )
    else:
        said += (
            f"repair made no difference that {images} can show: {metric.title} {before} as cut, {after} repaired, "
            f"{change}."
        )
    if found.trained is not None:
        against = f"{_amount(metric, found.trained)} ({_span(metric, found.trained)}) against repaired"
        said += f" Fine-tuned afterwards: {metric.words(values['finetuned'].value)} ◆, {against}."
    if metric.judges:  # the original network always agrees with itself
        said += f" The original network: {metric.words(values[DENSE].value)} ●."
    return f"{said[:1].upper()}{said[1:]}"


def who_gained(found: RepairGain) -> str:
    """How many classes won by the repair and which most, and which lost by it; '' without classes."""
    if not found.classes:
        return ""
    gained = sorted(
        (one for one in found.classes if one.gain_stands and one.gained.value > 0), key=lambda one: -one.gained.value
    )
    lost = [one for one in found.classes if one.gain_stands and one.gained.value < 0]
    rest = len(found.classes) - len(gained) - len(lost)
    if not gained and not lost:
        return "No class's change by the repair can be told from chance."
    parts = []
    if gained:
        most = _named(gained, lambda one: one.gained, 1)
        verb = f"{_counted(len(gained), len(found.classes))} gained by the repair"
        parts.append(f"{verb}, {most}." if len(gained) == 1 else f"{verb}, most of all {most}.")
    if lost:
        lost.sort(key=lambda one: one.gained.value)
        parts.append(f"Lost by it: {_named(lost, lambda one: one.gained)}{_by_default(lost[0], found.images)}.")
    if rest:
        parts.append(f"For {'one class' if rest == 1 else f'{rest:,} classes'} no change can be told from chance.")
    return " ".join(parts)


def who_still_loses(found: RepairGain) -> str:
    """The classes that still lose most against the original network, in one sentence; '' without classes."""
    if not found.classes:
        return ""
    when = "after fine-tuning" if found.tuned else "once repaired"
    losing = [one for one in found.classes if one.loss_stands and one.left.value < 0]
    badge = SYMBOLS[found.tuned]
    if not losing:
        return (
            f"No single class's loss against the original network can be told from chance {when}; over all classes the "
            f"change is {_amount(found.metric, found.left)} ({_span(found.metric, found.left)}) {badge}."
        )
    named = _named(losing, lambda one: one.left)
    if len(losing) == 1:
        return f"Against the original network one class still loses {when}: {named} {badge}."
    return (
        f"Against the original network {_counted(len(losing), len(found.classes))} still lose {when}, most of all "
        f"{named} {badge}."
    )


def how_to_read(found: RepairGain) -> str:
    """What is coloured in a figure or table of the classes, and why."""
    return (
        f"Thin bars and brackets: 95 % intervals, of each class alone. Coloured, and bold in the table: beyond chance "
        f"although all {len(found.classes):,} classes were looked at, for chance alone would mark any of them in fewer "
        "than 5 % of such comparisons (exact test of the changed answers)."
    )


def drawn(found: RepairGain, most: int) -> str:
    """Behind the caption of a figure that has room for `most` classes: that not all of them are drawn, and that its
    axis is not whole; or ''."""
    count = len(found.classes)
    said = "" if count <= most else f" The {most} classes that still lose most are drawn; the table has all."
    low, high = drawn_range(found.classes[:most])
    if (low, high) != (0.0, 1.0):
        said += f" The axis goes from {100 * low:.0f} to {100 * high:.0f} % only."
    return said


def _counted(some: int, of: int) -> str:
    if some == of and of > 1:
        return f"all {of:,} classes"
    return f"{some:,} of {of:,} classes"


def _named(
    found: Sequence[ClassRepaired], change: Callable[[ClassRepaired], Difference], most: int = MOST_NAMED
) -> str:
    """The first of some classes with their changes."""
    said = [f"'{one.name}' ({_amount(ACCURACY, change(one))}, {_span(ACCURACY, change(one))})" for one in found[:most]]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _by_default(lost: ClassRepaired, images: int) -> str:
    """Where the network as cut had a class right mostly since it answered it for so many others as well."""
    if lost.answered < 2 * lost.images:
        return ""
    return f", which the network as cut answered for {percent(lost.answered / images, 0)} of all images"


def _amount(metric: Metric, change: Difference) -> str:
    return f"{metric.signed(change.value)} {metric.unit_of_change}".rstrip()


def _span(metric: Metric, change: Difference) -> str:
    return metric.signed_span(change.interval)


def _shows(change: Difference) -> bool:
    low, high = change.interval
    return not low <= 0 <= high
