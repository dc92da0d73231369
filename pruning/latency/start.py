"""Time a network's layers in a process of its own; its job (`pruning.latency.cache`) tells how far it has come."""

from __future__ import annotations

from pruning.graph.model_graph import ModelGraph
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.queue.ticket import TIMING
from pruning.jobs.wishes import OWNER
from pruning.latency.cache import job_of, steps_key
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.table import engine_key


def start_profile(ref: str, graph: ModelGraph, batch: int, visitor: str = OWNER, engine: str = EAGER.name) -> str:
    """Start `python -m pruning latency REF`, unless the same is being measured already; the key to follow it by.
    `engine`: its name.

    Raises:
        InputError: too many jobs wait, or there is no such engine, or not here.
        StorageError: the process cannot be started.
    """
    key = steps_key(graph, batch, engine_key(engine))
    chosen = [] if engine == EAGER.name else ["--engine", engine]
    arguments = ["latency", "--batch", str(batch), *chosen, "--", ref]
    LocalExecutor().submit(arguments, job_of(key), kind="widths", visitor=visitor, lane=TIMING)
    return key
