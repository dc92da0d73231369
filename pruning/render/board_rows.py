"""The rows of the board as data: names and words, the scores of their units in order, and what their layers cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from pruning.cost.counts import nonzero_parameters
from pruning.cost.table import cost_table
from pruning.graph.stages import short_labels, stages
from pruning.planning.allocation import kept_units
from pruning.planning.ranking import Ranking
from pruning.planning.rows import PER_MILLE, Row, all_rows
from pruning.render.preview import target_macs
from pruning.spec import PruneSpec
from pruning.statistics.distributions import magnitude_histogram
from pruning.statistics.gather import Statistics
from pruning.subject import Subject

BINS, DECADES = 72, 3.0
"""Of a layer's scores; smaller ones than so many powers of ten below the largest count in the first bin."""


def rows_and_costs(subject: Subject, spec: PruneSpec, statistics: Statistics | None) -> dict[str, Any]:
    """All of the board that a network and a ranking settle: rows, scores, cost table, counts of the dense network.

    `spec`: its sparsities are not looked at. `statistics`: as `Ranking` takes them. Lists, strings and numbers only.

    Raises:
        InputError: weights are NaN or infinite, or the criterion cannot rank the network.
    """
    table = cost_table(subject.graph)
    counts = table.count({})
    ranking = Ranking(subject.model, subject.graph, spec, statistics)
    build = channel_rows if spec.info.shrinks else weight_rows
    rows = all_rows(subject.graph, spec.granularity)
    return {
        "granularity": spec.granularity,
        "criterion": spec.criterion,
        "rows": [
            said | {"short": short}
            for said, short in zip(build(subject, rows, ranking), short_labels([row.name for row in rows]), strict=True)
        ],
        "stages": [
            {"title": stage.title, "rows": [[name, stage.short(name)] for name in stage.members]}
            for stage in stages([row.name for row in rows])
        ],
        "table": table.to_json(),
        "dense": {
            "params": counts.params,
            "macs": counts.macs,
            "nonzero": nonzero_parameters(subject.model),
        },
    }


def channel_rows(subject: Subject, rows: Sequence[Row], ranking: Ranking) -> list[dict[str, Any]]:
    """Rows of channel groups: scores in ascending order, the layers that read the group, and the rows of those."""
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


def weight_rows(subject: Subject, rows: Sequence[Row], ranking: Ranking) -> list[dict[str, Any]]:
    """Rows of single weights: a histogram of scores, MACs, and zeros that would be lost a second time."""
    tensors = dict(subject.model.named_parameters())
    macs = target_macs(subject.graph, "weight", subject.graph.shapes)
    found = []
    for row in rows:
        key = row.target.key
        said = _row(row, "Single weights of this layer become zero; its shape stays.") | {"macs": macs[key]}
        weight = tensors[key].detach().reshape(-1)
        scores = ranking.scores(row.target)
        said |= score_histogram(scores)
        if bool((weight == 0).any()):
            said["zerosLost"] = zeros_lost(weight, scores)
        found.append(said)
    return found


def coupled(row: Row) -> str:
    """Which layers lose the same channels, in a sentence or two, and how many have to stay."""
    return f"{_coupled(row)}{_at_least(row)}"


def _coupled(row: Row) -> str:
    first, *others = row.target.layers
    if row.target.heads:
        return _heads(row.target.layers)
    own = f"The channels of {first} that no earlier layer shares. " if row.is_part else ""
    if not others:
        return f"{own}Only {first} loses {'them' if own else 'these'}; what reads them shrinks with it."
    return f"{own}{len(row.target.layers)} layers add into the same channels, so they lose the same ones."


def _heads(layers: Sequence[str]) -> str:
    """Of attention: each goes with its query, key and value."""
    if len(layers) == 1:
        return f"Attention heads: {layers[0]} makes query, key and value of each, which go together."
    return f"Attention heads: {len(layers)} layers make query, key and value of each, which go together."


def _at_least(row: Row) -> str:
    """How many have to stay; '' where it is one."""
    group = row.target.group
    if group is None or group.least == 1:
        return ""
    what = "heads" if row.target.heads else "units"
    return f" At least {group.least:,} {what} have to stay{f': {group.why_least}' if group.why_least else ''}."


def score_histogram(scores: Tensor) -> dict[str, Any]:
    """Scores in the order in which they go, on a log axis: its ends, counts, and how many zeros lie before it all."""
    found = magnitude_histogram(scores, BINS, _decades(scores))
    low, high = math.log10(found.edges[0]), math.log10(found.edges[-1])
    counts = list(found.counts)
    if float(scores.min()) >= 0:
        return {"axis": [low, high], "bins": counts, "zeros": found.left_out}
    counts[0] += found.left_out  # the largest go first, zeros last
    return {"axis": [-high, -low], "bins": counts[::-1], "zeros": 0}


def zeros_lost(weight: Tensor, scores: Tensor) -> list[int]:
    """For each per mille removed: how many of those weights were zero before."""
    zeros = (weight[scores.argsort(stable=True)] == 0).cumsum(0).tolist()
    lost = [len(zeros) - kept_units(len(zeros), number / PER_MILLE) for number in range(PER_MILLE)]
    return [zeros[count - 1] if count else 0 for count in lost]


def _row(row: Row, words: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "label": row.label,
        "words": words,
        "total": row.target.units,
        "heads": row.target.heads,
        "least": row.target.least,
        "layers": list(row.target.layers),
        "readers": [],
        "reading": [],
        "locked": row.target.locked,
    }


def _decades(scores: Tensor) -> float:
    """Powers of ten that an axis of scores spans: `DECADES`, and more where one score in a hundred would lie below, as
    with squares of gradients."""
    sizes = scores.abs()
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return DECADES
    least = float(sizes.kthvalue(1 + len(sizes) // 100).values)
    return max(DECADES, float(math.ceil(math.log10(float(sizes.max()) / least))))
