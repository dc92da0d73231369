"""Attention classes of libraries that insist on their original width, with replacements that do not.

`nn.MultiheadAttention` asserts that its heads fill the embedding; torchvision's Swin divides the width of its input
by the number of heads. The replacements keep parameter names and behaviour, and remember the size of a head.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.maxvit import RelativePositionalMultiHeadAttention
from torchvision.models.swin_transformer import ShiftedWindowAttention, ShiftedWindowAttentionV2

from pruning.base.clone import clone


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
        weights = self.in_proj_weight.chunk(3)
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = (
            F.linear(x, weight, bias).unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )
        mask = self._mask(attn_mask, key_padding_mask, q)
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


SLIM: dict[type[nn.Module], type[nn.Module]] = {
    nn.MultiheadAttention: SlimMultiheadAttention,
    ShiftedWindowAttention: SlimShiftedWindowAttention,
    ShiftedWindowAttentionV2: SlimShiftedWindowAttentionV2,
    RelativePositionalMultiHeadAttention: SlimRelativeAttention,
}
HEADS = {RelativePositionalMultiHeadAttention: "n_heads"}
"""Attribute with the number of heads, where it is not `num_heads`."""


def prepared(model: nn.Module) -> nn.Module:
    """The model itself, or a copy with the slim classes where it has such attention: what is traced."""
    if not any(_replaceable(module) for module in model.modules()):
        return model
    copy = clone(model)
    make_slim(copy)
    return copy


def make_slim(model: nn.Module, touched: Iterable[str] | None = None) -> None:
    """Replace, in place, the class of attention modules that hold any of the `touched` parameters (None: of all)."""
    names = None if touched is None else list(touched)
    for path, module in model.named_modules():
        if _replaceable(module) and (names is None or any(name.startswith(f"{path}.") or not path for name in names)):
            module.head_dim = _rows(module) // (3 * getattr(module, _heads(module)))
            module.__class__ = SLIM[type(module)]


def count_heads(model: nn.Module) -> None:
    """Make the size attributes of slim attention modules say what their tensors are."""
    for module in model.modules():
        if type(module) not in SLIM.values():
            continue
        setattr(module, _heads(module), _rows(module) // (3 * module.head_dim))  # type: ignore[operator]
        if isinstance(module, nn.MultiheadAttention):
            module.embed_dim = module.kdim = module.vdim = module.in_proj_weight.shape[1]
            module._qkv_same_embed_dim = False  # keeps callers off the fused path, which insists on full width


def _replaceable(module: nn.Module) -> bool:
    if type(module) is nn.MultiheadAttention:
        return module._qkv_same_embed_dim and module.bias_k is None and not module.add_zero_attn
    return type(module) in SLIM


def _heads(module: nn.Module) -> str:
    return next((name for kind, name in HEADS.items() if isinstance(module, kind)), "num_heads")


def _rows(module: nn.Module) -> int:
    """Length of the projection to queries, keys and values."""
    if isinstance(module, nn.MultiheadAttention):
        return len(module.in_proj_weight)
    projection = module.to_qkv if isinstance(module, RelativePositionalMultiHeadAttention) else module.qkv
    return len(projection.weight)  # type: ignore[union-attr, arg-type]
