"""Networks out of what training in parallel and compiling wrap around them."""

from __future__ import annotations

from torch import nn


def unwrapped(model: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """The network itself, and the names of what was around it, outermost first. Nothing is changed."""
    around: list[str] = []
    while True:
        inner = None
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        elif type(model).__module__.startswith("torch._dynamo"):
            inner = getattr(model, "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return model, tuple(around)
        around.append(type(model).__name__)
        model = inner
