"""The calls of a network as it runs, one by one, in the form in which torch.export writes them down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._dispatch.python import enable_python_dispatcher, no_python_dispatcher
from torch._subclasses.schema_check_mode import SchemaCheckMode

from pruning.graph.doubles import in_double
from pruning.graph.ops import OPS, Op
from pruning.graph.trace import by_name, op_name
from pruning.removal.reference import CONSTANT

Seen = Callable[[Op, dict[str, Any]], None]


@contextmanager
def showing_calls(seen: Seen) -> Iterator[None]:
    """Inside, each call that a network makes is shown to `seen` before it is made: what is known of its op, and
    its arguments by name.

    As in `pruning.removal.reference.run`, narrower float types become float64, dropout is left out, and random numbers
    are a constant.
    """
    with enable_python_dispatcher(), _Calls(seen):
        yield


class _Calls(SchemaCheckMode):
    """It stands above autograd, where torch.export stands, so that a convolution is one call. torch lets few kinds of
    mode in there; the one that checks calls is meant for such as this."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen
        self._dispatch_key = torch._C.DispatchKey.PreDispatch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = op_name(func), kwargs or {}
        op = OPS.get(name) or Op(name=name)
        if op.asserts:
            return None
        with no_python_dispatcher():  # what a call does inside is torch's own affair
            self.seen(op, by_name(func, args, kwargs))
            if op.dropout:
                return args[0]
            result = func(*in_double(args), **in_double(kwargs))
            return result.fill_(CONSTANT) if op.random else result
