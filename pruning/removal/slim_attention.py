"""torch's own attention with heads that need not fill the embedding.

Needs torch alone: bundles take this file along.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SlimMultiheadAttention(nn.MultiheadAttention):
    """`nn.MultiheadAttention` whose heads need not fill the embedding."""

    head_dim: int

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        single = query.dim() == 2
        if single:
            query, key, value = (x.unsqueeze(0 if self.batch_first else 1) for x in (query, key, value))
        if not self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        projected = (
            F.linear(x, weight, bias)
            for x, weight, bias in zip((query, key, value), self._weights(), biases, strict=True)
        )
        q, k, v = (
            (x if more is None else torch.cat((x, more.expand(len(x), -1, -1)), 1))
            .unflatten(-1, (self.num_heads, self.head_dim))
            .transpose(1, 2)
            for x, more in zip(projected, (None, self.bias_k, self.bias_v), strict=True)
        )
        if self.add_zero_attn:
            k, v = (F.pad(x, (0, 0, 0, 1)) for x in (k, v))
        mask = self._mask(attn_mask, key_padding_mask, q)
        added = k.shape[2] - key.shape[1]
        if mask is not None and added:
            mask = F.pad(mask, (0, added))
        dropout = self.dropout if self.training else 0.0
        attention = None
        if need_weights:
            scores = (q / math.sqrt(self.head_dim)) @ k.transpose(-2, -1)
            attention = F.softmax(scores if mask is None else scores + mask, dim=-1)
            out = F.dropout(attention, dropout) @ v
            attention = attention.mean(1) if average_attn_weights else attention
            attention = attention.squeeze(0) if single else attention
        else:
            out = F.scaled_dot_product_attention(q, k, v, mask, dropout)
        out = self.out_proj(out.transpose(1, 2).flatten(2))
        if not self.batch_first:
            out = out.transpose(0, 1)
        return (out.squeeze(0 if self.batch_first else 1) if single else out), attention

    def _weights(self) -> tuple[Tensor, ...]:
        """What projects to queries, keys and values."""
        if self.in_proj_weight is None:
            return self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        return self.in_proj_weight.chunk(3)

    def _mask(self, mask: Tensor | None, padding: Tensor | None, like: Tensor) -> Tensor | None:
        """Both masks as one to be added to the scores (N × heads × targets × sources)."""
        if mask is not None:
            mask = _added(mask, like)
            if mask.dim() == 3:
                mask = mask.unflatten(0, (like.shape[0], -1))
        if padding is not None:
            wide = _added(padding.unsqueeze(0) if padding.dim() == 1 else padding, like)[:, None, None]
            mask = wide if mask is None else mask + wide
        return mask


def _added(mask: Tensor, like: Tensor) -> Tensor:
    if mask.dtype != torch.bool:
        return mask.to(like.dtype)
    return torch.zeros_like(mask, dtype=like.dtype).masked_fill(mask, -math.inf)
