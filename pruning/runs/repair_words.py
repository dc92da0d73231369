"""A repair without training in words: the same on pages, in reports and in the shell."""

from __future__ import annotations

from pruning.base.words import percent
from pruning.repair.kinds import METHODS, Candidate, Repair
from pruning.runs.result import RepairNote, Stages

IN_SHORT: dict[Candidate, str] = {
    "as_cut": "Nothing that was tried made the network answer more as it did before the cut, so it was left as it was.",
    "recalibrated": "Only running averages inside the network were measured anew, on {images:,} train images without "
    "their labels; no weight was changed.",
    "bias": "Each layer got back the mean output that it had before the cut, measured on {images:,} train images "
    "without their labels; nothing was trained.",
    "refitted": "The weights that are left were fitted so that each layer gives again what it gave before the cut, on "
    "{images:,} train images without their labels; nothing was trained.",
    "refitted_recalibrated": "The weights that are left were fitted so that each layer gives again what it gave before "
    "the cut, on {images:,} train images without their labels, and running averages were measured anew; nothing was "
    "trained.",
}
"""Each way in a sentence for those who know no pruning."""
ASKED: dict[Repair, str] = {
    "none": "none: the network stays as it was cut",
    "recalibrate": "recalibrate: statistics of batch normalisation are measured anew after each cut",
    "bias": "bias: after each cut the best of nothing, recalibration, and bias correction",
    "refit": "refit: after each cut the best of several ways without training, a refit of the weights among them",
}
"""What a recipe's word means."""


def in_short(found: RepairNote) -> str:
    """How a network was repaired, in a sentence for those who know no pruning."""
    return IN_SHORT[found.method].format(images=found.images)


def repair_words(found: RepairNote) -> str:
    """How a network was repaired without training, by which images, and what was left out, in whole sentences."""
    others = ", ".join(
        f"{_called(name)} {percent(share)}" for name, share in found.agreement.items() if name != found.method
    )
    text = (
        f"No repair without training helped, tried with {found.images:,} train images"
        if found.method == "as_cut"
        else f"Repaired without training or labels: {found.words}, from {found.images:,} train images"
    )
    share = percent(found.agreement[found.method])
    text += f". On {found.judged:,} others it gave the answer of the network before the cut in {share}"
    text += f" ({others})." if others else "."
    if found.without is not None:
        text += f" No layer was fitted: {found.without}."
    elif found.left:
        reasons = "; ".join(f"{name}: {why}" for name, why in found.left.items())
        text += f" Left as they were: {reasons}."
    return text


def no_gain_words(stages: Stages) -> str:
    """That fine-tuning did not get beyond the repair, and what to do about it; '' where it did, or was not done."""
    before, after = stages.repaired, stages.finetuned
    if before is None or after is None or after.kind.gain(after.value - before.value) > 0:
        return ""
    return (
        "Fine-tuning did not get beyond the repair: try a smaller learning rate or more epochs, or leave it out "
        "(0 epochs)."
    )


def _called(name: str) -> str:
    """A way that was not taken."""
    return "as cut" if name == "as_cut" else METHODS[name]  # type: ignore[index]
