"""Time a network's layers alone, one after the other, and a few smaller networks as a whole, to check and complete.

The dense network is timed again between layers, so that a machine that gets slower or busier meanwhile shows.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.clone import clone
from pruning.base.errors import InputError, NoisyError
from pruning.cost.table import CostTable, cost_table
from pruning.graph.model_graph import ModelGraph
from pruning.latency.calls import LayerKind, timed_calls
from pruning.latency.clock import ENGINE, Rest
from pruning.latency.engines.layers import Elsewhere
from pruning.latency.grid import Timer, check_cancel, clock, time_grid, typical
from pruning.latency.processor import processor
from pruning.latency.steps import Steps, layer_times
from pruning.latency.threads import timing_threads, with_threads
from pruning.planning.plan import keeping_units
from pruning.removal.apply import removed_model

Progress = Callable[[float, str], None]
"""(share done, what is being done)."""
LAYERS_SECONDS = 25.0
"""For all layers, after their first calls; slow ones take longer, since each width is timed a few times at least."""
NETWORK_SECONDS, LEAST_BURSTS, MOST_BURSTS = 0.2, 5, 50
"""For a burst of each smaller network and the dense one in turn."""
WARM_SECONDS = 0.05
LONGEST_BURST = 0.05
"""Seconds that a burst takes, but of slow networks."""
PASSES, DENSE_TIMINGS = 2, 8
"""Over the smaller networks, so that a few busy seconds do not hit all of one's times; and of the dense one."""
UNIFORM, RANDOM, MOST_REMOVED = (0.25, 0.5, 0.75), 4, 0.7
"""Check networks: this part of every group removed; so many with a random part of each group, up to the last."""
MOST_DRIFT = 0.15
"""A dense network whose time changes by more than this while its layers are timed was not on a quiet machine."""


def profile(
    model: nn.Module,
    graph: ModelGraph,
    batch: int,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    rest: Rest = lambda seconds: False,
    timer: Timer = clock,
    elsewhere: Elsewhere | None = None,
) -> Steps:
    """Measure what `pruning.latency.steps.predict` needs, in float32; `model` is not changed. `rest`: such as
    `Quiet.rest`. `elsewhere`: on another engine than PyTorch.

    Raises:
        InputError: the network has no layer that can be timed, the batch size is not positive, or the engine does not
            take the network or a layer of it.
        Cancelled: `cancel()` became true.
        NoisyError: the machine was not quiet: the dense network's own time changed by more than MOST_DRIFT.
    """
    if batch < 1:
        raise InputError(f"A batch has at least one sample, not {batch}.")
    table = cost_table(graph)
    calls = timed_calls(graph, table, batch)
    if not calls:
        raise InputError("This network has no convolution or linear layer that can be timed alone.")
    threads = timing_threads()
    tell = progress or (lambda share, text: None)
    kinds = list(dict.fromkeys(call.kind for call in calls))
    with torch.no_grad(), with_threads(threads):
        whole = _Networks(model, graph, batch, _resting(timer, rest), cancel, elsewhere)
        benches = LayerKind.benches if elsewhere is None else elsewhere.benches
        dense, grids = [whole.time_dense()], []
        for number, kind in enumerate(kinds):
            layer = next(call.layer for call in calls if call.kind == kind)
            tell(0.7 * number / len(kinds), f"Timing {layer} at its widths")
            grids.append(time_grid(kind, LAYERS_SECONDS / len(kinds), _resting(timer, rest), cancel, benches))
            if (number + 1) % math.ceil(len(kinds) / DENSE_TIMINGS) == 0:
                dense.append(whole.time_dense())
        steps = Steps(
            batch=batch,
            threads=threads,
            torch=torch.__version__,
            cpu=processor(),
            dense=typical(dense),
            grids=tuple(grids),
            calls=tuple(call.timed(kinds.index(call.kind)) for call in calls),
            fixed=0.0,
            per_element=0.0,
            error=0.0,
            checks=(),
            drift=(max(dense) - min(dense)) / statistics.median(dense),
            engine=ENGINE if elsewhere is None else elsewhere.engine.words("float32"),
        )
        if steps.drift > MOST_DRIFT:
            raise NoisyError(
                f"Too noisy to measure: the unpruned network's own time changed by {steps.drift:.0%} meanwhile. End "
                "what else computes on this machine, and measure again."
            )
        plans = list(_check_plans(graph))
        bursts: list[tuple[list[float], list[float]]] = [([], []) for _ in plans]
        for turn in range(PASSES):
            for number, (kept, found) in enumerate(zip(plans, bursts, strict=True)):
                done, of = turn * len(plans) + number, PASSES * len(plans)
                tell(0.7 + 0.3 * done / of, f"Timing smaller networks: {done + 1} of {of}")
                for times, more in zip(found, whole.time_beside(kept), strict=True):
                    times += more
    ratios = [typical(small) / typical(beside) for small, beside in bursts]
    return fit_rest(steps, table, [(kept, steps.dense * r) for kept, r in zip(plans, ratios, strict=True)])


def fit_rest(steps: Steps, table: CostTable, measured: list[tuple[dict[str, int], float]]) -> Steps:
    """Complete `steps` with what is not in the layers, from (units kept, milliseconds) of whole networks.

    The dense network's rest is given; the part of it that is proportional to the values that layers make is what
    fits the smaller networks best (least squares of the relative error), from none of it to all of it.
    """
    layers, elements = layer_times(steps, table, {})
    rest = steps.dense - sum(layers)
    over = under = 0.0
    found = []
    for kept, milliseconds in measured:
        small, few = layer_times(steps, table, kept)
        found.append((milliseconds, sum(small), few))
        fewer = (elements - few) / milliseconds
        over += (rest - (milliseconds - sum(small))) / milliseconds * fewer
        under += fewer**2
    per_element = min(max(0.0, over / under if under else 0.0), max(0.0, rest / elements))
    fixed = rest - per_element * elements
    checks = tuple((m, total + fixed + per_element * few) for m, total, few in found)
    return replace(
        steps,
        fixed=fixed,
        per_element=per_element,
        checks=checks,
        error=max((max(m / p, p / m) - 1 for m, p in checks), default=0.0),
    )


class _Networks:
    """The dense network and smaller ones, timed in turn."""

    def __init__(
        self,
        model: nn.Module,
        graph: ModelGraph,
        batch: int,
        timer: Timer,
        cancel: Cancel | None,
        elsewhere: Elsewhere | None,
    ) -> None:
        self.elsewhere = elsewhere
        self.model = clone(model).float().eval()
        self.graph, self.timer, self.cancel = graph, timer, cancel
        self.inputs = graph.inputs.random(batch, torch.float32, 0)
        self.dense = self._call(self.model)
        self.repeats = self._warm(self.dense)

    def time_dense(self) -> float:
        """Milliseconds."""
        return typical(self._in_turn((self.dense, self.repeats))[0]) * 1000

    def time_beside(self, kept: dict[str, int]) -> list[list[float]]:
        """Seconds, of several bursts in turn: of the network that keeps so many units of each group, and the dense."""
        plan = keeping_units({name: tuple(range(count)) for name, count in kept.items()})
        small = self._call(removed_model(self.model, self.graph, plan))
        return self._in_turn((small, self._warm(small)), (self.dense, self.repeats))

    def _in_turn(self, *calls: tuple[Callable[[], object], int]) -> list[list[float]]:
        times: list[list[float]] = [[] for _ in calls]
        until = time.perf_counter() + NETWORK_SECONDS
        while len(times[0]) < LEAST_BURSTS or (time.perf_counter() < until and len(times[0]) < MOST_BURSTS):
            for (call, repeats), own in zip(calls, times, strict=True):
                check_cancel(self.cancel)
                own.append(self.timer(call, repeats))
        return times

    def _call(self, model: nn.Module) -> Callable[[], object]:
        if self.elsewhere is not None:
            return self.elsewhere.network(model, self.inputs)
        return partial(model, *self.inputs.args, **(self.inputs.kwargs or {}))

    def _warm(self, call: Callable[[], object]) -> int:
        """Warm the network up; how many passes take about 2 ms."""
        until = time.perf_counter() + WARM_SECONDS
        once = self.timer(call, 1)
        while time.perf_counter() < until:
            check_cancel(self.cancel)
            once = min(once, self.timer(call, 1))
        return max(1, round(0.002 / max(once, 1e-6)))


def _check_plans(graph: ModelGraph) -> Iterator[dict[str, int]]:
    for part in UNIFORM:
        yield {group.name: max(1, round(group.units * (1 - part))) for group in graph.groups}
    generator = random.Random(0)
    for _ in range(RANDOM):
        yield {g.name: max(1, math.ceil(g.units * (1 - generator.uniform(0, MOST_REMOVED)))) for g in graph.groups}


def _resting(timer: Timer, rest: Rest) -> Timer:
    """The same timer, which lets others compute in between where it is time to."""

    def timed(function: Callable[[], object], repeats: int) -> float:
        if rest(LONGEST_BURST):
            function()  # others computed meanwhile
        return timer(function, repeats)

    return timed
