"""What runs that removed nearly the same as a cut came to after fine-tuning, among thousands: from what each kept."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from pruning.data.preprocess import Preprocess
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import free_targets
from pruning.runs.index.index import Index
from pruning.runs.index.query import Query
from pruning.runs.index.tables import RUNS
from pruning.runs.similar_runs import SIMILAR, kept_shares, sizes_of
from pruning.runs.summary import numbered, preprocess_text
from pruning.spec import PruneSpec

Kept = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Of each run the shares that it kept, one column a target; and what it came to."""


def values_of_similar(
    index: Index,
    graph: ModelGraph,
    spec: PruneSpec,
    *,
    model: str,
    data: str,
    preprocess: Preprocess | None = None,
    within: float = SIMILAR,
) -> list[float]:
    """The metric on select images of fine-tuned runs like `similar_runs` finds, the nearest first; from the index, by
    what the runs have kept.

    Raises:
        InputError: the sparsities do not fit the network.
        StorageError: as `Index.find`.
    """
    wanted = kept_shares(graph, spec)
    if all(share == 1 for share in wanted.values()):
        return []
    names = _names(graph, spec)
    query = Query(model=model, data=data, finished=True)
    prepared = preprocess_text(preprocess)

    def work(connection: Connection) -> Kept:
        rows = query.joined(RUNS.c.kept, RUNS.c.finetuned_middle).where(
            RUNS.c.preprocess == prepared, RUNS.c.granularity == spec.granularity, RUNS.c.finetuned_middle.is_not(None)
        )
        found = [(shares, value) for kept, value in connection.execute(rows) if (shares := _shares(kept, names))]
        return np.array([shares for shares, _ in found]), np.array([value for _, value in found])

    kept, values = index.ask(("kept", query, prepared, spec.granularity, names), work)
    if not len(values):
        return []
    sizes = sizes_of(graph, spec.granularity)
    weights = np.array([sizes[key] for key in wanted], dtype=np.float64)
    apart = np.abs(kept - np.array(list(wanted.values()))) @ weights / max(1.0, weights.sum())
    near = np.flatnonzero(apart <= within)
    return [float(values[place]) for place in near[np.argsort(apart[near], kind="stable")]]


def _names(graph: ModelGraph, spec: PruneSpec) -> tuple[str, ...]:
    """How results name the targets of a network, in the order of `kept_shares`."""
    found: list[str] = []
    for target in free_targets(graph, spec.granularity):
        found.append(target.key if target.group is not None else numbered(target.name, found))
    return tuple(found)


@lru_cache(maxsize=20_000)
def _shares(kept: str, names: tuple[str, ...]) -> Sequence[float]:
    """What a run kept of these; empty where it knows one of them not, as of a network that has changed since."""
    shares = json.loads(kept)
    found = [shares.get(name, math.nan) for name in names]
    return () if any(map(math.isnan, found)) else found
