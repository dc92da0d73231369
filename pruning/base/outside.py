"""What a network's code and its hooks can write to beside the network itself, put back as it was.

A copy of a network has modules, attributes and tensors of its own, but shares classes and functions with it, and the
objects that these name: lists in a class or a file, counters, objects that collect what layers give, random numbers.
"""

from __future__ import annotations

import dis
import random
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence, MutableSet
from contextlib import contextmanager
from functools import _lru_cache_wrapper, cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_file

from pruning.base.hooks import hooks_of

CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque)
PLAIN = ("builtins", "collections", "weakref")
"""Where Python's containers are at home; others of its own, such as the environment, are left alone."""
LEVELS = 6
"""How far is looked, from classes and hooks over the functions and objects that these name."""
MOST = 1 << 22
"""Numbers in a tensor or an array that is put back: a larger one is a table, which code reads."""
FOREIGN = frozenset((*sys.stdlib_module_names, "torch", "numpy", __name__.partition(".")[0]))
"""Packages whose code keeps nothing of a network that it is called with."""
Put = Callable[[], object]
"""Puts one thing back."""
_FOUND: list[_Outside] = []
"""Of each `untouched` that is under way, the innermost last."""


@contextmanager
def untouched(*models: nn.Module) -> Iterator[None]:
    """Inside, no hooks of all modules fire. Afterwards, what the networks' own hooks and code can write to outside of
    them is as before, and so are the states of random numbers, once the outermost such block ends. For one thread at a
    time."""
    outside = _Outside(tensor for model in models for tensor in (*model.parameters(), *model.buffers()))
    outside.look(root for model in models for root in _roots(model))
    hooks = [_of_mapping(table) for table in _global_hooks()]
    torch_state, python_state, numpy_state = torch.get_rng_state(), random.getstate(), np.random.get_state()
    for table in _global_hooks():
        table.clear()
    _FOUND.append(outside)
    try:
        yield
    finally:
        _FOUND.pop()
        if not _FOUND:
            torch.set_rng_state(torch_state)
            random.setstate(python_state)
            np.random.set_state(numpy_state)
        for put in (*hooks, *outside.puts, *(() if _FOUND else outside.generators)):
            put()


@contextmanager
def as_given() -> Iterator[None]:
    """A run inside meets what is outside of its network as it was when `untouched` began, and leaves nothing there for
    the next one; but random numbers go on, since a network whose way they choose must not look as if it had one."""
    puts = _FOUND[-1].puts if _FOUND else []
    try:
        for put in puts:
            put()
        yield
    finally:
        for put in puts:
            put()


def names_in(code: types.CodeType) -> set[str]:
    """All names of variables and attributes that a function's code uses, functions inside of it included."""
    return set(code.co_names).union(*(names_in(part) for part in _inner(code)))


def _inner(code: types.CodeType) -> Iterator[types.CodeType]:
    return (part for part in code.co_consts if isinstance(part, types.CodeType))


def _global_hooks() -> list[MutableMapping[int, Any]]:
    """torch's tables of hooks that fire for every module there is."""
    return [table for name, table in vars(module_file).items()
            if name.startswith("_global_") and isinstance(table, dict)]  # fmt: skip


def _roots(model: nn.Module) -> Iterator[Any]:
    """Hooks and classes of all modules, and functions and classes of objects in their attributes."""
    for module in model.modules():
        yield from (hook for table in hooks_of(module) for hook in table.values())
        yield from type(module).__mro__
        for value in vars(module).values():
            yield value if isinstance(value, types.FunctionType | types.MethodType | partial) else type(value)


class _Outside:
    """What was found outside of a network, and how to put it back."""

    def __init__(self, own: Iterable[Tensor]) -> None:
        self.puts: list[Put] = []
        self.generators: list[Put] = []
        """Of random numbers."""
        self._seen: dict[int, Any] = {id(tensor): tensor for tensor in own}
        """Kept, so that no two have the same id."""

    def look(self, roots: Iterable[Any]) -> None:
        """Note what can be reached, the nearest first."""
        todo = deque((root, LEVELS) for root in roots)
        while todo:
            item, levels = todo.popleft()
            if levels and id(item) not in self._seen:
                self._seen[id(item)] = item
                todo.extend((part, levels - 1) for part in self._noted(item))

    def _noted(self, item: Any) -> Iterable[Any]:
        """What it leads to."""
        if isinstance(item, Tensor):
            self.puts += _of_tensor(item)
            return ()
        if isinstance(item, np.ndarray):
            self.puts += _of_array(item)
            return ()
        generator = next((put_of for kind, put_of in GENERATORS if isinstance(item, kind)), None)
        if generator is not None:
            self.generators.append(generator(item))
            return ()
        if isinstance(item, types.FunctionType):
            return self._of_function(item) if _is_users(item) else ()
        if isinstance(item, type):
            return self._of_class(item) if _is_users(item) else ()
        if isinstance(item, CONTAINERS):
            plain = type(item).__module__ in PLAIN or _is_users(type(item))
            return self._of_container(item) if plain else ()
        if isinstance(item, tuple):
            return item
        if isinstance(item, types.ModuleType):
            return ()
        if isinstance(item, _lru_cache_wrapper):
            return self._of_cache(item) if _is_users(item) else ()
        parts = next((parts for kind, parts in WRAPPERS if isinstance(item, kind)), None)
        if parts is not None:
            return parts(item)
        if _is_users(type(item)) and hasattr(item, "__dict__"):
            return (type(item), *self._of_container(vars(item)))
        return ()

    def _of_container(self, container: Any) -> Iterable[Any]:
        if isinstance(container, MutableMapping):
            self.puts.append(_of_mapping(container))
            return list(container.values())
        before = list(container)
        self.puts.append(partial(_put_items, container, before))
        return before

    def _of_cache(self, cached: _lru_cache_wrapper[Any]) -> Iterable[Any]:
        self.puts.append(partial(_forget, cached, cached.cache_info().misses))
        return (cached.__wrapped__,)

    def _of_class(self, kind: type) -> Iterable[Any]:
        before = _attributes(kind)
        self.puts.append(partial(_put_attributes, kind, before))
        return (*before.values(), *kind.__mro__[1:])

    def _of_function(self, function: types.FunctionType) -> Iterator[Any]:
        """Variables of its file and of other files of the user's that it names, those around it, its defaults and its
        attributes."""
        names, own = names_in(function.__code__), function.__globals__
        self.puts += [_of_variable(own, name) for name in _set_globally(function.__code__)]
        for name in names & own.keys():
            value = own[name]
            yield value
            if isinstance(value, types.ModuleType) and not _is_foreign(value.__name__):
                variables = vars(value)
                self.puts += [_of_variable(variables, other) for other in names & variables.keys()]
                yield from (variables[other] for other in names & variables.keys())
        for cell in function.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:  # not filled yet
                continue
            self.puts.append(partial(setattr, cell, "cell_contents", held))
            yield held
        yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), vars(function))


WRAPPERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Iterable[Any]]], ...] = (
    (types.MethodType, lambda item: (item.__func__, item.__self__)),
    ((staticmethod, classmethod), lambda item: (item.__func__,)),
    (property, lambda item: (item.fget, item.fset)),
    (cached_property, lambda item: (item.func,)),
    (partial, lambda item: (item.func, *item.args, *item.keywords.values())),
)
"""What holds functions, and how to get at them."""


def _is_users(item: Any) -> bool:
    """Whether a class or a function comes from elsewhere than Python, torch and this engine."""
    return not _is_foreign(item.__module__ or "")


def _is_foreign(name: str) -> bool:
    return name.partition(".")[0] in FOREIGN


def _set_globally(code: types.CodeType) -> set[str]:
    """Variables of its file that a function sets."""
    own = {step.argval for step in dis.get_instructions(code) if step.opcode == STORE_GLOBAL} \
        if STORE_GLOBAL in code.co_code[::2] else set()  # fmt: skip
    return own.union(*(_set_globally(part) for part in _inner(code)))


STORE_GLOBAL = dis.opmap["STORE_GLOBAL"]


def _of_variable(variables: dict[str, Any], name: str) -> Put:
    if name in variables:
        return partial(variables.__setitem__, name, variables[name])
    return partial(variables.pop, name, None)


def _attributes(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("__")}


def _put_attributes(kind: type, before: dict[str, Any]) -> None:
    now = _attributes(kind)
    for name in now.keys() - before.keys():
        type.__delattr__(kind, name)
    for name, value in before.items():
        if name not in now or now[name] is not value:
            type.__setattr__(kind, name, value)


def _of_mapping(mapping: MutableMapping[Any, Any]) -> Put:
    return partial(_put_entries, mapping, list(mapping.items()))


def _put_entries(mapping: MutableMapping[Any, Any], before: list[tuple[Any, Any]]) -> None:
    now = list(mapping.items())
    if not _are_same([part for entry in now for part in entry], [part for entry in before for part in entry]):
        mapping.clear()
        for key, value in before:
            mapping[key] = value


def _are_same(some: list[Any], others: list[Any]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def _put_items(container: Any, before: list[Any]) -> None:
    if not _are_same(list(container), before):
        container.clear()
        for item in before:
            container.add(item) if isinstance(container, MutableSet) else container.append(item)


def _forget(cached: _lru_cache_wrapper[Any], misses: int) -> None:
    """Empty a cache that has got new entries, since nobody can take out these alone."""
    if cached.cache_info().misses != misses:
        cached.cache_clear()


def _of_tensor(tensor: Tensor) -> list[Put]:
    plain = tensor.layout == torch.strided and not (tensor.is_quantized or tensor.is_inference() or tensor.is_meta)
    if not plain or tensor.numel() > MOST:
        return []
    return [partial(_put_numbers, tensor, tensor.detach().clone())]


@torch.no_grad()
def _put_numbers(tensor: Tensor, before: Tensor) -> None:
    if not torch.equal(tensor, before):
        tensor.copy_(before)


def _of_array(array: np.ndarray[Any, Any]) -> list[Put]:
    return [partial(np.copyto, array, array.copy())] if array.flags.writeable and array.size <= MOST else []


GENERATORS: tuple[tuple[Any, Callable[[Any], Put]], ...] = (
    (torch.Generator, lambda item: partial(item.set_state, item.get_state())),
    (random.Random, lambda item: partial(item.setstate, item.getstate())),
    (np.random.RandomState, lambda item: partial(item.set_state, item.get_state())),
    (np.random.Generator, lambda item: partial(setattr, item.bit_generator, "state", item.bit_generator.state)),
)
"""Generators of random numbers, and how their state is put back."""
