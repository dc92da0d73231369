"""Time a network's layers in a process of its own; its job (`pruning.latency.cache`) tells how far it has come."""

from __future__ import annotations

from pruning.graph.model_graph import ModelGraph
from pruning.jobs.executor import LocalExecutor
from pruning.latency.cache import job_of, steps_key


def start_profile(ref: str, graph: ModelGraph, batch: int) -> str:
    """Start `python -m pruning latency REF`, unless the same is being measured already; the key to follow it by.

    Raises:
        StorageError: the process cannot be started.
    """
    key = steps_key(graph, batch)
    LocalExecutor().submit(["latency", "--batch", str(batch), "--", ref], job_of(key))
    return key
