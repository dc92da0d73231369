"""`tensor.data` as a call that a trace sees: torch hands the memory out without one, so that what is written to it, as
by an average of a codebook, would be lost."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

DATA = Tensor.data.__get__  # type: ignore[attr-defined]


class DataFollowed(TorchFunctionMode):
    """Gives `tensor.detach()`, which is the same memory, in its place."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0].detach() if func == DATA else func(*args, **(kwargs or {}))
