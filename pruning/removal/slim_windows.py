"""Attention of torchvision's Swin and MaxVit with heads that need not fill the width of their input.

Needs torch and torchvision alone: bundles take this file along.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.maxvit import RelativePositionalMultiHeadAttention
from torchvision.models.swin_transformer import ShiftedWindowAttention, ShiftedWindowAttentionV2


class _SlimWindows:
    """Attention in shifted windows (Liu 2021, arXiv 2103.14030; V2: arXiv 2111.09883) with a head size of its own."""

    head_dim: int

    def forward(self, x: Tensor) -> Tensor:
        batch, height, width, channels = x.shape
        rows, columns = self.window_size  # type: ignore[attr-defined]
        x = F.pad(x, (0, 0, 0, -width % columns, 0, -height % rows))
        down, across = x.shape[1] // rows, x.shape[2] // columns
        shift = [
            0 if size <= window else move
            for size, window, move in zip(x.shape[1:3], (rows, columns), self.shift_size, strict=True)  # type: ignore[attr-defined]
        ]
        if any(shift):
            x = torch.roll(x, (-shift[0], -shift[1]), (1, 2))
        x = x.view(batch, down, rows, across, columns, channels).transpose(2, 3).flatten(3, 4).flatten(0, 2)
        q, k, v = self._projected(x).unflatten(-1, (3, self.num_heads, self.head_dim)).permute(2, 0, 3, 1, 4)  # type: ignore[attr-defined]
        scores = self._scores(q, k) + self.get_relative_position_bias()  # type: ignore[attr-defined]
        if any(shift):
            mask = _window_mask((down * rows, across * columns), (rows, columns), shift, scores)
            scores = (scores.unflatten(0, (batch, -1)) + mask[:, None]).flatten(0, 1)
        attention = F.dropout(F.softmax(scores, -1), self.attention_dropout, self.training)  # type: ignore[attr-defined]
        x = F.dropout(self.proj((attention @ v).transpose(1, 2).flatten(2)), self.dropout, self.training)  # type: ignore[attr-defined]
        x = x.view(batch, down, across, rows, columns, x.shape[-1]).transpose(2, 3).flatten(3, 4).flatten(1, 2)
        if any(shift):
            x = torch.roll(x, tuple(shift), (1, 2))
        return x[:, :height, :width].contiguous()

    def _projected(self, x: Tensor) -> Tensor:
        return self.qkv(x)  # type: ignore[attr-defined]

    def _scores(self, q: Tensor, k: Tensor) -> Tensor:
        return (q * self.head_dim**-0.5) @ k.transpose(-2, -1)


def _window_mask(size: tuple[int, int], window: tuple[int, int], shift: list[int], like: Tensor) -> Tensor:
    """−100 between pixels that the cyclic shift brought together from opposite edges: windows × pixels × pixels."""
    region = torch.zeros(size, dtype=like.dtype, device=like.device)
    for axis in (0, 1):
        place = torch.arange(size[axis], device=like.device)
        part = (place >= size[axis] - window[axis]).to(like.dtype) + (place >= size[axis] - shift[axis]).to(like.dtype)
        region = region + (part[:, None] * 3 if axis == 0 else part[None, :])
    (rows, columns), (down, across) = window, (size[0] // window[0], size[1] // window[1])
    region = region.view(down, rows, across, columns).transpose(1, 2).flatten(2, 3).flatten(0, 1)
    return torch.where(region[:, None] == region[:, :, None], 0.0, -100.0).to(like.dtype)


class SlimShiftedWindowAttention(_SlimWindows, ShiftedWindowAttention):
    """torchvision's Swin attention whose heads need not fill the width of its input."""


class SlimShiftedWindowAttentionV2(_SlimWindows, ShiftedWindowAttentionV2):
    """The same for Swin V2: cosine attention, no bias on the keys."""

    def _projected(self, x: Tensor) -> Tensor:
        bias = self.qkv.bias
        if bias is not None:
            query, key, value = bias.chunk(3)
            bias = torch.cat((query, torch.zeros_like(key), value))
        return F.linear(x, self.qkv.weight, bias)

    def _scores(self, q: Tensor, k: Tensor) -> Tensor:
        scale = torch.clamp(self.logit_scale, max=math.log(100.0)).exp()
        return F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) * scale


class SlimRelativeAttention(RelativePositionalMultiHeadAttention):
    """torchvision's MaxVit attention (Tu 2022, arXiv 2204.01697) whose heads need not fill the width of its input."""

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(-1, (self.n_heads, self.head_dim)).transpose(2, 3) for part in self.to_qkv(x).chunk(3, -1)
        )
        scores = q @ (k * self.scale_factor).transpose(-2, -1) + self.get_relative_positional_bias()
        return self.merge((F.softmax(scores, dim=-1) @ v).transpose(2, 3).flatten(3))
