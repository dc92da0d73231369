"""All finished runs of the same network and images, those that differ in nothing but their seed in one group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from pruning.base.errors import StorageError
from pruning.criteria import find_criterion
from pruning.granularity import Granularity
from pruning.runs import Run
from pruning.runs.result import Result, Side
from pruning.tasks.metric import Metric

MOST = 100
"""Runs of other recipes in one report, so that it stays small enough for a mail."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One network in the trade-off."""

    metric: Metric
    value: float
    """The metric on test images."""
    interval: tuple[float, float]
    params: int
    nonzero: int
    macs: int
    """Of one image."""
    speed: tuple[float, float, float] | None
    """Dense time over this one's time, one image at once: interval and estimate. Ones for dense; None: not timed."""
    seed: int | None = None
    """None for dense."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs of one recipe with several seeds, or a single run; of runs with the same seed only one."""

    title: str
    granularity: Granularity
    tuned: bool
    members: tuple[Reached, ...]
    """In order of their seeds."""
    reported: int | None
    """Index of the run that the report is about; None where it is of another group."""

    @property
    def best(self) -> float:
        """The best value of the members, the higher the better."""
        return max(member.metric.gain(member.value) for member in self.members)

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest value of the members."""
        values = [member.value for member in self.members]
        return min(values), max(values)


def dense_point(run: Run) -> Reached | None:
    """The network that a finished run started from, as it was measured in that run; None without test figures."""
    return _reached(_result(run).dense, (1.0, 1.0, 1.0), None)


def family(run: Run, runs: Iterable[Run]) -> tuple[Group, ...]:
    """The groups of the runs that began from the same weights and were tested on the same images as `run`.

    The group with `run` comes first, then the others from the best down. Empty where `run` has no test
    figures.
    """
    mine = _origin(run)
    by_name = {other.name: other for other in runs if other.result is not None and _origin(other) == mine}
    by_name[run.name] = run
    grouped: dict[str, list[Run]] = {}
    for other in by_name.values():
        grouped.setdefault(other.recipe.replace(seed=0).to_yaml(), []).append(other)
    groups = [group for members in grouped.values() if (group := _group(members, run)).members]
    return tuple(sorted(groups, key=lambda group: (group.reported is None, -group.best, group.title)))


def first_groups(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The reported run's group, and whole groups after it, up to `MOST` further runs."""
    totals = accumulate(len(group.members) for group in groups[1:])
    return (*groups[:1], *(group for group, total in zip(groups[1:], totals, strict=True) if total <= MOST))


def title_of(run: Run) -> str:
    """What a finished run did, in a few words: '40 % of the channels removed (L2 norm), 186 steps of fine-tuning'."""
    recipe = run.recipe
    info, title = recipe.prune.info, find_criterion(recipe.prune.criterion).title
    low, high = (f"{100 * value:g}" for value in run.asked)
    share = f"{low} %" if low == high else f"{low} to {high} %, layer by layer,"
    parts = [f"{share} of the {info.title} {info.done} ({title})"]
    if recipe.continues:
        parts.append("going on from an earlier run")
    if recipe.schedule == "iterative":
        parts.append(f"in {recipe.iterations} rounds")
    parts.append(f"{recipe.finetune_steps:,} steps of fine-tuning" if recipe.finetune_steps else "not fine-tuned")
    return ", ".join(parts)


def _group(members: list[Run], run: Run) -> Group:
    by_seed = {member.recipe.prune.seed: member for member in sorted(members, key=lambda member: member.name)}
    if any(member.name == run.name for member in members):
        by_seed[run.recipe.prune.seed] = run
    points = {by_seed[seed].name: _pruned_point(by_seed[seed]) for seed in sorted(by_seed)}
    reached = {name: point for name, point in points.items() if point is not None}
    first = by_seed[min(by_seed)]
    return Group(
        title=title_of(first),
        granularity=first.recipe.prune.granularity,
        tuned=_result(first).tuned,
        members=tuple(reached.values()),
        reported=list(reached).index(run.name) if run.name in reached else None,
    )


def _pruned_point(run: Run) -> Reached | None:
    result = _result(run)
    speedup = result.speedup()
    return _reached(result.pruned, None if speedup is None else speedup.span, run.recipe.prune.seed)


def _reached(side: Side, speed: tuple[float, float, float] | None, seed: int | None) -> Reached | None:
    if side.test is None:
        return None
    return Reached(
        metric=side.test.kind,
        value=side.test.value,
        interval=side.test.interval,
        params=side.params,
        nonzero=side.nonzero,
        macs=side.macs,
        speed=speed,
        seed=seed,
    )


def _origin(run: Run) -> tuple[str, str, str, float] | None:
    """What makes runs comparable: the dense network they go back to, the images, and what was measured on them. None
    where that is not known."""
    result = _result(run)
    if result.data is None or result.dense.test is None:
        return None
    try:
        return run.dense_ref(), result.data.sha256, result.dense.test.metric, result.dense.test.value
    except StorageError:
        return None


def _result(run: Run) -> Result:
    assert run.result is not None, f"{run.name} is not finished"
    return run.result
