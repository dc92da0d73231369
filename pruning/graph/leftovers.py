"""What torch.export leaves in memory for good, cleared away."""

from __future__ import annotations

import contextlib
import linecache
from collections.abc import Iterator

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import graph_module

REMEMBERED = 10_000
"""Calls with their sizes that torch may remember, some 5 MB: it would keep all there ever were."""


@contextlib.contextmanager
def cleared(copy: nn.Module) -> Iterator[None]:
    """Afterwards nothing is left of an export of `copy`, which loses its weights: torch's tracer and the copy hold each
    other, so that both would wait for a garbage collection, and the code of every graph made would stay."""
    sources = graph_module._loader.eval_cache
    known = set(sources)
    try:
        yield
    finally:
        for tensor in (*copy.parameters(), *copy.buffers()):
            tensor.data = torch.empty(0, dtype=tensor.dtype)
        for name in set(sources) - known:
            sources.pop(name, None)
            linecache.cache.pop(name, None)
        if len(FakeTensorMode.cache) > REMEMBERED:
            FakeTensorMode.cache_clear()
