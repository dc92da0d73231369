"""A network walked call by call, all images side by side, so that each layer can be looked at when its turn comes.

Values of the first layers are large and those of the last are small: a walk begins with as many images as its memory
allows, and others join where there is room for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import Node

from pruning.calls.passes import Images
from pruning.calls.program import Program, Step
from pruning.calls.runner import Runner

BYTES = 2**30
"""That the values of a walk may take."""
LEAST = 2
"""Batches that a walk begins with, whatever they take: one to fit, one to be held back."""
Look = Callable[[Step], None]


def _nothing(step: Step) -> None:
    """For whoever does not look."""


@dataclass(eq=False)
class Batch:
    """Some images on their way through a network."""

    number: int
    count: int
    values: dict[Node, Any] = field(default_factory=dict)
    """Those that are still needed."""


class Walk:
    """A network, as far as it was walked."""

    def __init__(self, program: Program, runner: Runner, images: Sequence[Images], *, budget: int = BYTES) -> None:
        """`images`: batch by batch. `budget`: bytes for values."""
        self.program, self.runner, self.images = program, runner, images
        self.batches: list[Batch] = []
        """Those that joined so far; two walks of one program with the same images have the same ones at each call."""
        self._last = {source: number for number, step in enumerate(program.steps) for source in step.sources}
        self._room = _room(program, self._last, budget)

    @torch.inference_mode()
    def run(self, go_on: Callable[[], None], *, before: Look = _nothing, after: Look = _nothing) -> None:
        """From the images to the output. `before`: called with each call when all that it reads is there, so that it
        can be given other weights. `after`: when its result is there, and what it read as well. `go_on` is called
        before each call of a batch, and may raise."""
        for number, step in enumerate(self.program.steps):
            self._join(number, go_on)
            before(step)
            for batch in self.batches:
                go_on()
                self._carry_out(batch, step)
            after(step)
            for batch in self.batches:
                self._let_go(batch, number)

    def _join(self, number: int, go_on: Callable[[], None]) -> None:
        """Bring further batches as far as the others are."""
        there = sum(batch.count for batch in self.batches)
        while len(self.batches) < len(self.images):
            images = self.images[len(self.batches)]
            if len(self.batches) >= LEAST and there + images.count > self._room[number]:
                return
            batch = Batch(number=len(self.batches), count=images.count)
            pictures = images.normalised()
            if pictures.dim() == 4:
                pictures = pictures.contiguous(memory_format=torch.channels_last)
            batch.values[self.program.source] = pictures
            for earlier, step in enumerate(self.program.steps[:number]):
                go_on()
                self._carry_out(batch, step)
                self._let_go(batch, earlier)
            self.batches.append(batch)
            there += batch.count

    def _carry_out(self, batch: Batch, step: Step) -> None:
        self.runner.images = batch.count
        batch.values[step.node] = self.runner(step, {source: batch.values[source] for source in step.sources}, False)

    def _let_go(self, batch: Batch, number: int) -> None:
        for source in self.program.steps[number].sources:
            if self._last[source] == number:
                batch.values.pop(source, None)


def _room(program: Program, last: dict[Node, int], budget: int) -> list[int]:
    """At each step, how many images there is room for from there on."""
    live = {program.source: 0}
    found = []
    for number, step in enumerate(program.steps):
        live[step.node] = step.numbers
        found.append(budget // (4 * max(1, sum(live.values()))))
        for one in step.sources:
            if last[one] == number:
                live.pop(one, None)
    for number in reversed(range(len(found) - 1)):
        found[number] = min(found[number], found[number + 1])
    return found
