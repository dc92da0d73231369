"""From what the user asks to a sparsity for each layer or channel group."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence

from pruning.base.errors import InputError
from pruning.granularity import Granularity, find_granularity
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.graph.rules.contractions import layer_name
from pruning.spec import check_sparsity

SHOWN = 20
"""Layers listed in an error."""


def kept_units(total: int, sparsity: float) -> int:
    """How many of `total` units stay: max(1, total − floor(sparsity · total)).

    >>> kept_units(10, 0.35), kept_units(10, 0.99), kept_units(3, 0.1)
    (7, 1, 3)
    """
    return max(1, total - math.floor(sparsity * total + 1e-9))


def rounded_units(group: ChannelGroup, kept: int, multiple: int) -> int:
    """`kept` units of a group, raised until its layers keep a multiple of `multiple` channels; all where that fails.

    Raises:
        InputError: `multiple` is not a whole number of at least 1.
    """
    if type(multiple) is not int or multiple < 1:
        raise InputError(f"round_to must be a whole number of at least 1, not {multiple!r}.")
    channels = next(slot.index.shape[1] for slot in group.slots if slot.role == "producer")
    step = multiple // math.gcd(multiple, channels)
    return min(group.units, -(-kept // step) * step)


def prunable_weights(graph: ModelGraph) -> list[str]:
    """Parameters whose single weights may be zeroed: weights of two or more dimensions, in network order."""
    used = dict.fromkeys(site.tensor for site in graph.contractions)
    others = sorted(name for name in graph.parameters if len(graph.shapes[name]) >= 2 and name not in used)
    return [*used, *others]


def per_target(
    graph: ModelGraph, granularity: Granularity, sparsity: float, layers: Mapping[str, float]
) -> dict[str, float]:
    """Sparsity for each channel group (by group name) or weight tensor (by parameter name).

    `layers` maps names to a sparsity of their own: a group's name means that group, a layer's name every group that
    the layer's outputs belong to.

    Raises:
        InputError: a sparsity outside [0, 1), an unknown or locked layer, or two values for one group.
    """
    check_sparsity(sparsity, "the network")
    names = _targets_by_name(graph, granularity)
    result = {target: sparsity for targets in names.values() for target in targets}
    set_by: dict[str, str] = {}
    for layer, value in layers.items():
        check_sparsity(value, f"layer {layer}")
        if layer not in names:
            raise InputError(_unknown_layer(graph, layer, names))
        for target in names[layer]:
            if target in set_by and result[target] != value:
                raise InputError(
                    f"{set_by[target]} ({result[target]:g}) and {layer} ({value:g}) share channels, so they must "
                    "have the same sparsity: give one of them, or the same value to both."
                )
            result[target] = float(value)
            set_by[target] = layer
    return result


def _targets_by_name(graph: ModelGraph, granularity: Granularity) -> dict[str, list[str]]:
    """What a layer's or group's name stands for: group names, or parameter names for weight pruning."""
    if granularity == "weight":
        names: dict[str, list[str]] = {}
        for tensor in prunable_weights(graph):
            names.setdefault(layer_name(tensor), []).append(tensor)
        return names
    find_granularity(granularity)
    groups = {group.name: [group.name] for group in graph.groups}
    layers: dict[str, list[str]] = {}
    for group in graph.groups:
        for layer in group.producers:
            layers.setdefault(layer, []).append(group.name)
    return layers | groups


def _unknown_layer(graph: ModelGraph, layer: str, names: Mapping[str, Sequence[str]]) -> str:
    for group in graph.locked:
        if layer in group.producers:
            return f"The channels of {layer} cannot be removed: {group.locked}. Leave it out."
    if not names:
        return f"There is no prunable layer '{layer}': no channels of this network can be removed."
    near = difflib.get_close_matches(str(layer), list(names), n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"There is no prunable layer '{layer}'.{hint} There are {', '.join([*names][:SHOWN])}{more}."
