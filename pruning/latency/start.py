"""Time a network's layers in a process of its own; `pruning.latency.cache` tells how far it has come."""

from __future__ import annotations

from pruning.graph.model_graph import ModelGraph
from pruning.jobs.local import launch
from pruning.latency.cache import Measuring, log_path, read_measuring, steps_key, write_measuring


def start_profile(ref: str, graph: ModelGraph, batch: int) -> str:
    """Start `python -m pruning latency REF`, unless the same is being measured already; the key to poll with.

    Raises:
        StorageError: the process cannot be started.
    """
    key = steps_key(graph, batch)
    last = read_measuring(key)
    if last is None or last.state not in ("queued", "running"):
        write_measuring(key, Measuring(state="queued", share=0.0, text="Starting a process for the measurement"))
        launch(["latency", "--batch", str(batch), "--", ref], log_path(key))
    return key
