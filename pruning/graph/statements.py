"""Numbers of channels that a module of the user's keeps in an attribute which its forward does not read.

Such a number is for other methods and for code outside: RepVGG (arXiv 2101.03697) and its kin make the kernel of an
identity branch from `in_channels // groups` when they fuse their branches. It follows the channels that it counts
where these are beyond doubt, and stays otherwise.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import FunctionType
from typing import Any, Literal

from torch import Tensor, nn
from torch.fx import Node

from pruning.base.held import Place, numbers_of
from pruning.base.outside import names_in
from pruning.graph.labels import Labels, Value, varying
from pruning.graph.rules.call import SizeSite, Walk
from pruning.graph.trace import module_path

Side = Literal["in", "out", "groups", "any"]
IN = frozenset("in inp input inputs cin inc ic nin inplanes indim inchannels inchans infeatures c1".split())
OUT = frozenset("out outp oup output outputs cout outc oc nout outplanes outdim outchannels outchans c2".split())
GROUPS = frozenset("groups ngroups g".split())
COUNTS = frozenset(
    "channels channel chs ch chans chan planes features feature feats filters dim dims width widths embed embedding "
    "hidden nf c units model".split()
)
"""Words in names of attributes that count channels."""
OTHERS = frozenset(
    "kernel kernels stride padding dilation head heads layers layer depth classes class patch window ratio factor "
    "image img grid seq len length steps branches scale rank resolution shape step last first".split()
)
"""Words in names of attributes that count something else."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Statement:
    """An attribute, and the channels that it may count: it follows where all of them shrink alike."""

    module: str
    attribute: str
    place: Place
    number: int
    vectors: tuple[Tensor, ...]
    """Labels."""

    def left(self, gone: Tensor) -> tuple[int, int] | None:
        """So many of so many channels are left; None where that is in doubt, none is left, or none is gone."""
        counts = [(int((~gone[vector]).sum()), len(vector)) for vector in self.vectors]
        shares = {Fraction(count, total) for count, total in counts}
        share = shares.pop()
        return None if shares or share in (0, 1) or (share * self.number).denominator != 1 else counts[0]


def find_statements(
    model: nn.Module, walks: Sequence[Walk], labels: Labels, sizes: Sequence[SizeSite]
) -> tuple[Statement, ...]:
    """All attributes that may follow their channels, besides those that `sizes` say follow anyway."""
    settled = {(site.module, site.attribute) for site in sizes}
    modules = {
        path: module for path, module in model.named_modules() if not type(module).__module__.startswith("torch.")
    }
    numbers = {
        path: [item for item in _numbers(module) if (path, item[0]) not in settled] for path, module in modules.items()
    }
    numbers = {path: items for path, items in numbers.items() if items}
    if not numbers:
        return ()
    ends = _ends(walks, set(numbers))
    tensors = _by_module(labels, set(numbers))
    grouped = _group_sites(model, sizes, set(numbers))
    found = []
    for path, items in numbers.items():
        for attribute, place, number, side in items:
            inputs, outputs = (
                [v for value in ends[path, end] for v in _vectors(value, number)] for end in ("in", "out")
            )
            own = [labels.own[key] for key in tensors[path] if len(labels.own[key]) == number]
            vectors = {
                "in": inputs or own,
                "out": outputs or own,
                "groups": grouped[path, number] or [*inputs, *outputs, *own],
                "any": [*inputs, *outputs, *own],
            }[side]
            if vectors:
                found.append(
                    Statement(module=path, attribute=attribute, place=place, number=number, vectors=tuple(vectors))
                )
    return tuple(found)


def _numbers(module: nn.Module) -> Iterator[tuple[str, Place, int, Side]]:
    """Numbers in attributes that its forward does not read, whose own name says that they count channels."""
    for attribute, place, number in numbers_of(module):
        side = _side(next(step for step in (*reversed(place), attribute) if isinstance(step, str)))
        if side is not None and number > 1 and attribute not in read_by_forward(module):
            yield attribute, place, number, side


def _side(name: str) -> Side | None:
    """Which channels an attribute counts, by the words of its name; None where it counts none.

    >>> _side("in_channels"), _side("out_chs"), _side("groups"), _side("dim"), _side("kernel_size")
    ('in', 'out', 'groups', 'any', None)
    """
    words = set(re.findall(r"[a-z]+\d*", name.lower()))
    if words & OTHERS:
        return None
    if words & GROUPS:
        return "groups"
    if words & IN and not words & OUT:
        return "in"
    if words & OUT and not words & IN:
        return "out"
    return "any" if words & COUNTS else None


def read_by_forward(module: nn.Module) -> frozenset[str]:
    """Names that forward reads, and the methods of the class that it names."""
    kind: Any = type(module)  # mypy takes the hash of a class for that of its objects
    return _read_by_forward(kind)


@cache
def _read_by_forward(kind: Any) -> frozenset[str]:
    found: set[str] = set()
    todo, seen = ["forward"], {"forward"}
    while todo:
        member = inspect.getattr_static(kind, todo.pop(), None)
        for function in (member, *(getattr(member, part, None) for part in ("fget", "__func__", "__wrapped__"))):
            if isinstance(function, FunctionType):
                names = names_in(function.__code__)
                found |= names
                todo += names - seen
                seen |= names
    return frozenset(found)


def _ends(walks: Sequence[Walk], paths: set[str]) -> dict[tuple[str, str], list[Value]]:
    """(module, 'in' or 'out') → values that calls inside of it take from outside, or make for outside."""
    found: dict[tuple[str, str], list[Value]] = defaultdict(list)
    seen: set[tuple[str, str, Node]] = set()

    def note(path: str, end: str, node: Node, walk: Walk) -> None:
        value = walk.values.get(node)
        if path in paths and (path, end, node) not in seen:
            seen.add((path, end, node))
            found[path, end] += [
                part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, Value)
            ]

    for walk in walks:
        around = {node: _around(node) for node in walk.trace.nodes}
        for node in walk.trace.nodes:
            for source in node.all_input_nodes:
                if source.name in walk.trace.tensors or source.name in walk.trace.constants:
                    continue
                for path in around[node] - around[source]:
                    note(path, "in", source, walk)
                for path in around[source] - around[node]:
                    note(path, "out", source, walk)
    return found


def _around(node: Node) -> frozenset[str]:
    """The modules that a call is in."""
    return _parents(module_path(node)) if node.op == "call_function" else frozenset()


@cache
def _parents(path: str) -> frozenset[str]:
    """
    >>> sorted(_parents("a.b"))
    ['', 'a', 'a.b']
    """
    parts = path.split(".") if path else []
    return frozenset(".".join(parts[:count]) for count in range(len(parts) + 1))


def _by_module(labels: Labels, paths: set[str]) -> dict[str, list[tuple[str, int]]]:
    """Dimensions of the tensors in each module, but for those of a kernel."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, dim in labels.own:
        if dim < 2:
            for path in _parents(name.rpartition(".")[0]) & paths:
                found[path].append((name, dim))
    return found


def _group_sites(model: nn.Module, sizes: Sequence[SizeSite], paths: set[str]) -> dict[tuple[str, int], list[Tensor]]:
    """(module, number of groups) → channels that the groups of the convolutions in it follow."""
    found: dict[tuple[str, int], list[Tensor]] = defaultdict(list)
    for site in sizes:
        if site.attribute == "groups":
            number = getattr(model.get_submodule(site.module), "groups", 0)
            for path in _parents(site.module) & paths:
                found[path, number].append(site.vector)
    return found


def _vectors(value: Value, number: int) -> list[Tensor]:
    """Labels along the dimensions of a value that are so long."""
    found = []
    for layer in value.layers:
        for dim in varying(layer):
            if value.shape[dim] == number:
                part = layer
                for other in range(layer.dim()):
                    part = part if other == dim else part.narrow(other, 0, 1)
                found.append(part.reshape(-1))
    return found
