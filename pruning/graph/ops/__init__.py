"""Facts about ops, each in one place: `OPS` holds a record for every op anyone has looked at, `of` gives a call's.

A new op is a record in `pruning.graph.ops.table`; its rule, if none of those in `pruning.graph.rules` will do, is a
function there. Nobody else keeps names of ops.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from torch.fx import Node

from pruning.graph.ops.record import Op
from pruning.graph.ops.table import ROWS
from pruning.graph.trace import op_name

OPS: dict[str, Op] = {op.name: op for op in ROWS}
"""By short name."""
NO_CALL = Op()


def of(node: Node) -> Op:
    """The record of a call; with a name and no facts for an op that nobody has looked at, without a name for inputs,
    parameters and the output."""
    return _of(node.target) if node.op == "call_function" else NO_CALL


@lru_cache(maxsize=4096)
def _of(target: Any) -> Op:
    name = op_name(target)
    return OPS.get(name) or Op(name=name)


def is_real(node: Node) -> bool:
    """Whether a node is a call that computes something."""
    return node.op == "call_function" and not of(node).idle


__all__ = ["OPS", "Op", "is_real", "of"]
