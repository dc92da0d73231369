"""torch's own encoders of sequences, with masks as inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tests.graph.constructs.registry import construct

T = 5
"""Tokens of a sequence."""
MACS = 6 * 8 * T + 8 * 24 * T + 2 * (4 * T * T * 2) + 8 * 8 * T + 2 * (8 * 16 * T) + 8 * 3 * T
LEFT = 6 * 4 * T + 4 * 12 * T + 2 * (2 * T * T * 2) + 4 * 4 * T + 2 * (4 * 8 * T) + 4 * 3 * T


def padded(batch: int) -> Any:
    """Sequences, the last of which ends two tokens early, and where they are padded."""
    padding = torch.zeros(batch, T, dtype=torch.bool)
    padding[-1, 3:] = True
    return torch.randn(batch, T, 6), padding


def causal(batch: int) -> Any:
    """Sequences, and one mask for all of them."""
    return torch.randn(batch, T, 6), nn.Transformer.generate_square_subsequent_mask(T)


class _Encoder(nn.Module):
    """Features 6 → 8, one encoder layer of 4 heads, and 3 outputs for each token."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 4, 16, dropout=0.0, batch_first=True)
        self.embed, self.encoder, self.head = nn.Linear(6, 8), nn.TransformerEncoder(layer, 1), nn.Linear(8, 3)


@construct(by_layers=False, inputs=padded, groups=[4, 8, 16], macs=MACS, left=LEFT)
class PaddedEncoder(_Encoder):
    """A padding mask, for which torch joins the sequences in a nested tensor where it has no gradients to keep."""

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x), src_key_padding_mask=padding))


@construct(by_layers=False, inputs=causal, groups=[4, 8, 16], macs=MACS, left=LEFT)
class MaskedEncoder(_Encoder):
    """An attention mask, at whose values torch looks to find out whether it is causal."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x), mask))
