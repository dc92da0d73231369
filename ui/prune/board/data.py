"""What the board needs of a network to draw it and to count along: rows, scores, cost table, curves, times.

All numbers come from the engine; names of layers stay plain text, for the board puts them in as text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.kit import curves, state
from ui.prune import clock
from ui.session import cuts

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.latency.steps import Steps
    from pruning.opening.models import OpenModel
    from pruning.runs.result import Result
    from ui.kit.lab import Cut
    from ui.session.chosen import Chosen
    from ui.session.cuts import Target

ALL_LOCKED = "No channels of this network can be removed: each row says why. Weights can: choose weights above."
BINS, DECADES = 72, 3.0
"""Of a layer's magnitudes; smaller ones than so many powers of ten below the largest count in the first bin."""
LIMIT = 1.5
"""The limit line stands at so many times the dense error."""


@dataclass(frozen=True, kw_only=True)
class BoardData:
    """All that the board shows, its plan apart."""

    fixed: dict[str, Any]
    """What a network, granularity and criterion settle."""
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    """Target → (share removed, accuracy) where sensitivity was measured."""
    limit: dict[str, Any] | None = None
    """Where the limit line of the curves stands, and its words."""
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
        top = max((accuracy for points in self.curves.values() for _, accuracy in points), default=1.0)
        return self.fixed | {
            "curves": self.curves,
            "curveTop": max(top, 0.05),
            "limit": self.limit,
            "steps": self.steps,
            "drops": self.drops,
            "widths": self.widths,
            "times": list(self.times),
            "threads": self.threads,
            "allLocked": ALL_LOCKED,
        }


def prepare(chosen: Chosen, cut: Cut, result: Result | None) -> BoardData:
    """All that the board shows of a network. Raises InputError where weights are NaN or infinite.

    `result`: of a run of this very cut, if one is shown.
    """
    opened = chosen.opened
    found = clock.known(opened, cut, result)
    time = {"key": plan_key(opened), "big": found.big, "kind": found.badge, "small": found.small} if found else None
    widths = clock.widths(opened)
    steps, drops = timed(widths.steps)
    known = {}
    if chosen.has_images:
        known = curves.known(opened, chosen.data(), cut.granularity, cut.criterion, cut.seed)
    return BoardData(
        fixed=fixed(opened),
        curves=known,
        limit=limit(known),
        steps=steps,
        drops=drops,
        widths=_widths_words(widths),
        times=[time] if time else [],
    )


def fixed(opened: OpenModel) -> dict[str, Any]:
    """Rows, scores and costs of a network for the chosen granularity and criterion, cached for all sessions.

    Raises:
        InputError: weights are NaN or infinite.
    """
    criterion = state.get(cuts.CRITERION)
    seed = state.get(cuts.SEED) if criterion == "random" else 0
    return _fixed(opened.digest, state.get(cuts.GRANULARITY), criterion, seed, opened)


def plan_key(opened: OpenModel) -> str:
    """Names where the rows stand, as the board names it."""
    numbers = cuts.rows(opened).numbers
    return json.dumps([numbers.get(target.name, 0) for target in cuts.free_targets(opened)], separators=(",", ":"))


def limit(known: dict[str, list[list[float]]]) -> dict[str, Any] | None:
    """The limit line of the curves: 1.5 times the dense network's error. Each curve begins at dense."""
    if not known:
        return None
    dense = next(iter(known.values()))[0][1]
    return {"accuracy": max(0.0, 1 - LIMIT * (1 - dense)), "words": f"limit: {LIMIT:g} × dense error"}


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
def _fixed(digest: str, granularity: str, criterion: str, seed: int, _opened: OpenModel) -> dict[str, Any]:
    from pruning.cost.table import cost_table
    from pruning.criteria import CRITERIA

    table = cost_table(_opened.graph)
    counts = table.count({})
    parameters = dict(_opened.model.named_parameters())
    targets = cuts.targets(_opened, granularity)
    rows = _weight_rows(_opened, targets, criterion, seed) if granularity == "weight" else _channel_rows(
        _opened, targets, criterion, seed
    )  # fmt: skip
    found = {
        "granularity": granularity,
        "criterion": criterion,
        "criteria": [[name, entry.title + (" (control)" if entry.control else "")] for name, entry in CRITERIA.items()],
        "rows": rows,
        "table": table.to_json(),
        "dense": {
            "params": counts.params,
            "macs": counts.macs,
            "nonzero": sum(int(parameter.detach().count_nonzero()) for parameter in parameters.values()),
        },
    }
    shape = hashlib.sha256(json.dumps([digest, granularity, criterion, seed]).encode()).hexdigest()[:16]
    return found | {"shape": shape}


def _row(target: Target, words: str) -> dict[str, Any]:
    return {
        "name": target.name,
        "label": target.label,
        "words": words,
        "total": target.total,
        "layers": list(target.layers),
        "readers": [],
        "reading": [],
        "locked": target.locked,
    }


def _channel_rows(opened: OpenModel, targets: list[Target], criterion: str, seed: int) -> list[dict[str, Any]]:
    from pruning.planning.plan import unit_scores

    tensors = dict(opened.model.named_parameters())
    groups = {group.name: group for group in (*opened.graph.groups, *opened.graph.locked)}
    rows_of: dict[str, list[str]] = {}
    for target in targets:
        for layer in target.layers:
            rows_of.setdefault(layer, []).append(target.name)
    rows = []
    for target in targets:
        row = _row(target, coupled(target))
        if target.locked is None:
            group = groups[target.name]
            scores = unit_scores(group, tensors, criterion, seed).sort().values
            row["scores"] = [float(f"{score:.4g}") for score in scores.tolist()]
            row["readers"] = [layer for layer in group.consumers if layer not in target.layers]
            reading = dict.fromkeys(name for layer in row["readers"] for name in rows_of.get(layer, []))
            row["reading"] = [name for name in reading if name != target.name]
        rows.append(row)
    return rows


def _weight_rows(opened: OpenModel, targets: list[Target], criterion: str, seed: int) -> list[dict[str, Any]]:
    from pruning.planning.plan import weight_scores
    from pruning.render.preview import target_macs

    tensors = dict(opened.model.named_parameters())
    macs = target_macs(opened.graph, "weight", opened.graph.shapes)
    rows = []
    for target in targets:
        row = _row(target, "Single weights of this layer become zero; its shape stays.") | {"macs": macs[target.tensor]}
        weight = tensors[target.tensor].detach().reshape(-1)
        scores = weight_scores(target.tensor, weight, criterion, seed)
        row |= _histogram(scores)
        if bool((weight == 0).any()):
            row["zerosLost"] = _zeros_lost(weight, scores)
        rows.append(row)
    return rows


def _histogram(scores: Tensor) -> dict[str, Any]:
    """Scores in the order in which they go, on a log axis: its ends, counts, and how many zeros lie before it all."""
    import math

    from pruning.statistics.distributions import magnitude_histogram

    found = magnitude_histogram(scores, BINS, DECADES)
    low, high = math.log10(found.edges[0]), math.log10(found.edges[-1])
    counts = list(found.counts)
    if float(scores.min()) >= 0:
        return {"axis": [low, high], "bins": counts, "zeros": found.left_out}
    counts[0] += found.left_out  # the largest go first, zeros last
    return {"axis": [-high, -low], "bins": counts[::-1], "zeros": 0}


def _zeros_lost(weight: Tensor, scores: Tensor) -> list[int]:
    """For each per mille removed: how many of those weights were zero before."""
    from pruning.planning.allocation import kept_units

    zeros = (weight[scores.argsort(stable=True)] == 0).cumsum(0).tolist()
    lost = [len(zeros) - kept_units(len(zeros), number / 1000) for number in range(1000)]
    return [zeros[count - 1] if count else 0 for count in lost]


def coupled(target: Target) -> str:
    """Which layers lose the same channels, in a sentence or two."""
    first, *others = target.layers
    own = f"The channels of {first} that no earlier layer shares. " if target.is_part else ""
    if not others:
        return f"{own}Only {first} loses {'them' if own else 'these'}; what reads them shrinks with it."
    return f"{own}{len(target.layers)} layers add into the same channels, so they lose the same ones."
