"""Attention of all kinds, recurrent layers, tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.graph.constructs.registry import Between, P, construct, conv, images, words


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 8 * 4 + 4 * 8 + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 + 2 * 4 + 4 * 5 * P,
)
class SqueezeExcite(Between):
    """Channels weighed by 1×1 convolutions of their means."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.excite = conv(8, 4, 1), conv(4, 8, 1)

    def middle(self, x: Tensor) -> Tensor:
        share = self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1))))
        return x * share.sigmoid()


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 8 * 4 + 4 * 8 + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 + 2 * 4 + 4 * 5 * P,
)
class SqueezeExciteByView(Between):
    """The same with linear layers and `view`."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Linear(8, 4), nn.Linear(4, 8)

    def middle(self, x: Tensor) -> Tensor:
        b, c, _, _ = x.shape
        share = self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1).view(b, c))))
        return x * share.sigmoid().view(b, c, 1, 1)


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 8 * 4 * 16 + 2 * (4 * 8 * 8) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 * 16 + 2 * (2 * 4 * 8) + 4 * 5 * P,
)
class CoordinateAttention(Between):
    """Means of rows and of columns, side by side in space, through one convolution and apart again."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.rows, self.columns = conv(8, 4, 1), conv(4, 8, 1), conv(4, 8, 1)

    def middle(self, x: Tensor) -> Tensor:
        h, w = x.shape[2:]
        lines = torch.cat((x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)), 2)
        rows, columns = F.relu(self.squeeze(lines)).split((h, w), 2)
        return x * self.rows(rows).sigmoid() * self.columns(columns.transpose(2, 3)).sigmoid()


class _NonLocal(Between):
    """Every position looks at all others, through 4 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = 4
        self.theta, self.phi, self.g = conv(8, 4, 1), conv(8, 4, 1), conv(8, 4, 1)
        self.out = conv(4, 8, 1)

    def look(self, x: Tensor) -> Tensor:
        q, k, v = (layer(x).flatten(2) for layer in (self.theta, self.phi, self.g))
        share = torch.einsum("bcn,bcm->bnm", q, k).softmax(2)
        return torch.einsum("bnm,bcm->bcn", share, v)

    def middle(self, x: Tensor) -> Tensor:
        return x + self.out(self.look(x).unflatten(2, x.shape[2:]))


@construct(
    by_layers=False,
    groups=[8, 4, 4],
    macs=3 * 8 * 9 * P + 3 * (8 * 4 * P) + 2 * (4 * P * P) + 4 * 8 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 3 * (4 * 2 * P) + 2 * (2 * P * P) + 2 * 4 * P + 4 * 5 * P,
)
class NonLocalEinsum(_NonLocal):
    """The channels of `theta` and `phi` go together, those of `g` apart from them."""


@construct(
    by_layers=False,
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 3 * (8 * 4 * P) + 2 * (4 * P * P) + 4 * 8 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 3 * (4 * 2 * P) + 2 * (2 * P * P) + 2 * 4 * P + 4 * 5 * P,
)
class NonLocalByAttribute(_NonLocal):
    """All three use one attribute as their number of channels, so they must lose as many."""

    def look(self, x: Tensor) -> Tensor:
        b, n = x.shape[0], x.shape[2] * x.shape[3]
        q = self.theta(x).view(b, self.inner, n).transpose(1, 2)
        k = self.phi(x).view(b, self.inner, n)
        v = self.g(x).view(b, self.inner, n).transpose(1, 2)
        return ((q @ k).softmax(2) @ v).transpose(1, 2)


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 3 * (8 * 4 * P) + 2 * (4 * P * P) + 4 * 8 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 2 * (4 * 4 * P) + 4 * 2 * P + 4 * P * P + 2 * P * P + 2 * 4 * P + 4 * 5 * P,
    locked={"theta": "attention.py: number of channels", "phi": "attention.py: number of channels"},
)
class NonLocalScaled(_NonLocal):
    """The scores are divided by the root of the number of channels: those of `theta` and `phi` stay."""

    def look(self, x: Tensor) -> Tensor:
        q, k, v = self.theta(x).flatten(2), self.phi(x).flatten(2), self.g(x).flatten(2)
        share = (q.transpose(1, 2) @ k) * (q.shape[1] ** -0.5)
        return v @ share.softmax(2).transpose(1, 2)


class _Tokens(nn.Module):
    """A vector of 8 for each position, what `mix` does with them, and a linear layer on their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.head = nn.Linear(8, 5)

    def mix(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.mix(self.stem(x).flatten(2).transpose(1, 2)).mean(1))


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 8 * 24 * P + 2 * (4 * P * P * 2) + 8 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 4 * 12 * P + 2 * (2 * P * P * 2) + 4 * 4 * P + 4 * 5,
)
class AttentionByHand(_Tokens):
    """Four heads of two: whole heads go."""

    def __init__(self) -> None:
        super().__init__()
        self.heads, self.head_dim = 4, 2
        self.scale = 2**-0.5
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)

    def mix(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4).unbind(0)
        share = (q @ k.transpose(-2, -1) * self.scale).softmax(-1)
        return x + self.proj((share @ v).transpose(1, 2).reshape(b, n, -1))


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 3 * (8 * 8 * P) + 2 * (4 * P * P * 2) + 8 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 3 * (4 * 4 * P) + 2 * (2 * P * P * 2) + 4 * 4 * P + 4 * 5,
)
class AttentionFused(_Tokens):
    """Query, key and value from layers of their own, the rest in one call."""

    def __init__(self) -> None:
        super().__init__()
        self.head_dim = 2
        self.query, self.key, self.value, self.proj = (nn.Linear(8, 8) for _ in range(4))

    def mix(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        heads = (layer(x).view(b, n, -1, self.head_dim).transpose(1, 2) for layer in (self.query, self.key, self.value))
        return x + self.proj(F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2))


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 8 * 24 * P + 2 * (4 * P * P * 2) + 8 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 4 * 12 * P + 2 * (2 * P * P * 2) + 4 * 4 * P + 4 * 5,
)
class AttentionModule(_Tokens):
    """The library's module, which insists on as many inputs as its heads have together."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 4, batch_first=True)

    def mix(self, x: Tensor) -> Tensor:
        return x + self.attention(x, x, x)[0]


@construct(
    False,
    by_layers=False,
    groups=[8, 6, 4],
    macs=3 * 8 * 9 * P + 3 * 6 * P + 2 * (8 * 6 * P) + 8 * 8 * P + 2 * (4 * P * P * 2) + 8 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 3 * 3 * P + 2 * (4 * 3 * P) + 4 * 4 * P + 2 * (2 * P * P * 2) + 4 * 4 * P + 4 * 5,
)
@construct(
    True,
    by_layers=False,
    name="and-more-keys",
    groups=[8, 6, 4],
    macs=3 * 8 * 9 * P + 3 * 6 * P + 2 * (8 * 6 * P) + 8 * 8 * P + 2 * (4 * P * (P + 2) * 2) + 8 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 3 * 3 * P + 2 * (4 * 3 * P) + 4 * 4 * P + 2 * (2 * P * (P + 2) * 2) + 4 * 4 * P + 4 * 5,
)
class AttentionToOthers(_Tokens):
    """torch's module with keys and values of another width, which have weights of their own; `more`: a key that is
    learnt, and one of zeros."""

    def __init__(self, more: bool) -> None:
        super().__init__()
        self.other = conv(3, 6, 1)
        self.attention = nn.MultiheadAttention(
            8, 4, kdim=6, vdim=6, add_bias_kv=more, add_zero_attn=more, batch_first=True
        )

    def forward(self, x: Tensor) -> Tensor:
        keys = self.other(x).flatten(2).transpose(1, 2)
        tokens = self.stem(x).flatten(2).transpose(1, 2)
        return self.head((tokens + self.attention(tokens, keys, keys)[0]).mean(1))


@construct(
    by_layers=False,
    groups=[8, 4, 16],
    macs=3 * 8 * 9 * P + 8 * 24 * P + 2 * (4 * P * P * 2) + 8 * 8 * P + 2 * (8 * 16 * P) + 8 * 5,
    left=3 * 4 * 9 * P + 4 * 12 * P + 2 * (2 * P * P * 2) + 4 * 4 * P + 2 * (4 * 8 * P) + 4 * 5,
)
class TransformerLayer(_Tokens):
    """Attention and two linear layers, each with a sum and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 4, 16, dropout=0.0, batch_first=True)

    def mix(self, x: Tensor) -> Tensor:
        return self.layer(x)


@construct(
    by_layers=False,
    groups=[4],
    macs=3 * 8 * 9 * P + 8 * 24 * P + 2 * (4 * P * P * 2) + 8 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 4 * 12 * P + 2 * (2 * P * P * 2) + 4 * 4 * P + 4 * 5,
)
class HeadsAsWideAsRead(_Tokens):
    """All heads together are as wide as what is read, whose width the code asks for: each of the four heads goes with
    two channels of the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.heads, self.scale = 4, 2**-0.5
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)

    def mix(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        share = ((q @ k.transpose(2, 3)) * self.scale).softmax(3)
        return x + self.proj((share @ v).transpose(1, 2).reshape(b, n, c))


@construct(
    by_layers=False,
    groups=[4, 8],
    macs=3 * 8 * 9 * P + 8 * 16 * P + 8 * 8 * P + 2 * (4 * P * P * 4) + 16 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 4 * 8 * P + 4 * 8 * P + 2 * (2 * P * P * 4) + 8 * 4 * P + 4 * 5,
    locked={"keys": "meets values that no layer makes"},
)
class MultiQuery(_Tokens):
    """Four heads ask for one set of keys and values: the heads go, what they share stays."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = 4
        self.ask, self.keys, self.proj = nn.Linear(8, 16), nn.Linear(8, 8), nn.Linear(16, 8)

    def mix(self, x: Tensor) -> Tensor:
        q = self.ask(x).view(*x.shape[:2], self.heads, 4).transpose(1, 2)
        k, v = self.keys(x).unsqueeze(1).chunk(2, 3)
        return x + self.proj((((q @ k.transpose(2, 3)) / 2).softmax(3) @ v).transpose(1, 2).flatten(2))


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5,
    left=3 * 4 * 9 * P + 4 * 5,
)
class ClassToken(_Tokens):
    """A vector of the model's own before those of the positions, and a vector added to each."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.place = nn.Parameter(torch.randn(1, P + 1, 8))

    def mix(self, x: Tensor) -> Tensor:
        return (torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.place).tanh()


@construct(
    groups=[8, 12],
    macs=3 * 8 * 9 * P + 2 * (P * 12 * 8) + 8 * 5,
    left=3 * 4 * 9 * P + 2 * (P * 6 * 4) + 4 * 5,
)
class TokenMixing(_Tokens):
    """MLP-Mixer: linear layers along the positions, whose number stays."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(P, 12), nn.Linear(12, P)

    def mix(self, x: Tensor) -> Tensor:
        return x + self.up(F.gelu(self.down(x.transpose(1, 2)))).transpose(1, 2)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 8 * P + 64 * 6 + 6 * 5,
    left=3 * 8 * 9 * P + 8 * 8 * P + 64 * 3 + 3 * 5,
    locked={"stem": "attention.py:"},
)
class GramMatrix(nn.Module):
    """Products of all pairs of channels, flattened: an entry belongs to two channels at once."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.hidden, self.head = nn.Linear(64, 6), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).flatten(2)
        return self.head(F.relu(self.hidden((x @ x.transpose(1, 2)).flatten(1))))


@construct(
    nn.GRU,
    3,
    name="GRU",
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 2 * (18 * 8 + 18 * 6) + 8 * 2 * (18 * 12 + 18 * 6) + 12 * 5,
    left=3 * 4 * 9 * P + 8 * 2 * (9 * 4 + 9 * 3) + 8 * 2 * (9 * 6 + 9 * 3) + 6 * 5,
)
@construct(
    nn.LSTM, 4,
    name="LSTM",
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 2 * (24 * 8 + 24 * 6) + 8 * 2 * (24 * 12 + 24 * 6) + 12 * 5,
    left=3 * 4 * 9 * P + 8 * 2 * (12 * 4 + 12 * 3) + 8 * 2 * (12 * 6 + 12 * 3) + 6 * 5,
)  # fmt: skip
class Recurrent(nn.Module):
    """The columns of a map as a sequence, two layers, both directions; one number is the size of all hidden states."""

    def __init__(self, kind: type[nn.RNNBase], gates: int) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.memory = kind(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        columns = self.stem(x).mean(2).transpose(1, 2)
        return self.head(self.memory(columns)[0][:, -1])


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * (24 * 8 + 24 * 6) + 6 * 5,
    left=3 * 4 * 9 * P + 8 * (12 * 4 + 12 * 3) + 3 * 5,
)
class RecurrentState(nn.Module):
    """Sequence first, and the last state in place of the outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.memory = nn.LSTM(8, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        _, (state, _) = self.memory(self.stem(x).mean(2).permute(2, 0, 1))
        return self.head(state[-1])


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * (18 * 8 + 18 * 6) + 6 * 5,
    left=3 * 4 * 9 * P + 8 * (9 * 4 + 9 * 3) + 3 * 5,
)
class RecurrentFromZeros(nn.Module):
    """The first state is zeros made by the code, as many as an attribute says."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 6
        self.stem = conv(3, 8)
        self.memory = nn.GRU(8, 6, batch_first=True)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        start = torch.zeros(1, x.shape[0], self.hidden)
        out, _ = self.memory(self.stem(x).mean(2).transpose(1, 2), start)
        return self.head(out[:, -1])


@construct(
    groups=[8, 6],
    inputs=words(8, 10),
    macs=8 * 6 * 3 * 6 + 6 * 5,
    left=4 * 3 * 3 * 6 + 3 * 5,
)
class WordConvolution(nn.Module):
    """A vector for each word, and a convolution along the text: the vectors' entries are channels too."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.Embedding(10, 8)
        self.conv = nn.Conv1d(8, 6, 3)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.conv(self.vectors(x).transpose(1, 2))).amax(2))


@construct(
    by_layers=False,
    groups=[4],
    macs=3 * 8 * 9 * P + 8 * 24 * P + 2 * (4 * P * P * 2) + 8 * 8 * P + 8 * 5,
    left=3 * 4 * 9 * P + 4 * 12 * P + 2 * (2 * P * P * 2) + 4 * 4 * P + 4 * 5,
)
class BiasByTable(_Tokens):
    """A bias for each head and distance, looked up in a table by a buffer that is not saved (LeViT)."""

    def __init__(self) -> None:
        super().__init__()
        self.heads, self.scale = 4, 2**-0.5
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.table = nn.Parameter(torch.randn(4, P))
        distance = (torch.arange(P)[:, None] - torch.arange(P)[None]).abs()
        self.register_buffer("distance", distance, persistent=False)

    def mix(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        share = ((q @ k.transpose(2, 3)) * self.scale + self.table[:, self.distance]).softmax(3)
        return x + self.proj((share @ v).transpose(1, 2).reshape(b, n, c))


@construct(
    groups=[16, 4],
    macs=6 * 5 * 16 + 6 * 16 * 16 + 2 * 6 * 16 * 4 + 2 * 24 * 4 * 6 + 6 * 16 * 3,
    left=6 * 5 * 8 + 6 * 8 * 8 + 2 * 6 * 8 * 4 + 2 * 12 * 4 * 6 + 6 * 8 * 3,
    locked={"k": "bmm"},
    inputs=images((6, 5)),
)
class MultiQueryAttention(nn.Module):
    """Heads stand among the words, with one key and one value for all of them (Shazeer 2019, arXiv 1911.02150)."""

    def __init__(self) -> None:
        super().__init__()
        self.num_heads = 4
        self.embed, self.q = nn.Linear(5, 16), nn.Linear(16, 16)
        self.k, self.v, self.out = nn.Linear(16, 4), nn.Linear(16, 4), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        b, n, _ = x.shape
        q = self.q(x).view(b, n, self.num_heads, 4).transpose(1, 2).reshape(b, self.num_heads * n, 4)
        shares = torch.softmax(torch.bmm(q, self.k(x).transpose(1, 2)) / 2, -1)
        y = torch.bmm(shares, self.v(x)).view(b, self.num_heads, n, 4).transpose(1, 2)
        return self.out(y.reshape(b, n, self.num_heads * 4))


@construct(
    groups=[2, 8],
    macs=3 * 8 * 9 * P + 8 * 24 * P + 24 * 9 * P + 2 * 2 * 4 * 4 * P + 8 * 8 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 12 * P + 12 * 9 * P + 2 * 1 * 4 * 4 * P + 4 * 4 * P + 4 * 5 * P,
)
class AttentionOfChannels(Between):
    """Channels attend to channels (Zamir 2021, arXiv 2111.09881). Heads are as wide as the width of the input says, so
    that half of its channels go with one of two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.num_heads = 2
        self.qkv, self.mix = conv(8, 24, 1), conv(24, 24, groups=24)
        self.out = conv(8, 8, 1)

    def middle(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        parts = self.mix(self.qkv(x)).chunk(3, dim=1)
        q, k, v = (part.reshape(b, self.num_heads, c // self.num_heads, h * w) for part in parts)
        shares = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        return self.out((shares.softmax(dim=-1) @ v).reshape(b, c, h, w))


@construct(
    by_layers=False,
    groups=[4, 8],
    macs=3 * 8 * 9 * P + 4 * (8 * 8 * P) + 2 * (4 * P * P * 2) + 8 * 5,
    left=3 * 4 * 9 * P + 4 * (4 * 4 * P) + 2 * (2 * P * P * 2) + 4 * 5,
)
class Rotary(_Tokens):
    """Queries and keys times cosines and sines in plain attributes: as wide as a head and the same for all, so that
    heads go whole."""

    def __init__(self) -> None:
        super().__init__()
        self.heads, self.inner = 4, 2
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))
        angles = torch.outer(torch.arange(P), torch.tensor([1.0, 0.1]))
        self.cos, self.sin = angles.cos(), angles.sin()

    def mix(self, x: Tensor) -> Tensor:
        q, k, v = (y.unflatten(2, (self.heads, self.inner)).transpose(1, 2) for y in (self.q(x), self.k(x), self.v(x)))
        q, k = (y * self.cos + y.flip(3) * self.sin for y in (q, k))
        return x + self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
