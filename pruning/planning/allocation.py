"""From what a spec asks to a sparsity, and to a number that stays, for each channel group or weight tensor."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence

from pruning.base.errors import InputError
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import Target, free_targets
from pruning.spec import Allocation, HeadRounding, PruneSpec

SHOWN = 20
"""Layers listed in an error."""


def kept_units(total: int, sparsity: float, rounding: HeadRounding = "up") -> int:
    """How many of `total` units stay: (1 − sparsity) · total, rounded, and at least 1.

    >>> kept_units(10, 0.35), kept_units(10, 0.99), kept_units(3, 0.1), kept_units(3, 0.5, "down")
    (7, 1, 3, 1)
    """
    removed = math.floor(sparsity * total + 1e-9) if rounding == "up" else math.ceil(sparsity * total - 1e-9)
    return max(1, total - removed)


def rounded_units(group: ChannelGroup, kept: int, multiple: int) -> int:
    """`kept` units of a group, raised until as many as possible of its layers keep a multiple of `multiple` channels,
    of those they make and of those they read; all where none of them can."""
    channels = [slot.index.shape[1] for slot in group.slots if slot.role != "follower"]

    def met(units: int) -> int:
        return sum(units * each % multiple == 0 for each in channels)

    best = max(range(kept, group.units + 1), key=lambda units: (met(units), -units))
    return best if met(best) else group.units


def per_target(graph: ModelGraph, spec: PruneSpec) -> dict[str, float]:
    """Sparsity asked of each channel group or weight tensor, by its key, in network order.

    A name in `spec.layers` is a group's, which means that group, or a layer's, which means every group that the
    layer's outputs belong to; for weight pruning all weights of that layer.

    Raises:
        InputError: an unknown or locked layer, or two values for one group.
    """
    targets = free_targets(graph, spec.granularity)
    result = ALLOCATIONS[spec.allocation](spec, targets)
    names = _targets_by_name(targets)
    set_by: dict[str, str] = {}
    for layer, value in spec.layers:
        if layer not in names:
            raise InputError(_unknown_layer(graph, layer, names))
        for target in names[layer]:
            if target in set_by and result[target] != value:
                raise InputError(
                    f"{set_by[target]} ({result[target]:g}) and {layer} ({value:g}) share channels, so they must "
                    "have the same sparsity: give one of them, or the same value to both."
                )
            result[target] = value
            set_by[target] = layer
    return result


def kept_per_target(graph: ModelGraph, spec: PruneSpec) -> dict[str, int]:
    """How many units or weights of each target stay, by its key, rounded as the spec says.

    Raises:
        InputError: as `per_target`.
    """
    asked = per_target(graph, spec)
    kept = {}
    for target in free_targets(graph, spec.granularity):
        rounding = spec.head_rounding if target.heads else "up"
        count = max(target.least, kept_units(target.units, asked[target.key], rounding))
        kept[target.key] = count if target.group is None else rounded_units(target.group, count, spec.round_to)
    return kept


def same_cut(graph: ModelGraph, first: PruneSpec, second: PruneSpec) -> bool:
    """Whether two specs remove exactly the same from one network, however they put it. One that does not fit the
    network is the same as no other."""

    def ranks(spec: PruneSpec) -> tuple[object, ...]:
        return spec.granularity, spec.criterion, spec.parameters, spec.seed if spec.draws else None

    try:
        return ranks(first) == ranks(second) and kept_per_target(graph, first) == kept_per_target(graph, second)
    except InputError:
        return False


def _uniform(spec: PruneSpec, targets: Sequence[Target]) -> dict[str, float]:
    return {target.key: spec.sparsity for target in targets}


ALLOCATIONS: dict[Allocation, Callable[[PruneSpec, Sequence[Target]], dict[str, float]]] = {"uniform": _uniform}
"""How the overall sparsity becomes one a target, by target key; `spec.layers` has the last word."""


def _targets_by_name(targets: Sequence[Target]) -> dict[str, list[str]]:
    """What a layer's or group's name stands for: keys of targets. A group's own name means that group alone."""
    names: dict[str, list[str]] = {}
    for target in targets:
        for layer in target.layers:
            names.setdefault(layer, []).append(target.key)
    return names | {target.name: [target.key] for target in targets if target.group is not None}


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
