"""What a network has that was drawn at random and never trained: seen by making it once more, with other lots."""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pruning.catalog.weights.loading import STATISTICS, own_tensors


@contextlib.contextmanager
def other_lots() -> Iterator[None]:
    """While this holds, whatever is drawn comes out otherwise, even where its seed was set: a factory that sets one is
    random all the same."""
    with contextlib.ExitStack() as stack:
        for place, name in ((random, "seed"), (np.random, "seed"), (np.random, "default_rng")):
            stack.enter_context(_seeded_otherwise(place, name))
        stack.enter_context(_OtherOrder())
        yield


@contextlib.contextmanager
def _seeded_otherwise(place: Any, name: str) -> Iterator[None]:
    """A function that takes a seed takes the next one."""
    function = getattr(place, name)

    @functools.wraps(function)
    def shifted(seed: Any = None, *args: Any, **kwargs: Any) -> Any:
        return function(seed + 1 if isinstance(seed, int) else seed, *args, **kwargs)

    setattr(place, name, shifted)
    try:
        yield
    finally:
        setattr(place, name, function)


class _OtherOrder(TorchDispatchMode):
    """What torch draws comes out in another order."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if torch.Tag.nondeterministic_seeded in func.tags:
            for tensor in tree_leaves(found):
                if isinstance(tensor, Tensor) and tensor.is_floating_point() and tensor.device.type != "meta":
                    tensor.copy_(tensor.flatten().roll(1).view(tensor.shape) if tensor.numel() > 1 else tensor * 0.5)
        return found


def drawn_parameters(model: nn.Module, twin: nn.Module) -> list[str]:
    """Names of parameters that are others in a twin, which was made with other lots."""
    others = dict(twin.named_parameters())
    return [name for name, tensor in model.named_parameters() if name in others and _differ(tensor, others[name])]


def drawn_buffers(
    model: nn.Module, twin: nn.Module, call: Callable[[nn.Module], Any], among: Collection[str] | None = None
) -> list[str]:
    """Names of buffers that are others in a twin, and with which a network answers otherwise. `call` gives its answer;
    `among`: the only ones that count."""
    buffers = {name for name, _ in model.named_buffers() if among is None or name in among}
    own, others = own_tensors(model), own_tensors(twin)
    names = [
        name
        for name, tensor in own.items()
        if name in buffers
        and name.rpartition(".")[2] not in STATISTICS
        and tensor.is_floating_point()
        and name in others
        and _differ(tensor, others[name])
    ]
    return names if names and not _same_answer(model, {name: others[name] for name in names}, call) else []


def _same_answer(model: nn.Module, others: Mapping[str, Tensor], call: Callable[[nn.Module], Any]) -> bool:
    """Whether a network answers the same with some of its buffers exchanged."""
    own = own_tensors(model)
    kept = {name: own[name].clone() for name in others}
    with torch.no_grad():
        try:
            before = _tensors(call(model))
            for name, tensor in others.items():
                own[name].copy_(tensor)
            after = _tensors(call(model))
        except Exception:  # somebody's code: what cannot be called is told elsewhere
            return False
        finally:
            for name, tensor in kept.items():
                own[name].copy_(tensor)
    return len(before) == len(after) and not any(map(_differ, before, after))


def _tensors(answer: Any) -> list[Tensor]:
    return [leaf.clone() for leaf in _leaves(answer) if isinstance(leaf, Tensor)]


def _leaves(answer: Any) -> Iterable[Any]:
    return tree_leaves(dict(answer) if isinstance(answer, Mapping) else answer)


def _differ(one: Tensor, other: Tensor) -> bool:
    return one.shape != other.shape or not torch.equal(one, other)
