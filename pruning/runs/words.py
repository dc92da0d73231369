"""A run in a few words, as lists and boxes show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pruning.criteria import find_criterion
from pruning.runs.run import Run


def describe(run: Run) -> str:
    """What was done: 'channels by L2 norm, 50 %, fine-tuned'."""
    recipe = run.recipe
    if recipe.only_fine_tunes:
        return "fine-tuned longer"
    tuned = ", fine-tuned" if recipe.finetune_steps else ""
    rounds = f" in {recipe.iterations} rounds" if recipe.schedule == "iterative" else ""
    return f"{recipe.prune.info.title} {by_criterion(run)}, {sparsity(run)}{rounds}{tuned}"


def by_criterion(run: Run) -> str:
    """What chose what goes: 'by L2 norm'."""
    return f"by {find_criterion(run.recipe.prune.criterion).title}"


def sparsity(run: Run) -> str:
    """What was asked for: '50 %', or its span over the layers."""
    low, high = (f"{100 * value:.0f}" for value in run.asked)
    return f"{low} %" if low == high else f"{low}–{high} % by layer"


def data_by_network(runs: Iterable[Run]) -> dict[str, set[str]]:
    """Network → the data sets that its runs used."""
    found: dict[str, set[str]] = {}
    for run in runs:
        found.setdefault(run.network, set()).add(run.images)
    return found


def told_apart(run: Run, data: Mapping[str, set[str]]) -> str:
    """A finished run among others: what it removed, when, and of which network and with which data where there are
    several. `data`: `data_by_network` of them all."""
    network = run.network
    of = f" · {network}" if len(data) > 1 else ""
    of += f" · {run.images}" if len(data[network]) > 1 else ""
    tuned = run.result is not None and run.result.tuned
    words = f"{'◆' if tuned else '●'} {describe(run).removesuffix(', fine-tuned')}"
    return f"{words}{of} · {run.created:%d %b %H:%M}"
