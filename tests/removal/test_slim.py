"""Attention of torchvision's networks in smaller ones: each kind is replaced where it must be, and all is exact."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models.maxvit import MaxVit
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformer, SwinTransformerBlockV2

from pruning import remove_channels
from pruning.removal.slim_attention import SlimKind
from pruning.removal.slim_windows import WINDOWS

SMALL: dict[str, Any] = {"patch_size": [4, 4], "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2],
                         "window_size": [4, 4], "num_classes": 5}  # fmt: skip
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "SlimShiftedWindowAttention": partial(SwinTransformer, **SMALL),
    "SlimShiftedWindowAttentionV2": partial(
        SwinTransformer, block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2, **SMALL
    ),
    "SlimRelativeAttention": partial(
        MaxVit, input_size=(16, 16), stem_channels=8, partition_size=2, block_channels=[16], block_layers=[1],
        head_dim=8, stochastic_depth_prob=0.0, num_classes=5,
    ),
}  # fmt: skip


WHOLE = {"SlimShiftedWindowAttentionV2"}
"""Kinds whose heads only go all together, so that they get narrower inputs and keep their heads."""


@pytest.mark.parametrize("kind", WINDOWS, ids=lambda kind: kind.slim.__name__)
def test_half_of_the_network_goes_exactly(kind: SlimKind) -> None:
    torch.manual_seed(0)
    model = NETWORKS[kind.slim.__name__]().eval()
    (before,) = {getattr(module, kind.heads) for module in model.modules() if type(module) is kind.original}
    done = remove_channels(model, (3, 16, 16), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    slim = [module for module in done.model.modules() if type(module) is kind.slim]
    left = before if kind.slim.__name__ in WHOLE else before // 2
    assert slim and all(getattr(module, kind.heads) == left for module in slim)
    assert all(kind.rows(module) == 3 * getattr(module, kind.heads) * module.head_dim for module in slim)
    assert any(type(module) is kind.original for module in model.modules()), "the model itself is as it was"
    assert done.model(torch.randn(2, 3, 16, 16)).shape == (2, 5)


@pytest.mark.slow
def test_where_one_block_has_a_single_head_left_others_still_lose_theirs() -> None:
    """The code's number for the size of a head stands for both blocks; that of whole heads does not follow it."""
    torch.manual_seed(0)
    model = MaxVit(
        input_size=(16, 16), stem_channels=8, partition_size=1, block_channels=[8, 16], block_layers=[1, 1],
        head_dim=8, stochastic_depth_prob=0.0, num_classes=5,
    ).eval()  # fmt: skip
    done = remove_channels(model, (3, 16, 16), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    heads = [module.n_heads for module in done.model.modules() if type(module).__name__ == "SlimRelativeAttention"]
    assert heads == [1, 1, 1, 1]
