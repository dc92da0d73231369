"""Whether a network's own code looks at the sizes of its tensors while it is traced.

A trace has no node for a size that is the same for all inputs, so that a check or a branch on one leaves no sign in it.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from pruning.graph.source import OWN_FOLDER, TORCH_FOLDER

WHOLE = frozenset((Tensor.shape.__get__, Tensor.numel, Tensor.nelement))  # type: ignore[attr-defined]
"""Calls that tell all sizes of a tensor, or their product."""
MODES = tuple(TORCH_FOLDER + name for name in ("overrides.py", "fx/experimental/", "_export/", "utils/"))
"""Files of torch through which such a call comes here while it is traced."""


class SizesAsked(TorchFunctionMode):
    """Notes whether code outside torch asks for a size that may be a number of channels: any but the first."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not self.asked and (func in WHOLE or (func is Tensor.size and args[1:] != (0,))):
            self.asked = _asked_outside_torch(sys._getframe(1))
        return func(*args, **(kwargs or {}))


def _asked_outside_torch(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename.startswith((*MODES, "<")):
        frame = frame.f_back
    return frame is not None and not frame.f_code.co_filename.startswith((TORCH_FOLDER, OWN_FOLDER))
