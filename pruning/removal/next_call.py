"""Whether the code takes the same way when a network is called again: what it keeps of a call, such as a counter or a
flag, may choose layers that no trace has met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from pruning.base.clone import clone
from pruning.base.outside import as_given
from pruning.base.time_limit import OutOfTime, check_time
from pruning.graph.doubles import float64_by_default, model_in_double
from pruning.graph.inputs import Inputs
from pruning.graph.model_graph import ModelGraph
from pruning.graph.outputs import output_tensors
from pruning.planning.plan import Plan
from pruning.removal.apply import masked_model
from pruning.removal.compare import TOLERANCE, has_numbers, relative
from pruning.removal.reference import AllDouble

ANOTHER = "the code takes another way at its next call"


@dataclass(kw_only=True)
class _Call:
    """One call of a network."""

    outputs: list[Tensor] | None = None
    """None where it fails."""
    reads: set[str] = field(default_factory=set)
    """Parameters and buffers."""


@torch.no_grad()
def another_way(model: nn.Module, small: nn.Module, graph: ModelGraph, plan: Plan, inputs: Inputs) -> str | None:
    """Why the smaller network's second call is not that of the masked one; None where nothing speaks against it.

    The masked module is compared as it is, so that means over its channels are others than those of survivors. Where
    the two differ for such a reason at their first call, the second must give the same as the first, or read the same.

    `small`: in float64, as compared; it must not have run yet.
    """
    masked = masked_model(model_in_double(clone(model)), graph, plan)
    first, second = _called_twice(masked.eval(), inputs)
    if first.outputs is not None and second.outputs is None:  # so it is without removal
        return None
    small_first, small_second = _called_twice(small.eval(), inputs)
    if small_second.outputs is None:
        return f"{ANOTHER}, which does not run"
    pairs = (((first, small_first), (second, small_second)), ((first, second), (small_first, small_second)))
    if any(all(_same(one.outputs, other.outputs) for one, other in both) for both in pairs):
        return None
    other = sorted(small_first.reads ^ small_second.reads)
    return f"{ANOTHER}: one of the two reads {other[0]}" if other else None


@float64_by_default()
def _called_twice(network: nn.Module, inputs: Inputs) -> tuple[_Call, _Call]:
    with as_given():
        return _called(network, inputs), _called(network, inputs)


def _called(network: nn.Module, inputs: Inputs) -> _Call:
    check_time("calling the smaller network again")
    call = _Call()
    try:
        with _Reads(network, call.reads):
            call.outputs = output_tensors(inputs.call(network))
    except OutOfTime:
        raise
    except Exception:
        call.outputs = None
    return call


def _same(some: Sequence[Any] | None, others: Sequence[Any] | None) -> bool:
    if some is None or others is None or len(some) != len(others):
        return False
    return all(relative(a, b) <= TOLERANCE for a, b in zip(some, others, strict=True) if has_numbers(a))


class _Reads(AllDouble):
    """Notes which parameters and buffers of a network calls read."""

    def __init__(self, network: nn.Module, reads: set[str]) -> None:
        super().__init__()
        self._reads = reads
        self._names = {id(tensor): name for name, tensor in (*network.named_parameters(), *network.named_buffers())}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        given = pytree.tree_leaves((args, kwargs))
        self._reads |= {self._names[id(leaf)] for leaf in given if id(leaf) in self._names}
        return super().__torch_dispatch__(func, types, args, kwargs)
