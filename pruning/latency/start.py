"""Time a network's layers in a process of its own; its job (`pruning.latency.cache`) tells how far it has come."""

from __future__ import annotations

from pruning.graph.model_graph import ModelGraph
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.queue.ticket import TIMING
from pruning.jobs.wishes import OWNER
from pruning.latency.cache import job_of, steps_key


def start_profile(ref: str, graph: ModelGraph, batch: int, visitor: str = OWNER) -> str:
    """Start `python -m pruning latency REF`, unless the same is being measured already; the key to follow it by.

    Raises:
        InputError: too many jobs wait.
        StorageError: the process cannot be started.
    """
    key = steps_key(graph, batch)
    arguments = ["latency", "--batch", str(batch), "--", ref]
    LocalExecutor().submit(arguments, job_of(key), kind="widths", visitor=visitor, lane=TIMING)
    return key
