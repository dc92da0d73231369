"""Constants as wide as a number in an attribute of another module, as in `zeros(n, self.cell.width)`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruning.base.held import numbers_of
from pruning.graph.model_graph import Followed, ModelGraph, result_vector
from pruning.graph.ops import of
from pruning.graph.rules.call import Walk
from pruning.graph.rules.constants import made
from pruning.graph.trace import module_path, shape_of
from pruning.removal.attributes import states_its_sizes

GUESSES = 8
"""Numbers that are tried for one call."""


def sized_elsewhere(walk: Walk, node: Node, graph: ModelGraph, modules: Mapping[str, nn.Module]) -> list[Followed]:
    """Numbers that the sizes of a constant may be: of the modules in that whose code makes it, and of those around it,
    which may hand them on. They follow the channels that meet the constant."""
    if of(node).rule is not made:
        return []
    own = module_path(node)
    near = [path for path in modules if path != own and (_is_in(path, own) or _is_in(own, path))]
    found: list[tuple[bool, Followed]] = []
    for dim, size in enumerate(shape_of(node)):
        vector = result_vector(walk, node, dim)
        for path in near if vector is not None else ():
            if states_its_sizes(modules[path]):
                continue
            assert vector is not None
            for attribute, place, number in numbers_of(modules[path]):
                if number > 1 and size % number == 0 and (key := _part(graph, vector, path)) is not None:
                    found.append((number != size, Followed(path, attribute, place, *key)))
    found.sort(key=lambda item: item[0])
    return [each for _, each in found if each not in graph.lessons.follows][:GUESSES]


def _is_in(inner: str, outer: str) -> bool:
    return not outer or f"{inner}.".startswith(f"{outer}.")


def _part(graph: ModelGraph, vector: Tensor, path: str) -> tuple[str, int, tuple[int, int]] | None:
    """A part of a dimension of a parameter or buffer with just these channels, one of the module's own first."""
    wanted = graph.component[vector]
    places = []
    for (name, dim), own in graph.labels.own.items():
        starts = (graph.component[own] == wanted[0]).nonzero().reshape(-1).tolist()
        for start in starts:
            if torch.equal(graph.component[own[start : start + len(wanted)]], wanted):
                places.append((name, dim, (start, start + len(wanted))))
    return next((place for place in places if _is_in(place[0], path)), places[0] if places else None)
