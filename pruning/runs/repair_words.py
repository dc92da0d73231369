"""A repair without training in words: the same on pages, in reports and in the shell."""

from __future__ import annotations

from pruning.base.words import percent
from pruning.repair.kinds import METHODS
from pruning.runs.result import RepairNote


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


def _called(name: str) -> str:
    """A way that was not taken."""
    return "as cut" if name == "as_cut" else METHODS[name]  # type: ignore[index]
