"""What a plan would cost and save, before anything is kept: arithmetic, no forward pass. Accuracy: `pruning.whatif`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pruning.cost.activations import activation_peak
from pruning.cost.bytes_left import bytes_left, count_nonzero
from pruning.cost.counts import count_macs, count_parameters, layer_costs, nonzero_parameters, raw_bytes, shapes_after
from pruning.cost.ledger import Clock, Ledger, Side, count_starved
from pruning.cost.table import cost_table
from pruning.granularity import Granularity
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import free_targets
from pruning.latency.clock import Comparison
from pruning.latency.steps import Steps, predict
from pruning.planning.allocation import kept_per_target
from pruning.planning.plan import Plan, nothing
from pruning.spec import PruneSpec
from pruning.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Savings:
    """What a plan costs and saves, exact, before (`dense_*`) and after."""

    dense_params: int
    params: int
    dense_nonzero: int
    nonzero: int
    """Parameters that are not zero; what weight pruning changes."""
    dense_macs: int
    macs: int


def savings(subject: Subject, plan: Plan) -> Savings:
    """Parameters, non-zero parameters and MACs of one sample, before and after: arithmetic, no forward pass."""
    graph = subject.graph
    shapes = shapes_after(graph, plan)
    return Savings(
        dense_params=count_parameters(graph, graph.shapes),
        params=count_parameters(graph, shapes),
        dense_nonzero=nonzero_parameters(subject.model),
        nonzero=count_nonzero(subject.model, graph, plan),
        dense_macs=count_macs(graph, graph.shapes),
        macs=count_macs(graph, shapes),
    )


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Counts for the network that a plan leaves."""

    params: int
    nonzero: int
    macs: int
    bytes: int
    """Raw size of the weights."""


def costs_of(subject: Subject, plan: Plan) -> Costs:
    """Parameters, non-zero parameters, MACs of one sample and bytes once a plan is carried out: arithmetic."""
    graph = subject.graph
    shapes = shapes_after(graph, plan)
    return Costs(
        params=count_parameters(graph, shapes),
        nonzero=count_nonzero(subject.model, graph, plan),
        macs=count_macs(graph, shapes),
        bytes=raw_bytes(subject.model, shapes),
    )


def ledger_of(subject: Subject, plan: Plan, timing: Comparison | None = None) -> Ledger:
    """Dense beside what a plan would leave, in every currency, without carrying it out: seconds for a large network.

    `timing`: both on the clock, if that was measured.
    """
    graph = subject.graph
    shapes = shapes_after(graph, plan)
    dense, dense_estimated = _side(subject, nothing(), graph.shapes)
    pruned, estimated = _side(subject, plan, shapes)
    layers = layer_costs(graph, shapes)
    dense_layers = {layer.name: layer.weight_shape[0] for layer in layer_costs(graph)}
    return Ledger(
        dense=dense,
        pruned=pruned,
        clocks=() if timing is None else (clock_of(timing),),
        widths=tuple(
            (layer.name, layer.weight_shape[0]) for layer in layers if layer.weight_shape[0] < dense_layers[layer.name]
        ),
        starved=count_starved((layer.macs, 4 * (layer.parameters + math.prod(layer.output_shape))) for layer in layers),
        deflate_estimated=estimated or dense_estimated,
    )


def clock_of(timing: Comparison) -> Clock:
    """A measured time as the ledger takes it."""
    dense, pruned = ((side.low, side.median, side.high) for side in (timing.dense, timing.pruned))
    return Clock(batch=timing.batch, dense=dense, pruned=pruned, speedup=timing.speedup)


def predicted_clock(steps: Steps, graph: ModelGraph, spec: PruneSpec, where: str = "") -> Clock:
    """The time that a channel spec leads to, estimated from the times of the layers, as the ledger takes it. `where`:
    of which engine or machine they are.

    Raises:
        InputError: the spec does not fit the network.
    """
    said = predict(steps, cost_table(graph), kept_per_target(graph, spec))
    return Clock(
        batch=steps.batch,
        dense=(said.dense, said.dense, said.dense),
        pruned=(said.low, said.middle, said.high),
        speedup=said.speedup,
        estimated=True,
        where=where,
    )


def _side(subject: Subject, plan: Plan, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Side, bool]:
    """One side of the ledger, and whether its compressed bytes are an estimate."""
    graph = subject.graph
    sizes, estimated = bytes_left(subject.model, graph, plan)
    peak = activation_peak(graph, plan)
    side = Side(
        params=count_parameters(graph, shapes),
        nonzero=count_nonzero(subject.model, graph, plan),
        macs=count_macs(graph, shapes),
        raw=sizes.raw,
        deflate=sizes.deflate,
        sparse=sizes.sparse,
        activation=peak.bytes,
        activation_place=peak.place,
    )
    return side, estimated


def target_macs(graph: ModelGraph, granularity: Granularity, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """MACs of the layers that each target's units run through, by its key.

    A layer between two groups counts for both, so these do not add up to the network's MACs.
    """
    macs = {layer.name: layer.macs for layer in layer_costs(graph, shapes)}
    return {
        target.key: sum(macs.get(layer, 0) for layer in target.touched) for target in free_targets(graph, granularity)
    }
