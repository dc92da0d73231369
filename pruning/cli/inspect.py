"""`inspect`: what a model is made of and what could go."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pruning.runs  # noqa: F401 - adds run: to what open_network opens
from pruning.base.digests import weights_digest
from pruning.catalog.openers import open_network
from pruning.cli.describe import describe_groups, locked_lines, weights_lines
from pruning.cli.gate import say_changes
from pruning.cli.output import field, only_ours
from pruning.cost.bytes_left import bytes_now
from pruning.cost.counts import layer_costs, model_cost
from pruning.graph.model_graph import ModelGraph
from pruning.removal.build import build_graph
from pruning.statistics.distributions import weight_stats


def inspect(ref: str) -> tuple[dict[str, Any], list[str]]:
    """Layers, costs and channel groups of the model that a reference names: as JSON, and as lines.

    Raises:
        PruningError: no such model, it cannot be traced, or its weights are damaged.
    """
    with only_ours():
        network = open_network(ref)
        say_changes(network)
        graph = build_graph(network.model, network.example_inputs)
    tensors = {name: tensor.detach() for name, tensor in network.model.named_parameters(remove_duplicate=False)}
    tensors |= dict(network.model.named_buffers(remove_duplicate=False))
    sizes, is_estimate = bytes_now(network.model)
    cost = model_cost(network.model, graph, sizes)
    layers = []
    for layer, site in zip(layer_costs(graph), graph.contractions, strict=True):
        summary = weight_stats(tensors[site.tensor])
        layers.append({**asdict(layer), "near_zero": summary.share_near_zero, "zeros": summary.zeros})
    result = {
        "schema_version": 1,
        "model": ref,
        "title": network.title,
        "weights": network.weights,
        "digest": weights_digest(network.model),
        "input_shape": list(graph.example_shape),
        **asdict(cost),
        **({"deflate_estimated": True} if is_estimate else {}),
        "layers": layers,
        **describe_groups(graph),
        "provenance": network.provenance if not network.root else None,
    }
    lines = [
        f"{network.title}: {cost.params:,} parameters, {cost.macs:,} MACs a sample, {cost.bytes.raw:,} bytes",
        *weights_lines(network),
        "",
        *_layer_lines(layers),
        "",
        *_group_lines(graph),
        *locked_lines(graph),
    ]
    return result, lines


def _layer_lines(layers: list[dict[str, Any]]) -> list[str]:
    shapes = ["×".join(map(str, layer["weight_shape"])) for layer in layers]
    name = max((len(layer["name"]) for layer in layers), default=5)
    wide = max((len(shape) for shape in shapes), default=7)
    return [
        f"{'layer':<{name}}  {'weights':>{wide}}{'parameters':>12}{'MACs':>15}  near zero",
        *(
            f"{layer['name']:<{name}}  {shape:>{wide}}{layer['parameters']:>12,}{layer['macs']:>15,}"
            f"{layer['near_zero']:>11.1%}"
            for layer, shape in zip(layers, shapes, strict=True)
        ),
    ]


def _group_lines(graph: ModelGraph) -> list[str]:
    if not graph.groups:
        return ["No channels can be removed."]
    name = max(13, *(len(group.name) for group in graph.groups))
    lines = [f"{'channel group':<{name}}  units  layers that lose the same ones"]
    for group in graph.groups:
        lines += field(f"{group.name:<{name}}{group.units:>7}", ", ".join(group.producers), name + 9)
    return lines
