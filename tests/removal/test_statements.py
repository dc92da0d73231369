"""Networks that fuse their branches do so after removal, too: attributes that forward does not read follow."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning import remove_channels

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def branch(inputs: int, outputs: int, kernel: int, groups: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Branches(nn.Module):
    """3×3, 1×1 and identity, which are one 3×3 convolution in eval mode (RepVGG, arXiv 2101.03697)."""

    def __init__(self, inputs: int, outputs: int, groups: int = 1) -> None:
        super().__init__()
        self.in_channels, self.groups, self.kernel_size = inputs, groups, 3
        self.dense, self.point = branch(inputs, outputs, 3, groups), branch(inputs, outputs, 1, groups)
        self.identity = nn.BatchNorm2d(inputs) if inputs == outputs else None
        self.fused: nn.Conv2d | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.fused is not None:
            return F.relu(self.fused(x))
        same = 0 if self.identity is None else self.identity(x)
        return F.relu(self.dense(x) + self.point(x) + same)

    def one(self) -> Tensor:
        if not hasattr(self, "kernel"):
            width = self.in_channels // self.groups
            self.kernel = torch.zeros(self.in_channels, width, 3, 3, dtype=self.dense[0].weight.dtype)
            for i in range(self.in_channels):
                self.kernel[i, i % width, 1, 1] = 1
        return self.kernel

    @staticmethod
    def scaled(kernel: Tensor, norm: Any) -> tuple[Tensor, Tensor]:
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        return kernel * scale.reshape(-1, 1, 1, 1), norm.bias - norm.running_mean * scale

    @torch.no_grad()
    def fuse(self) -> None:
        kernel, bias = self.scaled(self.dense[0].weight, self.dense[1])
        point, more = self.scaled(F.pad(self.point[0].weight, [1, 1, 1, 1]), self.point[1])
        kernel, bias = kernel + point, bias + more
        if self.identity is not None:
            same, more = self.scaled(self.one(), self.identity)
            kernel, bias = kernel + same, bias + more
        self.fused = nn.Conv2d(self.in_channels, len(kernel), 3, padding=1, groups=self.groups)
        self.fused.weight.data, self.fused.bias.data = kernel, bias
        del self.dense, self.point, self.identity


class Deployable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Branches(3, 16)
        self.stage = nn.Sequential(Branches(16, 24), Branches(24, 24), Branches(24, 24, groups=24), Branches(24, 24))
        self.num_features, self.widths = 24, [16, 24]
        self.head = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stage(self.first(x)).mean((2, 3)))


def made() -> Deployable:
    torch.manual_seed(0)
    model = Deployable().train()
    for _ in range(3):
        model(torch.randn(16, 3, 8, 8))
    return model.eval()


def fused(model: nn.Module) -> nn.Module:
    result = copy.deepcopy(model)
    for module in result.modules():
        if isinstance(module, Branches):
            module.fuse()
    return result


@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("kept_kernel", [False, True])
def test_fusing_after_removal_changes_nothing(dtype: torch.dtype, close: float, kept_kernel: bool) -> None:
    model = made().to(dtype)
    if kept_kernel:  # it was made before removal
        for block in model.modules():
            if isinstance(block, Branches) and block.identity is not None:
                block.one()
    images = IMAGES.to(dtype)
    removal = remove_channels(model, images, sparsity=0.5)
    assert removal.check is not None and removal.check.status == "exact"
    small = removal.model
    assert [m.in_channels for m in small.modules() if isinstance(m, Branches)] == [3, 8, 12, 12, 12]
    assert [m.groups for m in small.modules() if isinstance(m, Branches)] == [1, 1, 1, 12, 1]
    assert small.num_features == 12 and small.first.kernel_size == 3
    with torch.no_grad():
        before, after = small(images), fused(small)(images)
    assert float((before - after).abs().max() / before.abs().max()) < close
    assert fused(model)(images).shape == (2, 5)


class Doubtful(nn.Module):
    """`dim` may be the width of either layer, `width` is read by forward, and `heads` counts no channels."""

    def __init__(self) -> None:
        super().__init__()
        self.dim, self.width, self.heads, self.in_planes, self.hidden_dim = 16, 16, 16, 16, 20
        self.a, self.b, self.c = nn.Conv2d(3, 16, 1), nn.Conv2d(16, 20, 1), nn.Conv2d(20, 16, 1)
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c(self.b(self.a(x))) * (self.width / 16)
        return self.head(x.mean((2, 3)))


def test_what_is_in_doubt_stays() -> None:
    torch.manual_seed(0)
    removal = remove_channels(Doubtful().eval(), IMAGES, sparsity={"a": 0.5, "b": 0.5, "c": 0.25})
    small = removal.model
    assert removal.check is not None and removal.check.status == "exact"
    assert (small.dim, small.width, small.heads, small.hidden_dim) == (16, 16, 16, 10)


class Spec:
    __slots__ = ("in_channels", "stride")

    def __init__(self, inputs: int) -> None:
        self.in_channels, self.stride = inputs, 24


class Described(nn.Module):
    """A convolution whose widths stand in objects that it shares with another, for other methods."""

    def __init__(self, inputs: int, shared: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 24, 3, padding=1)
        self.spec, self.meta, self.shared = Spec(inputs), {"in": inputs, "out": 24, "kernel": 24}, shared

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).relu()


def test_numbers_in_objects_follow_by_their_own_names() -> None:
    torch.manual_seed(0)
    shared = SimpleNamespace(hidden=24)
    model = nn.Sequential(Described(3, shared), Described(24, shared), nn.Flatten(2), nn.Conv1d(24, 5, 1)).eval()
    small = remove_channels(model, IMAGES, sparsity={"0.conv": 0.5, "1.conv": 0.25}).model
    first, second = small[0], small[1]
    assert (first.spec.in_channels, first.meta) == (3, {"in": 3, "out": 12, "kernel": 24})
    assert (second.spec.in_channels, second.meta) == (12, {"in": 12, "out": 18, "kernel": 24})
    assert (second.spec.stride, first.shared.hidden) == (24, 12)
    assert second.shared.hidden == 24  # what comes in and what goes out are left in other shares
    assert (model[1].spec.in_channels, model[1].meta["in"], shared.hidden) == (24, 24, 24)
