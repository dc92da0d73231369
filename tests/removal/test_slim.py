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
from pruning.removal.slim import prepared
from pruning.removal.slim_attention import SlimMultiheadAttention
from pruning.removal.slim_kinds import SlimKind
from pruning.removal.slim_window_kinds import WINDOWS

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


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("options", [{}, {"kdim": 6, "vdim": 10}, {"add_bias_kv": True}, {"add_zero_attn": True},
                                     {"kdim": 6, "vdim": 10, "add_bias_kv": True, "add_zero_attn": True},
                                     {"kdim": 6, "vdim": 10, "bias": False}], ids=str)  # fmt: skip
def test_attention_is_what_torchs_own_is(options: dict[str, Any], batch_first: bool) -> None:
    torch.manual_seed(0)
    own = nn.MultiheadAttention(8, 4, batch_first=batch_first, **options).eval()
    slim = prepared(nn.ModuleList([own]))[0]
    assert type(slim) is SlimMultiheadAttention and type(own) is nn.MultiheadAttention
    query, key, value = (torch.randn(3, length, width) for length, width in
                         ((5, 8), (7, options.get("kdim", 8)), (7, options.get("vdim", 8))))  # fmt: skip
    given = [x if batch_first else x.transpose(0, 1) for x in (query, key, value)]
    padding, mask = torch.zeros(3, 7, dtype=torch.bool), torch.zeros(5, 7, dtype=torch.bool)
    padding[1, 4:], mask[2, 3] = True, True
    for masks in (
        {},
        {"key_padding_mask": padding},
        {"attn_mask": mask},
        {"attn_mask": mask, "key_padding_mask": padding},
    ):
        for need in ({"need_weights": False}, {}, {"average_attn_weights": False}):
            wanted, got = own(*given, **masks, **need), slim(*given, **masks, **need)
            assert torch.allclose(wanted[0], got[0], atol=1e-6)
            assert wanted[1] is got[1] is None or torch.allclose(wanted[1], got[1], atol=1e-6)


class Crossed(nn.Module):
    """Words look at an image; `seen`: the shares of attention are a result, too."""

    def __init__(self, *, seen: bool) -> None:
        super().__init__()
        self.image, self.words = nn.Conv2d(3, 24, 3, 2, 1), nn.Embedding(20, 32)
        self.attention = nn.MultiheadAttention(32, 4, kdim=24, vdim=24, batch_first=True)
        self.head, self.seen = nn.Linear(32, 3), seen

    def forward(self, x: torch.Tensor, words: torch.Tensor) -> Any:
        keys = self.image(x).flatten(2).transpose(1, 2)
        query = self.words(words)
        made, shares = self.attention(query, keys, keys)
        made = self.head(made + query)
        return (made, shares) if self.seen else made


@pytest.mark.parametrize("seen", [True, False])
def test_heads_stay_where_their_mean_is_a_result(seen: bool) -> None:
    torch.manual_seed(0)
    done = remove_channels(
        Crossed(seen=seen).eval(), (torch.randn(2, 3, 8, 8), torch.randint(0, 20, (2, 5))), sparsity=0.5
    )
    assert done.check is not None and done.check.status == "exact"
    assert sorted(group.units for group in done.groups) == ([24, 32] if seen else [4, 24, 32])
    reasons = {layer: locked.reason for locked in done.locked for layer in locked.layers}
    assert ("attention.k_proj_weight" in reasons) == seen
    assert not seen or "mean in attention" in reasons["attention.k_proj_weight"]
    attention = done.model.attention
    assert (attention.embed_dim, attention.kdim, attention.vdim, attention.num_heads) == (16, 12, 12, 4 if seen else 2)


def test_an_encoder_takes_a_padding_mask_after_it_was_pruned_without_one() -> None:
    """Without gradients torch would make a nested tensor of such sequences, which slim attention does not take."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 4, 16, dropout=0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 2).eval()
    x, padding = torch.randn(2, 5, 8), torch.zeros(2, 5, dtype=torch.bool)
    padding[1, 3:] = True
    small = remove_channels(model, x, sparsity=0.5).model
    wanted = small(x, src_key_padding_mask=padding)
    with torch.no_grad():
        assert torch.allclose(small(x, src_key_padding_mask=padding), wanted, atol=1e-6)
    assert model.use_nested_tensor
