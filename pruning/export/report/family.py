"""All finished runs of the same network and images, those that differ in nothing but their seed in one group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from pruning.criteria import find_criterion
from pruning.granularity import Granularity, find_granularity
from pruning.runs import Run
from pruning.runs.summary import Figures, Summary
from pruning.runs.words import REPAIRED
from pruning.tasks.metric import Metric
from pruning.tasks.table import find_metric

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
    return _reached(run.summary.dense, (1.0, 1.0, 1.0), None)


def family(run: Run, runs: Iterable[Summary]) -> tuple[Group, ...]:
    """The groups of the runs that began from the same weights and were tested on the same images as `run`.

    The group with `run` comes first, then the others from the best down. Empty where `run` has no test
    figures.
    """
    own = run.summary
    mine = _origin(own)
    by_name = {other.name: other for other in runs if other.is_done and _origin(other) == mine}
    by_name[own.name] = own
    grouped: dict[str, list[Summary]] = {}
    for other in by_name.values():
        grouped.setdefault(other.family, []).append(other)
    groups = [group for members in grouped.values() if (group := _group(members, own)).members]
    return tuple(sorted(groups, key=lambda group: (group.reported is None, -group.best, group.title)))


def first_groups(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The reported run's group, and whole groups after it, up to `MOST` further runs."""
    totals = accumulate(len(group.members) for group in groups[1:])
    return (*groups[:1], *(group for group, total in zip(groups[1:], totals, strict=True) if total <= MOST))


def title_of(run: Run | Summary) -> str:
    """What a finished run did, in a few words: '40 % of the channels removed (L2 norm), 186 steps of fine-tuning'."""
    it = run.summary if isinstance(run, Run) else run
    info, title = find_granularity(it.granularity), find_criterion(it.criterion).title
    low, high = (f"{100 * value:g}" for value in it.asked)
    share = f"{low} %" if low == high else f"{low} to {high} %, layer by layer,"
    parts = [f"{share} of the {info.title} {info.done} ({title})"]
    if it.continues:
        parts.append("going on from an earlier run")
    if it.schedule == "iterative":
        parts.append(f"in {it.iterations} rounds")
    if (repaired := REPAIRED[it.repair]) and not it.removes_nothing:
        parts.append(repaired)
    parts.append(f"{it.finetune_steps:,} steps of fine-tuning" if it.finetune_steps else "not fine-tuned")
    return ", ".join(parts)


def _group(members: list[Summary], run: Summary) -> Group:
    by_seed = {member.seed: member for member in sorted(members, key=lambda member: member.name)}
    if any(member.name == run.name for member in members):
        by_seed[run.seed] = run
    points = {
        by_seed[seed].name: _reached(by_seed[seed].pruned, by_seed[seed].speedup, seed) for seed in sorted(by_seed)
    }
    reached = {name: point for name, point in points.items() if point is not None}
    first = by_seed[min(by_seed)]
    return Group(
        title=title_of(first),
        granularity=first.granularity,
        tuned=first.tuned,
        members=tuple(reached.values()),
        reported=list(reached).index(run.name) if run.name in reached else None,
    )


def _reached(side: Figures | None, speed: tuple[float, float, float] | None, seed: int | None) -> Reached | None:
    if side is None or side.metric is None or side.value is None or side.low is None or side.high is None:
        return None
    return Reached(
        metric=find_metric(side.metric),
        value=side.value,
        interval=(side.low, side.high),
        params=side.params,
        nonzero=side.nonzero,
        macs=side.macs,
        speed=speed,
        seed=seed,
    )


def _origin(run: Summary) -> tuple[str, str, str, float] | None:
    """What makes runs comparable: the dense network they go back to, the images, and what was measured on them. None
    where that is not known."""
    dense = run.dense
    if dense is None or dense.metric is None or dense.value is None or run.images_digest is None or run.root is None:
        return None
    return run.root, run.images_digest, dense.metric, dense.value
