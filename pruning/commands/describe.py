"""Channel groups as JSON."""

from __future__ import annotations

from typing import Any

from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph


def describe_groups(graph: ModelGraph) -> dict[str, list[dict[str, Any]]]:
    """The removable groups, and the locked ones with their reasons."""
    return {
        "groups": [_group(group) for group in graph.groups],
        "locked": [{**_group(group), "reason": group.locked} for group in graph.locked],
    }


def locked_lines(graph: ModelGraph) -> list[str]:
    """One line for each locked group."""
    return [f"Locked: {group.name}: {group.locked}" for group in graph.locked]


def _group(group: ChannelGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "units": group.units,
        "layers": list(group.producers),
        "consumers": list(group.consumers),
    }
