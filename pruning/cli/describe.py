"""Channel groups and weights of a network as JSON and as lines."""

from __future__ import annotations

from typing import Any

from pruning.catalog.network import Network
from pruning.cli.output import field, listed
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph


def describe_groups(graph: ModelGraph) -> dict[str, list[dict[str, Any]]]:
    """The removable groups, and the locked ones with their reasons."""
    return {
        "groups": [_group(group) for group in graph.groups],
        "locked": [{**_group(group), "reason": group.locked} for group in graph.locked],
    }


def locked_lines(graph: ModelGraph) -> list[str]:
    """What is locked, one paragraph for each reason."""
    names: dict[str, list[str]] = {}
    for group in graph.locked:
        names.setdefault(str(group.locked), []).append(group.name)
    return [line for reason, which in names.items() for line in field("locked", f"{listed(which)}: {reason}")]


def weights_lines(network: Network) -> list[str]:
    """Where the weights come from; for random ones also how to get others."""
    default = "" if network.ref.startswith("file:") else "?weights=default or "
    hint = f" (trained ones: {default}?weights=FILE)" if network.untrained else ""
    return field("weights", network.weights + hint)


def _group(group: ChannelGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "units": group.units,
        "layers": list(group.producers),
        "consumers": list(group.consumers),
    }
