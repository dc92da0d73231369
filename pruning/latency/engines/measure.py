"""Time a network, its pruned one and that in int8 on several engines, always two in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError
from pruning.latency.clock import Call, Comparison, Maker, Rest, compare
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.engine import Engine
from pruning.latency.engines.matrix import Cell

SECONDS = 1.8
"""For each comparison, as far as loading the copies allows."""
TRIES = 3
"""How often what was too noisy is timed."""


@dataclass(frozen=True, kw_only=True)
class Networks:
    """What is timed; all take the same inputs."""

    dense: Candidate
    pruned: Candidate
    int8: Candidate | None = None
    """The pruned one, quantized; None where there is none."""

    def refusal(self, engine: Engine, batches: Sequence[int], threads: int) -> str | None:
        """Run them once on an engine, at each batch size: why that cannot be, in a sentence; None where it can."""
        try:
            for candidate in (self.dense, self.pruned, self.int8):
                if candidate is not None and candidate.precision in engine.precisions:
                    for batch in batches:
                        maker(engine, candidate, batch, threads)()()
        except Cancelled:
            raise
        except InputError as error:
            return str(error)
        except Exception as error:  # code of somebody else's network, on somebody else's engine
            return f"{engine.title} failed on this network ({type(error).__name__})."
        return None


def maker(engine: Engine, candidate: Candidate, batch: int, threads: int) -> Maker:
    """Fresh copies of a network on an engine, on the same random inputs."""
    inputs = candidate.inputs.random(batch, torch.float32, seed=0)

    def fresh() -> Call:
        return engine.load(candidate, batch, threads)(inputs)

    return fresh


def measure(
    networks: Networks,
    engines: Sequence[Engine],
    batches: Sequence[int],
    *,
    threads: int,
    seconds: float = SECONDS,
    rest: Rest = lambda seconds: False,
    cancel: Cancel | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Cell]:
    """Time them on each engine at each batch size; `Networks.refusal` found that they run there. Other arguments as in
    `compare`.

    Raises:
        InputError: an engine cannot run them after all.
        Cancelled: `cancel()` became true, or what `rest` raises.
    """
    for engine in engines:
        for batch in batches:
            samples = "one sample" if batch == 1 else f"{batch} samples"
            tell(f"Timing on {engine.title}, {samples} at a time")
            on = partial(_tried, batch=batch, threads=threads, seconds=seconds, rest=rest, cancel=cancel)
            dense, pruned = (maker(engine, one, batch, threads) for one in (networks.dense, networks.pruned))
            change = int8 = None
            if engine.name != EAGER.name:
                before = maker(EAGER, networks.dense, batch, threads)
                change = on(before, dense, engine=f"{EAGER.title}, then {engine.words('float32')}")
            if networks.int8 is not None and "int8" in engine.precisions:
                small = maker(engine, networks.int8, batch, threads)
                int8 = on(pruned, small, engine=f"{engine.title}, float32, then int8, CPU")
            yield Cell(
                engine=engine.name,
                pruning=on(dense, pruned, engine=engine.words("float32")),
                change=change,
                int8=int8,
            )


def _tried(first: Maker, second: Maker, **options: Any) -> Comparison:
    for _ in range(TRIES):
        found = compare(first, second, **options)
        if found.quiet:
            break
    return found
