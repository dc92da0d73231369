"""What the board needs of a network to draw it and to count along: rows, scores, cost table, curves, times.

All numbers come from the engine; names of layers stay plain text, for the board puts them in as text.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.criteria import CRITERIA
from pruning.granularity import GRANULARITIES
from ui.kit import curves, lab, state
from ui.prune import clock
from ui.session import cuts

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.latency.steps import Steps
    from pruning.planning.ranking import Ranking
    from pruning.runs.result import Result
    from pruning.spec import PruneSpec
    from pruning.statistics.gather import Statistics
    from pruning.subject import Subject
    from pruning.tasks.metric import Metric
    from ui.session.cuts import Row

ALL_LOCKED = "No channels of this network can be removed: each row says why. Weights can: choose weights above."
BINS, DECADES = 72, 3.0
"""Of a layer's scores; smaller ones than so many powers of ten below the largest count in the first bin."""
LIMIT = 1.5
"""The limit line stands at so many times the dense error."""


@dataclass(frozen=True, kw_only=True)
class BoardData:
    """All that the board shows, its plan apart."""

    fixed: dict[str, Any]
    """What a network, granularity and criterion settle."""
    criteria: Sequence[Sequence[str]] = ()
    """Of the criteria: name, title, and why it cannot rank here, '' where it can."""
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    """Target → (share removed, the metric) where sensitivity was measured."""
    limit: dict[str, Any] | None = None
    """Where the limit line of the curves stands, and its words."""
    metric: str = "accuracy"
    """What the curves show, in words."""
    axis: dict[str, Any] = field(default_factory=dict)
    """The ends of the curves' axis, and the words at its lower end, middle and upper end."""
    steps: dict[str, Any] | None = None
    """`Steps.to_json()` where layers were timed on this machine."""
    drops: dict[str, list[int]] = field(default_factory=dict)
    """Layer → widths at which its time drops."""
    widths: dict[str, Any] = field(default_factory=dict)
    """Where no layers were timed: whether that is under way, and words for its button."""
    times: Sequence[dict[str, Any]] = ()
    """Times measured of whole cuts: key as `plan_key` gives it, and the words of the tile."""
    threads: str = "1 thread"

    def to_json(self) -> dict[str, Any]:
        """Lists, strings and numbers only."""
        return self.fixed | {
            "criteria": [list(entry) for entry in self.criteria],
            "kinds": [[info.name, info.title, info.explanation] for info in GRANULARITIES.values()],
            "curves": self.curves,
            "metric": self.metric,
            "axis": self.axis,
            "limit": self.limit,
            "steps": self.steps,
            "drops": self.drops,
            "widths": self.widths,
            "times": list(self.times),
            "threads": self.threads,
            "allLocked": ALL_LOCKED,
        }


def prepare(subject: Subject, cut: PruneSpec, result: Result | None) -> BoardData:
    """All that the board shows of a network.

    `result`: of a run of this very cut, if one is shown.

    Raises:
        InputError: weights are NaN or infinite.
    """
    found = clock.known(subject, cut, result)
    time = {"key": plan_key(subject), "big": found.big, "kind": found.badge, "small": found.small} if found else None
    widths = clock.widths(subject)
    steps, drops = timed(widths.steps)
    known = curves.known(subject, cut) if subject.missing is None else {}
    metric = subject.task.metric
    return BoardData(
        fixed=fixed(subject),
        criteria=criteria(subject),
        curves=known,
        limit=limit(known, metric),
        metric=metric.title,
        axis=axis(known, metric),
        steps=steps,
        drops=drops,
        widths=_widths_words(widths),
        times=[time] if time else [],
    )


def fixed(chosen: Subject) -> dict[str, Any]:
    """Rows, scores and costs of a network for the chosen granularity and criterion, cached for all sessions.

    Raises:
        InputError: weights are NaN or infinite.
    """
    spec = cuts.ranking()
    ranked = lab.statistics(chosen, spec)
    return _fixed(chosen.digest, lab.key(chosen, spec), chosen, spec, ranked)


def criteria(chosen: Subject) -> list[tuple[str, str, str]]:
    """Name and title of each criterion, and why it cannot rank what is chosen, or ''."""
    granularity = state.get(cuts.GRANULARITY)
    return [
        (name, entry.title + (" (control)" if entry.control else ""), cuts.unfit(chosen, granularity, entry) or "")
        for name, entry in CRITERIA.items()
    ]


def plan_key(subject: Subject) -> str:
    """Names where the rows stand, as the board names it."""
    numbers = cuts.rows(subject).numbers
    return json.dumps([numbers.get(row.name, 0) for row in cuts.free_rows(subject)], separators=(",", ":"))


def limit(known: dict[str, list[list[float]]], metric: Metric) -> dict[str, Any] | None:
    """The limit line of the curves: 1.5 times the dense network's error. Each curve begins at dense; None for a metric
    that no error can be told from."""
    if not known:
        return None
    dense, (least, most) = next(iter(known.values()))[0][1], metric.bounds
    best = most if metric.higher_is_better else least
    if not math.isfinite(best):
        return None
    value = best - LIMIT * (best - dense)
    return {"value": min(max(least, value), most), "words": f"limit: {LIMIT:g} × dense error"}


def axis(known: dict[str, list[list[float]]], metric: Metric) -> dict[str, Any]:
    """The axis of the curves: from the least that can be, where there is a least, to the most that was measured."""
    values = [value for points in known.values() for _, value in points]
    low = metric.bounds[0] if math.isfinite(metric.bounds[0]) else min(values, default=0.0)
    high = max(max(values, default=low), low + 5 / metric.scale)
    return {"low": low, "high": high, "marks": [_mark(metric, low + share * (high - low)) for share in (0, 0.5, 1)]}


def _mark(metric: Metric, value: float) -> str:
    """A value at the axis, as briefly as it can be said: '50 %'."""
    shown = metric.scale * value
    return f"{shown:.0f} {metric.unit}".rstrip() if metric.scale >= 100 else f"{shown:.3g} {metric.unit}".rstrip()


def _widths_words(widths: clock.Widths) -> dict[str, Any]:
    """What stands where times of layers would be."""
    if widths.is_running:
        return {"running": True, "button": "Measuring", "words": "All layers, in a process of its own."}
    last = widths.measuring
    words = "Times every layer at many widths: 10 s to a minute."
    if last is not None and last.state == "failed":
        words = last.text
    return {"running": False, "button": "Measure widths", "words": words}


def timed(steps: Steps | None) -> tuple[dict[str, Any] | None, dict[str, list[int]]]:
    """Measured times of layers as the board takes them, and the widths at which they drop."""
    from pruning.latency.steps import drops

    if steps is None:
        return None, {}
    return steps.to_json(), {call.layer: drops(steps, call.layer) for call in steps.calls}


@st.cache_resource(show_spinner=False, max_entries=16)
def _fixed(digest: str, key: str, _subject: Subject, _spec: PruneSpec, _ranked: Statistics | None) -> dict[str, Any]:
    from pruning.cost.table import cost_table
    from pruning.planning.ranking import Ranking

    table = cost_table(_subject.graph)
    counts = table.count({})
    parameters = dict(_subject.model.named_parameters())
    ranking = Ranking(_subject.model, _subject.graph, _spec, _ranked)
    build = _channel_rows if _spec.info.shrinks else _weight_rows
    found = {
        "granularity": _spec.granularity,
        "criterion": _spec.criterion,
        "rows": build(_subject, cuts.all_rows(_subject, _spec.granularity), ranking),
        "table": table.to_json(),
        "dense": {
            "params": counts.params,
            "macs": counts.macs,
            "nonzero": sum(int(parameter.detach().count_nonzero()) for parameter in parameters.values()),
        },
    }
    return found | {"shape": hashlib.sha256(json.dumps([digest, key]).encode()).hexdigest()[:16]}


def _row(row: Row, words: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "label": row.label,
        "words": words,
        "total": row.target.units,
        "layers": list(row.target.layers),
        "readers": [],
        "reading": [],
        "locked": row.target.locked,
    }


def _channel_rows(subject: Subject, rows: list[Row], ranking: Ranking) -> list[dict[str, Any]]:
    rows_of: dict[str, list[str]] = {}
    for row in rows:
        for layer in row.target.layers:
            rows_of.setdefault(layer, []).append(row.name)
    found = []
    for row in rows:
        said, target = _row(row, coupled(row)), row.target
        if target.locked is None:
            scores = ranking.scores(target).sort().values
            said["scores"] = [float(f"{score:.4g}") for score in scores.tolist()]
            said["readers"] = [layer for layer in target.touched if layer not in target.layers]
            reading = dict.fromkeys(name for layer in said["readers"] for name in rows_of.get(layer, []))
            said["reading"] = [name for name in reading if name != row.name]
        found.append(said)
    return found


def _weight_rows(subject: Subject, rows: list[Row], ranking: Ranking) -> list[dict[str, Any]]:
    from pruning.render.preview import target_macs

    tensors = dict(subject.model.named_parameters())
    macs = target_macs(subject.graph, "weight", subject.graph.shapes)
    found = []
    for row in rows:
        key = row.target.key
        said = _row(row, "Single weights of this layer become zero; its shape stays.") | {"macs": macs[key]}
        weight = tensors[key].detach().reshape(-1)
        scores = ranking.scores(row.target)
        said |= _histogram(scores)
        if bool((weight == 0).any()):
            said["zerosLost"] = _zeros_lost(weight, scores)
        found.append(said)
    return found


def _histogram(scores: Tensor) -> dict[str, Any]:
    """Scores in the order in which they go, on a log axis: its ends, counts, and how many zeros lie before it all."""
    from pruning.statistics.distributions import magnitude_histogram

    found = magnitude_histogram(scores, BINS, _decades(scores))
    low, high = math.log10(found.edges[0]), math.log10(found.edges[-1])
    counts = list(found.counts)
    if float(scores.min()) >= 0:
        return {"axis": [low, high], "bins": counts, "zeros": found.left_out}
    counts[0] += found.left_out  # the largest go first, zeros last
    return {"axis": [-high, -low], "bins": counts[::-1], "zeros": 0}


def _decades(scores: Tensor) -> float:
    """Powers of ten that an axis of scores spans: `DECADES`, and more where one score in a hundred would lie below, as
    with squares of gradients."""
    sizes = scores.abs()
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return DECADES
    least = float(sizes.kthvalue(1 + len(sizes) // 100).values)
    return max(DECADES, float(math.ceil(math.log10(float(sizes.max()) / least))))


def _zeros_lost(weight: Tensor, scores: Tensor) -> list[int]:
    """For each per mille removed: how many of those weights were zero before."""
    from pruning.planning.allocation import kept_units

    zeros = (weight[scores.argsort(stable=True)] == 0).cumsum(0).tolist()
    lost = [len(zeros) - kept_units(len(zeros), number / 1000) for number in range(1000)]
    return [zeros[count - 1] if count else 0 for count in lost]


def coupled(row: Row) -> str:
    """Which layers lose the same channels, in a sentence or two."""
    first, *others = row.target.layers
    own = f"The channels of {first} that no earlier layer shares. " if row.is_part else ""
    if not others:
        return f"{own}Only {first} loses {'them' if own else 'these'}; what reads them shrinks with it."
    return f"{own}{len(row.target.layers)} layers add into the same channels, so they lose the same ones."
