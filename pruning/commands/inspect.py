"""`inspect`: what a model is made of and what could go."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pruning.catalog.models import weights_digest
from pruning.catalog.networks import open_network
from pruning.catalog.references import parse_reference
from pruning.commands.describe import describe_groups, locked_lines
from pruning.cost import layer_costs, model_cost
from pruning.distributions import weight_stats
from pruning.graph.trial import build_graph
from sample_models import SAMPLES


def inspect(ref: str) -> tuple[dict[str, Any], list[str]]:
    """Layers, costs and channel groups of the model that a reference names: as JSON, and as lines.

    Raises:
        PruningError: no such model, it cannot be traced, or its weights are damaged.
    """
    network = open_network(ref)
    graph = build_graph(network.model, network.example_inputs)
    reference = parse_reference(ref)
    tensors = {name: tensor.detach() for name, tensor in network.model.named_parameters(remove_duplicate=False)}
    tensors |= dict(network.model.named_buffers(remove_duplicate=False))
    cost = model_cost(network.model, graph)
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
        "layers": layers,
        **describe_groups(graph),
        "provenance": SAMPLES[reference.name].provenance() if reference.kind == "sample" else None,
    }
    width = max((18, *(len(layer["name"]) + 2 for layer in layers)))
    lines = [
        f"{network.title}: {cost.params:,} parameters, {cost.macs:,} MACs a sample, {cost.bytes.raw:,} bytes",
        f"weights: {network.weights}",
        f"{'layer':<{width}}{'weights':>20}{'parameters':>12}{'MACs':>14}{'near zero':>11}",
        *(
            f"{layer['name']:<{width}}{'×'.join(map(str, layer['weight_shape'])):>20}{layer['parameters']:>12,}"
            f"{layer['macs']:>14,}{layer['near_zero']:>11.1%}"
            for layer in layers
        ),
        "Channel groups: " + "; ".join(f"{g.name} ({g.units}: {', '.join(g.producers)})" for g in graph.groups),
        *locked_lines(graph),
    ]
    return result, lines
