"""torch's own attention through its plain operations, whatever its inputs are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.modules import transformer


@contextmanager
def plain_attention() -> Iterator[None]:
    """Inside, attention takes no fused fast path, and encoders and decoders do not look at the values of a mask to find
    out whether it is causal: to know that saves time, and changes nothing."""
    fast, detect = torch.backends.mha.get_fastpath_enabled(), transformer._detect_is_causal_mask
    torch.backends.mha.set_fastpath_enabled(False)
    transformer._detect_is_causal_mask = _only_as_told
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        transformer._detect_is_causal_mask = detect


def _only_as_told(mask: Tensor | None, is_causal: bool | None = None, size: int | None = None) -> bool:
    return is_causal is True
