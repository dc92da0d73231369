"""What joint cuts lose, and what a search for a tighter limit came to, in sentences for pages, shell and notebook."""

from __future__ import annotations

from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.figures import FIGURES, Figure
from pruning.sensitivity.tighten import Tightened, is_within


def lost_words(found: Figure) -> tuple[str, str]:
    """Whether a figure 'loses' or 'gains' against the uncut network, and how much, with its interval: '2.0 (1.2 to
    2.8)'."""
    metric = found.metric
    lost, *ends = found.losses
    span = " to ".join(f"{metric.signed(end).removeprefix('+')}" for end in ends)
    return "loses" if lost >= 0 else "gains", f"{metric.size(lost)} ({span})"


def joint_words(joint: Joint) -> str:
    """What all groups lose together, by the furthest figure that is known: 'together they lose 36.6 points (35.0 to
    38.2), recalibrated ●'."""
    found = joint.figure(joint.furthest)
    verb, amount = lost_words(found)
    size, span = amount.split(" ", 1)
    unit = found.metric.unit_of_change
    return f"together they {verb.removesuffix('s')} {f'{size} {unit}'.rstrip()} {span}, {FIGURES[joint.furthest]} ●"


def tightened_words(scan: Sensitivity, search: Tightened) -> str:
    """What a search that is over came to."""
    metric, images = scan.metric, f"these {scan.images:,} select images"
    goal = metric.asked(search.lose)
    what = "group" if scan.spec.info.shrinks else "weight tensor"
    if not search.tried:
        return f"Nothing may go within a limit of {goal}: every step that was measured loses more."
    if search.found is None:
        last = min(search.tried, key=lambda trial: trial.limit)
        return (
            f"Even with the tightest limit, {metric.asked(last.limit)} for each {what}, {joint_words(last.joint)}: "
            f"more than {goal} on {images}. Allow more, or cut fewer of them."
        )
    return verdict_words(scan, search.found.joint, search.found.limit, search.lose)


def verdict_words(scan: Sensitivity, joint: Joint, limit: float, lose: float) -> str:
    """Whether a joint cut, of which each target may lose `limit`, loses at most `lose` on the images of its scan."""
    asked, what = scan.metric.asked, "group" if scan.spec.info.shrinks else "weight tensor"
    said = f"With a limit of {asked(limit)} for each {what}, {joint_words(joint)}"
    if not is_within(joint, lose):
        return f"{said}: more than {asked(lose)} on these {scan.images:,} select images."
    beyond = joint.figure(joint.furthest).losses[2] > lose
    within = f"{said}: at most {asked(lose)} on these {scan.images:,} select images"
    return f"{within}, though the interval reaches further." if beyond else f"{within}."
