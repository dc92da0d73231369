"""A network's layers for people: what they are called, what each one's channels are tied to, and a table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pruning.base.errors import InputError
from pruning.base.words import rough_percent
from pruning.render.markdown import listed, plain

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.cost.counts import LayerCost
    from pruning.graph.groups import ChannelGroup
    from pruning.subject import Subject

SHOWN = 12
"""Layers listed in an error."""


def layer_names(subject: Subject) -> list[str]:
    """Convolutions and linear layers in network order."""
    return list(dict.fromkeys(site.layer for site in subject.graph.contractions))


def check_layer(subject: Subject, layer: str) -> None:
    """Raises InputError where the network has no such layer."""
    names = layer_names(subject)
    if layer not in names:
        raise InputError(f"This network has no layer '{layer[:60]}'. It has: {', '.join(names[:SHOWN])}.")


def layer_cost(subject: Subject, layer: str) -> LayerCost:
    """Shapes and costs of one layer."""
    from pruning.cost.counts import layer_costs

    return next(cost for cost in layer_costs(subject.graph) if cost.name == layer)


def weight(subject: Subject, layer: str) -> Tensor:
    """The weight tensor of a layer; shared, never to be changed."""
    tensor = next(site.tensor for site in subject.graph.contractions if site.layer == layer)
    return dict(subject.model.named_parameters())[tensor].detach()


def shows_pictures(subject: Subject, layer: str) -> bool:
    """Whether the layer's kernels mean something to the eye: those of a first convolution that reads the image itself,
    of more than one weight each way, in a network that has been trained."""
    shape = layer_cost(subject, layer).weight_shape
    reads_image = layer == layer_names(subject)[0] and len(shape) == 4 and shape[1] in (1, 3)
    return reads_image and min(shape[2:]) > 1 and not subject.network.untrained


def unit_word(subject: Subject, layer: str) -> str:
    """What one output of the layer is called."""
    return "filter" if layer_cost(subject, layer).kind != "linear" else "neuron"


def groups_of(subject: Subject, layer: str) -> list[ChannelGroup]:
    """The channel groups that the layer's outputs belong to, locked ones included."""
    return [group for group in (*subject.graph.groups, *subject.graph.locked) if layer in group.producers]


def tied_words(subject: Subject, layer: str) -> str:
    """In Markdown: which channels go together with the layer's own, who reads them, or why none may go."""
    return " ".join(_group_words(subject, layer, group) for group in groups_of(subject, layer))


def largest_words(subject: Subject, share_of: Literal["parameters", "macs"]) -> str:
    """In Markdown: the three layers with most of the network's parameters or MACs, each with its share."""
    from pruning.cost.counts import layer_costs

    sizes = {cost.name: int(getattr(cost, share_of)) for cost in layer_costs(subject.graph)}
    total = sum(sizes.values()) or 1
    most = sorted(sizes, key=lambda name: -sizes[name])[:3]
    what = {"parameters": "parameters", "macs": "MACs"}[share_of]
    said = ", ".join(f"{plain(name)} ({rough_percent(sizes[name] / total)})" for name in most)
    return f"Most {what}: {said}."


def layer_rows(subject: Subject) -> list[dict[str, Any]]:
    """One row a layer: shapes, costs with their shares in per cent, how many weights are near zero, and its groups."""
    from pruning.cost.counts import layer_costs
    from pruning.statistics.distributions import weight_stats

    costs = layer_costs(subject.graph)
    parameters, macs = sum(cost.parameters for cost in costs), sum(cost.macs for cost in costs)
    rows = []
    for cost in costs:
        stats = weight_stats(weight(subject, cost.name))
        groups = groups_of(subject, cost.name)
        rows.append(
            {
                "layer": cost.name,
                "kind": cost.kind,
                "weights": " × ".join(map(str, cost.weight_shape)),
                "output": " × ".join(map(str, cost.output_shape)),
                "parameters": cost.parameters,
                "of all": 100 * cost.parameters / parameters,
                "MACs": cost.macs,
                "of all MACs": 100 * cost.macs / macs,
                "near zero": 100 * stats.share_near_zero,
                "exact zeros": stats.zeros,
                "channel group": ", ".join(group.name + (" (locked)" if group.locked else "") for group in groups),
            }
        )
    return rows


def _group_words(subject: Subject, layer: str, group: ChannelGroup) -> str:
    unit = unit_word(subject, layer)
    outputs = layer_cost(subject, layer).weight_shape[0]
    if group.locked is not None:
        return f":material/lock: **Locked:** none of its {group.units} {unit}s may go, because {plain(group.locked)}."
    others = [name for name in group.producers if name != layer]
    which = f"Its {outputs} {unit}s" if group.units >= outputs else f"{group.units} of its {outputs} {unit}s"
    if not others:
        return f"**{which} go alone:** no other layer shares them. {_readers(group)}"
    count = "another layer" if len(others) == 1 else f"{len(others)} other layers"
    return (
        f":material/link: **{which} are tied to {count}** ({listed(others)}): they add into the same "
        f"channels, so they lose the same ones, under one slider. {_readers(group)}"
    )


def _readers(group: ChannelGroup) -> str:
    readers = group.consumers
    if not readers:
        return ""
    return f"What goes here, {listed(readers)} no longer read{'s' if len(readers) == 1 else ''}."
