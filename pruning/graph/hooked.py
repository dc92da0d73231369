"""Whether an error comes from a hook, which is no part of a network's own code and can be taken off."""

from __future__ import annotations

import traceback
from types import TracebackType

from torch import nn

from pruning.base.hooks import TABLES


def hook_advice(trace: TracebackType | None, model: nn.Module) -> str:
    """A sentence that says so where an error came through a hook of a module; '' where it did not."""
    codes = {
        getattr(getattr(hook, "__func__", hook), "__code__", None): path
        for path, module in model.named_modules()
        for table in TABLES
        for hook in (vars(module).get(table) or {}).values()
    }
    found = [codes[frame.f_code] for frame, _ in traceback.walk_tb(trace) if frame.f_code in codes]
    if not found:
        return ""
    owner = found[-1] or "the model itself"
    return f" That line is in a hook of {owner}: take it off while channels are removed (handle.remove())."
