"""The metric of a plan, measured as fast as the machine allows, again and again while sliders move."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError
from pruning.calls.parts import Parts
from pruning.calls.passes import Images
from pruning.data.protocol import Data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, nothing
from pruning.repair.candidates import batches_for
from pruning.repair.recalibrate import has_batch_norm, recalibration_images
from pruning.repair.reference import Reference, make_reference
from pruning.repair.refit import Refit, refit
from pruning.repair.unlabelled import of_data
from pruning.tasks.table import task_of
from pruning.training.evaluate import Evaluation, Tally
from pruning.whatif.keeping import choose
from pruning.whatif.whole import Whole

Figure = Literal["as_cut", "recalibrated"]
FIRST = 100
"""Images that the first answer rests on."""
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
AGREEMENT = 0.995
"""Share of images on which the compute copy must give fp32's answer, or fp32 it is."""
BATCH_BYTES = 4 * 2**20
"""A batch is so small that its largest value stays in the processor's cache."""
CHECK_MACS = 5e10
"""About a second of work: what the comparison of number types may take."""
HOPELESS = 1.5
"""Times as long that bf16 takes, at best of two batches or more, and will be no faster on further ones."""
COARSE_IMAGES, COARSE, COARSE_BYTES = 300, 1e9, 2**28
"""Train images that a refit rests on here, multiplications that the sums of one layer may take, and bytes that values
of images may."""


@dataclass(frozen=True, kw_only=True)
class Precision:
    """The number type in use and why."""

    name: Literal["fp32", "bf16"]
    agreement: float | None
    """Share of images on which bf16 gives the same answer as fp32; None where it was not tried."""
    images: int
    """On so many."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is known so far of a plan."""

    as_cut: Evaluation | None
    """None where it is not wanted."""
    recalibrated: Evaluation | None
    """None where it is not wanted, without batch normalisation, where nothing goes, and until it is measured."""
    complete: bool
    """Whether all images were used."""
    repaired: Evaluation | None = None
    """After a coarse refit; only of `WhatIf.follow_repaired`."""


class WhatIf:
    """Measures plans of one network on `select` images.

    Kept are the values at those places of the network from which a change of one group goes on; so a plan costs what
    follows the first place where it differs from the plan before. One thread at a time may compute; several questions
    may be under way in turn, each for a few calls of the network: `cancel` is asked before every call, and may let
    others go first (`pruning.whatif.lane`).
    """

    def __init__(
        self,
        model: nn.Module,
        graph: ModelGraph,
        data: Data,
        *,
        images: int | None = 2000,
        figures: Sequence[Figure] = ("as_cut", "recalibrated"),
        precision: Literal["auto", "fp32", "bf16"] = "auto",
        budget_bytes: int = 512 * 2**20,
        seed: int = 0,
    ) -> None:
        """`images`: a balanced sample of so many select images, None for all. `figures`: what is wanted, in this order;
        the budget serves only these. `precision`: 'auto' takes bf16 where it is faster and agrees
        with fp32. `budget_bytes`: for values kept between questions. `seed`: draws the train images for recalibration.

        Raises:
            InputError: only 'recalibrated' is wanted of a network without batch normalisation.
        """
        self.data, self._task = data, task_of(data.info)
        order = data.balanced("select")
        self._order = order[torch.isin(order, data.subset("select", images))]
        self.figures = tuple(f for f in figures if f == "as_cut" or has_batch_norm(model))
        if not self.figures:
            raise InputError("This network has no batch normalisation, so nothing can be recalibrated: ask for as_cut.")
        train = recalibration_images(data, seed=seed) if "recalibrated" in self.figures else ()
        self._recalibration = [Images(count=len(some), normalised=partial(data.normalise, some)) for some in train]
        self._seed = seed
        self._reference: Reference | None = None
        self._refit: Refit | None = None
        """The last one."""
        self.whole_because: str | None = None
        """Why every plan is computed from the images on, where it is."""
        self._network: Parts | Whole
        try:
            self._network = Parts(model, graph)
        except LookupError as error:
            self._network, self.whole_because = Whole(model, graph), str(error)
        largest = 4 * (self._network.program.largest if isinstance(self._network, Parts) else 2**14)
        self._batches = self._order.split(int(min(FIRST, max(4, BATCH_BYTES // largest))))
        self.precision = Precision(name="fp32", agreement=None, images=0)
        if isinstance(self._network, Parts):
            if precision != "fp32":
                self.precision = self._compare(self._network, insist=precision == "bf16")
            self._network.dtype = TYPES[self.precision.name]
            count = len(self._order) * len(self.figures) + sum(batch.count for batch in self._recalibration)
            targets = [group.name for group in graph.groups] or [site.tensor for site in graph.contractions]
            size = count * self._network.dtype.itemsize
            self._network.memory.keep = choose(self._network.program, targets, size, budget_bytes)

    @property
    def images(self) -> int:
        """Select images that a complete measurement uses."""
        return len(self._order)

    @property
    def kept_bytes(self) -> int:
        """Memory that kept values take at present."""
        if not isinstance(self._network, Parts):
            return 0
        reference, last = self._reference, self._refit
        tensors = () if last is None else last.tensors.values()
        beside = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return self._network.memory.bytes + beside + (0 if reference is None else reference.bytes)

    def forget(self) -> None:
        """Let go of all that is kept; the next question costs as much as the first."""
        if isinstance(self._network, Parts):
            self._network.memory.held = {}
            self._reference = self._refit = None

    def measure(self, plan: Plan, *, keep: bool = True, cancel: Cancel | None = None) -> Measured:
        """The last of `follow`: all figures on all images."""
        *_, last = self.follow(plan, keep=keep, cancel=cancel)
        return last

    def follow(self, plan: Plan, *, keep: bool = True, cancel: Cancel | None = None) -> Iterator[Measured]:
        """Figures of a plan on more and more images, the last on all. Stop asking, and the rest is not computed.

        `keep=False`: what is kept stays that of the plan before, for many plans that each differ from one by a little.

        Raises:
            Cancelled: `cancel()` became true.
        """
        question = self._network.question(plan)
        go_on = partial(_stop, cancel)
        answers = {figure: Tally(self._task, self.data, "select") for figure in self.figures}

        def add(figure: Figure, number: int) -> None:
            index = self._batches[number]
            outputs = question.answer(figure, number, self._images(index), keep=keep, go_on=go_on)
            answers[figure].add(outputs, index)

        def known() -> Measured:
            found = {figure: some.evaluation() if some.images else None for figure, some in answers.items()}
            return Measured(
                as_cut=found.get("as_cut"),
                recalibrated=None if plan.removes_nothing else found.get("recalibrated"),
                complete=all(some.images == self.images for some in answers.values()),
            )

        first = -(-min(FIRST, self.images) // len(self._batches[0]))
        for figure in self.figures:
            if figure == "recalibrated":
                question.fit(self._recalibration, go_on, keep=keep)
            for number in range(first):
                add(figure, number)
            yield known()
        for number in range(first, len(self._batches)):
            for figure in self.figures:
                add(figure, number)
            yield known()

    @property
    def repairs(self) -> bool:
        """Whether plans can be refitted: the network can be run call by call."""
        return isinstance(self._network, Parts)

    def follow_repaired(self, plan: Plan, *, cancel: Cancel | None = None) -> Iterator[Measured]:
        """`repaired` of a plan on more and more images, the last on all: after a refit that rests on few images and
        rows (`COARSE_IMAGES`). What the dense network gives for them is gathered once, and what the question before
        found is taken over up to where the plans differ.

        Raises:
            InputError: this network cannot be refitted.
            Cancelled: `cancel()` became true.
        """
        if not isinstance(self._network, Parts):
            raise InputError(f"This network cannot be refitted, since {self.whole_because}.")
        network, go_on = self._network, partial(_stop, cancel)
        reference = self._reference  # another thread may forget it
        if reference is None:
            images = of_data(self.data, COARSE_IMAGES, self._seed)
            reference = self._reference = make_reference(
                network,
                batches_for(network, images),
                seed=self._seed,
                multiplications=COARSE,
                budget=COARSE_BYTES,
                go_on=go_on,
            )
        question = network.question(plan)
        if not plan.removes_nothing:
            found = self._refit = refit(reference, plan, earlier=self._refit, go_on=go_on)
            question.put(found.tensors)
        answer = Tally(self._task, self.data, "select")
        first = -(-min(FIRST, self.images) // len(self._batches[0]))
        for number, index in enumerate(self._batches):
            answer.add(question.answer("as_cut", number, self._images(index), keep=False, go_on=go_on), index)
            if number + 1 >= first:
                complete = answer.images == self.images
                yield Measured(as_cut=None, recalibrated=None, complete=complete, repaired=answer.evaluation())

    def _images(self, index: Tensor) -> Images:
        return Images(count=len(index), normalised=lambda: self.data.normalise(self.data.images("select", index)))

    def _compare(self, network: Parts, insist: bool) -> Precision:
        """bf16 against fp32 on the dense network: answers and time. It ends early where bf16 is far slower, as on
        processors without instructions for it: then it is fp32, however often both agree."""
        limit = max(32, min(1000, int(CHECK_MACS / sum(step.macs for step in network.program.steps))))
        same: list[Tensor] = []
        seconds = {"fp32": float("inf"), "bf16": float("inf")}
        questions = {}
        for name in seconds:
            network.dtype = TYPES[name]
            questions[name] = network.question(nothing())
        for number, index in enumerate(self._batches):
            if number * len(index) >= limit:
                break
            images = self._images(index)
            answers: list[Tensor] = []
            for name, question in questions.items():
                started = time.perf_counter()
                answers.append(question.answer("as_cut", number, images, keep=False))
                seconds[name] = min(seconds[name], (time.perf_counter() - started) / len(index))
            same.append(self._task.same_answer(answers[0], answers[1]))
            if not insist and len(same) > 1 and seconds["bf16"] > HOPELESS * seconds["fp32"]:
                break
        agreement = float(torch.cat(same).float().mean())
        good = agreement >= AGREEMENT and (insist or seconds["bf16"] < seconds["fp32"])
        return Precision(name="bf16" if good else "fp32", agreement=agreement, images=sum(map(len, same)))


def _stop(cancel: Callable[[], bool] | None) -> None:
    if cancel is not None and cancel():
        raise Cancelled("Cancelled while measuring accuracy.")
