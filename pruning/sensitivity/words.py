"""What joint cuts lose, and what a search for a tighter limit came to, in sentences for pages, shell and notebook."""

from __future__ import annotations

from pruning.base.words import percent
from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.figures import FIGURES, Figure
from pruning.sensitivity.ladder import saving_of
from pruning.sensitivity.limits import Limits
from pruning.sensitivity.tighten import Tightened, is_within


def lost_words(found: Figure) -> tuple[str, str]:
    """Whether a figure 'loses' or 'gains' against the dense network, and how much, with its interval: '2.0 (1.2 to
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


def limits_words(scan: Sensitivity, limits: Limits) -> str:
    """How far all targets are cut: 'a limit of 0.5 points for each group', or '40 % of what a limit of 1 point lets go
    of each group'."""
    what, asked = target_word(scan), scan.metric.asked(limits.lose)
    if limits.share < 1:
        return f"{percent(limits.share, 0)} of what a limit of {asked} lets go of each {what}"
    return f"a limit of {asked} for each {what}"


def target_word(scan: Sensitivity) -> str:
    """What a curve is of."""
    return "group" if scan.spec.info.shrinks else "weight tensor"


def tightened_words(scan: Sensitivity, search: Tightened) -> str:
    """What a search that is over came to."""
    goal = scan.metric.asked(search.lose)
    if not search.tried:
        return f"Nothing may go within a limit of {goal}: every step that was measured loses more."
    if search.found is None:
        least = min(search.tried, key=lambda trial: saving_of(scan, dict(trial.joint.kept)))
        return (
            f"Nothing can go. Even with the least that was tried, {_by_curves(scan, least.limits)}, "
            f"{joint_words(least.joint)}: more than {goal} on these {scan.images:,} select images. Allow more, or cut "
            "fewer of them."
        )
    return verdict_words(scan, search.found.joint, search.found.limits, search.lose)


def verdict_words(scan: Sensitivity, joint: Joint, limits: Limits, lose: float) -> str:
    """Whether a joint cut of all targets by these limits loses at most `lose` on the images of its scan."""
    asked = scan.metric.asked
    said = f"With {_by_curves(scan, limits)}, {joint_words(joint)}"
    if not is_within(joint, lose):
        return f"{said}: more than {asked(lose)} on these {scan.images:,} select images."
    beyond = joint.figure(joint.furthest).losses[2] > lose
    within = f"{said}: at most {asked(lose)} on these {scan.images:,} select images"
    return f"{within}, though the interval reaches further." if beyond else f"{within}."


def _by_curves(scan: Sensitivity, limits: Limits) -> str:
    """The limits, and which curves they are held against where there are others."""
    name = FIGURES[limits.figure]
    curves = f"curve {name}" if limits.figure == "as_cut" else f"{name} curve"
    return f"{limits_words(scan, limits)}{f', by its {curves}' if len(scan.figures) > 1 else ''}"
