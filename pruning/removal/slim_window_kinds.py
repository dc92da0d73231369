"""The kinds of attention that torchvision brings: importing this imports torchvision."""

from __future__ import annotations

from torchvision.models.maxvit import RelativePositionalMultiHeadAttention
from torchvision.models.swin_transformer import ShiftedWindowAttention, ShiftedWindowAttentionV2

from pruning.removal.slim_kinds import SlimKind
from pruning.removal.slim_windows import SlimRelativeAttention, SlimShiftedWindowAttention, SlimShiftedWindowAttentionV2

WINDOWS: tuple[SlimKind, ...] = (
    SlimKind(
        original=ShiftedWindowAttention, slim=SlimShiftedWindowAttention, heads="num_heads", projections=("qkv.weight",)
    ),
    SlimKind(
        original=ShiftedWindowAttentionV2, slim=SlimShiftedWindowAttentionV2, heads="num_heads",
        projections=("qkv.weight",),
    ),
    SlimKind(
        original=RelativePositionalMultiHeadAttention, slim=SlimRelativeAttention, heads="n_heads",
        projections=("to_qkv.weight",),
    ),
)  # fmt: skip
