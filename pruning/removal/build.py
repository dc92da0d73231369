"""From a model to its channel groups: trace, label, and try what the labels say.

Sizes written into the code show when units are removed on trial. Where the smaller model then differs from what the
labels say, first a number kept in an attribute of the module is tried, then another way of cutting, and at last the
line is locked.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.base.outside import untouched
from pruning.base.time_limit import DEFAULT_SECONDS, limited_to
from pruning.graph.batch import OtherSize, at_another_size
from pruning.graph.inputs import BatchDims, Inputs
from pruning.graph.model_graph import Lessons, ModelGraph, label_model, trace_modes
from pruning.graph.refusals import check_inputs, check_model, check_trace, explained
from pruning.graph.statements import find_statements
from pruning.graph.trace import ALONE, Trace, TraceError
from pruning.removal.checks import concerned
from pruning.removal.least import with_least
from pruning.removal.mismatch import Problem
from pruning.removal.remedies import first_lessons, learned, remedies
from pruning.removal.slim import prepared
from pruning.removal.trial import attempt, failing, first_problem, one_less


def build_graph(
    model: nn.Module,
    example_inputs: Any,
    *,
    batch_dims: BatchDims | str = "guess",
    clock: dict[str, float] | None = None,
    seconds: float = DEFAULT_SECONDS,
) -> ModelGraph:
    """Trace a model and find its channel groups; the model is left as it was.

    `example_inputs`: a tensor, a tuple of arguments or a dict of keyword arguments, with a batch dimension first; or
    the shape of one sample, without the batch.
    `batch_dims`: which dimension of each tensor is the batch (see `pruning.graph.inputs.BatchDims`); found by trying
    where nothing is said.
    `clock`: gets the seconds of 'trace' and of 'group' (labels and trials). `seconds`: that all of it may take.

    Raises:
        InputError: the model cannot be traced, the inputs hold no tensor, or it takes too long.
    """
    check_model(model)
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    inputs = Inputs.of(example_inputs, dtype, batch_dims)
    check_inputs(inputs)
    started = time.perf_counter()
    with ALONE, torch.no_grad(), limited_to(seconds), untouched(model):
        subject = prepared(model)
        try:
            traces, inputs, other = _traced(subject, inputs)
        except TraceError as error:
            raise explained(error, subject, inputs) from error
        check_trace(traces[0], subject)
        traced = time.perf_counter()
        graph = with_least(subject, _grouped(subject, inputs, traces))
        statements = find_statements(subject, graph.walks, graph.labels, graph.sizes)
        graph = replace(graph, other_size=other, statements=statements)
    if clock is not None:
        clock["trace"], clock["group"] = traced - started, time.perf_counter() - traced
    return graph


def _grouped(subject: nn.Module, inputs: Inputs, traces: list[Trace]) -> ModelGraph:
    """The graph with all that trials teach; of two ways to take reshapes that put channels among places, the one with
    which more can go."""
    lessons = first_lessons(subject, traces)
    graph = label_model(subject, inputs, traces, lessons)
    spread = graph
    for line in graph.labels.spreading:
        tried = replace(spread.lessons, spread=spread.lessons.spread | {line})
        again = label_model(subject, inputs, traces, tried)
        if _free(again) > _free(spread):
            spread = again
    settled = _settled(subject, inputs, traces, graph)
    if spread is graph or _free(spread) <= _free(settled):
        return settled
    return max(settled, _settled(subject, inputs, traces, spread), key=_free)


def _settled(subject: nn.Module, inputs: Inputs, traces: list[Trace], graph: ModelGraph) -> ModelGraph:
    """A graph with what trials teach of it."""
    lessons = graph.lessons
    modules = dict(subject.named_modules())
    problem = first_problem(subject, graph)
    given_up: set[tuple[str, str]] = set()
    met: set[str] = set()
    while problem is not None:
        met.add(problem.where)
        for remedy in remedies(problem, graph, modules):
            tried = learned(lessons, problem, remedy)
            again = label_model(subject, inputs, traces, tried)
            if remedy.couple and len(again.locked) > len(graph.locked):
                continue  # it ties everything together
            found = first_problem(subject, again)
            further = found is None or (found.place, found.where not in met) > (problem.place, False)
            if further:
                lessons, graph, problem = tried, again, found
                break
        else:
            key = problem.line, problem.op
            lessons = _without(subject, graph, problem, everywhere=key in given_up)
            given_up.add(key)
            graph = label_model(subject, inputs, traces, lessons)
            problem = first_problem(subject, graph)
    return graph


def _free(graph: ModelGraph) -> int:
    """Channels of all layers that can go, counted where they are made and where they are read."""
    return sum(slot.index.numel() for group in graph.groups for slot in group.slots if slot.role != "follower")


def _traced(model: nn.Module, inputs: Inputs) -> tuple[list[Trace], Inputs, OtherSize | None]:
    """Traces for at least two samples, where the network takes them, and what is known of other sizes by then."""
    if not inputs.has_batch:
        return trace_modes(model, inputs), inputs, None
    if inputs.batch < 2:
        pair = at_another_size(model, inputs, 2, trace_modes)
        if pair.traces:
            return list(pair.traces), pair.inputs, None
        return trace_modes(model, inputs), inputs, pair
    traces = trace_modes(model, inputs)
    if inputs.said or len(inputs.tensors) == 1:
        return traces, inputs, None
    other = at_another_size(
        model, inputs, inputs.batch + 1, trace_modes, traces[0]
    )  # several tensors: which have a batch?
    known = inputs.along(other.inputs.dims if other.traces else [None] * len(inputs.dims))
    return [replace(trace, batch=known.batch) for trace in traces], known, other


def _without(model: nn.Module, graph: ModelGraph, problem: Problem, everywhere: bool) -> Lessons:
    """Where nothing else helps: the groups stay that cannot lose a unit by themselves (or all, if any can). Unless
    `everywhere`, those that fail in other modules than the problem's get their turn, as there something may help."""
    near, every = concerned(problem, graph), [group.name for group in graph.groups]

    def tried(names: list[str]) -> tuple[dict[str, Problem], dict[str, Problem]]:
        """Those that fail, and of them those that fail in the problem's module."""
        stay = failing(lambda kept: attempt(model, graph, kept), one_less(graph, names))
        return stay, {name: why for name, why in stay.items() if why.module == problem.module}

    stay, here = tried(near)
    wider = problem.stop is None and (everywhere or not here)
    if near != every and (wider or not stay):
        stay, here = tried(every)
    if here and not everywhere:
        stay = here
    if not stay:
        raise InputError(
            f"A copy of this network that loses nothing does not run as the network does ({problem.words}), so "
            "nothing can be removed from it: look for code that changes the network's modules while it runs."
        )
    slots = {name: graph.group(name).slots[0] for name in stay}
    found = tuple((slot.tensor, slot.dim, slot.index.reshape(-1), stay[name].words) for name, slot in slots.items())
    return replace(graph.lessons, stays=(*graph.lessons.stays, *found))
