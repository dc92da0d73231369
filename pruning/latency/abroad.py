"""Layers timed on another machine: what is to be timed there, and what the times say here.

The list goes along in a bundle, whose `bench.py` times the calls; nothing of ours is needed for that. A list has a key,
so that times are held against the network that they are of.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Mapping
from typing import Any

from pruning.base.errors import InputError, NoisyError, StorageError
from pruning.base.fields import Fields
from pruning.cost.table import cost_table
from pruning.graph.model_graph import ModelGraph
from pruning.latency.calls import LayerKind, TimedCall, timed_calls
from pruning.latency.clock import ENGINE
from pruning.latency.grid import grid_of, points_of, typical
from pruning.latency.profile import MOST_DRIFT, fit_rest
from pruning.latency.steps import Steps

MOST_ROUNDS = 1000
LONGEST = 1e6
"""Seconds."""


def layers_to_time(graph: ModelGraph, batch: int) -> dict[str, Any]:
    """JSON-ready: the kinds of layers of a network with the widths to time them at; none where one of them cannot be
    written down."""
    kinds = _kinds(timed_calls(graph, cost_table(graph), batch))
    try:
        layers = [_values(kind) for kind in kinds]
        text = json.dumps(layers)
    except (TypeError, ValueError):
        layers, text = [], "[]"
    return {"batch": batch, "layers": layers, "layers_key": hashlib.sha256(text.encode()).hexdigest()[:24]}


def steps_abroad(
    graph: ModelGraph, fields: Fields, kept: Mapping[str, int], *, cpu: str, torch: str, engine: str = ENGINE
) -> Steps:
    """What the times of all layers at their widths say. `fields`: a part of `bench.py`'s record. `kept`: units that the
    pruned network keeps of each group; its own time shows how far a prediction is off.

    Raises:
        InputError: they are times of another network.
        NoisyError: the machine was not quiet.
        StorageError: they are damaged.
    """
    batch = fields.whole("batch", 1, 1_000_000)
    told = layers_to_time(graph, batch)
    if not told["layers"] or fields.text("key") != told["layers_key"]:
        raise InputError("These are times of another network's layers, or of an earlier version's list of them.")
    table = cost_table(graph)
    calls = timed_calls(graph, table, batch)
    kinds = _kinds(calls)
    taken = dict(fields.items()).get("taken")
    if not isinstance(taken, list) or len(taken) != len(kinds):
        raise StorageError(f"{fields.where} is damaged: it has not the times of all layers.")
    grids = tuple(grid_of(kind, _rounds(kind, given, fields.where)) for kind, given in zip(kinds, taken, strict=True))
    dense, pruned = (_milliseconds(fields, name) for name in ("dense_ms", "pruned_ms"))
    steps = Steps(
        batch=batch,
        threads=fields.whole("threads", 1, 4096),
        torch=torch,
        cpu=cpu,
        dense=typical(dense),
        grids=grids,
        calls=tuple(call.timed(kinds.index(call.kind)) for call in calls),
        fixed=0.0,
        per_element=0.0,
        error=0.0,
        checks=(),
        drift=(max(dense) - min(dense)) / statistics.median(dense),
        engine=engine,
    )
    if steps.drift > MOST_DRIFT:
        raise NoisyError(
            f"The layers' widths were not timed on a quiet machine: the unpruned network's own time changed by "
            f"{steps.drift:.0%} meanwhile. Run bench.py again."
        )
    ratio = typical(pruned) / typical(dense)
    return fit_rest(steps, table, [(dict(kept), steps.dense * ratio)] if kept else [])


def _kinds(calls: list[TimedCall]) -> list[LayerKind]:
    return list(dict.fromkeys(call.kind for call in calls))


def _values(kind: LayerKind) -> dict[str, Any]:
    """A kind as `bench.py` reads it: `points` are (rows, columns) of the weight."""
    by_output = kind.output == 0
    return {
        "target": str(kind.target),
        "source": list(kind.source),
        "channel": kind.channel,
        "weight": list(kind.weight),
        "bias": kind.bias,
        "groups": kind.groups,
        "whole": kind.whole,
        "transposed": kind.transposed,
        "others": [[name, value] for name, value in kind.others],
        "points": [[out, width] if by_output else [width, out] for out, width in points_of(kind)],
    }


def _rounds(kind: LayerKind, given: Any, where: str) -> dict[tuple[int, int], list[float]]:
    points = points_of(kind)
    if not isinstance(given, list) or len(given) != len(points):
        raise StorageError(f"{where} is damaged: a layer has not the times of all its widths.")
    return {point: _seconds(times, where) for point, times in zip(points, given, strict=True)}


def _seconds(times: Any, where: str) -> list[float]:
    if not isinstance(times, list) or not 2 <= len(times) <= MOST_ROUNDS:
        raise StorageError(f"{where} is damaged: a width has not the times of several rounds.")
    if not all(type(value) in (int, float) and math.isfinite(value) and 0 < value < LONGEST for value in times):
        raise StorageError(f"{where} is damaged: what stands there are no times.")
    return [float(value) for value in times]


def _milliseconds(fields: Fields, name: str) -> list[float]:
    return _seconds(dict(fields.items()).get(name), fields.where)
