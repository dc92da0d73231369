"""Where the times of a network's layers may be of: an engine of this machine, or another machine that they were brought
from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pruning.graph.model_graph import ModelGraph
from pruning.jobs.job import Job
from pruning.latency.cache import brought_job, brought_key, brought_steps, job_of, steps_key
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.table import ENGINES, engine_key

USUAL = EAGER.name
"""Where runs and pages time whole networks, too."""
THERE = "on "
"""What the name of another machine begins with."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of them."""

    name: str
    """An engine's; of another machine 'on ' with its processor."""
    title: str
    job: Job
    """Whose result the times are, where there are any."""
    threads: int | None = None
    """Of another machine's times; here they are the threads of all times (`pruning.latency.threads`)."""

    @property
    def is_here(self) -> bool:
        """Whether layers can be timed there now."""
        return self.threads is None

    @property
    def where(self) -> str:
        """To follow 'on'; '' where times need not say of which place they are."""
        return "" if self.name == USUAL else self.title


class Places:
    """All of a network, for one batch size."""

    def __init__(self, graph: ModelGraph, batch: int) -> None:
        self._graph, self._batch = graph, batch
        self._brought = brought_key(graph, batch)

    def found(self) -> dict[str, Place]:
        """By name: engines that are here and take layers alone, then machines that times were brought from so far."""
        machines = (
            Place(name=f"{THERE}{cpu}", title=cpu, job=brought_job(self._brought, cpu), threads=steps.threads)
            for cpu, steps in brought_steps(self._brought).items()
        )
        return {place.name: place for place in (*self._here, *machines)}

    @cached_property
    def _here(self) -> tuple[Place, ...]:
        return tuple(
            Place(
                name=engine.name,
                title="PyTorch" if engine is EAGER else f"{engine.title} {engine.version()}",
                job=job_of(steps_key(self._graph, self._batch, engine_key(engine.name))),
            )
            for engine in ENGINES.values()
            if engine.takes_layers and engine.why_not() is None
        )
