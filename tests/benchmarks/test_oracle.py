"""The oracle accepts right removals and catches wrong ones; both are made by hand here, without the engine."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.oracle import NotComparableError, Verdict, judge, kept_by_value, named, runs_in_training

Indices = dict[str, dict[int, list[int]]]


class Residual(nn.Module):
    """Stem, one block with a sum, a head behind a mean: 8 channels in the sum, 6 inside the block."""

    def __init__(self, wide: int = 8, inner: int = 6) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)
        self.first, self.between = nn.Conv2d(wide, inner, 3, padding=1), nn.BatchNorm2d(inner)
        self.second = nn.Conv2d(inner, wide, 3, padding=1)
        self.head = nn.Linear(wide, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.stem(x)))
        x = F.relu(x + self.second(F.relu(self.between(self.first(x)))))
        return self.head(x.mean((2, 3)))


RESIDUAL: Indices = {
    **{name: {0: [0, 2, 3, 5, 7]} for name in ("stem.weight", "second.bias")},
    **{f"norm.{name}": {0: [0, 2, 3, 5, 7]} for name in ("weight", "bias", "running_mean", "running_var")},
    "first.weight": {0: [1, 2, 4], 1: [0, 2, 3, 5, 7]},
    **{f"{name}": {0: [1, 2, 4]} for name in ("first.bias", "between.weight", "between.bias")},
    **{f"between.{name}": {0: [1, 2, 4]} for name in ("running_mean", "running_var")},
    "second.weight": {0: [0, 2, 3, 5, 7], 1: [1, 2, 4]},
    "head.weight": {1: [0, 2, 3, 5, 7]},
}


class Chain(nn.Module):
    """A convolution, something in between, and a consumer."""

    def __init__(self, make: nn.Module, between: nn.Module, use: nn.Module) -> None:
        super().__init__()
        self.make, self.between, self.use = make, between, use

    def forward(self, x: Tensor) -> Tensor:
        return self.use(self.between(self.make(x)))


class Channelwise(nn.LayerNorm):
    """LayerNorm over the channels of a map."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class PaddedLast(nn.LayerNorm):
    """LayerNorm over the channels of a map with a border of zeros, put around it with channels last."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x.movedim(1, -1), (0, 0, 0, 1, 0, 1))).movedim(-1, 1)


class Cat(nn.Module):
    """Two branches of the same width, joined."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, width, 1), nn.Conv2d(3, width, 1)
        self.use = nn.Conv2d(2 * width, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.use(torch.cat((self.left(x), self.right(x)), 1).relu())


class FixedView(nn.Module):
    """Flattens to a number in the code: half the channels make half the rows."""

    def __init__(self, width: int = 4, features: int = 64) -> None:
        super().__init__()
        self.make, self.use = nn.Conv2d(3, width, 1), nn.Linear(features, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.use(self.make(x).relu().view(-1, 64))


def lively(model: nn.Module) -> nn.Module:
    """The model with all its one-dimensional tensors random, BN statistics too."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, tensor in named(model).items():
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor.copy_(torch.rand_like(tensor) + 0.5 if "var" in name else torch.randn_like(tensor))
    return model.eval()


@torch.no_grad()
def cut(dense: nn.Module, small: nn.Module, kept: Mapping[str, Mapping[int, list[int]]]) -> nn.Module:
    """`small` with what `kept` leaves of the tensors of `dense`."""
    targets = named(small)
    for name, tensor in named(dense).items():
        for dim, index in kept.get(name, {}).items():
            tensor = tensor.index_select(dim, torch.tensor(index))
        targets[name].copy_(tensor)
    return small.eval()


def chain(between: Callable[[int], nn.Module], groups: int = 1) -> tuple[nn.Module, nn.Module, Indices]:
    """A chain of 8 channels, its removed form with 4, and what that keeps: 0, 3, 4, 6."""
    index = [0, 3, 4, 6]
    dense = lively(Chain(nn.Conv2d(4, 8, 3, groups=groups), between(8), nn.Conv2d(8, 5, 1)))
    small = Chain(nn.Conv2d(4, 4, 3, groups=groups), between(4), nn.Conv2d(4, 5, 1))
    kept: Indices = {"make.weight": {0: index}, "make.bias": {0: index}, "use.weight": {1: index}}
    kept |= {name: {0: index} for name, tensor in named(dense).items() if "between" in name and 8 in tensor.shape}
    return dense, cut(dense, small, kept), kept


def ruling(dense: nn.Module, small: nn.Module, kept: Indices) -> Verdict:
    return judge(dense, small, torch.randn(2, next(iter(dense.parameters())).shape[1], 4, 4), kept)


def residual() -> tuple[nn.Module, nn.Module]:
    dense = lively(Residual())
    return dense, cut(dense, Residual(5, 3), RESIDUAL)


def test_a_residual_network_is_exact() -> None:
    dense, small = residual()
    verdict = judge(dense, small, torch.randn(2, 3, 6, 6), RESIDUAL)
    assert verdict.outcome == "exact", verdict
    assert verdict.max_error is not None and verdict.max_error < 1e-12
    assert verdict.places == 2 * (4 + 1)  # four layers and the output, two batch sizes
    assert verdict.control is not None and verdict.control > 1e-3


@pytest.mark.parametrize(
    "between",
    [
        lambda n: nn.Sigmoid(),
        lambda n: nn.GroupNorm(2, n),
        lambda n: nn.GroupNorm(1, n),
        lambda n: nn.GroupNorm(1, n, affine=False),
        lambda n: nn.InstanceNorm2d(n, affine=True),
        lambda n: Channelwise(n),
        lambda n: Channelwise(n, elementwise_affine=False),
        lambda n: nn.Sequential(nn.BatchNorm2d(n), nn.PReLU(n), nn.MaxPool2d(2)),
        lambda n: nn.Sequential(nn.ZeroPad2d(1), Channelwise(n)),
        lambda n: PaddedLast(n),
    ],
    ids=(
        "sigmoid groupnorm groupnorm1 groupnorm-plain instancenorm layernorm layernorm-plain batchnorm padded "
        "padded-last"
    ).split(),
)
def test_what_stands_between_is_masked_right(between: Callable[[int], nn.Module]) -> None:
    verdict = judge(*chain(between)[:2], torch.randn(2, 4, 6, 6), chain(between)[2])
    assert verdict.outcome == "exact", verdict


def test_grouped_and_depthwise_convolutions_are_exact() -> None:
    dense, small, kept = chain(lambda n: nn.Identity(), groups=2)
    assert judge(dense, small, torch.randn(2, 4, 6, 6), kept).outcome == "exact"
    dense, small, kept = chain(lambda n: nn.Conv2d(n, n, 3, groups=n, padding=1))
    assert judge(dense, small, torch.randn(2, 4, 6, 6), kept).outcome == "exact"


def test_a_head_of_attention_is_removed_exactly() -> None:
    class Attention(nn.Module):
        def __init__(self, heads: int) -> None:
            super().__init__()
            self.heads, self.qkv, self.out = heads, nn.Linear(6, 3 * heads * 4), nn.Linear(heads * 4, 6)

        def forward(self, x: Tensor) -> Tensor:
            q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, 4)).permute(2, 0, 3, 1, 4)
            return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    dense, left = lively(Attention(3)), [*range(4), *range(8, 12)]
    rows = [part * 12 + index for part in range(3) for index in left]
    kept: Indices = {"qkv.weight": {0: rows}, "qkv.bias": {0: rows}, "out.weight": {1: left}}
    small = cut(dense, Attention(2), kept)
    assert judge(dense, small, torch.randn(2, 5, 6), kept).outcome == "exact"


def test_weight_norm_counts_with_its_effective_weight() -> None:
    dense, small, kept = chain(lambda n: nn.Identity())
    small = copy.deepcopy(small)
    nn.utils.parametrizations.weight_norm(dense.get_submodule("make"))
    small.make.weight.data.copy_(dense.get_submodule("make").weight[[0, 3, 4, 6]])  # type: ignore[union-attr, operator]
    nn.utils.parametrizations.weight_norm(small.get_submodule("make"))
    index = kept.pop("make.weight")
    kept |= {f"make.parametrizations.weight.original{number}": index for number in (0, 1)}
    assert judge(dense, small, torch.randn(2, 4, 6, 6), kept).outcome == "exact"


def _columns_permuted(small: nn.Module) -> None:
    small.second.weight.data = small.second.weight.data.flip(1)  # type: ignore[union-attr, operator]


def _other_channel_of_batch_norm(small: nn.Module) -> None:
    dense = lively(Residual())
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(small.between, name).data.copy_(getattr(dense.between, name)[[1, 2, 5]])


def _other_filter(small: nn.Module) -> None:
    small.first.weight.data[0] = lively(Residual()).first.weight[0, [0, 2, 3, 5, 7]].detach()  # type: ignore[union-attr, index, operator]


@pytest.mark.parametrize("break_it", [_columns_permuted, _other_channel_of_batch_norm, _other_filter])
def test_wrong_weights_are_caught(break_it: Callable[[nn.Module], None]) -> None:
    dense, small = residual()
    break_it(small)
    assert judge(dense, small, torch.randn(2, 3, 6, 6), RESIDUAL).outcome == "wrong"


def test_a_wrong_record_is_caught() -> None:
    """The model keeps other channels of a batch norm than the record says, and says so: still not the masked one."""
    dense, small = residual()
    other = copy.deepcopy(RESIDUAL)
    for name in ("weight", "bias", "running_mean", "running_var"):
        other[f"between.{name}"] = {0: [1, 2, 5]}
    assert judge(dense, cut(dense, small, other), torch.randn(2, 3, 6, 6), other).outcome == "wrong"


def test_swapped_halves_of_a_cat_are_caught() -> None:
    dense = lively(Cat())
    left, right = [0, 1], [1, 3]
    kept: Indices = {
        "left.weight": {0: left},
        "left.bias": {0: left},
        "right.weight": {0: right},
        "right.bias": {0: right},
        "use.weight": {1: [0, 1, 5, 7]},
    }
    assert judge(dense, cut(dense, Cat(2), kept), torch.randn(2, 3, 4, 4), kept).outcome == "exact"
    kept["use.weight"] = {1: [1, 3, 4, 5]}
    assert judge(dense, cut(dense, Cat(2), kept), torch.randn(2, 3, 4, 4), kept).outcome == "wrong"


def test_a_halved_batch_and_a_crash_are_told_apart() -> None:
    dense = lively(FixedView())
    kept: Indices = {"make.weight": {0: [0, 2]}, "make.bias": {0: [0, 2]}}
    assert judge(dense, cut(dense, FixedView(2), kept), torch.randn(2, 3, 4, 4), kept).outcome == "wrong"
    kept["use.weight"] = {1: [*range(16), *range(32, 48)]}
    crashing = cut(dense, FixedView(2, 32), kept)
    assert judge(dense, crashing, torch.randn(2, 3, 4, 4), kept).outcome == "crash"


def test_a_comparison_that_proves_nothing_is_not_exact() -> None:
    dense, small, kept = chain(lambda n: nn.ReLU())
    for model in (dense, small):
        model.get_submodule("use").weight.data.zero_()  # type: ignore[union-attr, operator]
    assert judge(dense, small, torch.randn(2, 4, 6, 6), kept).outcome == "not_comparable"
    assert judge(dense, copy.deepcopy(dense), torch.randn(2, 4, 6, 6), {}).outcome == "not_comparable"


def test_indices_are_read_off_the_values() -> None:
    dense, small = residual()
    assert kept_by_value(dense, small) == RESIDUAL
    dense.get_submodule("norm").bias.data.fill_(1.0)  # type: ignore[union-attr, operator]
    small.get_submodule("norm").bias.data.fill_(1.0)  # type: ignore[union-attr, operator]
    with pytest.raises(NotComparableError, match=r"norm\.bias has equal values"):
        kept_by_value(dense, small)


def test_a_model_that_only_evaluates_is_noticed() -> None:
    class Auxiliary(FixedView):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) if self.training else self.make(x).relu().mean((1, 2, 3))

    dense = lively(Auxiliary())
    small = cut(dense, Auxiliary(2), {"make.weight": {0: [0, 2]}, "make.bias": {0: [0, 2]}})
    assert "train mode" in runs_in_training(dense, small, torch.randn(2, 3, 4, 4))
    assert runs_in_training(dense, dense, torch.randn(2, 3, 4, 4)) == ""
