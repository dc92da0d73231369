"""Numbers in a module's attributes that may be the sizes which a call there has: they are to follow its result."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from torch.fx import Node

from pruning.base.held import Held, is_near
from pruning.graph.labels import Value
from pruning.graph.model_graph import SizeRule, result_vector
from pruning.graph.rules.call import Walk
from pruning.graph.trace import argument, line_of, op_of

Rules = tuple[SizeRule, ...]


def single(walk: Walk, node: Node, numbers: Sequence[Held]) -> list[tuple[bool, bool, SizeRule]]:
    """A number that follows one dimension of a call's result; each with whether it lies deep in an attribute, and
    whether it is only proportional to the length."""
    return [
        (not is_near(held[1]), held[2] != size, _rule(node, dim, held))
        for dim, size in _dims(walk, node)
        for held in numbers
        if held[2] > 1 and (size % held[2] == 0 or held[2] % size == 0)
    ]


def several(walk: Walk, node: Node, numbers: Sequence[Held]) -> list[Rules]:
    """Numbers that follow together: one for each dimension, as in `zeros(n, self.d, self.n)`; or two for one dimension,
    of which the code divides the larger by the smaller for another, as in `view(n, self.heads, self.width //
    self.heads)`."""
    exact = {dim: [held for held in numbers if held[2] == size > 1] for dim, size in _dims(walk, node)}
    each = [[(dim, held) for held in found[:2]] for dim, found in exact.items() if found]
    ways = [
        tuple(_rule(node, dim, held) for dim, held in chosen)
        for chosen in (product(*each) if len(each) > 1 else ())
        if len({held[:2] for _, held in chosen}) == len(chosen)
    ]
    for dim, found in exact.items():
        for held in found[:2]:
            wider = [other for other in numbers if other[2] > held[2] and other[2] % held[2] == 0]
            ways += [(_rule(node, dim, held), _rule(node, dim, other)) for other in wider[:4]]
    return ways


def border(node: Node, numbers: Sequence[Held]) -> list[SizeRule]:
    """A number that may say how many indices a slice takes, or leaves out."""
    dim = int(argument(node, 1, 0))
    source, result = argument(node, 0).meta["val"].shape, node.meta["val"].shape
    dim %= len(source)
    if dim == 0 or source[dim] == result[dim]:
        return []
    return [_rule(node, dim, held) for held in numbers if held[2] == result[dim]][:1]


def of_parts(node: Node, values: Sequence[Value], numbers: Sequence[Held], most: int) -> Rules:
    """A number for each part of a split, or the items of one tuple or list; `most`: parts that any call of the line
    makes. () where there are none."""
    dim = int(argument(node, 2, 0)) % len(values[0].shape) if values else 0
    sizes = [value.shape[dim] for value in values]
    lists: dict[tuple[str, tuple[str | int, ...]], list[Held]] = {}
    for held in numbers:
        if held[1] and isinstance(held[1][-1], int):
            lists.setdefault((held[0], held[1][:-1]), []).append(held)
    for (attribute, around), items in lists.items():
        if [number for *_, number in items] == sizes:
            return tuple(_rule(node, dim, (attribute, (*around, part), 0), part) for part in range(most))
    found = [
        next((held for held in numbers if held[2] == size and not _is_item(held)), None) for size in sizes
    ]  # an item of a list by itself may stand for anything
    known = [held for held in found if held is not None]
    if not known or len(known) < len(found):
        return ()
    return tuple(_rule(node, dim, held, part) for part, held in enumerate(known))


def _is_item(held: Held) -> bool:
    return bool(held[1]) and isinstance(held[1][-1], int)


def _dims(walk: Walk, node: Node) -> list[tuple[int, int]]:
    """Dimensions of a call's (first) result along which there are channels, each with its length."""
    value = walk.values.get(node)
    first = value[0] if isinstance(value, tuple) and value else value
    shape = first.shape if isinstance(first, Value) else ()
    return [(dim, size) for dim, size in enumerate(shape) if result_vector(walk, node, dim) is not None]


def _rule(node: Node, dim: int, held: Held, part: int = 0) -> SizeRule:
    return SizeRule(line=line_of(node), op=op_of(node), dim=dim, attribute=held[0], place=held[1], part=part)
