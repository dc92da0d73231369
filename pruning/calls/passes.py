"""Batches of images through a program, with values of earlier passes taken up where they still hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from pruning.calls.cut import Cut, Left, narrowed
from pruning.calls.program import Program, Step
from pruning.calls.runner import Runner

Batch = tuple[str, int]
"""What a batch is run for ('as_cut', 'recalibrated', 'statistics'), and its number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """A batch of images; they are made ready only where they are looked at."""

    count: int
    normalised: Callable[[], Tensor]
    """Gives them as float32, N × C × H × W."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """A value that was kept: of which cut, and which of its channels there are."""

    key: tuple[object, ...]
    left: Left
    value: Tensor


@dataclass
class Memory:
    """Values kept from pass to pass, at most one a batch and call."""

    keep: frozenset[Node] = frozenset()
    """Calls whose values are kept."""
    held: dict[Batch, dict[Node, Held]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Memory that the values take."""
        held = [one for values in list(self.held.values()) for one in list(values.values())]
        return sum(one.value.numel() * one.value.element_size() for one in held)

    def find(self, batch: Batch, step: Step, cut: Cut) -> Tensor | None:
        """The value of a step for this cut, if one that was kept gives it."""
        held = self.held.get(batch, {}).get(step.node)
        if held is None or held.key != cut.key(step):
            return None
        return narrowed(held.value, held.left, cut.left(step.node))


@torch.inference_mode()
def run(
    program: Program,
    runner: Runner,
    images: Images,
    batch: Batch,
    goals: Iterable[Node],
    memory: Memory,
    keep: bool,
    go_on: Callable[[], None] = lambda: None,
) -> dict[Node, Tensor]:
    """Values of `goals` for one batch of images. `keep`: put values into `memory` for later passes. `go_on` is called
    before each step: it may raise, or have other passes run meanwhile."""
    wanted = set(goals)
    values, steps, last = _plan(program, runner.cut, batch, wanted, memory)
    _run(program, runner, images, batch, steps, values, last, memory, keep, runner, wanted, go_on)
    return {goal: values[goal] for goal in wanted}


@torch.inference_mode()
def measure_statistics(
    program: Program,
    runner: Runner,
    images: Images,
    batch: Batch,
    norms: Iterable[Step],
    memory: Memory,
    keep: bool,
    go_on: Callable[[], None] = lambda: None,
) -> dict[Node, tuple[Tensor, Tensor]]:
    """Mean and (unbiased) variance of what each of `norms` reads, every batch normalisation using the batch's own;
    otherwise as `run`."""
    goals = [step.node for step in norms]
    values, steps, last = _plan(program, runner.cut, batch, (), memory, through=goals)
    found: dict[Node, tuple[Tensor, Tensor]] = {}
    own = set(program.norms)

    def carry_out(step: Step, values: dict[Node, Tensor], free: bool) -> Any:
        if step not in own:
            return runner(step, values, free)
        value, mean, variance = runner.batch_statistics(step, values)
        found[step.node] = mean, variance
        return value

    _run(program, runner, images, batch, steps, values, last, memory, keep, carry_out, set(), go_on)
    return {goal: found[goal] for goal in goals}


def _run(
    program: Program,
    runner: Runner,
    images: Images,
    batch: Batch,
    steps: Sequence[Step],
    values: dict[Node, Tensor],
    last: Mapping[Node, int],
    memory: Memory,
    keep: bool,
    carry_out: Callable[[Step, dict[Node, Tensor], bool], Any],
    wanted: set[Node],
    go_on: Callable[[], None],
) -> None:
    """Carry out steps one after the other, letting go of each value after the last step that reads it, but for those
    `wanted`. A step may write into an operand that nobody reads afterwards and that is not kept."""
    _begin(program, runner, images, values, last)
    shared = set(values)
    for number, step in enumerate(steps):
        first = step.sources[0] if step.sources else None
        free = first is not None and first not in shared and first not in wanted and last[first] == number
        go_on()
        value = carry_out(step, values, free)
        _store(runner.cut, batch, step, value, memory, keep, shared, values)
        values[step.node] = value
        for source in step.sources:
            if last[source] == number and source not in wanted:
                values.pop(source, None)


def _plan(
    program: Program, cut: Cut, batch: Batch, goals: Iterable[Node], memory: Memory, through: Iterable[Node] = ()
) -> tuple[dict[Node, Tensor], list[Step], dict[Node, int]]:
    """Values there are, steps to run, and the last step that reads each value. `through`: calls that must be run."""
    values: dict[Node, Tensor] = {}
    must = set(through)

    def known(node: Node) -> bool:
        if node in must or node not in memory.keep:
            return False
        if node not in values:
            found = memory.find(batch, program.by_node[node], cut)
            if found is None:
                return False
            values[node] = found
        return True

    steps = program.needed((*goals, *must), known)
    last = {source: number for number, step in enumerate(steps) for source in step.sources}
    return values, steps, last


def _store(
    cut: Cut,
    batch: Batch,
    step: Step,
    value: Tensor,
    memory: Memory,
    keep: bool,
    shared: set[Node],
    values: Mapping[Node, Tensor],
) -> None:
    """Keep a value where it is to be kept, and mark values on the same memory as not to be written to."""
    if isinstance(value, Tensor):
        place = value.untyped_storage().data_ptr()
        for source in step.sources:
            other = values.get(source)
            if isinstance(other, Tensor) and other is not value and other.untyped_storage().data_ptr() == place:
                shared |= {step.node, source}
        if keep and step.node in memory.keep:
            memory.held.setdefault(batch, {})[step.node] = Held(
                key=cut.key(step), left=cut.left(step.node), value=value
            )
            shared.add(step.node)
    else:
        shared.add(step.node)


def _begin(
    program: Program, runner: Runner, images: Images, values: dict[Node, Tensor], last: Mapping[Node, int]
) -> None:
    runner.images = images.count
    if program.source in last:
        pictures = images.normalised().to(runner.dtype)
        layout = torch.channels_last if pictures.dim() == 4 else torch.contiguous_format
        values[program.source] = pictures.contiguous(memory_format=layout)
