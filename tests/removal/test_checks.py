"""Code that checks a size, or goes by one: an attribute follows, else only what the check looks at stays."""

from __future__ import annotations

import linecache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning import remove_channels
from pruning.removal.build import build_graph
from pruning.removal.remove import Removal

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
HERE = Path(__file__).name


def line_with(comment: str) -> str:
    lines = linecache.getlines(__file__)
    return f"{HERE}:{next(i for i, line in enumerate(lines, 1) if line.rstrip().endswith(f'# {comment}'))}"


def pruned(model: nn.Module) -> Removal:
    torch.manual_seed(0)
    removal = remove_channels(model.eval(), IMAGES, sparsity=0.5)
    assert removal.check is not None and removal.check.status == "exact"
    assert removal.model(IMAGES).shape == model(IMAGES).shape
    return removal


def units(removal: Removal) -> dict[str, int]:
    return {group.name: group.units for group in removal.groups}


def check(x: Tensor, channels: int) -> None:
    if x.shape[1] != channels:
        raise ValueError(f"{channels} channels were expected")


class Asserting(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.in_ch, self.out_ch = inputs, outputs
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[1] == self.in_ch
        return F.relu(self.conv(x))


class Helping(Asserting):
    """The check is in a function, and what comes out is checked, too."""

    def forward(self, x: Tensor) -> Tensor:
        check(x, self.in_ch)
        x = F.relu(self.conv(x))
        torch._check(x.shape[1] == self.out_ch)
        return x


class InATuple(Asserting):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.shape = [inputs, outputs]

    def forward(self, x: Tensor) -> Tensor:
        if x.size(1) != self.shape[0]:
            raise RuntimeError("other channels")
        return F.relu(self.conv(x))


class Chain(nn.Module):
    """A stem, blocks of a kind, and a linear layer."""

    def __init__(self, kind: type[Asserting]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, padding=1)
        self.blocks = nn.Sequential(kind(24, 24), kind(24, 32), kind(32, 16))
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


@pytest.mark.parametrize("kind", [Asserting, Helping, InATuple])
def test_the_attribute_of_a_check_follows(kind: type[Asserting]) -> None:
    removal = pruned(Chain(kind))
    assert units(removal) == {"stem": 24, "blocks.0.conv": 24, "blocks.1.conv": 32, "blocks.2.conv": 16}
    assert [locked.layers for locked in removal.locked] == [("head",)]
    block = removal.model.get_submodule("blocks.1")
    assert (block.in_ch, block.out_ch) == (12, 16)


class Tokens(nn.Module):
    """An assertion on the width of tokens, which both residual and attention share."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_dim, self.heads, self.head_dim = 24, 4, 6
        self.norm, self.qkv, self.out = nn.LayerNorm(24), nn.Linear(24, 72), nn.Linear(24, 24)

    def forward(self, x: Tensor) -> Tensor:
        batch, count, width = x.shape
        assert width == self.embed_dim
        q, k, v = self.qkv(self.norm(x)).view(batch, count, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, count, -1)
        return x + self.out(y)


class Vit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch, self.block, self.head = nn.Conv2d(3, 24, 4, 4), Tokens(), nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(self.patch(x).flatten(2).transpose(1, 2)).mean(1))


def test_a_check_of_tokens_follows_and_heads_go() -> None:
    removal = pruned(Vit())
    assert removal.model.block.embed_dim == 12
    assert removal.model.block.qkv.weight.shape[1] == 12 and removal.model.block.qkv.weight.shape[0] < 72
    assert [locked.layers for locked in removal.locked] == [("head",)]


class Fixed(nn.Module):
    """Only the second layer's channels are checked, with a number in the code."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(i, o, 3, padding=1) for i, o in ((3, 16), (16, 24), (24, 20)))
        self.head = nn.Linear(20, 4)

    def between(self, x: Tensor) -> Tensor:
        assert x.shape[1] == 24  # a number in the code
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = self.between(F.relu(self.b(F.relu(self.a(x)))))
        return self.head(F.relu(self.c(x)).mean((2, 3)))


def test_only_what_a_fixed_number_concerns_stays_with_its_line() -> None:
    removal = pruned(Fixed())
    assert units(removal) == {"a": 16, "c": 20}
    reasons = {locked.layers: locked.reason for locked in removal.locked}
    assert reasons["b",].startswith(f"{line_with('a number in the code')} in the model itself")


class Even(Fixed):
    def between(self, x: Tensor) -> Tensor:
        if x.shape[1] % 2:
            raise ValueError("an odd number of channels")  # odd
        return x


def test_a_check_that_one_unit_less_fails_locks_its_group_alone() -> None:
    removal = pruned(Even())
    assert units(removal) == {"a": 16, "c": 20}
    reasons = {locked.layers: locked.reason for locked in removal.locked}
    assert reasons["b",].startswith(line_with("odd"))


class Pools(Fixed):
    def between(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2) if x.shape[1] > 16 else x


class Raises(Fixed):
    def between(self, x: Tensor) -> Tensor:
        if x.size(1) < 17:
            raise ValueError("too few")
        return x


@pytest.mark.parametrize("kind", [Pools, Raises])
def test_as_many_stay_as_a_threshold_needs(kind: type[Fixed]) -> None:
    removal = pruned(kind())
    assert units(removal) == {"a": 16, "b": 24, "c": 20}
    assert {name: len(dims[0]) for name, dims in removal.kept.items() if name.endswith("weight") and 0 in dims} == {
        "a.weight": 8,
        "b.weight": 17,
        "c.weight": 10,
    }
    group = next(group for group in removal.groups if group.name == "b")
    assert group.least == 17 and HERE in str(group.why_least)


def test_a_threshold_that_is_not_reached_changes_nothing() -> None:
    class Low(Fixed):
        def between(self, x: Tensor) -> Tensor:
            return F.max_pool2d(x, 2) if x.shape[1] > 5 else x

    removal = pruned(Low())
    assert removal.model.b.out_channels == 12
    assert [group.least for group in build_graph(Low(), IMAGES).groups] == [1, 6, 1]


class GoesByItsWidth(Fixed):
    def __init__(self) -> None:
        super().__init__()
        self.width, self.more = 24, nn.Conv2d(24, 24, 1)

    def between(self, x: Tensor) -> Tensor:
        return self.more(x) if x.shape[1] == self.width else x


def test_the_attribute_of_a_branch_follows() -> None:
    removal = pruned(GoesByItsWidth())
    assert units(removal) == {"a": 16, "b": 24, "more": 24, "c": 20}
    assert removal.model.width == 12


class AtTwelve(Fixed):
    def between(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2) if x.shape[1] == 12 else x


class Quarters(Fixed):
    def between(self, x: Tensor) -> Tensor:
        return F.group_norm(x, x.shape[1] // 4)


class AllLarge(Fixed):
    """True of the weights that stay, and not of all."""

    def between(self, x: Tensor) -> Tensor:
        return x.flip(2) if (self.b.weight.abs().amax((1, 2, 3)) > 0.05).all() else x


@pytest.mark.parametrize("kind", [AtTwelve, Quarters, AllLarge])
def test_where_the_plan_itself_changes_the_way_only_its_group_stays(kind: type[Fixed]) -> None:
    model = kind()
    with torch.no_grad():
        model.b.weight[::2] *= 0.1
    removal = pruned(model)
    assert units(removal) == {"a": 16, "c": 20}
    assert {locked.layers for locked in removal.locked} == {("b",), ("head",)}


class Finite(Fixed):
    def between(self, x: Tensor) -> Tensor:
        if not self.b.weight.isfinite().all():
            raise ValueError("the weights are damaged")
        return x


def test_what_is_true_of_weights_whatever_goes_locks_nothing() -> None:
    assert units(pruned(Finite())) == {"a": 16, "b": 24, "c": 20}


@pytest.mark.parametrize(("kind", "asks"), [(Fixed, True), (AllLarge, False), (GoesByItsWidth, True)])
def test_only_a_network_that_asks_for_sizes_is_tried_for_them(kind: type[Fixed], asks: bool) -> None:
    assert build_graph(kind().eval(), IMAGES).trace.asks_sizes == asks


class OnOneLine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        assert x.shape[1] == 8; return self.last(x)  # noqa: E702  # fmt: skip


def test_a_check_on_the_line_of_a_call_is_called_a_check() -> None:
    removal = remove_channels(OnOneLine(), IMAGES, sparsity=0.5)
    reason = next(lock.reason for lock in removal.locked if lock.layers == ("first",))
    assert reason.startswith(HERE) and reason.endswith("the code there does not allow another size")
