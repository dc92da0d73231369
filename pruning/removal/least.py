"""How many units of a group must stay so that the code goes the same way: it may branch on a number of channels.

One unit less shows a number that is fixed, not a threshold as in `if x.shape[1] > 16`. So nearly all units are taken
out for a try, where the network's code asks for sizes at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from torch import nn

from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.removal.mismatch import Problem
from pruning.removal.trial import attempt, failing

TRIALS = 64
"""At most so many: what is known by then counts, and the proof of a removal has the last word."""

Kept = Mapping[str, tuple[int, ...]]


def with_least(model: nn.Module, graph: ModelGraph) -> ModelGraph:
    """The same graph; each group knows how many units have to stay.

    A threshold is looked for by halving, as if the code went another way below it and nowhere else.
    """
    if not any(walk.trace.asks_sizes for walk in graph.walks):
        return graph
    least = {group.name: 1 for group in graph.groups}
    reasons: dict[str, str] = {}
    trials = _Trials(model, graph)
    with contextlib.suppress(_Enough):
        while found := failing(trials.first_problem, _first(graph.groups, least)):
            for name, problem in found.items():
                least[name] = _threshold(trials, graph.group(name), least[name])
                reasons[name] = problem.words
    groups = tuple(replace(g, least=least[g.name], why_least=reasons.get(g.name)) for g in graph.groups)
    return replace(graph, groups=groups)


class _Enough(Exception):
    """No more trials."""


class _Trials:
    """Trials of one graph, counted."""

    def __init__(self, model: nn.Module, graph: ModelGraph) -> None:
        self._model, self._graph, self._made = model, graph, 0

    def first_problem(self, kept: Kept) -> Problem | None:
        if self._made == TRIALS:
            raise _Enough
        self._made += 1
        return attempt(self._model, self._graph, kept)


def _threshold(trials: _Trials, group: ChannelGroup, fails: int) -> int:
    """The least number of a group's units with which the code goes as it does with all; it does not with `fails`."""
    works = group.units
    while works - fails > 1:
        middle = (works + fails) // 2
        if trials.first_problem({group.name: tuple(range(middle))}) is None:
            works = middle
        else:
            fails = middle
    return works


def _first(groups: Iterable[ChannelGroup], counts: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    return {group.name: tuple(range(counts[group.name])) for group in groups if counts[group.name] < group.units}
